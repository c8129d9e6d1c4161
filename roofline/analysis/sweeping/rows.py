"""Rows of results, column by column: a part of a sweep, or those of its points that were picked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from roofline.analysis.grids import Block, axes_of
from roofline.analysis.sweeping.best import Objective, best_of, frontier_of, objectives, sort_keys
from roofline.analysis.sweeping.condition.parse import Condition, parse
from roofline.analysis.sweeping.plan import Plan, kind_of
from roofline.answer.names import unknown
from roofline.answer.plain import plain
from roofline.answer.rows import Row, lacking
from roofline.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Rows:
    """So many rows as `shape` has points, in order. Each of the columns broadcasts to that shape.

    Numbers are float64, not a number where they have no meaning; whole numbers of options are int64; texts are objects.
    `better` says of results whether high or low is the better.
    """

    shape: tuple[int, ...]
    columns: Mapping[str, np.ndarray]
    better: Mapping[str, str]

    def __len__(self) -> int:
        return math.prod(self.shape)

    def __getitem__(self, name: str) -> np.ndarray:
        """A column, one value per row. Raises UsageError for one that there is not."""
        import numpy as np

        check_columns(self.columns, (name,))
        return np.broadcast_to(self.columns[name], self.shape).reshape(-1)

    def take(self, index: np.ndarray | slice) -> Self:
        """The rows at these places, or where this holds."""
        columns = {name: self[name][index] for name in self.columns}
        return type(self)((len(next(iter(columns.values()))),), columns, self.better)

    def only(self, names: Sequence[str]) -> Self:
        """The same rows with these columns. Raises UsageError for one that there is not."""
        check_columns(self.columns, names)
        return type(self)(self.shape, {name: self.columns[name] for name in names}, self.better)

    def where(self, condition: str | Condition) -> Self:
        """The rows on which a condition holds, such as `fits and ttft_s < 0.5 and gpu == 'h100'`.

        Raises UsageError with the place of what cannot be read, and for a column that there is not.
        """
        import numpy as np

        wanted = condition if isinstance(condition, Condition) else parse(condition)
        check_columns(self.columns, wanted.names)
        return self.take(np.broadcast_to(wanted.holds(self.columns), self.shape).reshape(-1))

    def sorted(self, by: str) -> Self:
        """The rows in order of `COL` or `-COL`, several apart by commas; what has no value comes last."""
        return self.top(len(self), by)

    def top(self, count: int, by: str) -> Self:
        """The first so many rows in order of `COL` or `-COL`, several apart by commas; alike ones as they came."""
        keys = sort_keys(by)
        check_columns(self.columns, [key.name for key in keys])
        if count < 0:
            raise UsageError(f"--top must be a whole number from 0, not {count}")
        return self.take(best_of([(self[key.name], key.downward) for key in keys], count))

    def pareto(self, *names: str) -> Self:
        """The rows that no other row is better than in every one of these columns: `-COL` less is better, `+COL` more.

        Without a sign, as is known of the quantity. Raises UsageError where it is not, and for a column of text.
        """
        wanted = objectives(names, self.better)
        check_columns(self.columns, [each.name for each in wanted])
        return self.take(frontier_of(self.losses(wanted)))

    def losses(self, wanted: Sequence[Objective]) -> np.ndarray:
        """What is wanted, as numbers that are the better the lower they are: one row each."""
        import numpy as np

        for each in wanted:
            if self.columns[each.name].dtype.kind == "O":
                raise UsageError(f"--pareto {each.name}: is a text, of which none is better")
        found = [self[each.name].astype(np.float64) for each in wanted]
        return np.stack([-values if each.high else values for each, values in zip(wanted, found, strict=True)], axis=1)

    def records(self) -> Iterator[Row]:
        """The rows in order, as JSON has their values."""
        lists = [self[name].tolist() for name in self.columns]
        for values in zip(*lists, strict=True):
            yield Row((name, plain(value)) for name, value in zip(self.columns, values, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame (extra `data`); columns that are one array are not copied where pandas lets them be."""
        try:
            import pandas
        except ModuleNotFoundError:
            raise lacking("pandas", "data") from None

        return pandas.DataFrame({name: _flat(self, name) for name in self.columns}, copy=False)

    def to_pandas(self) -> pd.DataFrame:
        """As `to_frame`."""
        return self.to_frame()

    def best(self, column: str, where: str | None = None) -> Row:
        """The row with the best value of a column, of those that fit and on which a condition holds.

        A condition that speaks of `fits` itself may take those that do not.
        Which end is the better one is known of quantities, and said by `-COL` (less) or `+COL` (more) of others. Raises
        UsageError for a column that there is not, and where no row is left.
        """
        name = column.lstrip("+-")
        check_columns(self.columns, (name,))
        if self.columns[name].dtype.kind == "O":
            raise UsageError(f"{name} is a text, of which none is better")
        try:
            (wanted,) = objectives((column,), self.better)
        except UsageError:
            raise UsageError(
                f"{name}: say which is better: best('-{name}') the least, best('+{name}') the most"
            ) from None
        kept = self.where(where) if where else self
        if "fits" in self.columns and "fits" not in (parse(where).names if where else ()):
            kept = kept.where("fits")
        first = kept.top(1, f"{'-' if wanted.high else ''}{wanted.name}")
        found = next(first.records(), None)
        if found is None or found[wanted.name] is None:
            raise UsageError(f"none of {len(self):,} points has a {wanted.name} and meets: {where or 'fits'}")
        return found

    def to_arrow(self) -> pa.Table:
        """An Arrow table (extra `data`); texts are dictionaries; what has no meaning is null."""
        from roofline.analysis.sweeping.arrow import table_of

        return table_of(self.columns, self.shape)

    def to_polars(self) -> pl.DataFrame:
        """A polars data frame (extra `polars`)."""
        try:
            import polars
        except ModuleNotFoundError:
            raise lacking("polars", "polars") from None

        columns = {name: _flat(self, name) for name in self.columns}
        texts = {name: [label(each) for each in column] for name, column in columns.items() if column.dtype.kind == "O"}
        return polars.DataFrame({**columns, **texts}, nan_to_null=True, strict=False)

    def __repr__(self) -> str:
        return f"{len(self):,} rows; columns {', '.join(self.columns)}"


