"""Grids of sizes and accelerators: cut into blocks that stay in a processor's cache, each evaluated in one go.

Sizes broadcast through the same formulas as single values. Accelerators on which a run is executed in the same way are
stacked on an axis before those of the sizes where these are few; else they follow each other, and what a phase counts
is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.analysis.service.evaluate import served_better, served_columns, service_of
from roofline.answer.quantity import Quantity
from roofline.answer.times import READINGS, column
from roofline.errors import UnknownNameError, UsageError
from roofline.num import keep_freed_memory, where
from roofline.runs.ask import ask
from roofline.runs.kind import Outcome, Question
from roofline.runs.money.quantities import costs_of

if TYPE_CHECKING:
    import numpy as np

    from roofline.answer.service import Service

#: Points of a block: so many float64 of each array of a formula stay in a cache of the second level.
BLOCK: Final = 32_768
#: Points up to which accelerators are stacked: beyond, a pass over the grid costs more than to call numpy once more.
STACKED: Final = 4_096
#: Points that are refused one by one, of one model in one way: beyond, what is asked is meant otherwise.
MOST_REFUSED: Final = 500


class Block(NamedTuple):
    """Results on a part of the grid: the accelerator by its place among those asked for, the slice of each size.

    `columns` hold numbers, or arrays that broadcast to the shape of the slices. Where there is a `reason`, these points
    cannot be, and there are no columns.
    """

    gpu: int
    rows: tuple[slice, ...]
    columns: Mapping[str, Any]
    reason: str = ""

    @property
    def points(self) -> int:
        """How many there are."""
        return prod(part.stop - part.start for part in self.rows)


def evaluate_grid(
    model: Any, gpus: Sequence[Any], options: Mapping[str, Any], sizes: Mapping[str, Sequence[Any]], skip: int = 0
) -> Iterator[list[Block]]:
    """The results of one model in one way on a grid of sizes, for each of the accelerators, part by part.

    A part is one accelerator on at most `BLOCK` points, in one block, or in several where some of them are refused.
    The first `skip` parts are left out, most of them unworked. Raises UnknownNameError or SpecError as a single
    question does, and UsageError where very many points are refused one by one.
    """
    keep_freed_memory()
    grid = _Grid(model, gpus, options, sizes)
    corners = cut(sizes, BLOCK, grid.apart)
    for rows in islice(corners, skip // len(gpus), None):
        yield from islice(grid.parts(rows, skip % len(gpus)), skip % len(gpus), None)
        skip = 0


def count_parts(model: Any, gpus: Sequence[Any], options: Mapping[str, Any], sizes: Mapping[str, Sequence[Any]]) -> int:
    """How many parts `evaluate_grid` gives."""
    grid = _Grid(model, gpus, options, sizes)
    return len(gpus) * sum(1 for _ in cut(sizes, BLOCK, grid.apart))


class _Grid:
    """What is asked of every part of a grid, and the accelerators on which it can be asked."""

    def __init__(
        self, model: Any, gpus: Sequence[Any], options: Mapping[str, Any], sizes: Mapping[str, Sequence[Any]]
    ) -> None:
        self.model, self.gpus, self.options, self.sizes = model, gpus, options, sizes
        self.last: tuple[Any, Any] | None = None
        self.taken: dict[int, Question] = {}
        self.reasons: dict[int, str] = {}
        for place, gpu in enumerate(gpus):
            self._start(place, gpu)
        self.groups = [[list(self.taken)[place] for place in group] for group in alike(list(self.taken.values()))]
        self.left = MOST_REFUSED

    @property
    def apart(self) -> Sequence[str]:
        """Sizes whose values are worked out one by one."""
        return next((each.kind.apart(each) for each in self.taken.values()), ())

    def _start(self, place: int, gpu: Any) -> None:
        """The question of an accelerator, or why there is none. What only the first of the sizes lack shows later."""
        first = {name: values[0] for name, values in self.sizes.items()}
        for sizes in (first, {}) if self._has_more else (first,):
            try:
                self.taken[place] = ask(self.model, gpu, {**self.options, **sizes})
                return
            except UnknownNameError:
                raise
            except UsageError as error:
                self.reasons.setdefault(place, str(error))

    @property
    def _has_more(self) -> bool:
        return any(len(values) > 1 for values in self.sizes.values())

    def parts(self, rows: tuple[slice, ...], skip: int) -> Iterator[list[Block]]:
        """One list of blocks for each accelerator; of the first `skip` those that cost nothing to leave are empty."""
        left = skip
        for group in self.groups:
            if left >= len(group):
                left -= len(group)
                yield from ([] for _ in group)
                continue
            yield from self._group(group, rows, left)
            left = 0
        refused = (place for place in self.reasons if place not in self.taken)
        yield from ([Block(place, rows, {}, self.reasons[place])] for place in refused)

    def _group(self, group: Sequence[int], rows: tuple[slice, ...], skip: int) -> Iterator[list[Block]]:
        points = prod(part.stop - part.start for part in rows)
        if len(group) > 1 and points * len(group) <= STACKED:
            try:
                found = _stacked(self._asked(group, rows))
                yield from ([Block(place, rows, columns)] for place, columns in zip(group, found, strict=True))
                return
            except UsageError:
                pass  # each on its own shows which points are meant
        for index, place in enumerate(group):
            yield [] if index < skip else list(self._alone(place, rows))

    def _asked(self, places: Sequence[int], rows: tuple[slice, ...]) -> list[Question]:
        firsts = [self.taken[place] for place in places]
        if not rows:
            return firsts
        run = self._run(places[0], rows)
        return [replace(first, run=run, axes=len(rows)) for first in firsts]

    def _run(self, place: int, rows: tuple[slice, ...]) -> Any:
        """The sizes of a part, as one run for all accelerators: what is counted for one need not be for the next.

        Where a run is what a chip makes of it, as one for each of them.
        """
        owner = place if self.taken[place].for_users else next(iter(self.taken))
        if self.last is None or self.last[0] != (owner, rows):
            options = {**self.options, **axes_of(self.sizes, rows)}
            self.last = (owner, rows), ask(self.model, self.gpus[owner], options).run
        return self.last[1]

    def _alone(self, place: int, rows: tuple[slice, ...]) -> Iterator[Block]:
        """The blocks of a part on one accelerator: halved until the points that are refused are by themselves."""
        found = self._tried(place, rows)
        if found.reason and not self._all_alike(found):
            longest = max(range(len(rows)), key=lambda axis: rows[axis].stop - rows[axis].start)
            start, stop = rows[longest].start, rows[longest].stop
            for half in (slice(start, (start + stop) // 2), slice((start + stop) // 2, stop)):
                yield from self._alone(place, (*rows[:longest], half, *rows[longest + 1 :]))
            return
        self.left -= bool(found.reason) and found.points == 1
        if self.left < 0:
            raise UsageError(f"more than {MOST_REFUSED:,} points cannot be, such as: {found.reason}")
        yield found

    def _tried(self, place: int, rows: tuple[slice, ...]) -> Block:
        try:
            return Block(place, rows, _columns(self._asked([place], rows)[0]))
        except UnknownNameError:
            raise
        except UsageError as error:
            return Block(place, rows, {}, str(error))

    def _all_alike(self, refused: Block) -> bool:
        """Whether all points are refused for a reason that has nothing to do with sizes: here, midway and there."""
        if refused.points == 1:
            return True
        spots = [(part.start, (part.start + part.stop) // 2, part.stop - 1) for part in refused.rows]
        tried = (tuple(slice(at, at + 1) for at in spot) for spot in zip(*spots, strict=True))
        return all(self._tried(refused.gpu, rows).reason == refused.reason for rows in tried)


def _columns(question: Question) -> dict[str, Any]:
    """The results of one accelerator; what its phases count is kept for the next one."""
    return dict(results_of(evaluate(question, Outcome)))


def _stacked(questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    """The results of each of several accelerators, worked out on an axis of their own before those of the sizes."""
    first = replace(questions[0], stacked=tuple(question.gpu for question in questions))
    results = _columns(first)
    for place in range(len(questions)):
        yield {
            name: value[place if len(value) > 1 else 0] if getattr(value, "ndim", 0) > first.axes else value
            for name, value in results.items()
        }


def alike(questions: Sequence[Question]) -> list[list[int]]:
    """The places of questions that can be stacked: the same run in the same way on accelerators that stand alone."""
    groups: list[list[int]] = []
    for index, question in enumerate(questions):
        for group in groups:
            other = questions[group[0]]
            alike = question.execution == other.execution and question.kind == other.kind
            cores = {q.gpu.kind == "cpu" for q in (question, other)}
            apart = question.for_users or question.money.given  # each accelerator has a price of its own
            if question.spread.alone and alike and not apart and len(cores) == 1:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def cut(sizes: Mapping[str, Sequence[Any]], most: int, apart: Sequence[str] = ()) -> Iterator[tuple[slice, ...]]:
    """The grid in blocks of at most `most` points, in order: the slice of each size.

    Sizes that stand `apart` have one value in a block.
    """
    steps, room = [], most
    for name, values in reversed(list(sizes.items())):
        steps.append(1 if name in apart else max(1, min(len(values), room)))
        room //= steps[-1]
    lengths = [len(values) for values in sizes.values()]
    starts = [range(0, length, step) for length, step in zip(lengths, reversed(steps), strict=True)]
    for corner in product(*starts):
        places = zip(corner, starts, lengths, strict=True)
        yield tuple(slice(start, min(start + each.step, length)) for start, each, length in places)


def axes_of(sizes: Mapping[str, Sequence[Any]], rows: tuple[slice, ...]) -> dict[str, np.ndarray]:
    """The values of each size in a part of the grid, along its axis."""
    import numpy as np

    found = {}
    for axis, ((name, values), part) in enumerate(zip(sizes.items(), rows, strict=True)):
        some = values[part]
        array = np.arange(some.start, some.stop, some.step) if isinstance(some, range) else np.asarray(some)
        found[name] = array.astype(np.float64).reshape([-1 if axis == other else 1 for other in range(len(rows))])
    return found


def results_of(outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """The columns that the kind of run gives: quantities in all readings, and figures of memory."""
    for name in outcome.question.kind.columns:
        quantity = outcome.quantity(name)
        if quantity is not None:
            yield from _readings(quantity)
        elif name.endswith("_s"):
            yield from ((column(name, reading), None) for reading in READINGS)
        else:
            yield name, getattr(outcome.memory, name)
    service = _service_of(outcome)
    if service is not None:
        yield from served_columns(outcome, service)
    for cost in _costs_of(outcome, service):
        yield from _readings(cost)


def better_of(outcome: Outcome) -> dict[str, str]:
    """Whether `low` or `high` values are the better ones of these columns, by the names of the quantities: those of
    the run, of a steady load, and of money and energy.
    """
    service = _service_of(outcome)
    quantities = (*outcome.quantities, *_costs_of(outcome, service))
    found = {quantity.name: quantity.better for quantity in quantities}
    return found | dict(served_better(service) if service is not None else ())


def _service_of(outcome: Outcome) -> Service | None:
    return service_of(outcome) if outcome.question.for_users else None


def _costs_of(outcome: Outcome, service: Service | None) -> tuple[Quantity, ...]:
    """The costs, where money was asked for."""
    if not outcome.question.money.given:
        return ()
    return costs_of(outcome, None if service is None else service.output_tokens_per_s)


def _readings(quantity: Quantity) -> Iterator[tuple[str, Any]]:
    """The readings of one quantity; not a number where it has no meaning."""
    times, everywhere = quantity.times, quantity.meaning is True
    for reading in READINGS:
        value = getattr(times, reading) if times is not None else None
        if value is not None and not everywhere:
            value = where(quantity.meaning, value, float("nan"))
        yield column(quantity.name, reading), value
