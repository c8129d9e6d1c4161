"""What is written into the slopes of a roofline plot: their bandwidths, along the line, clear of dots and ridges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from roofline.report.plots.geometry import Anchor, Box, Point
from roofline.report.plots.roof.dots import Frame
from roofline.report.plots.roof.roofs import Skyline
from roofline.report.plots.style import SMALL, Look, palette, shade, text_size
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_IN_SLOPE: Final[Look] = {
    "rotation_mode": "anchor",
    "ha": "center",
    "va": "center_baseline",
    "size": SMALL,
    "zorder": 4,
    "gid": "slope",
}


def label_slopes(axes: Axes, skylines: Sequence[Skyline], dots: Sequence[Anchor], frame: Frame) -> list[Box]:
    """The bandwidth written into each slope, clear of the dots; returns the boxes that it takes up."""
    taken: list[Box] = []
    ridges = [Anchor(*frame.point(roof.ridge, roof.peak), 1.0) for line in skylines for roof in line.roofs]
    for line in skylines:
        for bandwidth, text in _texts(line):
            start, end = _ends(bandwidth, line, frame)
            size = text_size(text, SMALL)
            spots = [_along(start, end, step / 100, size) for step in range(6, 90, 2)]
            free = [spot for spot in spots if _inside(spot, frame)] or spots[:1]
            chain = next((spot for spot in free if not _covered(spot, [*dots, *ridges], taken)), None)
            if chain is None and bandwidth != line.bandwidth:
                continue  # of a lesser line, words that would lie on others say less than none
            chain = chain or free[0]
            taken += chain
            x, y = frame.part(chain[len(chain) // 2].centre)
            own: Look = {"color": shade(line.colour), "rotation": _turn(start, end)}
            own["bbox"] = {"facecolor": palette().ground, "edgecolor": "none", "pad": 0.8}
            axes.text(x, y, text, transform=axes.transAxes, **own, **_IN_SLOPE)
    return taken


def _texts(line: Skyline) -> Iterator[tuple[float, str]]:
    """Bandwidths and what is written of them; what kernels reach is told with their roof, where they have one."""
    yield line.bandwidth, format_si(line.bandwidth, "B/s")
    if line.reached is not None and not line.lower:
        yield line.reached, f"best kernels {format_si(line.reached, 'B/s')}"
    for slope in line.slopes:
        yield slope.bandwidth, slope.text


def _ends(bandwidth: float, line: Skyline, frame: Frame) -> tuple[Point, Point]:
    """Where a slope enters the axes, and where it ends."""
    first = max(frame.x[0], frame.y[0] / bandwidth)
    last = min(line.main.peak / bandwidth, frame.x[1])
    return frame.point(first, first * bandwidth), frame.point(last, last * bandwidth)


def _turn(start: Point, end: Point) -> float:
    """The angle of a line in degrees, counter-clockwise from the right."""
    return math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))


def _along(start: Point, end: Point, part: float, size: tuple[float, float]) -> list[Box]:
    """A text written along a line as a chain of small squares, an odd number of them."""
    length = math.dist(start, end) or 1.0
    step = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    count, half = 2 * math.ceil(size[0] / size[1]) + 1, size[1] / 2
    chain = []
    for index in range(count):
        along = part * length + size[0] * index / (count - 1)
        x, y = start[0] + step[0] * along, start[1] + step[1] * along
        chain.append(Box(x - half, y - half, x + half, y + half))
    return chain


def _inside(spot: Sequence[Box], frame: Frame) -> bool:
    return all(box.within(Box(0, 0, frame.width, frame.height)) for box in (spot[0], spot[-1]))


def _covered(spot: Sequence[Box], dots: Sequence[Anchor], taken: Sequence[Box]) -> bool:
    return any(box.overlaps(dot.box, 2) for box in spot for dot in dots) or any(
        box.overlaps(other, 2) for box in spot for other in taken
    )
