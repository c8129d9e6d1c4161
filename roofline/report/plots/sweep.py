"""Sweep curves: one quantity over another for several models, accelerators or settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.labels import spread
from roofline.report.plots.layout import Words, compose, name_beside, new_figure
from roofline.report.plots.style import DASHES, MARKERS, SIZE, WIDTH, Look, palette, shade, text_size, tint
from roofline.report.plots.sweeping.curves import (
    SETTINGS,
    Curve,
    Point,
    along,
    check_columns,
    curves_of,
    grown_words,
    span_of,
)
from roofline.units import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

#: How a column of a steady load is told from that of a batch.
_LOAD: Final = ", steady load"
_TITLES: Final = {
    "batch": "Batch (sequences)",
    "users": "Users at once",
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
#: Curves beyond which intervals would hide each other.
_BANDS: Final = 4
_HEIGHT, _LEFT, _STALK = 225.0, 51.0, 8.0


def sweep_figure(
    rows: Iterable[Row],
    *,
    x: str = "batch",
    y: str = "output_tokens_per_s",
    title: str | None = None,
    theme: str | None = None,
    by: Sequence[str] = (),
    note: str = "",
) -> Figure:
    """Column `y` of the rows over their column `x`, both logarithmic: a curve for each model, accelerator and setting.

    A row is one run: its settings (model, gpu, batch, prompt, … as in the inputs of an estimate) and results in SI
    units. Where `x` is a result rather than a setting (throughput over latency), curves run along the batch. Where rows
    have a column `fits`, points that do not fit in memory are hollow; where they have the columns `<y>_low` and
    `<y>_high`, that interval is shaded behind the curves, if these are few. `theme`: light or dark. `by`: the columns
    that name the curves, in place of all settings that vary. `note`: a last sentence below. Rows without a positive x
    and y stay out. Raises UsageError for a column that no row has, where nothing is left, for more than 20 curves, and
    where a curve has two values at one place.
    """
    table = list(rows)
    check_columns(table, x, y)
    curves, shared = curves_of(table, x, y, by)
    with plot_style.styled(theme):
        margin = min(max(text_size(curve.label)[0] for curve in curves) + _STALK + 9, 0.4 * WIDTH)
        width = WIDTH - _LEFT - margin
        figure, axes = new_figure(width, _HEIGHT)
        banded = _draw(axes, curves, x, y, _titles(table))
        if len(curves) > 1:
            _name_curves(axes, curves, width)
        beyond = any(not point.fits for curve in curves for point in curve.points)
        words = " ".join(
            [f"Along each curve the {grown_words(table, x)} grows from {span_of(table, x)}."] * (along(table, x) != x)
            + ["Lines: expected; shaded: where four of five runs lie."] * banded
            + ["Hollow: does not fit in memory."] * beyond
            + [note] * bool(note)
        )
        compose(figure, axes, Words(title or _heading(table, x, y), " · ".join(shared), words), _LEFT, 4)
    return figure


def sweep_axes(rows: Iterable[Row], axes: Axes, *, x: str, y: str, by: Sequence[str] = ()) -> Axes:
    """The same curves in axes of the caller's own, which are given back, with a title and a legend."""
    table = list(rows)
    check_columns(table, x, y)
    curves, _ = curves_of(table, x, y, by)
    _draw(axes, curves, x, y, _titles(table))
    axes.set_title(_heading(table, x, y))
    if len(curves) > 1:
        for index, curve in enumerate(curves):
            axes.plot([], [], color=_colour(index), marker=MARKERS[index % len(MARKERS)], label=curve.name)
        axes.legend(frameon=False)
    return axes


def _heading(table: Sequence[Row], x: str, y: str) -> str:
    names = _titles(table)
    what = _title(names, y)
    what = what.removesuffix(_LOAD) if _title(names, x).endswith(_LOAD) else what
    return f"{what} by {_title(names, x).partition(' (')[0].lower()}"


def _draw(axes: Axes, curves: Sequence[Curve], x: str, y: str, names: Mapping[str, str]) -> bool:
    """The curves and their axes; whether intervals are shaded."""
    _limits(axes, curves)
    banded = len(curves) <= _BANDS and any(point.low < point.high for curve in curves for point in curve.points)
    for index, curve in enumerate(curves):
        if banded:
            _draw_band(axes, index, curve)
        _draw_curve(axes, index, curve, (_told(x, names), _told(y, names)))
    _axes_of(axes, curves, x, y, names)
    return banded


