"""Columns as Arrow tables: numbers as they lie in memory, texts as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def table_of(columns: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> pa.Table:
    """A table of columns that broadcast to a shape; what has no meaning is null."""
    import pyarrow

    return pyarrow.table({name: _column(column, shape) for name, column in columns.items()})


def _column(column: np.ndarray, shape: tuple[int, ...]) -> Any:
    import numpy as np
    import pyarrow

    if column.dtype.kind == "O":
        return _texts(column, shape)
    values = np.broadcast_to(column, shape).reshape(-1)
    if column.dtype.kind != "f":
        return pyarrow.array(values)
    missing = np.isnan(values)
    return pyarrow.array(values, mask=missing) if missing.any() else pyarrow.array(values)


def _texts(column: np.ndarray, shape: tuple[int, ...]) -> Any:
    """A column of texts: the different ones once, and which of them each row has."""
    import numpy as np
    import pyarrow

    known: dict[str, int] = {}
    values = [None if each is None else str(each) for each in column.reshape(-1).tolist()]
    codes = [-1 if each is None else known.setdefault(each, len(known)) for each in values]
    flat = np.broadcast_to(np.array(codes, dtype=np.int32).reshape(column.shape), shape).reshape(-1)
    texts = pyarrow.array(list(known), type=pyarrow.string())
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(flat, mask=flat < 0), texts)
