"""Grids: every combination of models, GPUs, formats and sizes, the sizes as numpy axes.

Batch, prompt and generate broadcast through the same formulas as single values; models, GPUs, formats, engines and the
like are loops around them. `sweep[i, j, …]` is what `estimate` gives for those values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.estimate import Answer, answer, column
from roofline.answer.plain import plain
from roofline.answer.quantity import Quantity
from roofline.answer.times import READINGS
from roofline.errors import UsageError
from roofline.num import where
from roofline.runs.ask import ask
from roofline.runs.checks import is_many
from roofline.runs.kind import Question
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.options import SIZES, check_names

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: The most points of one sweep; beyond that, sweep in parts.
LARGEST: Final = 50_000_000
_BLOCK: Final = 65_536


@dataclass(frozen=True)
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


def sweep(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None, options: Mapping[str, Any]
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, prompt, generate, height, width, steps) are the last axes, in this order. Raises UsageError for an
    option without values or more than 50 million points.
    """
    check_names(options)
    given: dict[str, Any] = {"model": model, "gpu": gpu, **options}
    lists = {name: _values(name, value) for name, value in given.items() if is_many(value)}
    axes = {n: v for n, v in lists.items() if n not in SIZES} | {n: lists[n] for n in SIZES if n in lists}
    fixed = {name: value for name, value in given.items() if name not in axes}
    points = 1
    for values in axes.values():
        points *= len(values)
    if points > LARGEST:
        raise UsageError(f"{points:,} points; one sweep takes at most {LARGEST:,}")
    return Sweep(axes, fixed, _evaluate(axes, fixed))


def _values(name: str, value: Any) -> list[Any]:
    values = value.tolist() if hasattr(value, "tolist") else list(value)
    if not values:
        raise UsageError(f"--{name} has no values to sweep")
    return values


def _evaluate(axes: dict[str, list[Any]], fixed: dict[str, Any]) -> dict[str, np.ndarray]:
    import numpy as np

    loops = {name: values for name, values in axes.items() if name not in SIZES}
    sizes = _numbers({name: values for name, values in axes.items() if name in SIZES})
    shape = tuple(len(values) for values in sizes.values())
    combinations = list(product(*loops.values()))
    columns: dict[str, np.ndarray] = {}
    for place, combination in enumerate(combinations):
        options = fixed | dict(zip(loops, combination, strict=True))
        for rows, grids in _blocks(sizes):
            for name, value in _results(answer(_question(options | grids), Answer)):
                if name not in columns:
                    kind = bool if name == "fits" else np.float64
                    columns[name] = np.full((len(combinations), *shape), False if kind is bool else np.nan, dtype=kind)
                columns[name][place, rows] = np.nan if value is None else value
    outer = tuple(len(values) for values in loops.values())
    return {name: column.reshape((*outer, *shape)) for name, column in columns.items()}


def _question(given: dict[str, Any]) -> Question:
    options = {name: value for name, value in given.items() if name not in ("model", "gpu")}
    return ask(given["model"], given["gpu"], options)


def _blocks(sizes: dict[str, list[Any]]) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
    """The grid cut along its first size into blocks that stay in a cache: the slice and the axes of each."""
    import numpy as np

    if not sizes:
        yield ..., {}
        return
    count = len(sizes)
    grids = {
        name: np.asarray(values, dtype=np.float64).reshape([-1 if axis == i else 1 for axis in range(count)])
        for i, (name, values) in enumerate(sizes.items())
    }
    first = next(iter(sizes))
    others = 1
    for name, values in sizes.items():
        others *= len(values) if name != first else 1
    step = max(1, _BLOCK // others)
    for start in range(0, len(sizes[first]), step):
        rows = slice(start, start + step)
        yield rows, grids | {first: grids[first][rows]}


def _numbers(sizes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    for name, values in sizes.items():
        for value in values:
            if isinstance(value, (bool, str, bytes)) or value is None:
                raise UsageError(f"--{name} must be a whole number, not {value!r}")
    return sizes


def _results(est: Answer) -> Iterator[tuple[str, Any]]:
    """The columns that the kind of run gives: quantities in all readings, and figures of memory."""
    for name in est.question.kind.columns:
        quantity = est.quantity(name)
        if quantity is not None:
            yield from _columns(quantity)
        elif name.endswith("_s"):
            yield from ((column(name, reading), None) for reading in READINGS)
        else:
            yield name, getattr(est.memory, name)


def _columns(quantity: Quantity) -> Iterator[tuple[str, Any]]:
    """The readings of one quantity; not a number where it has no meaning."""
    for reading in READINGS:
        value = quantity.times and where(quantity.meaning, getattr(quantity.times, reading), float("nan"))
        yield column(quantity.name, reading), value


def _point(value: Any) -> Any:
    return plain(value.item() if hasattr(value, "item") else value)
