"""Rows as lines of CSV or of JSON, a block at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.sweeping.rows import Rows
from roofline.report.streams.digits import cells, number
from roofline.visible import visible

if TYPE_CHECKING:
    import numpy as np

#: Rows up to which it is quicker to write each value by itself, and rows that are written at once.
_FEW: Final = 128
_AT_ONCE: Final = 8_192


class Layout(NamedTuple):
    """How a row is written: what stands before its first value, between and behind them, and where there is none."""

    begin: bytes
    between: bytes
    end: bytes
    missing: bytes
    named: bool

    def before(self, name: str, first: bool) -> bytes:
        """What stands before a value."""
        sign = self.begin if first else self.between
        return sign + (json.dumps(name).encode() + b": " if self.named else b"")

    def text(self, value: Any) -> bytes:
        """A text, or an option that may be a text or a number."""
        if value is None:
            return self.missing
        if isinstance(value, bool):
            return str(value).lower().encode()
        if isinstance(value, (int, float)):
            return number(float(value), self.missing) if isinstance(value, float) else str(value).encode()
        if self.named:
            return visible(json.dumps(value, ensure_ascii=False), json=True).encode("utf-8", "replace")
        return _quoted(visible(value))


CSV: Final = Layout(b"", b",", b"\n", b"", False)
JSON_LINES: Final = Layout(b"{", b", ", b"}\n", b"null", True)


def header(names: Sequence[str]) -> bytes:
    """The first line of CSV."""
    return b",".join(_quoted(visible(name)) for name in names) + b"\n"


def _quoted(text: str) -> bytes:
    """A cell of CSV, in quotation marks where it needs them."""
    if not any(sign in text for sign in ',"\n\r'):
        return text.encode("utf-8", "replace")
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([text])
    return out.getvalue().encode("utf-8", "replace")


def lines(rows: Rows, layout: Layout) -> bytes:
    """The rows as text: numbers by their shortest digits, whole ones without a point."""
    if len(rows) <= _FEW:
        return b"".join(_one_by_one(rows, layout))
    return b"".join(_block(part, layout) for part in _parts(rows))


def _one_by_one(rows: Rows, layout: Layout) -> Iterator[bytes]:
    before = [layout.before(name, not place) for place, name in enumerate(rows.columns)]
    columns = [[_value(value, layout) for value in rows[name].tolist()] for name in rows.columns]
    for values in zip(*columns, strict=True):
        yield b"".join(part for pair in zip(before, values, strict=True) for part in pair) + layout.end


def _value(value: Any, layout: Layout) -> bytes:
    return number(value, layout.missing) if isinstance(value, float) else layout.text(value)


def _parts(rows: Rows) -> Iterator[Rows]:
    """The rows in pieces that stay in a cache: cut along the first axis, columns that do not vary along it uncut."""
    length = rows.shape[0]
    step = max(1, _AT_ONCE * length // max(1, len(rows)))
    for start in range(0, length, step):
        stop = min(start + step, length)
        columns = {n: c if c.shape[0] == 1 else c[start:stop] for n, c in rows.columns.items()}
        yield Rows((stop - start, *rows.shape[1:]), columns, rows.better)


def _block(rows: Rows, layout: Layout) -> bytes:
    """The rows side by side as a matrix of bytes, among them zeros that mean nothing and are then taken out.

    A column that does not vary along an axis is spelled once.
    """
    import numpy as np

    texts = [_cells(column, layout) for column in rows.columns.values()]
    before = [layout.before(name, not place) for place, name in enumerate(rows.columns)]
    width = sum(map(len, before)) + sum(each.shape[-1] for each in texts) + len(layout.end)
    matrix = np.zeros((*rows.shape, width), dtype=np.uint8)
    at = 0
    for sign, cell in zip(before, texts, strict=True):
        for part in (np.frombuffer(sign, dtype=np.uint8), cell):
            matrix[..., at : at + part.shape[-1]] = part
            at += part.shape[-1]
    matrix[..., at:] = np.frombuffer(layout.end, dtype=np.uint8)
    return matrix.tobytes().translate(None, b"\0")


def _cells(column: np.ndarray, layout: Layout) -> np.ndarray:
    """The values of a column as bytes along one more axis."""
    import numpy as np

    if column.dtype.kind in "fi":
        return cells(column, layout.missing)
    if column.dtype.kind == "b":
        return _table([b"false", b"true"])[column.astype(np.intp)]
    known: dict[Any, int] = {}
    codes = [known.setdefault((type(value), value), len(known)) for value in column.reshape(-1).tolist()]
    table = _table(layout.text(value) for _, value in known)
    return table[np.array(codes, dtype=np.intp)].reshape(*column.shape, -1)


def _table(texts: Iterable[bytes]) -> np.ndarray:
    """Texts as rows of bytes; no text of a cell has a zero in it."""
    import numpy as np

    found = [text.replace(b"\0", b"?") for text in texts]
    table = np.zeros((len(found), max(map(len, found), default=0)), dtype=np.uint8)
    for row, text in zip(table, found, strict=True):
        row[: len(text)] = np.frombuffer(text, dtype=np.uint8)
    return table
