"""Pictures of a training run: what fills a GPU's memory, and where the time of a step goes, part behind part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.analysis.training.telling.words import pace, what, where
from roofline.errors import UsageError
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.style import SIZE, SMALL, WIDTH, Look, palette, text_size, tint
from roofline.report.tables.training.answer import asked_lines
from roofline.report.tables.training.step import rows_of
from roofline.runs.checks import one_of
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from roofline.analysis.training.answer import TrainAnswer

KINDS: Final = ("memory", "step")
#: Points: a row with the space around it, the part that is bar, beside names, right of all, above the rows.
_ROW, _BAR, _GAP, _SIDE, _TOP = 16.0, 0.62, 6.0, 14.0, 12.0
_TOTAL: Final = "total"


class _Part(NamedTuple):
    """A bar: its name, what it says, where it begins and ends, its colour."""

    name: str
    text: str
    start: float
    end: float
    colour: str


class _Mark(NamedTuple):
    """A line across all rows, with its name."""

    name: str
    at: float
    dashed: bool = False


def training_figure(
    answer: TrainAnswer, kind: str = "memory", *, title: str | None = None, theme: str | None = None
) -> Figure:
    """A picture of a training run: `memory` by part with the capacity, or `step`, where its time goes.

    `theme`: light or dark. Raises UsageError for another kind, and where nothing is to be drawn.
    """
    one_of("kind", kind, KINDS)
    on = f"{what(answer.question)} on {where(answer.question)}"
    on += "" if answer.memory.fits else " (does not fit)"
    with plot_style.styled(theme):
        if kind == "memory":
            return _memory(answer, title or f"Memory of a training step: {on}")
        return _step(answer, title or f"A training step: {on}")


def _memory(answer: TrainAnswer, title: str) -> Figure:
    memory = answer.memory
    each = [(part.title, float(part.bytes), format_si(float(part.bytes), "B")) for part in memory.parts]
    total, usable, capacity = (float(b) for b in (memory.total_bytes, memory.usable_bytes, memory.capacity_bytes))
    marks = [_Mark(f"capacity {format_si(capacity, 'B')}", capacity)]
    if usable < capacity:
        marks = [_Mark(f"{marks[0].name}, of which {format_si(usable, 'B')} may be used", capacity)]
        marks.append(_Mark("", usable, dashed=True))
    stage = ", of the fullest stage" if answer.question.plan.pp > 1 else ""
    scope = f"Per GPU{stage}; " if answer.question.gpus > 1 else ""
    note = f"{scope}1 GB is 10⁹ bytes. Each part begins where the one above it ends."
    if total > usable:
        note += f" Hatched: the {format_si(total - usable, 'B')} that do not fit."
    words = Words(title, " · ".join(asked_lines(answer)), note)
    return _waterfall(_stacked(each, format_si(total, "B")), marks, ("Bytes", "B"), words, usable)


def _step(answer: TrainAnswer, title: str) -> Figure:
    rows = rows_of(answer)
    whole, bound = float(answer.times.expected), float(answer.times.bound)
    each = [(row.name, row.expected, f"{format_time(row.expected)}, {row.bound_by}") for row in rows]
    marks = [_Mark(f"bound {format_time(bound)}", bound, dashed=True)] if bound < whole else []
    fitting = "" if answer.memory.fits else ", if it did fit"
    note = f"{pace(answer)[:1].upper()}{pace(answer)[1:]}{fitting}. "
    note += "Beside each time what bounds it; each begins where the last ends."
    words = Words(title, " · ".join(asked_lines(answer)), note)
    return _waterfall(_stacked(each, format_time(whole)), marks, ("Time of a step", "s"), words, None)


def _stacked(each: Sequence[tuple[str, float, str]], total: str) -> list[_Part]:
    """Parts one behind the other, and their sum."""
    parts, start = list[_Part](), 0.0
    for name, size, text in each:
        if size > 0:
            parts.append(_Part(name, text, start, start + size, _colour(len(parts))))
            start += size
    if not parts:
        raise UsageError("nothing to plot: no part is known")
    return [*parts, _Part(_TOTAL, total, 0.0, start, palette().ink)]


def _colour(number: int) -> str:
    """A colour for each part: first those of all figures, then lighter ones of the same, so that none comes twice."""
    hues = palette().colours[:-1]
    return tint(hues[number % len(hues)], 0.5 ** (number // len(hues)))


def _waterfall(
    parts: Sequence[_Part], marks: Sequence[_Mark], axis: tuple[str, str], words: Words, limit: float | None
) -> Figure:
    left = max(text_size(part.name, bold=True)[0] for part in parts) + _GAP + plot_style.EDGE
    width, height = WIDTH - left - _SIDE, _ROW * len(parts) + _TOP
    figure, axes = new_figure(width, height)
    right = _right(parts, marks, width)
    moved = [part._replace(end=_clear(part, marks, right / width)) for part in parts]
    axes.set_xlim(0, max(right, _right(moved, marks, width)))
    axes.set_ylim(height, 0)
    for index, part in enumerate(parts):
        written = _clear(part, marks, axes.get_xlim()[1] / width)
        _draw(axes, part, written, _TOP + _ROW * (index + 0.5), width, limit)
    unit = axes.get_xlim()[1] / width
    for mark in marks:
        _mark(axes, mark, list(_free(mark, parts, marks, unit)), height)
    _axis(axes, *axis)
    compose(figure, axes, words, left, 0)
    return figure


def _right(parts: Sequence[_Part], marks: Sequence[_Mark], width: float) -> float:
    """The end of the axis: all that is written behind a bar, and before a line, is within it."""
    texts = [
        part.end * width / max(width - text_size(part.text, bold=True)[0] - 2 * _GAP, 0.3 * width) for part in parts
    ]
    return max(*texts, *(1.02 * mark.at for mark in marks))


def _clear(part: _Part, marks: Sequence[_Mark], unit: float) -> float:
    """Where the words of a bar stand behind it: behind a solid line that would run through them; `unit` is a point."""
    end, size = part.end, unit * (text_size(part.text, bold=True)[0] + 2 * _GAP)
    for mark in sorted((mark for mark in marks if not mark.dashed), key=lambda mark: mark.at):
        end = mark.at if end <= mark.at <= end + size else end
    return end


def _draw(axes: Axes, part: _Part, written: float, middle: float, width: float, limit: float | None) -> None:
    """One bar with its name and what it says; beyond the limit it is hatched."""
    thick, unit = _ROW * _BAR, axes.get_xlim()[1] / width
    least = max(part.end - part.start, 0.6 * unit)  # what is there can be seen
    bar = axes.barh([middle], [least], left=[part.start], height=thick, color=part.colour, lw=0, zorder=2)
    hover(bar.patches[0], [f"{part.name}\n{part.text}"])
    if limit is not None and part.end > limit:
        start = max(part.start, limit)
        over: Look = {"facecolor": "none", "edgecolor": palette().ground, "hatch": "////", "lw": 0}
        axes.barh([middle], [part.end - start], left=[start], height=thick, zorder=3, **over)
    look: Look = {"textcoords": "offset points", "size": SIZE, "va": "center"}
    clear: Look = {"facecolor": palette().ground, "edgecolor": "none", "pad": 0.8}  # of a line behind the words
    bold: Look = {"weight": "bold" if part.name == _TOTAL else "normal"}
    axes.annotate(part.name, (0, middle), (-_GAP, 0), ha="right", gid="part", **look, **bold)
    axes.annotate(part.text, (written, middle), (_GAP, 0), ha="left", gid="value", bbox=clear, zorder=5, **look, **bold)


def _free(mark: _Mark, parts: Sequence[_Part], marks: Sequence[_Mark], unit: float) -> Iterator[tuple[float, float]]:
    """Where a line is drawn, from top to bottom: not through the words of a bar; `unit` is a point."""
    start, end = _TOP - 2, _TOP + _ROW * len(parts)
    for index, part in enumerate(parts):
        written = _clear(part, marks, unit)
        if written < mark.at < written + unit * (text_size(part.text, bold=True)[0] + 2 * _GAP):
            yield start, _TOP + _ROW * index
            start = _TOP + _ROW * (index + 1)
    yield start, end


def _mark(axes: Axes, mark: _Mark, spans: Sequence[tuple[float, float]], height: float) -> None:
    """A line across the rows, its name above them on the side where there is more room."""
    look: Look = {"color": palette().ink, "lw": 0.8 if mark.dashed else 1.4, "ls": ":" if mark.dashed else "-"}
    for span in spans:
        axes.plot([mark.at] * 2, span, **look)
    before = mark.at > 0.5 * axes.get_xlim()[1]
    side: Look = {"ha": "right" if before else "left", "va": "center", "size": SMALL, "color": palette().grey}
    place = (-3 if before else 3, 0)
    axes.annotate(mark.name, (mark.at, _TOP / 2), place, textcoords="offset points", gid="mark", **side)


def _axis(axes: Axes, label: str, unit: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 4, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(partial(_tick, unit=unit)))
    axes.set_xlabel(label)
    axes.yaxis.set_ticks([])


def _tick(value: float, _: object = None, *, unit: str) -> str:
    return plot_style.amount(value, unit) if unit == "B" and value else "0" if not value else format_time(value, 2)
