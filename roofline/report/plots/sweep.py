"""Sweep curves: one quantity over another for several models, accelerators or settings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.errors import UsageError, nearest
from roofline.report.plots import style as plot_style
from roofline.report.plots.labels import spread
from roofline.report.plots.layout import Words, compose, name_beside, new_figure
from roofline.report.plots.style import DASHES, MARKERS, SIZE, WIDTH, Look, palette, shade, text_size, tint, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

#: Columns that set a run up, and how they are said: those that vary name the curves, the others head the page.
_SETTINGS: Final = {
    "model": "{}",
    "gpu": "{}",
    "gpus": "{} GPUs",
    "tp": "tp {}",
    "pp": "pp {}",
    "ep": "ep {}",
    "dp": "dp {}",
    "batch": "batch {}",
    "prompt": "prompt {}",
    "generate": "generate {}",
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
_TITLES: Final = {
    "batch": "Batch (sequences)",
    "prompt": "Prompt (tokens)",
    "generate": "Generated tokens",
    "output_tokens_per_s": "Output tokens per second",
    "tokens_per_s": "Tokens per second, prompt and output",
    "images_per_s": "Pictures per second",
    "ttft_s": "Time to first token",
    "tpot_s": "Time per output token",
    "total_s": "Time of the whole request",
    "total_bytes": "Memory",
    "kv_cache_bytes": "KV-cache",
}
#: Settings that go without saying.
_NEUTRAL: Final = {"gpus": 1, "tp": 1, "pp": 1, "ep": 1, "dp": 1, "logits": "last"}
_FORMATS: Final = ("weights", "activations", "kv_cache")
_MOST: Final = 20
#: Curves beyond which intervals would hide each other.
_BANDS: Final = 4
_HEIGHT, _LEFT, _STALK = 225.0, 51.0, 8.0


class _Point(NamedTuple):
    """x, y, whether it fits in memory, and the ends of the 80 % interval of y, which are y where there is none."""

    at: float
    value: float
    fits: bool
    low: float
    high: float


@dataclass(frozen=True)
class _Curve:
    """A name, and points."""

    name: str
    points: list[_Point]

    @property
    def label(self) -> str:
        """The name in lines of at most three tenths of the page."""
        return "\n".join(wrap(self.name, 0.3 * WIDTH, SIZE))


def sweep_figure(
    rows: Iterable[Row],
    *,
    x: str = "batch",
    y: str = "output_tokens_per_s",
    title: str | None = None,
    theme: str | None = None,
) -> Figure:
    """Column `y` of the rows over their column `x`, both logarithmic: a curve for each model, accelerator and setting.

    A row is one run: its settings (model, gpu, batch, prompt, … as in the inputs of an estimate) and results in SI
    units. Where `x` is a result rather than a setting (throughput over latency), curves run along the batch. Where rows
    have a column `fits`, points that do not fit in memory are hollow; where they have the columns `<y>_low` and
    `<y>_high`, that interval is shaded behind the curves, if these are few. `theme`: light or dark. Rows without a
    positive x and y stay out. Raises UsageError for a column that no row has, where nothing is left, for more than 20
    curves, and where a curve has two values at one place.
    """
    table = list(rows)
    _check_columns(table, x, y)
    curves, shared = _curves(table, x, y)
    with plot_style.styled(theme):
        margin = min(max(text_size(curve.label)[0] for curve in curves) + _STALK + 9, 0.4 * WIDTH)
        width = WIDTH - _LEFT - margin
        figure, axes = new_figure(width, _HEIGHT)
        _limits(axes, curves)
        banded = len(curves) <= _BANDS and any(point.low < point.high for curve in curves for point in curve.points)
        for index, curve in enumerate(curves):
            if banded:
                _draw_band(axes, index, curve)
            _draw_curve(axes, index, curve)
        _axes_of(axes, curves, x, y, _titles(table))
        if len(curves) > 1:
            _name_curves(axes, curves, width)
        beyond = any(not point.fits for curve in curves for point in curve.points)
        note = " ".join(
            [f"Along each curve the batch grows from {_span(table)}."] * (x not in _SETTINGS)
            + ["Lines: expected; shaded: where four of five runs lie."] * banded
            + ["Hollow: does not fit in memory."] * beyond
        )
        names = _titles(table)
        heading = title or f"{names.get(y, _plain(y))} by {names.get(x, _plain(x)).partition(' (')[0].lower()}"
        compose(figure, axes, Words(heading, " · ".join(shared), note), _LEFT, 4)
    return figure


def _titles(table: Sequence[Row]) -> Mapping[str, str]:
    """Columns in words: a batch is of pictures where no row has tokens."""
    pictures = not any(row.get("prompt") is not None for row in table) and any("images_per_s" in row for row in table)
    return _TITLES | {"batch": "Batch (pictures)", "total_s": "Time of the whole batch"} if pictures else _TITLES


def _unit(column: str) -> str:
    if column.endswith("_bytes"):
        return "B"
    return "s" if column.endswith("_s") and not column.endswith("_per_s") else ""


def _span(table: Sequence[Row]) -> str:
    batches = sorted(value for row in table if (value := _number(row.get("batch"))) is not None)
    return f"{batches[0]:,g} to {batches[-1]:,g}" if batches else "point to point"


def _plain(column: str) -> str:
    words = column.removesuffix("_per_s").removesuffix("_s").removesuffix("_bytes").replace("_", " ")
    return words[:1].upper() + words[1:] + (" per second" if column.endswith("_per_s") else "")


def _check_columns(table: Sequence[Row], x: str, y: str) -> None:
    if not table:
        raise UsageError("nothing to plot: the sweep has no rows")
    known = list(dict.fromkeys(key for row in table for key, value in row.items() if _number(value) is not None))
    for column in (x, y):
        if not any(column in row for row in table):
            close = nearest(column, known) or known
            raise UsageError(f"the sweep has no column {column!r}. Nearest: {', '.join(close[:3])}.")


def _number(value: Any) -> float | None:
    """A positive finite number, or None: what a logarithmic axis can show."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    number = float(value)
    return number if math.isfinite(number) and number > 0 else None


