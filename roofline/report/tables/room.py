"""Memory at a glance: what is held, by parts, against what there is room for. Only pages draw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from roofline.answer.memory import Memory
from roofline.units import format_si


class Held(NamedTuple):
    """One bar: whose it is, its parts with their bytes, the room and what of it may be used, and the verdict in words.

    `fits` is said by the words too, so that nothing rests on a colour.
    """

    label: str
    parts: tuple[tuple[str, float], ...]
    capacity: float
    usable: float
    fits: bool
    words: str


class Room(NamedTuple):
    """Bars of memory below each other; where there is only text, the tables that follow say the same."""

    bars: tuple[Held, ...]
    left_out: int = 0

    def lines(self, width: int, *, crop: bool) -> Iterator[tuple[str, str]]:
        """Nothing: as text a table says it better."""
        return iter(())


#: Parts that rows name, by their columns.
_PARTS: Final = {
    "weights_bytes": "weights",
    "kv_cache_bytes": "KV-cache",
    "state_bytes": "state",
    "activation_peak_bytes": "activations",
}
#: The most bars that are looked at together.
MOST_BARS: Final = 12


def room_of(memories: Iterable[tuple[str, Memory]]) -> Room:
    """Bars of these memories, each under a label."""
    bars = [held_of(label, memory) for label, memory in memories]
    return Room(tuple(bars[:MOST_BARS]), max(0, len(bars) - MOST_BARS))


def room_of_rows(rows: Iterable[Mapping[str, Any]], varied: Sequence[str]) -> Room:
    """Bars of rows of a sweep, called by the options that vary."""
    bars = [_held_of_row(row, varied) for row in rows if row.get("total_bytes") is not None]
    return Room(tuple(bars[:MOST_BARS]), max(0, len(bars) - MOST_BARS))


def _held_of_row(row: Mapping[str, Any], varied: Sequence[str]) -> Held:
    named = [(title, float(row.get(name) or 0)) for name, title in _PARTS.items()]
    total, capacity = float(row["total_bytes"]), float(row["capacity_bytes"])
    rest = total - sum(size for _, size in named)
    parts = tuple((title, size) for title, size in (*named, ("the rest", rest)) if size > 0)
    words = f"{'fits' if row['fits'] else 'does not fit'}: {format_si(total, 'B')} of {format_si(capacity, 'B')}"
    label = ", ".join(f"{name} {row[name]}" for name in varied)
    return Held(label, parts, capacity, capacity, bool(row["fits"]), words)


def held_of(label: str, memory: Memory) -> Held:
    """The bar of one memory."""
    parts = tuple((part.title, float(part.bytes)) for part in memory.parts if float(part.bytes))
    fits = bool(memory.fits)
    words = f"{'fits' if fits else 'does not fit'}: {memory.asked_of_room}"
    return Held(label, parts, float(memory.capacity_bytes), float(memory.usable_bytes), fits, words)
