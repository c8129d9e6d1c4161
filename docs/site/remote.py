"""The built site needs no network: nothing that it loads lies elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

#: What a browser fetches without being asked; links that a reader may follow are no part of it.
_FETCHED: Final = {
    "img": ("src", "srcset"),
    "script": ("src",),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
}
_LINKED: Final = {"stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "icon", "modulepreload"}
_IN_STYLE: Final = re.compile(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


class _Page(HTMLParser):
    """Collects the remote addresses that a page fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        values = [given[name] for name in _FETCHED.get(tag, ()) if name in given]
        if tag == "link" and _LINKED & set(given.get("rel", "").split()):
            values.append(given.get("href", ""))
        self.found += [value for value in values if value.startswith(("http://", "https://", "//"))]
        self.found += _IN_STYLE.findall(given.get("style", ""))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += _IN_STYLE.findall(data)

    def handle_endtag(self, tag: str) -> None:
        self._style = False


def remote_in(text: str, suffix: str) -> list[str]:
    """The remote addresses that a page (`.html`) or a style sheet (`.css`) fetches."""
    if suffix == ".css":
        return _IN_STYLE.findall(text)
    page = _Page()
    page.feed(text)
    return page.found


def remote(folder: Path) -> Iterator[str]:
    """Each remote address that the site in `folder` fetches, with the file that does."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css"):
            for address in remote_in(path.read_text(encoding="utf-8"), path.suffix):
                yield f"{path.relative_to(folder)}: {address}"
