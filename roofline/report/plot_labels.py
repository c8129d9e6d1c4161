"""Where labels go: near their dots, never on each other, on a dot or over the edge; the same every time.

Pure geometry in points, without a plotting library. `place` puts labels around anchors in the plane; `spread` moves
labels apart along one edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Segment: TypeAlias = tuple[Point, Point]

GAP: Final = 2.0
_RINGS: Final = (1.5, 5.0, 9.0, 14.0, 20.0, 27.0, 35.0, 45.0, 57.0, 72.0, 90.0, 115.0)
_DIRECTIONS: Final = 24
#: What one fault costs, as if the label were so many points further from its dot.
_ON_LINE, _LEADER_ON_LINE, _LEADER_CROSSED, _LEADER_ON_LABEL, _LEADER_ON_DOT = 40.0, 3.0, 60.0, 60.0, 25.0
#: A label nearer than this to a dot of another label seems to be that one's.
_AMBIGUOUS, _ASTRAY = 7.0, 8.0


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Whether the two come closer than `gap`."""
        return (
            self.x0 < other.x1 + gap and other.x0 < self.x1 + gap
            and self.y0 < other.y1 + gap and other.y0 < self.y1 + gap
        )  # fmt: skip

    def within(self, other: Box) -> bool:
        """Whether this lies inside the other."""
        return other.x0 <= self.x0 and self.x1 <= other.x1 and other.y0 <= self.y0 and self.y1 <= other.y1

    def nearest(self, point: Point) -> Point:
        """The point of the box nearest to a point."""
        return min(max(point[0], self.x0), self.x1), min(max(point[1], self.y0), self.y1)

    def meets(self, segment: Segment, gap: float = 0.0) -> bool:
        """Whether a segment comes into the box widened by `gap` (Liang and Barsky's clipping)."""
        (ax, ay), (bx, by) = segment
        enter, leave = 0.0, 1.0
        for start, step, low, high in ((ax, bx - ax, self.x0, self.x1), (ay, by - ay, self.y0, self.y1)):
            if step == 0:
                if not low - gap < start < high + gap:
                    return False
                continue
            first, last = sorted(((low - gap - start) / step, (high + gap - start) / step))
            enter, leave = max(enter, first), min(leave, last)
        return enter < leave


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that a label may name: its centre and the radius to keep clear of."""

    x: float
    y: float
    radius: float = 0.0

    @property
    def box(self) -> Box:
        """The square around it."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


@dataclass(frozen=True, slots=True)
class Wish:
    """A label to be placed: its size, and the places any of which it may stand at."""

    width: float
    height: float
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A label's box, and the line to its anchor where it does not stand next to it."""

    box: Box
    leader: Segment | None


@dataclass(frozen=True, slots=True)
class Scene:
    """What labels must stay clear of: `blocks` and `dots` always, `lines` where possible; all within `bounds`."""

    bounds: Box
    blocks: tuple[Box, ...] = ()
    dots: tuple[Anchor, ...] = ()
    lines: tuple[Segment, ...] = ()


def place(wishes: Sequence[Wish], scene: Scene, rounds: int = 2) -> list[Placed | None]:
    """A place for each label, None where there is no room for it.

    Greedy in the order given, then each label again, `rounds` times, with the others where they are.
    """
    done: list[Placed | None] = [None] * len(wishes)
    for _ in range(rounds + 1):
        before = list(done)
        for index, wish in enumerate(wishes):
            done[index] = None
            done[index] = _best(wish, scene, [other for other in done if other is not None])
        if done == before:
            break
    return done


def _best(wish: Wish, scene: Scene, others: Sequence[Placed]) -> Placed | None:
    best, least = None, math.inf
    for cost, placed in _candidates(wish):
        if cost >= least:
            break
        if not _free(placed.box, scene, others):
            continue
        total = cost + _faults(placed, wish, scene, others)
        if total < least:
            best, least = placed, total
    return best


def _candidates(wish: Wish) -> Iterator[tuple[float, Placed]]:
    """Places around all anchors, from the nearest; beside and above come before below, the first anchor before others."""
    for ring in _RINGS:
        for rank, anchor in enumerate(wish.anchors):
            for turn in range(_DIRECTIONS):
                angle = 2 * math.pi * turn / _DIRECTIONS
                yield ring + 0.01 * turn + 0.5 * rank, _at(wish, anchor, ring, angle)


