"""Where labels go: near their dots, never on each other, on a dot or over the edge; the same every time.

Pure geometry in points, without a plotting library. `place` puts labels around anchors in the plane; `spread` moves
labels apart along one edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import Final

from roofline.report.plots.geometry import Anchor, Box, Segment, crosses, hugged, passes

GAP: Final = 2.0
_RINGS: Final = (1.5, 5.0, 9.0, 14.0, 20.0, 27.0, 35.0, 45.0, 57.0)
_DIRECTIONS: Final = 24
#: What one fault costs, as if the label were so many points further from its dot.
_ON_LINE, _ON_FAINT, _LEADER_ON_LINE, _LEADER_ON_DOT = 120.0, 30.0, 3.0, 60.0
#: For each point of length: a leader along a line cannot be told from it.
_LEADER_ALONG: Final = 3.0
#: A label nearer than this to a dot of another label seems to be that one's.
_AMBIGUOUS, _ASTRAY = 4.5, 8.0
#: What it costs that a label is missing, and how much more where it matters most.
_MISSING, _WEIGHT = 400.0, 10.0
#: Of the places of a label that found no room, how many are tried, and every which one.
_TRIALS, _EVERY = 24, 6
#: Places of a label, from the nearest on, beyond which no further ones are looked at.
_ENOUGH: Final = 700
#: A label this badly off is worth moving another one for.
_BAD: Final = 35.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A label to be placed: its size, the places any of which it may stand at, and how much it matters (0 to 1)."""

    width: float
    height: float
    anchors: tuple[Anchor, ...]
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A label's box, the line to its anchor where it does not stand next to it, and what its distance costs."""

    box: Box
    leader: Segment | None
    cost: float


@dataclass(frozen=True)
class Scene:
    """What labels must stay clear of: `blocks` and `dots` always, `lines` where possible, `faint` ones rather than not;
    all within `bounds`.
    """

    bounds: Box
    blocks: tuple[Box, ...] = ()
    dots: tuple[Anchor, ...] = ()
    lines: tuple[Segment, ...] = ()
    faint: tuple[Segment, ...] = ()

    @cached_property
    def dot_boxes(self) -> list[Box]:
        """The squares around the dots."""
        return [dot.box for dot in self.dots]


def place(wishes: Sequence[Wish], scene: Scene, rounds: int = 4) -> list[Placed | None]:
    """A place for each label, None where there is no room for it.

    Greedy in the order given, then each label again with the others where they are, until nothing moves or for `rounds`
    rounds; a label that is then still badly off may have any other one move out of its way. No label touches another,
    and no line to a label's dot runs over another label or crosses another such line.
    """
    tables = [_table(wish, scene) for wish in wishes]
    missing = [_MISSING * (1.0 + _WEIGHT * wish.weight) for wish in wishes]
    done: list[Placed | None] = [None] * len(wishes)
    for _ in range(rounds):
        before = list(done)
        for index in range(len(wishes)):
            done = _again(tables, done, (index,))
        if done == before:
            break
    total = partial(_total, missing)
    for index in range(len(wishes)):
        if _trouble(done[index], missing[index]) >= _BAD:
            trials = [_again(tables, done, (index, other)) for other in range(len(wishes)) if other != index]
            done = min([done, *trials], key=total)
    for index, placed in enumerate(done):
        if placed is None:
            done = min([done, *_forced(tables, done, index)], key=total)
    return done


def _forced(
    tables: Sequence[Sequence[Placed]], done: Sequence[Placed | None], index: int
) -> Iterator[list[Placed | None]]:
    """A label that found no room at some of its places, and what was in its way placed anew."""
    for placed in tables[index][::_EVERY][:_TRIALS]:
        held = [i for i, other in enumerate(done) if other is not None and not _is_clear(placed, [other])]
        result = [None if i in held else other for i, other in enumerate(done)]
        result[index] = placed
        yield _again(tables, result, held)


def _table(wish: Wish, scene: Scene) -> list[Placed]:
    """All places of a label that the scene leaves, with what each costs there, the cheapest first."""
    free = islice((placed for placed in _candidates(wish) if _is_free(placed, scene)), _ENOUGH)
    return sorted((replace(p, cost=p.cost + _faults(p, wish, scene)) for p in free), key=lambda placed: placed.cost)


