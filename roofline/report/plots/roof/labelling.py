"""The labels inside a roofline plot: bandwidths in the slopes, ridges, and kernels at their dots."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.report.plots.geometry import Anchor, Box, Segment
from roofline.report.plots.labels import Placed, Scene, Wish, place
from roofline.report.plots.roof.dots import Dot, Found, Frame
from roofline.report.plots.roof.draw import STAR, STEP, few_ridges, plain, reached_ends
from roofline.report.plots.roof.naming import Called, dot_name, in_lines, told_apart
from roofline.report.plots.roof.picture import Picture, Series
from roofline.report.plots.roof.roofs import Skyline
from roofline.report.plots.roof.slopes import label_slopes
from roofline.report.plots.roof.trail import Trail
from roofline.report.plots.style import SMALL, Look, palette, shade, text_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CENTRED: Final[Look] = {"ha": "center", "va": "center", "linespacing": 1.2, "zorder": 8}
#: At most so many labels of dots and measured points, and so many of the latter.
LABELLED, _STARRED = 8, 5
#: Of labels of dots, in points: legible where the page is as wide as a column of text.
_TYPE: Final = 7.4
#: The share of the run below which a dot goes without a label that would have to lie on a roof.
_LIGHT: Final = 0.05
#: Dots of one name that are nearer to one another than so many points from left to right have one label.
_ABOVE: Final = 8.0
#: Values of a path that are written beside its ends.
_BETWEEN: Final = 2
#: Points between steps of a path that are written beside.
_APART: Final = 12.0


@dataclass(frozen=True)
class Label:
    """A label: its text, colour and size, what it is of, how much that takes, and where it may stand."""

    text: str
    colour: str
    size: float
    kind: str
    share: float
    wish: Wish


class Unnamed(NamedTuple):
    """Dots that carry no label: how many, and which part of the runs they are. `joint`: a label is of several runs."""

    number: int
    share: float
    joint: bool


def _label(text: str, colour: str, size: float, kind: str, anchors: tuple[Anchor, ...], share: float = 0.0) -> Label:
    width, height = text_size(text, size)
    return Label(text, shade(colour), size, kind, share, Wish(width + 1.5, height, anchors, min(share, 1.0)))


def draw_labels(
    axes: Axes, drawn: Picture, found: Sequence[Found], frame: Frame, blocks: Sequence[Box] = ()
) -> Unnamed:
    """Bandwidths in the slopes, ridges beside their plumb lines, kernels at their dots; the dots left unnamed.

    `blocks` of the axes are taken.
    """
    dots = tuple(_discs(drawn, found, frame))
    taken = (*blocks, *label_slopes(axes, drawn.skylines, dots, frame))
    lines = (*_roof_lines(drawn.skylines, frame), *_paths(drawn, frame))
    bounds = Box(1, 1, frame.width - 1, frame.height - 1)
    scene = Scene(bounds, tuple(taken), dots, lines, tuple(_drops(found, frame)))
    of_dots = _dot_labels(drawn, found, frame)
    ridges = _ridge_labels(drawn.skylines, frame) if few_ridges(drawn.skylines) else []
    labels = [*of_dots, *_point_labels(drawn, frame), *_step_labels(drawn, frame), *ridges]
    named: set[Anchor] = set()
    joint, edges = False, list(_roof_lines(drawn.skylines, frame))
    for label, spot in zip(labels, place([label.wish for label in labels], scene), strict=True):
        if spot is not None and not (0 < label.share < _LIGHT and any(spot.box.meets(edge) for edge in edges)):
            _draw_label(axes, label, spot, frame)
            named.update(label.wish.anchors)
            joint |= label.kind == "op" and len(label.wish.anchors) > 1
    left = [dot.share for one in found for dot in one.dots if dot.anchor(frame) not in named]
    return Unnamed(len(left), sum(left) / len(drawn.series), joint)


def _discs(drawn: Picture, found: Sequence[Found], frame: Frame) -> Iterator[Anchor]:
    """All that is drawn of points, as discs."""
    for one, seen in zip(drawn.series, found, strict=True):
        yield from (dot.anchor(frame) for dot in seen.dots)
        yield from (_star(point.intensity, point.rate, frame) for point in one.points)
        for trail in one.trails:
            yield from (_step(step.intensity, step.rate, frame) for step in trail.steps)


def _star(intensity: float, rate: float, frame: Frame) -> Anchor:
    return Anchor(*frame.point(intensity, rate), math.sqrt(STAR) / 2)


def _step(intensity: float, rate: float, frame: Frame) -> Anchor:
    return Anchor(*frame.point(intensity, rate), math.sqrt(STEP) / 2)


def _roof_lines(skylines: Sequence[Skyline], frame: Frame) -> Iterator[Segment]:
    """What is better not written on: slopes, roofs, and the plumb lines under the ridges in use."""
    for line in skylines:
        start, highest = frame.point(frame.x[0], frame.x[0] * line.bandwidth), line.highest
        yield start, frame.point(highest.ridge, highest.peak)
        for roof in line.roofs:
            ridge = frame.point(roof.ridge, roof.peak)
            yield ridge, frame.point(frame.x[1], roof.peak)
            if roof.used:
                yield (ridge[0], 0.0), ridge
        for first, last in reached_ends(line, frame):
            yield frame.point(*first), frame.point(*last)
        for slope in line.slopes:
            end = line.main.peak / slope.bandwidth
            yield frame.point(frame.x[0], frame.x[0] * slope.bandwidth), frame.point(end, line.main.peak)


def _drops(found: Sequence[Found], frame: Frame) -> Iterator[Segment]:
    """From what roofs allow down to dots."""
    for seen in found:
        for dot in seen.dots:
            yield frame.point(dot.intensity, dot.rate), frame.point(dot.intensity, dot.bound)


def _paths(drawn: Picture, frame: Frame) -> Iterator[Segment]:
    """The paths of ops."""
    for one in drawn.series:
        for trail in one.trails:
            places = [frame.point(step.intensity, step.rate) for step in trail.steps]
            yield from pairwise(places)


def _dot_labels(drawn: Picture, found: Sequence[Found], frame: Frame) -> list[Label]:
    """Labels of the heaviest dots, one for dots of one name above one another, each name once."""
    groups: list[tuple[Dot, Series, list[Anchor]]] = []
    dots = [(dot, one) for one, seen in zip(drawn.series, found, strict=True) for dot in seen.dots]
    for dot, one in sorted(dots, key=lambda pair: -pair[0].share):
        anchor = dot.anchor(frame)
        alike = [g for g in groups if g[1] is not one and _alike(g[0], dot) and abs(g[2][0].x - anchor.x) < _ABOVE]
        if alike:
            alike[0][2].append(anchor)
        else:
            groups.append((dot, one, [anchor]))
    starred = min(_STARRED, sum(len(one.points) for one in drawn.series))
    groups = groups[: LABELLED - starred]
    many = len({one.name for one in drawn.series}) > 1
    places = [(dot.phase, dot.anchor(frame)) for dot, _ in dots]
    called = [
        Called(_named(dot, anchors, places), dot.phase, one.name if many and len(anchors) == 1 else "")
        for dot, one, anchors in groups
    ]
    return [
        _label(
            in_lines(text),
            one.colour_of(dot.phase) if len(anchors) == 1 else palette().ink,
            _TYPE,
            "op",
            tuple(anchors),
            dot.share,
        )
        for text, (dot, one, anchors) in zip(told_apart(called), groups, strict=True)
    ]


def _named(dot: Dot, anchors: Sequence[Anchor], places: Sequence[tuple[str, Anchor]]) -> str:
    """The name of a dot, with its phase where it touches a dot of another one."""
    touched = any(
        phase != dot.phase and math.dist(_at(own), _at(other)) < own.radius + other.radius
        for own in anchors
        for phase, other in places
    )
    return f"{dot_name(dot)}, {dot.phase}" if touched else dot_name(dot)


def _alike(dot: Dot, other: Dot) -> bool:
    """Whether dots of two runs are of the same kernel, or led by it."""
    return dot.phase == other.phase and dot.units[0][:2] == other.units[0][:2]


def _point_labels(drawn: Picture, frame: Frame) -> list[Label]:
    """Labels of measured points, the first of the file first."""
    points = [(point, one) for one in drawn.series for point in one.points][:_STARRED]
    called = [Called(point.name, point.phase, one.name) for point, one in points]
    return [
        _label(in_lines(text), palette().ink, _TYPE, "op", (_star(point.intensity, point.rate, frame),))
        for text, (point, one) in zip(told_apart(called), points, strict=True)
    ]


def _step_labels(drawn: Picture, frame: Frame) -> list[Label]:
    """The op and the first value of each path, the last, and a few between them that are apart from these."""
    return [
        _label(text, one.colour_of(trail.phase), _TYPE, "op", (anchor,))
        for one in drawn.series
        for trail in one.trails
        for text, anchor in _step_texts(trail, frame)
    ]


def _step_texts(trail: Trail, frame: Frame) -> Iterator[tuple[str, Anchor]]:
    places = [_step(step.intensity, step.rate, frame) for step in trail.steps]
    spans = _spans(places)
    anchors = [places[span[0]] for span in spans]
    last, named = len(anchors) - 1, [0]
    wanted = [last, *(round(last * part / (_BETWEEN + 1)) for part in range(1, _BETWEEN + 1))]
    for index in wanted:
        if all(math.dist(_at(anchors[index]), _at(anchors[other])) >= _APART for other in named):
            named.append(index)
    whole = last not in named and all(math.dist(_at(anchor), _at(anchors[0])) < _APART for anchor in anchors)
    values = _span(trail, (0, len(places) - 1)) if whole else _span(trail, spans[0])
    yield in_lines(f"{trail.op}, {trail.phase}, {trail.size} {values}"), anchors[0]
    yield from ((_span(trail, spans[index]), anchors[index]) for index in named[1:])


def _spans(places: Sequence[Anchor]) -> list[tuple[int, int]]:
    """Steps that lie on one another, by the first and the last of them."""
    spans: list[tuple[int, int]] = []
    for index, one in enumerate(places):
        if spans and math.dist(_at(one), _at(places[spans[-1][0]])) < one.radius:
            spans[-1] = spans[-1][0], index
        else:
            spans.append((index, index))
    return spans


def _span(trail: Trail, span: tuple[int, int]) -> str:
    """The values of some steps: ``16 to 256``."""
    return " to ".join(dict.fromkeys(f"{trail.steps[index].value:,g}" for index in span))


def _at(anchor: Anchor) -> tuple[float, float]:
    return anchor.x, anchor.y


def _ridge_labels(skylines: Sequence[Skyline], frame: Frame) -> list[Label]:
    """A label for each ridge in use, to stand anywhere along its plumb line, low rather than high."""
    labels = []
    for line in skylines:
        for roof in line.roofs:
            if roof.used:
                x, top = frame.point(roof.ridge, roof.peak)
                anchors = tuple(Anchor(x, height) for height in range(12, round(top), 12))
                text = f"ridge {plain(roof.ridge)}\nFLOP/byte"
                labels.append(_label(text, line.colour, SMALL, "ridge", anchors))
    return labels


def _draw_label(axes: Axes, label: Label, spot: Placed, frame: Frame) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.6, foreground=palette().ground)]
    own: Look = {"size": label.size, "color": label.colour, "gid": label.kind, "path_effects": halo}
    x, y = frame.part(spot.box.centre)
    axes.text(x, y, label.text, transform=axes.transAxes, **own, **_CENTRED)
    if spot.leader is not None:
        xs, ys = zip(*(frame.part(end) for end in spot.leader), strict=True)
        axes.plot(xs, ys, lw=0.5, color=palette().grey, transform=axes.transAxes, zorder=7, gid="leader")
