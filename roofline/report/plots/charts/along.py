"""The picture of memory along a size: parts on one another, lines of totals, and where they meet what there is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from roofline.analysis.estimate import Answer
from roofline.analysis.sweeping.memory import Along, Held, memory_along, told_parts
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.labels import spread
from roofline.report.plots.layout import Words, compose, name_beside, new_figure
from roofline.report.plots.memory import ORDER
from roofline.report.plots.series import conditions, distinct, heading
from roofline.report.plots.style import DASHES, SIZE, SMALL, WIDTH, Look, palette, text_size, tint
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of the axes, in points: height, left margin, from the axes to names beside them, and right of those.
_HEIGHT, _LEFT, _STALK, _RIGHT = 205.0, 50.0, 9.0, 7.0
#: How high the axes are over the capacity; the band over them for the labels of where lines meet it, in points.
_HEADROOM, _BAND = 1.15, 2.6 * SIZE
#: The least height of an area that is named, in points.
_SEEN: Final = 0.8
#: So many places have a tick each.
_FEW: Final = 12
#: How strong the colours of areas are: lines run over them.
_STRENGTH: Final = 0.75


class _Name(NamedTuple):
    """A name beside the axes at a height in bytes."""

    text: str
    at: float
    colour: str


def along_figure(
    estimate: Answer,
    over: str | None = None,
    values: Sequence[float] | None = None,
    *,
    title: str | None = None,
    theme: str | None = None,
) -> Figure:
    """Memory of an estimate along its context, its batch or the side of its pictures, with the capacity.

    Areas are the parts of the run that was asked, lines the totals of other batches (along the batch: of other prompts
    or sides), or of `values`; where a line meets what may be used is said beside it. `theme`: light or dark. Raises
    UsageError for a size that the model does not have, for users, and for an estimate of a grid.
    """
    (estimate,) = distinct([estimate])
    found = memory_along(estimate, over, values)
    with plot_style.styled(theme):
        names = _names(found)
        margin = _STALK + max(text_size(name.text)[0] for name in names) + _RIGHT
        width = WIDTH - _LEFT - margin
        figure, axes = new_figure(width, _HEIGHT)
        axes.set_xlim(found.places[0], found.places[-1])
        axes.set_ylim(0, _top(found))
        _axes_of(axes, found)
        _areas(axes, found)
        _lines(axes, found)
        _room(axes, found)
        _crossings(axes, found, width)
        _beside(axes, names, width)
        key = _key(axes, found, _BAND if any(_crosses(found, line) for line in found.lines) else 0.0)
        what = f"Memory by {found.size.title.partition(' (')[0].lower()}: {heading([estimate])}"
        what += " (does not fit)" if found.lines[0].last == 0 else ""
        words = Words(title or what, _shared(estimate, found), _note(estimate, found))
        compose(figure, axes, words, _LEFT, key)
    return figure


def _top(found: Along) -> float:
    """High enough for labels over the capacity, and for what is held where that is more everywhere."""
    return max(_HEADROOM * found.capacity, 1.15 * float(found.lines[0].total[0]))


def _shared(estimate: Answer, found: Along) -> str:
    """The conditions without those that vary in the picture."""
    varied = {"context": ("prompt ", "batch "), "batch": ("batch ", "prompt ", "height ", "width ")}
    out = varied.get(found.over, ("height ", "width ", "batch "))
    return " · ".join(part for part in conditions([estimate]).split(" · ") if not part.startswith(out))


def _axes_of(axes: Axes, found: Along) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    if found.over == "side":
        axes.set_xlabel(found.size.title)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(plot_style.tick_text))
    else:
        plot_style.log_axis(axes, "x", found.size.title)
        if len(found.places) <= _FEW:
            axes.xaxis.set_major_locator(FixedLocator(list(found.places)))
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 4, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(partial(plot_style.tick_text, unit="B")))
    axes.set_ylabel("Memory")
    axes.grid(visible=True, which="major", axis="y")


def _areas(axes: Axes, found: Along) -> None:
    """The parts of the first line on one another; hatched where they are beyond what may be used."""
    asked = found.lines[0]
    start = np.zeros_like(found.places)
    for (title, note, size), colour in zip(asked.parts, _colours(asked), strict=True):
        area = axes.fill_between(found.places, start, start + size, color=tint(colour, _STRENGTH), lw=0, zorder=1)
        ends = f"{format_si(float(size[0]), 'B')} to {format_si(float(size[-1]), 'B')}"
        same = float(size[0]) == float(size[-1])
        hover(area, ["\n".join([title, format_si(float(size[0]), "B") if same else ends, *([note] if note else [])])])
        start = start + size
    over = _over(found)
    if over.any():
        look: Look = {"facecolor": "none", "edgecolor": palette().ground, "hatch": "////", "lw": 0, "zorder": 2}
        axes.fill_between(found.places, found.usable, asked.total, where=list(over), interpolate=True, **look)


def _over(found: Along) -> np.ndarray[Any, Any]:
    """Where the first line holds more than may be used, and that is in the picture and wide enough to be seen."""
    over = found.lines[0].total > found.usable
    return over if over.sum() > 1 else np.zeros_like(over)


def _colours(held: Held) -> list[str]:
    colours = palette().colours
    return [colours[ORDER[index % len(ORDER)]] for index, _ in enumerate(held.parts)]


def _lines(axes: Axes, found: Along) -> None:
    for index, line in enumerate(found.lines):
        look: Look = {"color": palette().ink, "lw": 1.5 if index == 0 else 0.9, "ls": DASHES[index % len(DASHES)]}
        (drawn,) = axes.plot(found.places, line.total, zorder=4, **look)
        hover(drawn, [_told(found, line, place) for place in range(len(found.places))])


def _told(found: Along, line: Held, place: int) -> str:
    """What a pointer shows on a line: the place, the sum, and its parts."""
    total, size = float(line.total[place]), found.size.title.partition(" (")[0].lower()
    fits = "fits" if total <= found.usable else f"{format_si(total - found.usable, 'B')} too much"
    head = f"{line.name}, {size} {found.places[place]:,.0f}"
    return "\n".join(
        [head, f"{format_si(total, 'B')} of {format_si(found.usable, 'B')}: {fits}", *told_parts(line, place)]
    )


def _room(axes: Axes, found: Along) -> None:
    """The capacity, what may be used of it, and what the model was made for."""
    ends = axes.get_xlim()
    axes.plot(ends, [found.capacity] * 2, color=palette().ink, lw=1.4, zorder=5)
    if found.usable < found.capacity:
        axes.plot(ends, [found.usable] * 2, color=palette().ink, lw=0.8, ls=":", zorder=5)
    if found.made_for is not None and ends[0] < found.made_for < ends[1]:
        axes.plot([found.made_for] * 2, [0, found.capacity], color=palette().grey, lw=0.7, ls=(0, (1, 2)), zorder=3)
        clear: Look = {"facecolor": palette().ground, "edgecolor": "none", "pad": 1.0}
        look: Look = {"size": SMALL, "color": palette().ink, "rotation": 90, "zorder": 6, "gid": "made"}
        text = f"made for {found.made_for:,.0f}"
        axes.text(found.made_for, 0.03 * axes.get_ylim()[1], text, ha="center", va="bottom", bbox=clear, **look)


def _names(found: Along) -> list[_Name]:
    """What stands beside the axes: the room, and lines that do not meet it."""
    now = palette()
    names = [_Name(f"capacity {format_si(found.capacity, 'B')}", found.capacity, now.ink)]
    if found.usable < found.capacity:
        names.append(_Name(f"usable {format_si(found.usable, 'B')}", found.usable, now.ink))
    for line in found.lines:
        if not _crosses(found, line) and float(line.total[-1]) < found.usable:
            names.append(_Name(f"{line.name}, fits", float(line.total[-1]), now.ink))
    return names


def _crosses(found: Along, line: Held) -> bool:
    return line.last is not None and found.places[0] <= line.last < found.places[-1]


def _beside(axes: Axes, names: Sequence[_Name], width: float) -> None:
    """Names at the right edge, apart from each other."""
    scale = _HEIGHT / axes.get_ylim()[1]
    centres = spread([name.at * scale for name in names], [text_size(name.text)[1] for name in names], 0.0, _HEIGHT)
    for name, centre in zip(names, centres, strict=True):
        end, place = (1.0, name.at * scale / _HEIGHT), (1 + _STALK / width, centre / _HEIGHT)
        name_beside(axes, name.text, end, place, palette().grey, size=SIZE, color=name.colour, gid="beside")


def _crossings(axes: Axes, found: Along, width: float) -> None:
    """Where each line meets what may be used: a dot, and over it the line's name and the last place that fits."""
    crossing = sorted((line for line in found.lines if _crosses(found, line)), key=lambda line: _meeting(found, line))
    if not crossing:
        return
    words = [f"{line.name}\nfits up to {line.last:,.0f}" for line in crossing]
    inward = axes.transData + axes.transAxes.inverted()
    dots = [(at, -below) for at, below in (_meeting(found, line) for line in crossing)]
    ends = [inward.transform(dot) for dot in dots]
    sizes = [text_size(text)[0] + 8 for text in words]
    centres = spread([float(end[0]) * width for end in ends], sizes, 0.0, width)
    for line, text, at, end, centre in zip(crossing, words, dots, ends, centres, strict=True):
        (dot,) = axes.plot(
            *zip(at, strict=True), "o", ms=4, mfc=palette().ground, mec=palette().ink, zorder=7, clip_on=False
        )
        hover(dot, [f"{line.name}\nthe last that fits: {line.last:,.0f}"])
        stalk: Look = {"transform": axes.transAxes, "zorder": 6, "clip_on": False, "color": palette().grey, "lw": 0.5}
        axes.plot([end[0], centre / width], [end[1] + 3 / _HEIGHT, 1 + 2 / _HEIGHT], gid="stalk", **stalk)
        look: Look = {"size": SIZE, "ha": "center", "va": "bottom", "gid": "crossing", "linespacing": 1.2}
        beyond = found.made_for is not None and at[0] > found.made_for
        look["weight"] = "bold" if line is found.lines[0] and not beyond else "normal"
        axes.text(centre / width, 1 + 3 / _HEIGHT, text, transform=axes.transAxes, **look)


