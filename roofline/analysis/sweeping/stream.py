"""A sweep as a stream: batches of rows that are wanted, what was refused, and the best of all in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from roofline.analysis.sweeping.best import MOST_ON_FRONTIER, Best, objectives, sort_keys
from roofline.analysis.sweeping.condition.parse import Condition
from roofline.analysis.sweeping.plan import Part, Place, Plan, Refused
from roofline.analysis.sweeping.rows import Rows, block_rows, check_columns, joined
from roofline.errors import UsageError

#: A batch is given when it has so many rows, when so many points were looked at, or after so many seconds.
_ROWS: Final = 32_768
_POINTS: Final = 262_144
_SECONDS: Final = 0.5
#: Rows of blocks that are joined: to join larger ones would spell out what they have in common.
_FEW: Final = 2_048
#: Rows that are sorted in memory.
MOST_SORTED: Final = 5_000_000
#: Rows that are kept beside the best ones until these are found anew.
_BESIDE: Final = 65_536


class Batch(NamedTuple):
    """Some rows, or none; where the sweep stands behind them, how many points that were, and what was refused."""

    behind: Place
    rows: tuple[Rows, ...]
    points: int
    refused: tuple[Refused, ...]

    @property
    def number(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.rows))


def empty(plan: Plan) -> Rows:
    """No rows, with all columns of a sweep."""
    import numpy as np

    given = {name: np.empty(0, dtype=kind) for name, kind in plan.kinds.items()}
    kinds = {name: "bool" if name == "fits" else "float64" for name in plan.probe.results}
    found = {name: np.empty(0, dtype=kind) for name, kind in kinds.items()}
    return Rows((0,), given | found, plan.probe.better)


def batches(
    plan: Plan, parts: Iterable[Part], condition: Condition | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Batch]:
    """The rows of a sweep on which a condition holds, in order, and batch by batch."""
    kept: list[list[Rows]] = []
    refused: list[Refused] = []
    points, begun, behind = 0, clock(), Place()
    for part in parts:
        behind = part.behind
        for block in part.blocks:
            points += block.points
            if block.reason:
                refused.append(plan.refused(part.places, block))
                continue
            rows = block_rows(plan, part.places, block)
            rows = rows if condition is None else rows.where(condition)
            if len(rows):
                _add(kept, rows)
        if _gathered(kept) >= _ROWS or points >= _POINTS or clock() - begun >= _SECONDS:
            yield Batch(behind, tuple(map(joined, kept)), points, tuple(refused))
            kept, refused, points, begun = [], [], 0, clock()
    if points:
        yield Batch(behind, tuple(map(joined, kept)), points, tuple(refused))


def _gathered(kept: list[list[Rows]]) -> int:
    return sum(len(rows) for group in kept for rows in group)


def _add(kept: list[list[Rows]], rows: Rows) -> None:
    """Few rows beside others that are few; many by themselves, as they are."""
    few = len(rows) < _FEW
    if few and kept and len(kept[-1][0]) < _FEW:
        kept[-1].append(rows)
    else:
        kept.append([rows])


def check_best(plan: Plan, best: Best, condition: Condition | None) -> None:
    """Raises UsageError for columns that there are not, and for what does not stay in bounded memory."""
    known = empty(plan)
    if best.top is not None and best.top < 1:
        raise UsageError(f"--top must be a whole number from 1, not {best.top}")
    if best.top is not None and not best:
        raise UsageError("--top wants to know of what: --sort COL, or --sort=-COL for the highest")
    if best.sort is not None:
        check_columns(known.columns, [key.name for key in sort_keys(best.sort)])
        if best.top is not None and best.top > MOST_SORTED:
            raise UsageError(f"--top {best.top:,}: at most {MOST_SORTED:,} rows are sorted")
        everything = best.top is None and best.pareto is None and condition is None
        if everything and plan.points > MOST_SORTED:
            raise _too_many_sorted(plan.points)
    if best.pareto is not None:
        wanted = objectives([best.pareto], plan.probe.better)
        check_columns(known.columns, [each.name for each in wanted])
        known.losses(wanted)


def _too_many_sorted(rows: int) -> UsageError:
    return UsageError(
        f"--sort: {rows:,} rows are more than the {MOST_SORTED:,} that are sorted in memory; add --top N or --where, "
        "or write them unsorted"
    )


class Keeper:
    """Keeps the best rows of a stream, with no more memory than they need."""

    def __init__(self, plan: Plan, best: Best) -> None:
        self.best, self.kept = best, empty(plan)
        self.beside: list[Rows] = []

    def take(self, rows: Rows) -> None:
        """Further rows. Raises UsageError where too many are to be kept."""
        self.beside.append(self._best(rows))
        if sum(map(len, self.beside)) > max(_BESIDE, len(self.kept)):
            self._settle()

    def _best(self, rows: Rows) -> Rows:
        """Of a frontier all, as it came; of an order the first."""
        if self.best.pareto is not None:
            return rows.pareto(self.best.pareto)
        return rows if self.best.top is None else rows.top(self.best.top, str(self.best.sort))

    def _settle(self) -> None:
        every = joined([self.kept, *self.beside])
        self.kept, self.beside = self._best(every), []
        if self.best.pareto is not None and len(self.kept) > MOST_ON_FRONTIER:
            raise UsageError(f"--pareto: more than {MOST_ON_FRONTIER:,} rows are on the frontier; add a --where")
        if len(self.kept) > MOST_SORTED:
            raise _too_many_sorted(len(self.kept))

    def finished(self) -> Rows:
        """What was kept, in order."""
        self._settle()
        rows = self.kept
        if self.best.sort is None:
            return rows if self.best.top is None else rows.take(slice(self.best.top))
        return rows.top(len(rows) if self.best.top is None else self.best.top, self.best.sort)
