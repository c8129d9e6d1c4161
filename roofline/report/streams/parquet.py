"""Rows as Parquet (extra `data`): gathered as Arrow messages, which can be gone on with, and joined at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.sweeping.rows import Rows
from roofline.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of a row group.
_GROUP: Final = 131_072


def check_extra() -> None:
    """Raises UsageError where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError("Parquet needs the extra `data`: pip install 'roofline[data]'; CSV needs none") from None


def messages(rows: Rows) -> bytes:
    """The rows as messages of an Arrow stream, without its schema."""
    parts = [batch.serialize().to_pybytes() for batch in _plain(rows.to_arrow()).to_batches()]
    return b"".join(parts)


def schema(rows: Rows) -> bytes:
    """The message that begins an Arrow stream of such rows."""
    found: bytes = _plain(rows.to_arrow()).schema.serialize().to_pybytes()
    return found


def _plain(table: pa.Table) -> pa.Table:
    """Texts as texts: a dictionary would be a message of its own."""
    import pyarrow

    fields = [
        pyarrow.field(each.name, pyarrow.string() if pyarrow.types.is_dictionary(each.type) else each.type)
        for each in table.schema
    ]
    return table.cast(pyarrow.schema(fields)).combine_chunks()


def join(part: Path, target: Path) -> None:
    """Write a Parquet file, in row groups of one size, of the messages in a part."""
    import pyarrow
    import pyarrow.parquet

    with pyarrow.memory_map(str(part)) as source:
        reader = pyarrow.ipc.open_stream(source)
        texts = [each.name for each in reader.schema if pyarrow.types.is_string(each.type)]
        with pyarrow.parquet.ParquetWriter(str(target), reader.schema, use_dictionary=texts) as writer:
            waiting: list[Any] = []
            for batch in reader:
                waiting.append(batch)
                if sum(map(len, waiting)) >= _GROUP:
                    table = pyarrow.Table.from_batches(waiting)
                    whole = len(table) // _GROUP * _GROUP
                    writer.write_table(table.slice(0, whole), row_group_size=_GROUP)
                    waiting = table.slice(whole).to_batches()
            if waiting:
                writer.write_table(pyarrow.Table.from_batches(waiting), row_group_size=_GROUP)
