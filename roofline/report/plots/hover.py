"""What is told of a drawn point where a pointer rests on it: kept beside the artist, for whoever writes such a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_TEXTS: WeakKeyDictionary[Artist, tuple[str, ...]] = WeakKeyDictionary()


def hover(artist: Artist, texts: Sequence[str]) -> None:
    """Keep a text for each point of an artist, in order; lines are separated by line feeds."""
    _TEXTS[artist] = tuple(texts)


def hover_texts(artist: Artist) -> tuple[str, ...]:
    """The texts of an artist's points; none where it has none."""
    return _TEXTS.get(artist, ())