def _curves(table: Sequence[Row], x: str, y: str) -> tuple[list[_Curve], list[str]]:
    """The curves in order of appearance, their points along the setting that is swept; the settings that all share."""
    along = x if x in _SETTINGS else "batch"
    settings = [key for key in _SETTINGS if key != along and any(row.get(key) is not None for row in table)]
    varying = [key for key in settings if len({str(row.get(key)) for row in table}) > 1]
    groups: dict[str, dict[float, _Point]] = {}
    for row in table:
        here, value = _number(row.get(x)), _number(row.get(y))
        if here is None or value is None:
            continue
        name = ", ".join(_said(row, varying))
        low, high = (_number(row.get(f"{y}_{end}")) or value for end in ("low", "high"))
        point, place = _Point(here, value, bool(row.get("fits", True)), low, high), _number(row.get(along)) or here
        if groups.setdefault(name, {}).setdefault(place, point) != point:
            where = f"{along} {place:g}" + (f" for {name}" if name else "")
            raise UsageError(f"two values of {y} at {where}: the rows differ in a column that is no setting")
    if not groups:
        raise UsageError(f"nothing to plot: no row has a positive {x} and {y}")
    if len(groups) > _MOST:
        raise UsageError(f"{len(groups)} curves are too many for one picture; at most {_MOST} can be told apart")
    curves = [_Curve(name, [points[place] for place in sorted(points)]) for name, points in groups.items()]
    shared = [key for key in settings if key not in varying and table[0].get(key) != _NEUTRAL.get(key)]
    return curves, _said(table[0], shared)


