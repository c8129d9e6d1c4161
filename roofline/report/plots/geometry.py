"""Boxes, dots and lines on paper, in points; no plotting library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Segment: TypeAlias = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> Point:
        """Its middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Whether the two come closer than `gap`."""
        beside = self.x0 < other.x1 + gap and other.x0 < self.x1 + gap
        return beside and self.y0 < other.y1 + gap and other.y0 < self.y1 + gap

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


def crosses(first: Segment, second: Segment) -> bool:
    """Whether two segments cross."""
    (a, b), (c, d) = first, second
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def passes(line: Segment, dot: Anchor) -> bool:
    """Whether a line runs over a dot, other than one at its very ends."""
    (ax, ay), (bx, by) = line
    length = math.dist(*line) or 1.0
    along = ((dot.x - ax) * (bx - ax) + (dot.y - ay) * (by - ay)) / length
    return 0 < along < length and distance((dot.x, dot.y), line) < dot.radius


def hugged(first: Segment, second: Segment, gap: float) -> float:
    """The length of the first segment that runs closer than `gap` to the second, by eight samples."""
    (ax, ay), (bx, by) = first
    if not Box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)).meets(second, gap):
        return 0.0
    parts = ((2 * index + 1) / 16 for index in range(8))
    near = sum(distance((ax + part * (bx - ax), ay + part * (by - ay)), second) < gap for part in parts)
    return near / 8 * math.dist(*first)


def distance(point: Point, line: Segment) -> float:
    """From a point to the nearest point of a segment."""
    (ax, ay), (bx, by) = line
    dx, dy = bx - ax, by - ay
    along = ((point[0] - ax) * dx + (point[1] - ay) * dy) / (dx * dx + dy * dy or 1.0)
    part = min(max(along, 0.0), 1.0)
    return math.dist(point, (ax + part * dx, ay + part * dy))
