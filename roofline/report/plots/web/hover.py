"""What is shown where a pointer rests: words for the parts of a figure, kept beside them for an interactive page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_words: Final[WeakKeyDictionary[Artist, tuple[str, ...]]] = WeakKeyDictionary()


def hover(artist: Artist, texts: Sequence[str]) -> None:
    """Words for an artist, shown by an interactive page and by nothing else: one text for each of its points, in their
    order, or one for all of it (a bar, an area). Lines of a text are apart by a newline; the first one is its heading.
    """
    _words[artist] = tuple(texts)


def hover_texts(artist: Artist) -> tuple[str, ...]:
    """The words that an artist was given; none is the rule."""
    return _words.get(artist, ())
