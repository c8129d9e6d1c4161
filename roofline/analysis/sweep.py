"""Grids: every combination of models, GPUs, formats and sizes, the sizes as numpy axes.

Batch, prompt and generate broadcast through the same formulas as single values; models, GPUs, formats, engines and the
like are loops around them. `sweep[i, j, …]` is what `estimate` gives for those values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.grids import Block, evaluate_grid
from roofline.answer.plain import plain
from roofline.errors import UsageError
from roofline.runs.checks import is_many
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.names import check_names
from roofline.runs.options import SIZES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: The most points of one sweep; beyond that, sweep in parts.
LARGEST: Final = 50_000_000


@dataclass(frozen=True, eq=False)
class Sweep:
    """A grid of results: `axes` are the swept options with their values in order, `fixed` the others that were given,
    `columns` arrays of the axes' shape.
    """

    axes: Mapping[str, list[Any]]
    fixed: Mapping[str, Any]
    columns: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """Values along each axis."""
        return tuple(len(values) for values in self.axes.values())

    def __len__(self) -> int:
        size = 1
        for count in self.shape:
            size *= count
        return size

    def __getitem__(self, index: str | int | tuple[int, ...]) -> Any:
        """A column by name, or the point at an index: its options and its results."""
        if isinstance(index, str):
            return self.columns[index]
        place = index if isinstance(index, tuple) else (index,)
        options = {name: values[i] for (name, values), i in zip(self.axes.items(), place, strict=True)}
        return {**self.fixed, **options} | {name: _point(column[place]) for name, column in self.columns.items()}

    def records(self) -> Iterator[dict[str, Any]]:
        """The points in order, the last axis fastest."""
        lists = [column.reshape(-1).tolist() for column in self.columns.values()]
        for options, values in zip(product(*self.axes.values()), zip(*lists, strict=True), strict=True):
            row = {**self.fixed, **dict(zip(self.axes, options, strict=True))}
            yield row | {name: _point(value) for name, value in zip(self.columns, values, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """The points as a pandas data frame (extra `data`)."""
        import pandas

        return pandas.DataFrame(self.records())

    def __repr__(self) -> str:
        axes = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"Sweep of {len(self):,} points: {axes}; columns {', '.join(self.columns)}"


@dataclass(frozen=True)
class _Plan:
    """What is asked: axes that are looped over, sizes that are numpy axes, and what is the same everywhere."""

    loops: dict[str, list[Any]]
    sizes: dict[str, list[Any]]
    fixed: dict[str, Any]

    @property
    def axes(self) -> dict[str, list[Any]]:
        """All axes in order, sizes last."""
        return self.loops | self.sizes

    @property
    def gpus(self) -> list[Any]:
        """The accelerators, one where there is no axis of them."""
        return self.loops["gpu"] if "gpu" in self.loops else [self.fixed["gpu"]]

    def blocks(self) -> Iterator[tuple[dict[str, int], Block]]:
        """The results block by block, with the place of each among the values of the loops."""
        others = {name: values for name, values in self.loops.items() if name != "gpu"}
        for places in product(*(range(len(values)) for values in others.values())):
            chosen = dict(zip(others, places, strict=True))
            given = self.fixed | {name: others[name][place] for name, place in chosen.items()}
            options = {name: value for name, value in given.items() if name not in ("model", "gpu")}
            for block in evaluate_grid(given["model"], self.gpus, options, self.sizes):
                yield (chosen | {"gpu": block.gpu} if "gpu" in self.loops else chosen), block


class _Table:
    """Columns of one shape, filled part by part; parts that a column does not have are not a number.

    Columns that are the same in every part, as what is expected without an engine and its bound, are one array.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.columns: dict[str, np.ndarray] = {}
        self.twins: dict[str, str] = {}
        self.parts = 0

    def put(self, where: tuple[int | slice, ...], values: Mapping[str, Any]) -> None:
        """Fill a part of every column."""
        for name, value in values.items():
            if not self._is_there(name, values):
                self.columns[name][where] = float("nan") if value is None else value
        for name in self.columns.keys() - values.keys():
            self._set_apart(name)
            self.columns[name][where] = float("nan")
        self.parts += 1

    def _is_there(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether another column holds these values for this one; makes a column that there was not."""
        if name not in self.columns:
            self._start(name, values)
        if name in self.twins and values.get(self.twins[name]) is not values[name]:
            self._set_apart(name)
        return name in self.twins

    def _start(self, name: str, values: Mapping[str, Any]) -> None:
        """A new column; what parts before this one would have had is not a number."""
        import numpy as np

        value = values[name]
        if not self.parts and isinstance(value, np.ndarray):
            for other, column in self.columns.items():
                if values[other] is value and other not in self.twins:
                    self.columns[name], self.twins[name] = column, other
                    return
        kind = np.bool_ if name == "fits" else np.float64
        self.columns[name] = np.full(self.shape, np.nan, kind) if self.parts else np.empty(self.shape, kind)

    def _set_apart(self, name: str) -> None:
        """Give a column an array of its own."""
        if self.twins.pop(name, None) is not None:
            self.columns[name] = self.columns[name].copy()

    def finished(self) -> dict[str, np.ndarray]:
        """The columns, which are not written to any more."""
        for column in self.columns.values():
            column.flags.writeable = False
        return self.columns


def _planned(model: Any, gpu: Any, options: Mapping[str, Any], most: int | None = None) -> _Plan:
    """The axes of a grid of at most so many points. Raises UsageError for an unknown option, for one without values or
    of more than 50 million, and for more points; what knows its length is counted before it becomes a list.
    """
    check_names(options)
    given: dict[str, Any] = {"model": model, "gpu": gpu, **options}
    _refuse_many([_length(name, value) for name, value in given.items() if is_many(value)], most)
    lists = {name: _values(name, value) for name, value in given.items() if is_many(value)}
    loops = {name: values for name, values in lists.items() if name not in SIZES}
    sizes = _numbers({name: lists[name] for name in SIZES if name in lists})
    return _Plan(loops, sizes, {name: value for name, value in given.items() if name not in lists})


def _length(name: str, value: Any) -> int:
    """How many values an option has; 1 where that shows only when they are taken. Raises UsageError for too many."""
    try:
        length = len(value) if isinstance(value, Sized) else 1
    except OverflowError:  # a range beyond what a machine counts
        length = LARGEST + 1
    if length > LARGEST:
        raise UsageError(f"--{name} has more than {LARGEST:,} values; sweep in parts")
    return length


def _refuse_many(lengths: Iterable[int], most: int | None) -> None:
    points = math.prod(lengths)
    if most is not None and points > most:
        raise UsageError(f"{points:,} points; one sweep takes at most {most:,}")


def _values(name: str, value: Any) -> list[Any]:
    values = value.tolist() if hasattr(value, "tolist") else list(islice(value, LARGEST + 1))
    _length(name, values)
    if not values:
        raise UsageError(f"--{name} has no values to sweep")
    return values


def _numbers(sizes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    for name, values in sizes.items():
        for value in values:
            if isinstance(value, (bool, str, bytes)) or value is None:
                raise UsageError(f"--{name} must be a whole number, not {value!r}")
            if isinstance(value, Sized):
                raise UsageError(f"--{name} takes its values in a row, not in rows of rows: {str(value)[:40]}")
    return sizes


def sweep(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None, options: Mapping[str, Any]
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, users, prompt, generate, images, frames, seconds, height, width, steps) are the last axes, in this
    order. Raises UsageError for an option without values or more than 50 million points.
    """
    plan = _planned(model, gpu, options, LARGEST)
    shape = tuple(map(len, plan.axes.values()))
    _refuse_many(shape, LARGEST)
    table = _Table(shape)
    for places, block in plan.blocks():
        table.put((*(places[name] for name in plan.loops), *block.rows), block.columns)
    return Sweep(plan.axes, plan.fixed, table.finished())


def sweep_blocks(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None, options: Mapping[str, Any]
) -> Iterator[Sweep]:
    """The same grid, of any number of points, block by block: memory does not grow with their number.

    Each block is a sweep over its part of the sizes, for one value of every other axis.
    """
    plan = _planned(model, gpu, options)
    blocks = plan.blocks()
    first = next(blocks)  # what is wrong is said now, not when the stream is read
    return (_as_sweep(plan, places, block) for places, block in chain([first], blocks))


def _as_sweep(plan: _Plan, places: Mapping[str, int], block: Block) -> Sweep:
    """A block as a sweep of its own."""
    import numpy as np

    sizes = {name: values[rows] for (name, values), rows in zip(plan.sizes.items(), block.rows, strict=True)}
    shape = tuple(map(len, sizes.values()))
    fixed = plan.fixed | {name: plan.loops[name][place] for name, place in places.items()}
    filled = {name: np.nan if value is None else value for name, value in block.columns.items()}
    return Sweep(sizes, fixed, {name: np.broadcast_to(value, shape) for name, value in filled.items()})


def _point(value: Any) -> Any:
    return plain(value.item() if hasattr(value, "item") else value)
