"""Rows as Arrow tables: numbers as they lie in memory, texts as dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from roofline.analysis.sweeping.rows import Rows


def table_of(rows: Rows) -> pa.Table:
    """A table of the columns; what has no meaning is null."""
    import pyarrow

    return pyarrow.table({name: _column(rows, name) for name in rows.columns})


def _column(rows: Rows, name: str) -> Any:
    import numpy as np
    import pyarrow

    column = rows.columns[name]
    if column.dtype.kind == "O":
        return _texts(rows, name)
    values = rows[name]
    if column.dtype.kind != "f":
        return pyarrow.array(values)
    missing = np.isnan(values)
    return pyarrow.array(values, mask=missing) if missing.any() else pyarrow.array(values)


def _texts(rows: Rows, name: str) -> Any:
    """A column of texts: the different ones once, and which of them each row has."""
    import numpy as np
    import pyarrow

    base = rows.columns[name]
    known: dict[str, int] = {}
    values = [None if each is None else str(each) for each in base.reshape(-1).tolist()]
    codes = [-1 if each is None else known.setdefault(each, len(known)) for each in values]
    flat = np.broadcast_to(np.array(codes, dtype=np.int32).reshape(base.shape), rows.shape).reshape(-1)
    texts = pyarrow.array(list(known), type=pyarrow.string())
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(flat, mask=flat < 0), texts)
