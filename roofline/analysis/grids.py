"""Grids of sizes and accelerators: cut into blocks that stay in a processor's cache, each evaluated in one go.

Sizes broadcast through the same formulas as single values. Accelerators on which a run is executed in the same way are
stacked on an axis before those of the sizes where these are few; else they follow each other, and what a phase counts
is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.analysis.service.evaluate import served_columns
from roofline.answer.quantity import Quantity
from roofline.answer.times import READINGS, column
from roofline.num import keep_freed_memory, where
from roofline.runs.ask import ask
from roofline.runs.kind import Outcome, Question
from roofline.runs.money.quantities import costs_of

if TYPE_CHECKING:
    import numpy as np

#: Points of a block: so many float64 of each array of a formula stay in a cache of the second level.
BLOCK: Final = 32_768
#: Points up to which accelerators are stacked: beyond, a pass over the grid costs more than to call numpy once more.
STACKED: Final = 4_096


class Block(NamedTuple):
    """Results on a part of the grid: the accelerator by its place among those asked for, the slice of each size.

    `columns` hold numbers, or arrays that broadcast to the shape of the slices.
    """

    gpu: int
    rows: tuple[slice, ...]
    columns: Mapping[str, Any]


def evaluate_grid(
    model: Any, gpus: Sequence[Any], options: Mapping[str, Any], sizes: Mapping[str, Sequence[Any]]
) -> Iterator[Block]:
    """The results of one model in one way on a grid of sizes, for each of the accelerators, block by block.

    Raises UsageError, UnknownNameError or SpecError as a single question does.
    """
    keep_freed_memory()
    firsts = [ask(model, gpu, {**options, **{name: values[0] for name, values in sizes.items()}}) for gpu in gpus]
    groups = alike(firsts)
    for rows, grids in cut(sizes, BLOCK, firsts[0].kind.apart(firsts[0])):
        run = ask(model, firsts[0].gpu, {**options, **grids}).run if grids else firsts[0].run
        points = prod(grid.size for grid in grids.values())
        for group in groups:
            if firsts[group[0]].by_chip:
                run = ask(model, gpus[group[0]], {**options, **grids}).run
            questions = [replace(firsts[index], run=run, axes=len(sizes)) for index in group]
            together = len(group) > 1 and points * len(group) <= STACKED
            found = _stacked(questions) if together else map(_alone, questions)
            yield from (Block(index, rows, columns) for index, columns in zip(group, found, strict=True))


def _alone(question: Question) -> dict[str, Any]:
    """The results of one accelerator; what its phases count is kept for the next one."""
    return dict(results_of(evaluate(question, Outcome)))


def _stacked(questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    """The results of each of several accelerators, worked out on an axis of their own before those of the sizes."""
    first = replace(questions[0], stacked=tuple(question.gpu for question in questions))
    results = _alone(first)
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
            apart = question.by_chip or question.money.given  # each accelerator has a price of its own
            if question.spread.alone and alike and not apart and len(cores) == 1:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def cut(
    sizes: Mapping[str, Sequence[Any]], most: int, apart: Sequence[str] = ()
) -> Iterator[tuple[tuple[slice, ...], dict[str, np.ndarray]]]:
    """The grid in blocks of at most `most` points, in order: the slice of each size and its values along its axis.

    Sizes that stand `apart` have one value in a block.
    """
    import numpy as np

    steps, room = [], most
    for name, values in reversed(list(sizes.items())):
        steps.append(1 if name in apart else max(1, min(len(values), room)))
        room //= steps[-1]
    arrays = [np.asarray(values, dtype=np.float64) for values in sizes.values()]
    starts = [range(0, len(array), step) for array, step in zip(arrays, reversed(steps), strict=True)]
    shapes = [[-1 if axis == other else 1 for axis in range(len(arrays))] for other in range(len(arrays))]
    for corner in product(*starts):
        rows = tuple(slice(start, start + each.step) for start, each in zip(corner, starts, strict=True))
        parts = zip(sizes, arrays, rows, shapes, strict=True)
        yield rows, {name: array[part].reshape(shape) for name, array, part, shape in parts}


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
    if outcome.question.by_chip:
        yield from served_columns(outcome)
    if outcome.question.money.given:
        for cost in costs_of(outcome):
            yield from _readings(cost)


def _readings(quantity: Quantity) -> Iterator[tuple[str, Any]]:
    """The readings of one quantity; not a number where it has no meaning."""
    times, everywhere = quantity.times, quantity.meaning is True
    for reading in READINGS:
        value = getattr(times, reading) if times is not None else None
        if value is not None and not everywhere:
            value = where(quantity.meaning, value, float("nan"))
        yield column(quantity.name, reading), value
