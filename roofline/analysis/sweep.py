"""Grids: every combination of models, GPUs, formats and sizes, the sizes as numpy axes.

Batch, prompt and generate broadcast through the same formulas as single values; models, GPUs, formats, engines and the
like are loops around them. `sweep[i, j, …]` is what `estimate` gives for those values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from roofline.analysis.grids import Block
from roofline.analysis.sweeping.plan import LARGEST, Part, Plan, Refused, planned
from roofline.analysis.sweeping.rows import Rows, option_column
from roofline.analysis.sweeping.table import Table
from roofline.analysis.sweeping.workers import Executor, parts
from roofline.answer.plain import plain
from roofline.answer.rows import Row
from roofline.errors import UsageError
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa


Form = TypeVar("Form", bound="Sweep")


@dataclass(frozen=True, eq=False)
class Sweep:
    """A grid of results: `axes` are the swept options with their values in order, `fixed` the others that were given,
    `columns` arrays of the axes' shape; `refused` are points that cannot be, whose results are not a number.
    """

    axes: Mapping[str, list[Any]]
    fixed: Mapping[str, Any]
    columns: Mapping[str, np.ndarray]
    refused: tuple[Refused, ...] = ()
    better: Mapping[str, str] = field(default_factory=dict)

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
        """A column by name, of results or of options, or the point at an index: its options and its results.

        Raises UsageError for a column that there is not, with the one that may be meant.
        """
        if isinstance(index, str):
            return self.columns[index] if index in self.columns else self.rows[index].reshape(self.shape)
        place = index if isinstance(index, tuple) else (index,)
        if len(place) != len(self.shape):
            axes = ", ".join(self.axes)
            raise UsageError(f"a point has {len(self.shape)} places, one each for {axes}; not {index}")
        options = {name: values[i] for (name, values), i in zip(self.axes.items(), place, strict=True)}
        results = {name: _point(column[place]) for name, column in self.columns.items()}
        return Row({**self.fixed, **options, **results})

    def records(self) -> Iterator[dict[str, Any]]:
        """The points in order, the last axis fastest."""
        lists = [column.reshape(-1).tolist() for column in self.columns.values()]
        for options, values in zip(product(*self.axes.values()), zip(*lists, strict=True), strict=True):
            row = {**self.fixed, **dict(zip(self.axes, options, strict=True))}
            yield row | {name: _point(value) for name, value in zip(self.columns, values, strict=True)}

    @cached_property
    def rows(self) -> Rows:
        """The points as rows, the last axis fastest: options and results as columns, none of them copied."""
        shape = self.shape or (1,)
        given = {name: option_column(name, [value], (1,) * len(shape)) for name, value in self.fixed.items()}
        for axis, (name, values) in enumerate(self.axes.items()):
            along = tuple(-1 if axis == other else 1 for other in range(len(shape)))
            given[name] = option_column(name, values, along)
        return Rows(shape, {**given, **{n: c.reshape(shape) for n, c in self.columns.items()}}, self.better)

    def where(self, condition: str) -> Rows:
        """The points on which a condition holds, such as `fits and ttft_s < 0.5 and gpu == 'h100'`."""
        return self.rows.where(condition)

    def top(self, count: int, by: str) -> Rows:
        """The first so many points in order of `COL` or `-COL`, several apart by commas."""
        return self.rows.top(count, by)

    def pareto(self, *names: str) -> Rows:
        """The points that no other is better than in every one of these columns: `-COL` less is better, `+COL` more."""
        return self.rows.pareto(*names)

    def to_frame(self) -> pd.DataFrame:
        """The points as a pandas data frame (extra `data`)."""
        return self.rows.to_frame()

    def to_pandas(self) -> pd.DataFrame:
        """The points as a pandas data frame (extra `data`)."""
        return self.rows.to_frame()

    def to_arrow(self) -> pa.Table:
        """The points as an Arrow table (extra `data`)."""
        return self.rows.to_arrow()

    def to_polars(self) -> pl.DataFrame:
        """The points as a polars data frame (extra `polars`)."""
        return self.rows.to_polars()

    def __repr__(self) -> str:
        axes = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"Sweep of {len(self):,} points: {axes}; columns {', '.join(self.columns)}"


def sweep(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None,
    options: Mapping[str, Any],
    form: type[Form],
    executor: Executor | None = None,
) -> Form:
    """Every combination of the given values, as a sweep of that form; any option may be a list (or range, or array).

    The sizes (batch, users, prompt, generate, images, frames, seconds, height, width, steps) are the last axes, in this
    order. Points that cannot be are told in `refused`. Raises UsageError for an option without values, for more than 50
    million points, and where no point can be.
    """
    plan = planned(model, gpu, options, LARGEST)
    better = plan.probe.better
    table = Table(plan.shape)
    refused: list[Refused] = []
    for part in parts(plan, executor):
        for block in part.blocks:
            where: tuple[int | slice, ...] = (*plan.placed(part.places, block).values(), *block.rows)
            if block.reason:
                table.blank(where)
                refused.append(plan.refused(part.places, block))
            else:
                table.put(where, block.columns)
    if not table.columns:
        raise UsageError(refused[0].reason)
    axes = {name: list(values) for name, values in plan.axes.items()}
    return form(axes, plan.fixed, table.finished(), tuple(refused), better)


def sweep_blocks(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None,
    options: Mapping[str, Any],
    form: type[Form],
    executor: Executor | None = None,
) -> Iterator[Form]:
    """The same grid, of any number of points, block by block: memory does not grow with their number.

    Each block is a sweep over its part of the sizes, for one value of every other axis. What cannot be is told in
    `refused` of the block before it, or of the first.
    """
    plan = planned(model, gpu, options)
    blocks = _blocks(plan, executor, form)
    first = next(blocks)  # what is wrong is said now, not when the stream is read
    return (block for group in ((first,), blocks) for block in group)


def _blocks(plan: Plan, executor: Executor | None, form: type[Form]) -> Iterator[Form]:
    """The blocks, each held back until it is known what was refused behind it."""
    held: Form | None = None
    refused: list[Refused] = []
    for part in parts(plan, executor):
        for block in part.blocks:
            if block.reason:
                refused.append(plan.refused(part.places, block))
                continue
            if held is not None:
                yield replace(held, refused=tuple(refused))
                refused = []
            held = _as_sweep(plan, part, block, form)
    if held is None:
        raise UsageError(refused[0].reason)
    yield replace(held, refused=tuple(refused))


def _as_sweep(plan: Plan, part: Part, block: Block, form: type[Form]) -> Form:
    """A block as a sweep of its own."""
    import numpy as np

    sizes = {name: list(values[rows]) for (name, values), rows in zip(plan.sizes.items(), block.rows, strict=True)}
    shape = tuple(map(len, sizes.values()))
    filled = {name: np.nan if value is None else value for name, value in block.columns.items()}
    columns = {name: np.broadcast_to(value, shape) for name, value in filled.items()}
    return form(sizes, plan.given(part.places, block), columns, better=plan.probe.better)


def _point(value: Any) -> Any:
    return plain(value.item() if hasattr(value, "item") else value)
