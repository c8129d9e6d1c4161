"""HTML as a reader takes it: its text, and whether its tags are balanced."""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: Tags that have no end.
VOID = {"br", "hr", "img", "meta"}
#: Tags that stand on a line of their own.
BLOCKS = {"p", "div", "tr", "td", "th", "li", "summary", "br", "table", "ul", "details"}
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


class Reader(HTMLParser):
    """Text of a page, the tags that are open, and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.open, self.wrong = "", [], []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        self.text += " " if tag in BLOCKS else ""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes another")
        self.text += " " if tag in BLOCKS else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.seen}


def numbers(text: str) -> set[str]:
    """The numbers of a text, as they are written."""
    return set(_NUMBER.findall(text))
