"""The picture of levels of execution: kernels, traffic and times of one phase, from scores in memory to fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.levels import levels_of
from roofline.report.glossary import LEVELS
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.series import cautions, conditions, distinct, heading
from roofline.report.plots.style import SIZE, SMALL, WIDTH, Look, palette, text_size, tint
from roofline.runs.telling.levels import LIMITS
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Points: a row with the space around it, the part that is bar, beside names and values, between columns, above rows.
_ROW, _BAR, _GAP, _BETWEEN, _TOP = 17.0, 0.62, 5.0, 14.0, 26.0
#: Below the rows, what each level is: the space above it, a line of it.
_ABOVE, _LINE = 10.0, 10.0
#: Of bars that are not the smallest of their column.
_PALE: Final = 0.45


class _Column(NamedTuple):
    """A quantity of a level: its key, its heading in lines, how it is said."""

    key: str
    heading: str
    said: Callable[[float], str]


_COLUMNS: Final = (
    _Column("kernels", "Kernels\nlaunched", lambda value: f"{value:,.0f}"),
    _Column("bytes", "Bytes read\nand written", lambda value: format_si(value, "B")),
    _Column("bound_s", "Roofline\nbound", format_time),
    _Column("expected_s", "Expected\ntime", format_time),
)


def levels_figure(
    estimate: Answer, phase: str | None = None, *, title: str | None = None, theme: str | None = None
) -> Figure:
    """One call of a phase at every level of execution, side by side: kernels, bytes, bound and expected time.

    The phase is by default `denoise` of a picture, the last of another model; the level of the estimate itself does not
    matter. `theme`: light or dark. Raises UsageError for a phase that the run does not have.
    """
    (estimate,) = distinct([estimate])
    rows = levels_of(estimate, phase)
    with plot_style.styled(theme):
        left = max(text_size(str(row["level"]), bold=True)[0] for row in rows) + _GAP + plot_style.EDGE
        width, bars = WIDTH - left - plot_style.EDGE, _ROW * len(rows) + _TOP
        height = bars + _ABOVE + _LINE * len(rows)
        figure, axes = new_figure(width, height)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        for index, row in enumerate(rows):
            at: Look = {"size": SIZE, "ha": "right", "va": "center", "gid": "level"}
            axes.text(-_GAP, _middle(index), row["level"], **at)
            _explain(axes, row["level"], bars + _ABOVE + _LINE * index)
        step = (width + _BETWEEN) / len(_COLUMNS)
        for number, column in enumerate(_COLUMNS):
            _draw(axes, column, rows, number * step, step - _BETWEEN)
        name = rows[0]["phase"]
        shared = " · ".join(part for part in conditions([estimate]).split(" · ") if not part.endswith(" fusion"))
        what = f"From eager to compiled, one call of {name}: {heading([estimate])}"
        words = Words(title or what, shared, _note(estimate, rows))
        compose(figure, axes, words, left, 0, foot=6)
    return figure


def _middle(index: int) -> float:
    return _TOP + _ROW * (index + 0.5)


def _draw(axes: Axes, column: _Column, rows: Sequence[dict[str, Any]], left: float, width: float) -> None:
    """A column: its heading, and for each level a bar with its value; the smallest that is a run in full colour."""
    values = [float(row[column.key]) for row in rows]
    room = width - max(text_size(column.said(value), bold=True)[0] for value in values) - _GAP
    blue, now = palette().colours[0], palette()
    least = min(value for value, row in zip(values, rows, strict=True) if row["level"] not in LIMITS)
    axes.text(left, 2, column.heading, size=SMALL, color=palette().grey, va="top", ha="left", gid="heading")
    for index, (row, value) in enumerate(zip(rows, values, strict=True)):
        limit = row["level"] in LIMITS
        best = value == least and not limit
        long = max(room * value / (max(values) or 1.0), 0.8)
        filled: Look = {"color": blue if best else tint(blue, _PALE), "lw": 0}
        outlined: Look = {"facecolor": now.ground, "edgecolor": blue, "lw": 0.7}
        bar = axes.barh([_middle(index)], [long], left=[left], height=_ROW * _BAR, **(outlined if limit else filled))
        hover(bar.patches[0], [_told(column, row, value, values[0])])
        look: Look = {
            "size": SIZE,
            "va": "center",
            "ha": "left",
            "weight": "bold" if best else "normal",
            "gid": "value",
        }
        axes.text(left + long + _GAP, _middle(index), column.said(value), **look)


def _explain(axes: Axes, level: str, top: float) -> None:
    """A line of what a level is, in the words of `roofline levels`."""
    words = next((term.few for term in LEVELS if term.word == level), "")
    look: Look = {"size": SMALL, "va": "top", "color": palette().grey}
    axes.text(-_GAP, top, level, ha="right", gid="key", **look)
    axes.text(0, top, words, ha="left", gid="key", **look)


def _told(column: _Column, row: dict[str, Any], value: float, first: float) -> str:
    """What a pointer shows at a bar: the level, the value, and how many times that of the first level."""
    name = column.heading.replace("\n", " ")
    ratio = [f"{value / first:.2f} × that of the first level"] if first and value != first else []
    return "\n".join([str(row["level"]), f"{name}: {column.said(value)}", *ratio])


def _note(estimate: Answer, rows: Sequence[dict[str, Any]]) -> str:
    text = f"Expected: what engine {estimate.inputs.get('engine')} makes of each level. "
    text += "Full colour: the least of a column."
    limits = [row["level"] for row in rows if row["level"] in LIMITS]
    outlined = f"Outlined: {', '.join(limits)}, no run but what is left at best." if limits else ""
    return " ".join(filter(None, [text, outlined, cautions([estimate], "does-not-fit")]))