def _at(wish: Wish, anchor: Anchor, ring: float, angle: float) -> Placed:
    """The label whose nearest point is `ring` from the anchor's edge in a direction."""
    reach = anchor.radius + ring
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = anchor.x + reach * cos, anchor.y + reach * sin
    left, bottom = x - wish.width * _slide(cos), y - wish.height * _slide(sin)
    box = Box(left, bottom, left + wish.width, bottom + wish.height)
    if ring <= 2 * GAP:
        return Placed(box, None)
    end = box.nearest((anchor.x, anchor.y))
    distance = math.dist(end, (anchor.x, anchor.y)) or 1.0
    edge = anchor.radius / distance
    start = anchor.x + (end[0] - anchor.x) * edge, anchor.y + (end[1] - anchor.y) * edge
    return Placed(box, (start, end))


def _slide(direction: float) -> float:
    """Which part of a side faces the anchor: 0 its start, 1 its end, between them near a right angle."""
    return min(max(0.5 - direction, 0.0), 1.0)


def _free(box: Box, scene: Scene, others: Sequence[Placed]) -> bool:
    return (
        box.within(scene.bounds)
        and not any(box.overlaps(dot.box, GAP / 2) for dot in scene.dots)
        and not any(box.overlaps(block, GAP) for block in scene.blocks)
        and not any(box.overlaps(other.box, GAP) for other in others)
    )


def _faults(placed: Placed, wish: Wish, scene: Scene, others: Sequence[Placed]) -> float:
    cost = _ON_LINE * sum(placed.box.meets(line, 0.8) for line in scene.lines)
    cost += _ASTRAY * sum(placed.box.overlaps(dot.box, _AMBIGUOUS) for dot in scene.dots if dot not in wish.anchors)
    cost += _LEADER_ON_LABEL * sum(o.leader is not None and placed.box.meets(o.leader, 1.0) for o in others)
    if placed.leader is not None:
        leader = placed.leader
        cost += _LEADER_ON_LINE * sum(crosses(leader, line) for line in scene.lines)
        cost += _LEADER_ON_LABEL * sum(o.box.meets(leader, 1.0) for o in others)
        cost += _LEADER_ON_LABEL * sum(block.meets(leader, 1.0) for block in scene.blocks)
        cost += _LEADER_CROSSED * sum(o.leader is not None and crosses(leader, o.leader) for o in others)
        cost += _LEADER_ON_DOT * sum(_passes(leader, dot) for dot in scene.dots)
    return cost


def _passes(leader: Segment, dot: Anchor) -> bool:
    """Whether a leader runs over a dot that is not its own (its own it only touches)."""
    (ax, ay), (bx, by) = leader
    length = math.dist(*leader) or 1.0
    along = ((dot.x - ax) * (bx - ax) + (dot.y - ay) * (by - ay)) / length
    aside = abs((dot.x - ax) * (by - ay) - (dot.y - ay) * (bx - ax)) / length
    return 0 < along < length and aside < dot.radius


def crosses(first: Segment, second: Segment) -> bool:
    """Whether two segments cross."""
    (a, b), (c, d) = first, second
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Centres as near as possible to those wanted, so that labels of these heights follow one another without overlap.

    All stay between `low` and `high` where they fit there. Least squares with equal weights: overlapping neighbours
    form a block that sits at the mean of what its members want.
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[float, list[int]]] = []
    for index in order:
        members = [index]
        start = _start(members, wanted, heights, low, high)
        while blocks and blocks[-1][0] + sum(heights[i] for i in blocks[-1][1]) > start:
            members = blocks.pop()[1] + members
            start = _start(members, wanted, heights, low, high)
        blocks.append((start, members))
    centres = [0.0] * len(wanted)
    for start, members in blocks:
        top = start
        for index in members:
            centres[index] = top + heights[index] / 2
            top += heights[index]
    return centres


def _start(
    members: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> float:
    """Where a block of labels begins."""
    offset, total = 0.0, 0.0
    for index in members:
        total += wanted[index] - (offset + heights[index] / 2)
        offset += heights[index]
    return max(low, min(total / len(members), high - offset))
