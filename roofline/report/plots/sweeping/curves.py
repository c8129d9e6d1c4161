"""Rows of a sweep as curves: which of their settings runs along a curve, and which of them name it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from roofline.answer.names import unknown
from roofline.errors import UsageError
from roofline.report.plots.style import SIZE, WIDTH, wrap

Row = Mapping[str, Any]

#: Columns that set a run up, and how they are said: those that vary name the curves, the others head the page.
SETTINGS: Final = {
    "model": "{}",
    "gpu": "{}",
    "gpus": "{} GPUs",
    "tp": "tp {}",
    "pp": "pp {}",
    "ep": "ep {}",
    "dp": "dp {}",
    "batch": "batch {}",
    "users": "{} users",
    "prompt": "prompt {}",
    "generate": "generate {}",
    "images": "{} images",
    "frames": "{} frames",
    "seconds": "{} seconds",
    "height": "height {}",
    "width": "width {}",
    "steps": "{} steps",
    "guidance": "guidance {}",
    "scheduler": "{}",
    "weights": "weights {}",
    "activations": "activations {}",
    "kv_cache": "KV-cache {}",
    "fusion": "{} fusion",
    "logits": "logits {}",
    "engine": "engine {}",
    "name": "{}",
}
#: Settings that go without saying.
_NEUTRAL: Final = {
    **{"gpus": 1, "tp": 1, "pp": 1, "ep": 1, "dp": 1, "logits": "last"},
    **{"images": 0, "frames": 0, "seconds": 0},
}
_FORMATS: Final = ("weights", "activations", "kv_cache")
_COUNTED: Final = ("users", "images", "frames", "seconds", "steps")
_SIZES: Final = ("users", "prompt", "generate", "images", "frames", "seconds", "height", "width", "steps")
_MOST: Final = 20


class Point(NamedTuple):
    """x, y, whether it fits in memory, and the ends of the 80 % interval of y, which are y where there is none."""

    at: float
    value: float
    fits: bool
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A name, and points."""

    name: str
    points: list[Point]

    @property
    def label(self) -> str:
        """The name in lines of at most three tenths of the page."""
        return "\n".join(wrap(self.name, 0.3 * WIDTH, SIZE))


def span_of(table: Sequence[Row], x: str) -> str:
    """From where to where that setting grows, in words."""
    values = sorted(value for row in table if (value := _number(row.get(along(table, x)))) is not None)
    return f"{values[0]:,g} to {values[-1]:,g}" if values else "point to point"


def grown_words(table: Sequence[Row], x: str) -> str:
    """What grows along a curve, in words: `batch`, `number of users`."""
    name = along(table, x)
    return f"number of {name}" if name in _COUNTED else name


def along(table: Sequence[Row], x: str) -> str:
    """The setting that grows along a curve: x where it is one, else the batch, or the first number that varies."""
    grown = (key for key in ("batch", *_SIZES) if len({_number(row.get(key)) for row in table}) > 1)
    return x if x in SETTINGS else next(grown, "batch")


def check_columns(table: Sequence[Row], x: str, y: str) -> None:
    """Raises UsageError for a column that no row has, and where there are no rows."""
    if not table:
        raise UsageError("nothing to plot: the sweep has no rows")
    known = list(dict.fromkeys(key for row in table for key, value in row.items() if _number(value) is not None))
    for column in (x, y):
        if not any(column in row for row in table):
            raise unknown("column", column, known)


def _number(value: Any) -> float | None:
    """A positive finite number, or None: what a logarithmic axis can show."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    number = float(value)
    return number if math.isfinite(number) and number > 0 else None


def curves_of(table: Sequence[Row], x: str, y: str, by: Sequence[str] = ()) -> tuple[list[Curve], list[str]]:
    """The curves in order of appearance, their points along the setting that is swept; the settings that all share."""
    grown = along(table, x)
    settings = [key for key in SETTINGS if key != grown and any(row.get(key) is not None for row in table)]
    differing = [key for key in settings if len({str(row.get(key)) for row in table}) > 1]
    varying = list(by) or differing
    groups: dict[str, dict[float, Point]] = {}
    for row in table:
        here, value = _number(row.get(x)), _number(row.get(y))
        if here is None or value is None:
            continue
        name = ", ".join(_said(row, varying))
        low, high = (_number(row.get(f"{y}_{end}")) or value for end in ("low", "high"))
        point, place = Point(here, value, bool(row.get("fits", True)), low, high), _number(row.get(grown)) or here
        if groups.setdefault(name, {}).setdefault(place, point) != point:
            where = f"{grown} {place:g}" + (f" for {name}" if name else "")
            others = ", ".join(key for key in differing if key not in varying)
            advice = f"rows differ in {others} too: name that in `by`, or pick rows with where(…)"
            why = advice if others else "the rows differ in a column that is no setting"
            raise UsageError(f"two values of {y} at {where}: {why}")
    if not groups:
        texts = [name for name in (x, y) if any(isinstance(row.get(name), str) for row in table)]
        hint = f"; {texts[0]} is a text, which `by` can name curves after" if texts else ""
        raise UsageError(f"nothing to plot: no row has a positive {x} and {y}{hint}")
    if len(groups) > _MOST:
        raise UsageError(f"{len(groups)} curves are too many for one picture; at most {_MOST} can be told apart")
    curves = [Curve(name, [points[place] for place in sorted(points)]) for name, points in groups.items()]
    shared = [key for key in settings if key not in varying and table[0].get(key) != _NEUTRAL.get(key)]
    return curves, _said(table[0], shared)


def _said(row: Row, keys: Sequence[str]) -> list[str]:
    """The settings of a row in words; the format once where weights, activations and cache share it."""
    formats = [row.get(key) for key in _FORMATS]
    alike = set(_FORMATS) <= set(keys) and len(set(formats)) == 1
    shown = [key for key in keys if row.get(key) is not None and not (alike and key in _FORMATS[1:])]
    return [str(row[key]) if alike and key in _FORMATS else _say(key, row[key]) for key in shown]


def _say(key: str, value: Any) -> str:
    text = f"{value:,}" if isinstance(value, (int, float)) else value
    return SETTINGS.get(key, f"{key.replace('_', ' ')} {{}}").format(text)
