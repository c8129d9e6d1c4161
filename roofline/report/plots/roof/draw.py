"""What a roofline plot is drawn of: roofs with their names in the margin, dots, and the key above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.report.plots.labels import spread
from roofline.report.plots.layout import name_beside
from roofline.report.plots.points import Dot, Frame, visible
from roofline.report.plots.roofs import Roof, Skyline
from roofline.report.plots.series import Series
from roofline.report.plots.style import COLOURS, GREY, MARKERS, SIZE, SMALL, WIDTH, Look, shade, text_size, tint, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST, _SMALLEST = 230.0, 10.0
_DOT: Final[Look] = {"edgecolors": "white", "linewidths": 0.6, "clip_on": False, "gid": "dot"}
_PALE: Final = 0.5
#: From the end of a roof to its name.
_STALK: Final = 9.0
#: In points: a mark of the key with the space around it; where the key begins.
_KEY_GAP, _KEY_LEFT = 25.0, 42.0
#: Of a key, in units of its type.
_KEY_GAPS: Final[Look] = {
    "borderpad": 0.2,
    "handletextpad": 0.4,
    "columnspacing": 1.4,
    "handlelength": 1.6,
    "labelspacing": 0.3,
}
#: Up to this many ridges in use are named at their place, more with their roof in the margin.
_FEW: Final = 3


def draw_roofs(axes: Axes, skylines: Sequence[Skyline], frame: Frame) -> None:
    """Slopes, flat roofs and ridges, and the roofs' names in the right margin."""
    left, right = frame.x
    for line in skylines:
        main, highest = line.main, line.highest
        pale = tint(line.colour, _PALE)
        if highest is not main:
            beyond = [main.ridge, highest.ridge], [main.peak, highest.peak]
            axes.plot(*beyond, color=pale, lw=0.8, ls=line.dash, zorder=2)
        slope = [left, main.ridge], [left * line.bandwidth, main.peak]
        axes.plot(*slope, color=line.colour, lw=1.5, ls=line.dash, zorder=3)
        for roof in line.roofs:
            colour, width = (line.colour, 1.5) if roof.used else (pale, 0.8)
            axes.plot([roof.ridge, right], [roof.peak] * 2, color=colour, lw=width, ls=line.dash, zorder=2 + roof.used)
            axes.plot([roof.ridge], [roof.peak], marker="|", ms=7 if roof.used else 5, mew=1.0, color=colour, zorder=4)
            if roof.used:
                axes.plot([roof.ridge] * 2, [frame.y[0], roof.peak], color=pale, lw=0.7, ls=(0, (1, 2)), zorder=1)
    _name_roofs(axes, skylines, frame)


