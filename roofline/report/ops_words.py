"""What the words of the tables of ops mean: of their columns, of what limits a row, of what is no op."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

#: Headings, where they are shown.
_COLUMNS: Final = {
    "×": "times it runs in one repeat of the phase",
    "FLOP/B": "operations per byte moved",
    "links": "bytes sent to other GPUs",
}
#: What sets a bound.
_LIMITS: Final = {
    "compute": "arithmetic",
    "memory": "bytes moved",
    "communication": "links between GPUs",
    "host": "memory and link of the host",
    "overhead": "starts of kernels and the host",
}
#: What rows are called.
_ROWS: Final = {
    "<top>": "of the model itself, in none of its blocks",
    "mixed": "of several blocks",
    "gather": "picks rows of a table, as embeddings do",
    "pointwise": "number by number, as activations and sums are",
    "scan": "carries a state from token to token",
    "collective": "an exchange between GPUs",
    "waiting for launches": "the chip waits until the host starts the next kernel",
    "host per step": "the engine's own work of each step, as scheduling and sampling",
    "host per sequence": "the same for each sequence of the batch",
    "host per request": "the same once for each request",
    "hidden behind work": "what runs at the same time as work, below zero",
    "other pipeline stages": "what stages beside the busiest add",
    "lifted to the bound": "what is missing to the bound, below which nothing is expected",
}


def column_words(headings: Collection[str]) -> Iterator[str]:
    """What columns are, of those that need a word."""
    yield from (f"{name}: {words}" for name, words in _COLUMNS.items() if name in headings)


def limit_words(limits: Collection[str]) -> str:
    """What sets the bounds of rows: `bound by: what sets it (memory: bytes moved)`."""
    told = "; ".join(f"{name}: {words}" for name, words in _LIMITS.items() if name in limits)
    return f"bound by: what sets it ({told})" if told else "bound by: what sets it"


def row_words(names: Collection[str]) -> Iterator[str]:
    """What rows are that are no ops, or whose names are not those of a model."""
    yield from (f"{name}: {words}" for name, words in _ROWS.items() if name in names)
