"""Tables of measured kernels: columns by name, from Parquet or CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from roofline.errors import UsageError

Array: TypeAlias = NDArray[np.float64]
Table: TypeAlias = Mapping[str, NDArray[Any]]


def read_table(path: Path) -> Table:
    """The columns of a Parquet or CSV file; numbers as float64, an empty cell as not-a-number.

    Raises UsageError where the file is neither, is empty, or has a time that is not a positive number, by line.
    """
    columns = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    if not columns or not len(next(iter(columns.values()))):
        raise UsageError(f"{path}: no rows")
    if "latency_ms" not in columns:
        raise UsageError(f"{path}: no column latency_ms; there are: {', '.join(columns)}")
    times = columns["latency_ms"]
    wrong = np.flatnonzero(~(np.asarray(times, dtype=np.float64) > 0.0))
    if len(wrong):
        raise UsageError(f"{path}, line {int(wrong[0]) + 2}: latency_ms is {times[wrong[0]]}, not a positive number")
    return columns


def _parquet(path: Path) -> Table:
    try:
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"{path}: reading Parquet needs pyarrow: pip install 'roofline[data]', or give CSV") from None
    table = parquet.read_table(path)
    return {name: _column(table[name].to_pylist()) for name in table.column_names}


def _csv(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return {name: _column([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def _column(cells: Sequence[Any]) -> NDArray[Any]:
    """Numbers where every cell that is not empty is one, else text."""
    try:
        return np.asarray([np.nan if cell in (None, "") else float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return np.asarray(["" if cell is None else str(cell) for cell in cells], dtype=object)


def select(table: Table, rows: NDArray[Any]) -> Table:
    """The rows of a mask or of a list of indices."""
    return {name: column[rows] for name, column in table.items()}


def groups(table: Table, keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Table]]:
    """The table by equal values of some columns, in sorted order."""
    labels = np.asarray(["\t".join(str(table[key][i]) for key in keys) for i in range(len(table["latency_ms"]))])
    for label in np.unique(labels):
        yield tuple(str(label).split("\t")), select(table, labels == label)


def number(table: Table, name: str) -> Array:
    """A column of numbers. Raises UsageError where it is missing or text."""
    if name not in table:
        raise UsageError(f"no column {name}; there are: {', '.join(table)}")
    column = table[name]
    if column.dtype == object:
        raise UsageError(f"column {name} holds text, for example {column[0]!r}")
    return np.asarray(column, dtype=np.float64)
