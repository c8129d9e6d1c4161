"""Memory at a glance: what is held, by parts, against what there is room for. Only pages draw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from roofline.answer.memory import Memory


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


#: The most bars that are looked at together.
MOST_BARS = 12


def room_of(memories: Iterable[tuple[str, Memory]]) -> Room:
    """Bars of these memories, each under a label."""
    bars = [held_of(label, memory) for label, memory in memories]
    return Room(tuple(bars[:MOST_BARS]), max(0, len(bars) - MOST_BARS))


def held_of(label: str, memory: Memory) -> Held:
    """The bar of one memory."""
    parts = tuple((part.title, float(part.bytes)) for part in memory.parts if float(part.bytes))
    fits = bool(memory.fits)
    words = f"{'fits' if fits else 'does not fit'}: {memory.asked_of_room}"
    return Held(label, parts, float(memory.capacity_bytes), float(memory.usable_bytes), fits, words)