def plain(value: float) -> str:
    """A number of FLOPs per byte, to two or more digits."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def _roof_text(roof: Roof, line: Skyline, *, ridges: bool) -> tuple[str, bool]:
    """A roof's label, and whether it is the one that carries its accelerator's name."""
    text = f"{roof.name} {roof.height}"
    if ridges or not roof.used:
        text += f", ridge {plain(roof.ridge)}"
    named = bool(line.name) and roof is line.main
    if not named:
        return text, False
    return "\n".join([*wrap(line.name, 0.3 * WIDTH, SIZE, bold=True), text]), True


def few_ridges(skylines: Sequence[Skyline]) -> bool:
    """Whether there is room for the ridges in use to be named at their place."""
    return sum(roof.used for line in skylines for roof in line.roofs) <= _FEW and len(skylines) < _FEW


def _roof_texts(skylines: Sequence[Skyline]) -> list[tuple[Roof, Skyline, str, bool]]:
    ridges = not few_ridges(skylines)
    return [(roof, line, *_roof_text(roof, line, ridges=ridges)) for line in skylines for roof in line.roofs]


def margin_width(skylines: Sequence[Skyline]) -> float:
    """The right margin in points: wide enough for the longest name of a roof."""
    widest = max(text_size(text, SIZE, bold=bold)[0] for _, _, text, bold in _roof_texts(skylines))
    return min(_STALK + 5 + widest, 0.45 * WIDTH)


def _name_roofs(axes: Axes, skylines: Sequence[Skyline], frame: Frame) -> None:
    entries = _roof_texts(skylines)
    ends = [frame.point(1.0, roof.peak)[1] for roof, *_ in entries]
    heights = [text_size(text, SIZE)[1] + 1.0 for _, _, text, _ in entries]
    centres = spread(ends, heights, 0.0, frame.height + 12)
    for (roof, line, text, bold), end, centre in zip(entries, ends, centres, strict=True):
        place = 1 + _STALK / frame.width, centre / frame.height
        colour, size = (shade(line.colour), SIZE) if roof.used else (tint(shade(line.colour), 0.75), SMALL)
        look: Look = {"color": colour, "size": size, "weight": "bold" if bold else "normal", "linespacing": 1.2}
        name_beside(axes, text, (1.0, end / frame.height), place, tint(line.colour, _PALE), **look, gid="roof")


def area(share: float) -> float:
    """The area of a dot in square points; the smallest are drawn larger than they are, to be seen."""
    return max(_LARGEST * share, _SMALLEST)


def dot_colour(one: Series, phase: int) -> str:
    """The colour of the series, or of the phase where there is one series; phases differ in marker in any case."""
    return one.colour or COLOURS[phase % len(COLOURS)]


def draw_dots(axes: Axes, series: Sequence[Series], found: Sequence[Sequence[Dot]]) -> None:
    """All dots, the large ones below."""
    for one, dots in zip(series, found, strict=True):
        phases = list(one.rows)
        for dot in dots:
            phase = phases.index(dot.phase)
            marker, colour = MARKERS[phase % len(MARKERS)], dot_colour(one, phase)
            look: Look = {"marker": marker, "color": colour, "zorder": 6 - dot.share}
            axes.scatter([dot.intensity], [dot.rate], s=area(dot.share), **look, **_DOT)


def draw_key(axes: Axes, series: Sequence[Series], skylines: Sequence[Skyline], frame: Frame) -> float:
    """Phases and dot sizes in one row above the axes; above it the series, where roofs do not name them.

    Returns the height of the key in points.
    """
    from matplotlib.lines import Line2D

    def mark(label: str, **look: Any) -> Line2D:
        usual: Look = {"marker": "o", "ms": 6, "mew": 0}
        return Line2D([], [], ls="", label=label, **(usual | look))

    phases = []
    for phase, name in enumerate(series[0].rows):
        if any(visible(one.rows.get(name, ())) for one in series):
            colour = dot_colour(series[0], phase) if len(series) == 1 else GREY
            phases.append(mark(name, marker=MARKERS[phase % len(MARKERS)], color=colour))
    sizes = []
    for share in (0.05, 0.2, 0.5):
        label = f"{100 * share:.0f} %" + (" of the phase's time" if share == 0.5 else "")
        sizes.append(mark(label, ms=math.sqrt(area(share)), mfc="none", mec=GREY, mew=0.6))
    rows = [([*phases, *sizes], len(phases) + len(sizes), 0.0)]
    if sum(text_size(str(one.get_label()))[0] + _KEY_GAP for one in [*phases, *sizes]) > WIDTH - _KEY_LEFT:
        rows = [(sizes, len(sizes), 0.0), (phases, len(phases), 15.0)]
    if len(series) > len(skylines):
        widest = max(text_size(one.name)[0] for one in series)
        columns = max(1, int(frame.width // (widest + 22)))
        rows.append(([mark(one.name, color=one.colour) for one in series], columns, 15.0 * len(rows)))
    for index, (marks, columns, above) in enumerate(rows):
        corner = -0.01, 1 + above / frame.height
        legend = axes.legend(handles=marks, loc="lower left", bbox_to_anchor=corner, ncols=columns, **_KEY_GAPS)
        if index < len(rows) - 1:
            axes.add_artist(legend)
    return 18.0 + sum(10.5 * -(-len(marks) // columns) for marks, columns, _ in rows[1:])
