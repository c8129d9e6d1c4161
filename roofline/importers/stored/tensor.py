"""A tensor of a file as it is compared with the ledger: its name, its size, and what it may belong to."""

from __future__ import annotations

from typing import NamedTuple


class StoredTensor(NamedTuple):
    """A tensor of a file.

    `format` is the name of its number format. `operations` are the operations of the ledger that may hold it, as
    `part.operation`: one, or several that share a fused matrix; none where the name says nothing. `extra` says why it
    is none of the model's parameters, where it is none.
    """

    name: str
    elements: int
    bytes: int
    format: str
    operations: tuple[str, ...] = ()
    extra: str | None = None
