"""Pieces of Markdown, as lines: the empty line after each is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def paragraphs(*texts: str) -> Iterator[str]:
    """Headings and paragraphs, each one line."""
    for text in texts:
        yield from (text, "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
