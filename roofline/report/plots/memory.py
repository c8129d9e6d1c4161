"""The memory picture: what fills an accelerator's memory, what is left, and where its capacity ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Answer
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.series import cautions, conditions, distinct, heading, needs_of, series_names
from roofline.report.plots.style import SIZE, SMALL, WIDTH, Look, palette, shade, share_of, text_size
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours of the parts by their places among those of the series, in the order in which they are stacked.
ORDER: Final = (0, 1, 3, 2, 4)
#: Points: one bar with its words, the bar, and the page's side margins.
_ROW, _BAR, _SIDE = 65.0, 17.0, 12.0


def memory_figure(*estimates: Answer, title: str | None = None, theme: str | None = None) -> Figure:
    """Memory of one or more estimates as stacked bars: weights, KV-cache, state, activations, runtime, what is left.

    A line marks each capacity; what lies beyond it is hatched. `theme`: light or dark. Raises UsageError without
    estimates, and for estimates of grids.
    """
    each = distinct(estimates)
    with plot_style.styled(theme):
        width, height = WIDTH - 2 * _SIDE, _ROW * len(each)
        figure, axes = new_figure(width, height)
        longest = max(max(float(e.memory.total_bytes), float(e.memory.capacity_bytes)) for e in each)
        axes.set_xlim(0, 1.02 * longest)
        axes.set_ylim(height, 0)
        for index, (estimate, name) in enumerate(zip(each, series_names(each), strict=True)):
            _draw_bar(axes, estimate, name, index * _ROW)
        _bytes_axis(axes)
        held = {part.name for e in each for part in e.memory.parts if float(part.bytes)}
        cached = "kv_cache_bytes" in held
        note = "Per accelerator; 1 GB is 10⁹ bytes. " + ("Cache after the last token; a" if cached else "A")
        note += "ctivations where they are widest."
        note = " ".join(filter(None, [note, cautions(each)]))
        words = Words(title or f"Memory: {heading(each)}", conditions(each), note)
        compose(figure, axes, words, _SIDE, 0)
    return figure


def _bytes_axis(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 4, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(partial(plot_style.tick_text, unit="B")))
    axes.set_xlabel("Bytes")
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)


def _draw_bar(axes: Axes, estimate: Answer, name: str, top: float) -> None:
    """One bar: its name above, the parts, lines at what may be used and at the capacity, below it what each part is."""
    memory = estimate.memory
    capacity, usable, total = (float(b) for b in (memory.capacity_bytes, memory.usable_bytes, memory.total_bytes))
    now = palette()
    parts = [
        (part.title, float(part.bytes), now.colours[ORDER[index % len(ORDER)]])
        for index, part in enumerate(memory.parts)
    ]
    parts = [part for part in parts if part[1] > 0]
    low, high = top + 17, top + 17 + _BAR
    start = 0.0
    for title, size, colour in parts:
        area = axes.fill_betweenx([low, high], start, start + size, color=colour, lw=0)
        hover(area, [f"{title}\n{format_si(size, 'B')}\n{share_of(size, total)} of what is held\n{name}"])
        start += size
    if total < usable:
        area = axes.fill_betweenx([low, high], total, usable, color=now.pale, lw=0)
        hover(area, [f"free\n{format_si(usable - total, 'B')} of {format_si(usable, 'B')} that may be used\n{name}"])
        parts.append(("free", usable - total, now.pale))
    else:
        axes.fill_betweenx([low, high], usable, total, facecolor="none", edgecolor=now.ground, hatch="////", lw=0)
    if usable < capacity:
        axes.plot([usable] * 2, [low - 3, high + 3], color=now.ink, lw=0.8, ls=":", clip_on=False)
    axes.plot([capacity] * 2, [low - 3, high + 3], color=now.ink, lw=1.4, clip_on=False)
    axes.text(0, low - 5, name, weight="bold", size=SIZE, va="bottom", ha="left", gid="name")
    verdict = memory.asked_of_room
    if not memory.fits_device:
        verdict = f"{needs_of(estimate)}: {format_si(total - usable, 'B')} too much"
    elif not memory.fits and memory.host is not None:
        verdict += ": too much for the host"
    look: Look = {"color": now.ink if memory.fits else shade(now.colours[1]), "transform": axes.get_yaxis_transform()}
    axes.text(1, low - 5, verdict, size=SIZE, va="bottom", ha="right", gid="verdict", **look)
    _name_parts(axes, parts, high + 6)
    if memory.fits:
        axes.text(0, high + 17, _most(estimate), size=SMALL, va="top", ha="left", color=now.grey, gid="limits")


def _most(estimate: Answer) -> str:
    """What memory has room for at most."""
    limits = [limit for limit in estimate.memory.limits if limit.told is not None]
    return f"At most: {', or '.join(limit.most(limit.told or 0) for limit in limits)}." if limits else ""


def _name_parts(axes: Axes, parts: Sequence[tuple[str, float, str]], y: float) -> None:
    """Coloured squares and amounts, one after another."""
    unit = 1 / (WIDTH - 2 * _SIDE)
    x = 0.0
    across = axes.get_yaxis_transform()
    for label, size, colour in parts:
        text = f"{label} {format_si(size, 'B')}"
        axes.fill_betweenx([y + 1, y + 6.5], x, x + 5.5 * unit, color=colour, lw=0, transform=across)
        axes.text(x + 8 * unit, y, text, size=SMALL, va="top", ha="left", transform=across, gid="part")
        x += (text_size(text, SMALL)[0] + 20) * unit
