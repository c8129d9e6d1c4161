"""What a roofline plot is drawn of: roofs, dots with their drop lines, paths and measured points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from roofline.report.plots.hover import hover
from roofline.report.plots.roof.dots import Dot, Found, Frame, area
from roofline.report.plots.roof.hovering import dot_text, point_text, step_text
from roofline.report.plots.roof.picture import Picture, Series
from roofline.report.plots.roof.roofs import Skyline
from roofline.report.plots.roof.trail import Trail
from roofline.report.plots.style import Look, palette, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE: Final = 0.5
#: Of measured points and of the points of a path, areas in square points.
STAR, STEP = 62.0, 15.0
#: Up to this many ridges in use are named at their place, more with their roof in the margin.
_FEW: Final = 3
#: Of a drop shorter than this many points nothing would be seen.
_SHORT: Final = 1.5


def draw_roofs(axes: Axes, skylines: Sequence[Skyline], frame: Frame) -> None:
    """Slopes, flat roofs and ridges, those that kernels reach, and the slopes of cache and links."""
    for line in skylines:
        pale = tint(line.colour, PALE)
        _draw_datasheet(axes, line, frame, pale)
        _draw_reached(axes, line, frame)
        for slope in line.slopes:
            top = min(line.main.peak, frame.y[1])
            ends = [frame.x[0], min(top / slope.bandwidth, frame.x[1])]
            rates = [end * slope.bandwidth for end in ends]
            axes.plot(ends, rates, color=pale, lw=0.8, ls=(0, (1, 1.4)), zorder=2, gid="link")


def _draw_datasheet(axes: Axes, line: Skyline, frame: Frame, pale: str) -> None:
    left, right = frame.x
    main, highest = line.main, line.highest
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


def reached_ends(line: Skyline, frame: Frame) -> list[list[tuple[float, float]]]:
    """The lines, in FLOP/byte and FLOP/s, of what measured kernels reach: under the slope, and under each flat roof."""
    bandwidth = line.reached or line.bandwidth
    lines = [
        [(roof.reached / bandwidth, roof.reached), (frame.x[1], roof.reached)] for roof in line.lower if roof.reached
    ]
    if line.reached is not None:
        top = max((roof.reached for roof in line.lower if roof.reached), default=line.main.peak)
        low = max(frame.x[0], frame.y[0] / line.reached)
        lines.append([(low, low * line.reached), (top / line.reached, top)])
    return lines


def _draw_reached(axes: Axes, line: Skyline, frame: Frame) -> None:
    for ends in reached_ends(line, frame):
        xs, ys = zip(*ends, strict=True)
        axes.plot(xs, ys, color=line.colour, lw=0.55, ls="-", zorder=2, gid="reached")


def plain(value: float) -> str:
    """A number of FLOPs per byte, to two or more digits."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def few_ridges(skylines: Sequence[Skyline]) -> bool:
    """Whether there is room for the ridges in use to be named at their place."""
    return sum(roof.used for line in skylines for roof in line.roofs) <= _FEW and len(skylines) < _FEW


def draw_dots(axes: Axes, drawn: Picture, found: Sequence[Found], frame: Frame) -> None:
    """All dots with their drops from the roof, the large ones below; paths, and measured points on top."""
    for one, seen in zip(drawn.series, found, strict=True):
        for dot in seen.dots:
            _draw_drop(axes, dot, one.colour_of(dot.phase), frame)
            _draw_dot(axes, dot, one, frame)
        for trail in one.trails:
            _draw_trail(axes, trail, one, drawn)
        for point in one.points:
            colour = one.colour_of(point.phase) if point.phase else (one.colour or palette().ink)
            look: Look = {"marker": "*", "facecolors": colour, "edgecolors": palette().ink, "linewidths": 0.6}
            star = axes.scatter([point.intensity], [point.rate], s=STAR, zorder=7, gid="measured", **look)
            hover(star, [point_text(point, one)])


def _draw_dot(axes: Axes, dot: Dot, one: Series, frame: Frame) -> None:
    colour = one.colour_of(dot.phase)
    filled: Look = {"facecolors": colour, "edgecolors": palette().ground, "linewidths": 0.6}
    hollow: Look = {"facecolors": palette().ground, "edgecolors": colour, "linewidths": 1.1}
    look: Look = {"marker": one.marker_of(dot.phase), "zorder": 6 - dot.share, "clip_on": False, "gid": "dot"}
    look |= hollow if dot.vector else filled
    artist = axes.scatter([dot.intensity], [dot.rate], s=area(dot.share, frame), **look)
    hover(artist, [dot_text(dot, one)])


def _draw_drop(axes: Axes, dot: Dot, colour: str, frame: Frame) -> None:
    """The thin line from what the roof allows down to what is reached."""
    low, high = (frame.point(dot.intensity, rate)[1] for rate in (dot.rate, dot.bound))
    if high - low > _SHORT:
        pale = tint(colour, 0.6)
        axes.plot([dot.intensity] * 2, [dot.rate, dot.bound], color=pale, lw=0.6, zorder=4.5, gid="drop")


def _draw_trail(axes: Axes, trail: Trail, one: Series, drawn: Picture) -> None:
    colour = one.colour_of(trail.phase)
    xs, ys = [step.intensity for step in trail.steps], [step.rate for step in trail.steps]
    axes.plot(xs, ys, color=colour, lw=0.9, zorder=5, gid="trail")
    look: Look = {"marker": one.marker_of(trail.phase), "facecolors": colour, "edgecolors": palette().ground}
    artist = axes.scatter(xs, ys, s=STEP, linewidths=0.5, zorder=6, gid="step", **look)
    hover(artist, [step_text(trail, step, one) for step in trail.steps])


def diameter(share: float, frame: Frame) -> float:
    """Of a dot, in points."""
    return math.sqrt(area(share, frame))
