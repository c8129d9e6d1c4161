"""The labels inside a roofline plot: bandwidths in the slopes, ridges, and ops at their dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from roofline.report.plots.draw import area, dot_colour, few_ridges, plain
from roofline.report.plots.geometry import Anchor, Box, Point, Segment
from roofline.report.plots.labels import Placed, Scene, Wish, place
from roofline.report.plots.points import Dot, Frame, joint_name
from roofline.report.plots.roofs import Skyline
from roofline.report.plots.series import Series
from roofline.report.plots.style import GREY, INK, SIZE, SMALL, Look, shade, text_size
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CENTRED: Final[Look] = {"ha": "center", "va": "center", "linespacing": 1.2, "zorder": 8}
_IN_SLOPE: Final[Look] = {
    "rotation_mode": "anchor",
    "ha": "center",
    "va": "center_baseline",
    "size": SMALL,
    "zorder": 4,
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    "gid": "slope",
}
#: At most so many dots of a phase and series carry a label: the slowest. With more than two phases to name, they share
#: so many labels without blocks, and dots of less than so much of their phase's time go without.
_LABELLED: Final = 14
_SHARED, _SLIGHT = 16, 0.03


@dataclass(frozen=True)
class _Label:
    text: str
    colour: str
    size: float
    kind: str
    wish: Wish


def _label(text: str, colour: str, size: float, kind: str, anchors: tuple[Anchor, ...]) -> _Label:
    width, height = text_size(text, size)
    return _Label(text, shade(colour), size, kind, Wish(width + 1.5, height, anchors))


def draw_labels(
    axes: Axes, series: Sequence[Series], found: Sequence[Sequence[Dot]], skylines: Sequence[Skyline], frame: Frame
) -> int:
    """Bandwidths in the slopes, ridges beside their plumb lines, ops at their dots; the number of dots left unnamed."""
    dots = tuple(_anchor(dot, frame) for group in found for dot in group)
    blocks = _label_slopes(axes, skylines, dots, frame)
    scene = Scene(Box(1, 1, frame.width - 1, frame.height - 1), tuple(blocks), dots, tuple(_lines(skylines, frame)))
    ops, unnamed = _op_labels(series, found, frame)
    labels = (_ridge_labels(skylines, frame) if few_ridges(skylines) else []) + ops
    for label, spot in zip(labels, place([label.wish for label in labels], scene), strict=True):
        if spot is not None:
            _draw_label(axes, label, spot, frame)
        elif label.kind == "op":
            unnamed += len(label.wish.anchors)
    return unnamed


def _anchor(dot: Dot, frame: Frame) -> Anchor:
    return Anchor(*frame.point(dot.intensity, dot.rate), math.sqrt(area(dot.share)) / 2)


def _lines(skylines: Sequence[Skyline], frame: Frame) -> list[Segment]:
    """What is better not written on: slopes, roofs, and the plumb lines under the ridges in use."""
    lines = []
    for line in skylines:
        start, highest = frame.point(frame.x[0], frame.x[0] * line.bandwidth), line.highest
        lines.append((start, frame.point(highest.ridge, highest.peak)))
        for roof in line.roofs:
            ridge = frame.point(roof.ridge, roof.peak)
            lines.append((ridge, frame.point(frame.x[1], roof.peak)))
            if roof.used:
                lines.append(((ridge[0], 0.0), ridge))
    return lines


def _op_labels(series: Sequence[Series], found: Sequence[Sequence[Dot]], frame: Frame) -> tuple[list[_Label], int]:
    """One label per group of ops, to stand at any of its dots, the slowest first; and how many dots go without."""
    labels: dict[tuple[str, tuple[str, ...], int], tuple[float, _Label]] = {}
    unnamed = 0
    phases = max(len({dot.phase for dot in dots}) for dots in found)
    most, least = (_LABELLED, 0.0) if phases <= 2 else (max(2, _SHARED // (phases * len(series))), _SLIGHT)
    for one, dots in zip(series, found, strict=True):
        for phase, name in enumerate(one.rows):
            group = [dot for dot in dots if dot.phase == name]
            named = [dot for dot in group[:most] if dot.share >= least]
            unnamed += len(group) - len(named)
            for dot in named:
                anchor = _anchor(dot, frame)
                key = (name, dot.names, round(anchor.x))
                if key in labels:
                    share, known = labels[key]
                    wish = replace(known.wish, anchors=(*known.wish.anchors, anchor))
                    labels[key] = share, replace(known, wish=wish, colour=INK)
                else:
                    text = joint_name(dot.names, brief=phases > 2)
                    labels[key] = dot.share, _label(text, dot_colour(one, phase), SIZE, "op", (anchor,))
    return [label for _, label in sorted(labels.values(), key=lambda pair: -pair[0])], unnamed


def _ridge_labels(skylines: Sequence[Skyline], frame: Frame) -> list[_Label]:
    """A label for each ridge in use, to stand anywhere along its plumb line, low rather than high."""
    labels = []
    for line in skylines:
        for roof in line.roofs:
            if roof.used:
                x, top = frame.point(roof.ridge, roof.peak)
                anchors = tuple(Anchor(x, height) for height in range(12, round(top), 12))
                labels.append(_label(f"ridge {plain(roof.ridge)}\nFLOP/byte", line.colour, SMALL, "ridge", anchors))
    return labels


def _draw_label(axes: Axes, label: _Label, spot: Placed, frame: Frame) -> None:
    own: Look = {"size": label.size, "color": label.colour, "gid": label.kind}
    x, y = _part(spot.box.centre, frame)
    axes.text(x, y, label.text, transform=axes.transAxes, **own, **_CENTRED)
    if spot.leader is not None:
        xs, ys = zip(*(_part(end, frame) for end in spot.leader), strict=True)
        axes.plot(xs, ys, lw=0.5, color=GREY, transform=axes.transAxes, zorder=7, gid="leader")


def _part(point: Point, frame: Frame) -> Point:
    """A place in points as parts of the axes."""
    return point[0] / frame.width, point[1] / frame.height


def _label_slopes(axes: Axes, skylines: Sequence[Skyline], dots: Sequence[Anchor], frame: Frame) -> list[Box]:
    """The bandwidth written into each slope, clear of the dots; returns the boxes that it takes up."""
    taken: list[Box] = []
    ridges = [Anchor(*frame.point(roof.ridge, roof.peak), 1.0) for line in skylines for roof in line.roofs]
    for line in skylines:
        start, end = (frame.point(x, x * line.bandwidth) for x in (frame.x[0], line.main.ridge))
        text = format_si(line.bandwidth, "B/s")
        size = text_size(text, SMALL)
        spots = [_along(start, end, step / 100, size) for step in range(6, 90, 2)]
        chain = next((spot for spot in spots if not _covered(spot, [*dots, *ridges], taken)), spots[0])
        taken += chain
        x, y = _part(chain[len(chain) // 2].centre, frame)
        own: Look = {"color": shade(line.colour), "rotation": _turn(start, end)}
        axes.text(x, y, text, transform=axes.transAxes, **own, **_IN_SLOPE)
    return taken


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


def _covered(spot: Sequence[Box], dots: Sequence[Anchor], taken: Sequence[Box]) -> bool:
    return any(box.overlaps(dot.box, 2) for box in spot for dot in dots) or any(
        box.overlaps(other, 2) for box in spot for other in taken
    )