def _titles(table: Sequence[Row]) -> Mapping[str, str]:
    """Columns in words: a batch is of pictures where no row has tokens."""
    pictures = not any(row.get("prompt") is not None for row in table) and any("images_per_s" in row for row in table)
    return _TITLES | {"batch": "Batch (pictures)", "total_s": "Time of the whole batch"} if pictures else _TITLES


def _unit(column: str) -> str:
    if column.endswith("_bytes"):
        return "B"
    return "s" if column.endswith("_s") and not column.endswith("_per_s") else ""


def _title(names: Mapping[str, str], column: str) -> str:
    """A column for people; what begins with `served_` is of a steady load."""
    base = column.removeprefix("served_")
    return names.get(base, _plain(base)) + ("" if base == column else _LOAD)


def _plain(column: str) -> str:
    words = column.removesuffix("_per_s").removesuffix("_s").removesuffix("_bytes").replace("_", " ")
    return words[:1].upper() + words[1:] + (" per second" if column.endswith("_per_s") else "")


def _limits(axes: Axes, curves: Sequence[Curve]) -> None:
    for values, set_limits in (
        ([point.at for curve in curves for point in curve.points], axes.set_xlim),
        ([end for curve in curves for point in curve.points for end in _ends(point, len(curves))], axes.set_ylim),
    ):
        pad = max((max(values) / min(values)) ** 0.05, 1.08)
        set_limits(min(values) / pad, max(values) * pad)


def _ends(point: Point, curves: int) -> tuple[float, ...]:
    return (point.low, point.high) if curves <= _BANDS else (point.value,)


def _axes_of(axes: Axes, curves: Sequence[Curve], x: str, y: str, names: Mapping[str, str]) -> None:
    """Logarithmic axes; the x of the points are the ticks where they are few."""
    from matplotlib.ticker import FixedLocator

    plot_style.log_axis(axes, "x", _title(names, x), _unit(x))
    plot_style.log_axis(axes, "y", _title(names, y), _unit(y))
    at = sorted({point.at for curve in curves for point in curve.points})
    if x in SETTINGS and len(at) <= 12:
        axes.xaxis.set_major_locator(FixedLocator(at))
        axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.grid(visible=True, which="major")


def _colour(index: int) -> str:
    colours = palette().colours
    return colours[index % len(colours)]


def _draw_band(axes: Axes, index: int, curve: Curve) -> None:
    """The interval behind a curve."""
    at = [point.at for point in curve.points]
    low, high = [point.low for point in curve.points], [point.high for point in curve.points]
    axes.fill_between(at, low, high, color=_colour(index), alpha=0.12, lw=0, zorder=1)


def _told(column: str, names: Mapping[str, str]) -> Callable[[float], str]:
    """How a value of a column is said."""
    title, unit = _title(names, column).partition(" (")[0], _unit(column)
    return lambda value: f"{title}: {format_time(value) if unit == 's' else plot_style.amount(value, unit, 3).strip()}"


def _words(curve: Curve, point: Point, told: tuple[Callable[[float], str], Callable[[float], str]]) -> str:
    """What a pointer shows at a point: the curve, both values, the interval, and whether it fits."""
    lines = [curve.name] * bool(curve.name) + [told[0](point.at), told[1](point.value)]
    if point.low < point.high:
        ends = (told[1](end).partition(": ")[2] for end in (point.low, point.high))
        lines.append(f"four of five runs: {' to '.join(ends)}")
    return "\n".join(lines + ["does not fit in memory"] * (not point.fits))


def _draw_curve(
    axes: Axes, index: int, curve: Curve, told: tuple[Callable[[float], str], Callable[[float], str]]
) -> None:
    colour = _colour(index)
    xs, ys = [point.at for point in curve.points], [point.value for point in curve.points]
    marker, dash = MARKERS[index % len(MARKERS)], DASHES[index // len(palette().colours) % len(DASHES)]
    axes.plot(xs, ys, color=colour, lw=1.2, ls=dash, zorder=3)
    dot: Look = {"ls": "", "marker": marker, "ms": 3.6, "mec": colour, "mew": 0.8}
    for inside, fill in ((True, colour), (False, palette().ground)):
        shown = [point for point in curve.points if point.fits is inside]
        (marks,) = axes.plot([p.at for p in shown], [p.value for p in shown], mfc=fill, zorder=4, **dot)
        hover(marks, [_words(curve, point, told) for point in shown])


def _name_curves(axes: Axes, curves: Sequence[Curve], width: float) -> None:
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