def _said(row: Row, keys: Sequence[str]) -> list[str]:
    """The settings of a row in words; the format once where weights, activations and cache share it."""
    formats = [row.get(key) for key in _FORMATS]
    alike = set(_FORMATS) <= set(keys) and len(set(formats)) == 1
    shown = [key for key in keys if row.get(key) is not None and not (alike and key in _FORMATS[1:])]
    return [str(row[key]) if alike and key in _FORMATS else _say(key, row[key]) for key in shown]


def _say(key: str, value: Any) -> str:
    return _SETTINGS[key].format(f"{value:,}" if isinstance(value, (int, float)) else value)


def _limits(axes: Axes, curves: Sequence[_Curve]) -> None:
    for values, set_limits in (
        ([point.at for curve in curves for point in curve.points], axes.set_xlim),
        ([end for curve in curves for point in curve.points for end in _ends(point, len(curves))], axes.set_ylim),
    ):
        pad = max((max(values) / min(values)) ** 0.05, 1.08)
        set_limits(min(values) / pad, max(values) * pad)


def _ends(point: _Point, curves: int) -> tuple[float, ...]:
    return (point.low, point.high) if curves <= _BANDS else (point.value,)


def _axes_of(axes: Axes, curves: Sequence[_Curve], x: str, y: str, names: Mapping[str, str]) -> None:
    """Logarithmic axes; the x of the points are the ticks where they are few."""
    from matplotlib.ticker import FixedLocator

    plot_style.log_axis(axes, "x", names.get(x, _plain(x)), _unit(x))
    plot_style.log_axis(axes, "y", names.get(y, _plain(y)), _unit(y))
    at = sorted({point.at for curve in curves for point in curve.points})
    if len(at) <= 12:
        axes.xaxis.set_major_locator(FixedLocator(at))
        axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.grid(visible=True, which="major")


def _colour(index: int) -> str:
    colours = palette().colours
    return colours[index % len(colours)]


def _draw_band(axes: Axes, index: int, curve: _Curve) -> None:
    """The interval behind a curve."""
    at = [point.at for point in curve.points]
    low, high = [point.low for point in curve.points], [point.high for point in curve.points]
    axes.fill_between(at, low, high, color=_colour(index), alpha=0.12, lw=0, zorder=1)


def _draw_curve(axes: Axes, index: int, curve: _Curve) -> None:
    colour = _colour(index)
    xs, ys = [point.at for point in curve.points], [point.value for point in curve.points]
    marker, dash = MARKERS[index % len(MARKERS)], DASHES[index // len(palette().colours) % len(DASHES)]
    axes.plot(xs, ys, color=colour, lw=1.2, ls=dash, zorder=3)
    dot: Look = {"ls": "", "marker": marker, "ms": 3.6, "mec": colour, "mew": 0.8}
    for inside, fill in ((True, colour), (False, palette().ground)):
        shown = [point for point in curve.points if point.fits is inside]
        axes.plot([p.at for p in shown], [p.value for p in shown], mfc=fill, zorder=4, **dot)


def _name_curves(axes: Axes, curves: Sequence[_Curve], width: float) -> None:
    """Each curve's name at the level where it ends."""
    low, high = (math.log(value) for value in axes.get_ylim())
    left, right = (math.log(value) for value in axes.get_xlim())
    ends = [
        ((math.log(curve.points[-1][0]) - left) / (right - left), (math.log(curve.points[-1][1]) - low) / (high - low))
        for curve in curves
    ]
    heights = [text_size(curve.label)[1] + 1 for curve in curves]
    centres = spread([y * _HEIGHT for _, y in ends], heights, 0.0, _HEIGHT)
    for index, (curve, end, centre) in enumerate(zip(curves, ends, centres, strict=True)):
        colour, place = _colour(index), (1 + _STALK / width, centre / _HEIGHT)
        look: Look = {"color": shade(colour), "size": SIZE, "gid": "curve"}
        name_beside(axes, curve.label, end, place, tint(colour, 0.5), gap=4, **look)