def _meeting(found: Along, line: Held) -> tuple[float, float]:
    """The last place that fits, and the bytes there below zero: of two at one place the fuller is named first."""
    last = line.last or 0.0
    return last, -float(np.interp(last, found.places, line.total))


def _key(axes: Axes, found: Along, band: float) -> float:
    """The parts in one row above the axes and the band over them; the height of all that in points."""
    from matplotlib.lines import Line2D

    asked = found.lines[0]
    marks = [
        Line2D([], [], ls="", marker="s", ms=6, mew=0, color=tint(colour, _STRENGTH), label=title)
        for (title, _, size), colour in zip(asked.parts, _colours(asked), strict=True)
        if not _thin(found, size)
    ]
    gaps: Look = {"borderpad": 0.2, "handletextpad": 0.4, "columnspacing": 1.4, "handlelength": 1.2}
    axes.legend(handles=marks, loc="lower left", bbox_to_anchor=(-0.01, 1 + band / _HEIGHT), ncols=len(marks), **gaps)
    return 18.0 + band


def _thin(found: Along, size: np.ndarray[Any, Any]) -> bool:
    """Whether a part is nowhere high enough to be seen."""
    return bool(size.max() * _HEIGHT < _SEEN * _top(found))


def _note(estimate: Answer, found: Along) -> str:
    """What areas and lines are."""
    asked, others = found.lines[0], [line.name for line in found.lines[1:]]
    text = f"Areas: {asked.name}, part on part" + (f"; dashed: totals of {', '.join(others)}." if others else ".")
    if _over(found).any():
        text += " Hatched: does not fit."
    thin = [f"{title} {format_si(float(size.max()), 'B')}" for title, _, size in asked.parts if _thin(found, size)]
    if thin:
        text += f" Too thin to be seen: {', '.join(thin)} at most."
    if asked.last is not None and asked.last <= 0:
        text += f" {asked.name[:1].upper()}{asked.name[1:]} does not fit anywhere."
    generate = estimate.inputs.get("generate")
    if found.over == "context" and generate:
        text += f" A context is the prompt and {generate:,} generated tokens."
    if found.over == "side":
        text += " Pictures are square."
    return text + " Per GPU; 1 GB is 10⁹ bytes."
