"""Grids of sizes and accelerators: cut into blocks that stay in a processor's cache, each evaluated in one go.

Sizes broadcast through the same formulas as single values. Accelerators on which a run is executed in the same way are
stacked on an axis before those of the sizes; others are evaluated one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.answer.quantity import Quantity
from roofline.answer.times import READINGS, column
from roofline.num import where
from roofline.runs.ask import ask
from roofline.runs.kind import Outcome, Question

if TYPE_CHECKING:
    import numpy as np

#: Points of a block: so many float64 of each array of a formula stay in a cache of the second level.
BLOCK: Final = 8_192


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
    firsts = [ask(model, gpu, {**options, **{name: values[0] for name, values in sizes.items()}}) for gpu in gpus]
    for group in _alike(firsts):
        first = firsts[group[0]]
        stacked = tuple(firsts[index].gpu for index in group) if len(group) > 1 else ()
        most = max(1, BLOCK // len(group))
        for rows, grids in cut(sizes, most):
            run = ask(model, first.gpu, {**options, **grids}).run if grids else first.run
            outcome = evaluate(replace(first, run=run, stacked=stacked, axes=len(sizes)))
            results = dict(results_of(outcome))
            for place, index in enumerate(group):
                yield Block(index, rows, _of_one(results, place, len(sizes)) if stacked else results)


def _alike(questions: Sequence[Question]) -> list[list[int]]:
    """The places of questions that can be stacked: the same run in the same way on accelerators that stand alone."""
    groups: list[list[int]] = []
    for index, question in enumerate(questions):
        for group in groups:
            other = questions[group[0]]
            if question.spread.alone and question.execution == other.execution and question.kind == other.kind:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _of_one(results: Mapping[str, Any], place: int, axes: int) -> dict[str, Any]:
    """The results of one of the stacked accelerators: what has their axis before those of the sizes is taken apart."""
    return {
        name: value[place if len(value) > 1 else 0] if getattr(value, "ndim", 0) > axes else value
        for name, value in results.items()
    }


def cut(sizes: Mapping[str, Sequence[Any]], most: int) -> Iterator[tuple[tuple[slice, ...], dict[str, np.ndarray]]]:
    """The grid in blocks of at most `most` points, in order: the slice of each size and its values along its axis."""
    import numpy as np

    steps, room = [], most
    for values in reversed(list(sizes.values())):
        steps.append(max(1, min(len(values), room)))
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


def _readings(quantity: Quantity) -> Iterator[tuple[str, Any]]:
    """The readings of one quantity; not a number where it has no meaning."""
    times, everywhere = quantity.times, quantity.meaning is True
    for reading in READINGS:
        value = getattr(times, reading) if times is not None else None
        if value is not None and not everywhere:
            value = where(quantity.meaning, value, float("nan"))
        yield column(quantity.name, reading), value