def _flat(rows: Rows, name: str) -> np.ndarray:
    column = rows[name]
    if column.dtype.kind != "O":
        return column
    import numpy as np

    return np.array([label(each) for each in column.tolist()] + [None], dtype=object)[:-1]


def label(value: Any) -> Any:
    """A value of an option as a cell has it: numbers as they are, specs by their names, paths as text."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return str(getattr(value, "name", value))


def check_columns(known: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raises UsageError for the first that there is not, with the one that may be meant and the list."""
    for name in names:
        if name not in known:
            raise unknown("column", name, known)


def block_rows(plan: Plan, places: Mapping[str, int], block: Block) -> Rows:
    """A block as rows: the options that were given, sizes along their axes, and all results of the sweep."""
    import numpy as np

    shape = tuple(part.stop - part.start for part in block.rows) or (1,)
    axes = axes_of(plan.sizes, block.rows)
    given = plan.given(places, block)
    columns: dict[str, np.ndarray] = {}
    for name in plan.names:
        value = axes[name] if name in axes else _filled([label(given[name])], (1,) * len(shape))
        columns[name] = value.astype(plan.kinds[name])
    if unknown := [name for name in block.columns if name not in plan.probe.results]:
        raise UsageError(f"some points have columns that others have not ({', '.join(unknown)}): sweep them apart")
    for name in plan.probe.results:
        result = block.columns.get(name)
        nothing = False if name == "fits" else np.nan
        array: np.ndarray = np.asarray(
            nothing if result is None else result, dtype=np.bool_ if name == "fits" else np.float64
        )
        columns[name] = array.reshape((1,) * (len(shape) - array.ndim) + array.shape)
    return Rows(shape, columns, plan.probe.better)


def option_column(name: str, values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """The values of an option as a column of that shape."""
    return _filled([label(value) for value in values], shape).astype(kind_of(name, values))


def _filled(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows behind each other, of the same columns."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns}
    return Rows((sum(map(len, parts)),), columns, parts[0].better)