def _again(
    tables: Sequence[Sequence[Placed]], done: Sequence[Placed | None], indices: Sequence[int]
) -> list[Placed | None]:
    """The labels, those of these indices taken away and placed anew in this order."""
    result = [None if index in indices else placed for index, placed in enumerate(done)]
    for index in indices:
        others = [other for other in result if other is not None]
        result[index] = next((placed for placed in tables[index] if _is_clear(placed, others)), None)
    return result


def _trouble(placed: Placed | None, missing: float) -> float:
    """What a label's place costs; very much where it has none."""
    return missing if placed is None else placed.cost


def _total(missing: Sequence[float], done: Sequence[Placed | None]) -> float:
    return sum(map(_trouble, done, missing))


def _candidates(wish: Wish) -> Iterator[Placed]:
    """Places around all anchors, from the nearest; above comes before below, the first anchor before the others."""
    for ring in _RINGS:
        for rank, anchor in enumerate(wish.anchors):
            for turn in range(_DIRECTIONS):
                angle = 2 * math.pi * turn / _DIRECTIONS
                yield _at(wish, anchor, ring, angle, ring + 0.01 * turn + 0.5 * rank)


def _at(wish: Wish, anchor: Anchor, ring: float, angle: float, cost: float) -> Placed:
    """The label whose nearest point is `ring` from the anchor's edge in a direction."""
    reach = anchor.radius + ring
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = anchor.x + reach * cos, anchor.y + reach * sin
    left, bottom = x - wish.width * _slide(cos), y - wish.height * _slide(sin)
    box = Box(left, bottom, left + wish.width, bottom + wish.height)
    if ring <= 2 * GAP:
        return Placed(box, None, cost)
    end = box.nearest((anchor.x, anchor.y))
    distance = math.dist(end, (anchor.x, anchor.y)) or 1.0
    edge = anchor.radius / distance
    start = anchor.x + (end[0] - anchor.x) * edge, anchor.y + (end[1] - anchor.y) * edge
    return Placed(box, (start, end), cost)


def _slide(direction: float) -> float:
    """Which part of a side faces the anchor: 0 its start, 1 its end, between them near a right angle."""
    return min(max(0.5 - direction, 0.0), 1.0)


def _is_free(placed: Placed, scene: Scene) -> bool:
    box, leader = placed.box, placed.leader
    return (
        box.within(scene.bounds)
        and not any(box.overlaps(dot, GAP / 2) for dot in scene.dot_boxes)
        and not any(box.overlaps(block, GAP) for block in scene.blocks)
        and not (leader is not None and any(block.meets(leader, 1.0) for block in scene.blocks))
    )


def _is_clear(placed: Placed, others: Sequence[Placed]) -> bool:
    """Whether a label and the line to it stay clear of other labels and of the lines to these."""
    box, leader = placed.box, placed.leader
    for other in others:
        if box.overlaps(other.box, GAP) or (other.leader is not None and box.meets(other.leader, 1.0)):
            return False
        if leader is not None and other.box.meets(leader, 1.0):
            return False
        if leader is not None and other.leader is not None and crosses(leader, other.leader):
            return False
    return True


def _faults(placed: Placed, wish: Wish, scene: Scene) -> float:
    """What is better not done, and sometimes must be: words on lines, near other dots, and lines over these."""
    cost = _ON_LINE * sum(placed.box.meets(line, 0.8) for line in scene.lines)
    cost += _ON_FAINT * sum(placed.box.meets(line, 0.8) for line in scene.faint)
    cost += _ASTRAY * sum(
        placed.box.overlaps(box, _AMBIGUOUS) and dot not in wish.anchors
        for dot, box in zip(scene.dots, scene.dot_boxes, strict=True)
    )
    if placed.leader is not None:
        leader, lines = placed.leader, (*scene.lines, *scene.faint)
        cost += _LEADER_ON_LINE * sum(crosses(leader, line) for line in lines)
        cost += _LEADER_ALONG * sum(hugged(leader, line, 1.0) for line in lines)
        cost += _LEADER_ON_DOT * sum(passes(leader, dot) for dot in scene.dots)
    return cost


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


def _start(members: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> float:
    """Where a block of labels begins."""
    offset, total = 0.0, 0.0
    for index in members:
        total += wanted[index] - (offset + heights[index] / 2)
        offset += heights[index]
    return max(low, min(total / len(members), high - offset))
