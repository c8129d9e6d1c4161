"""Tables under a title, which leave out what does not fit rather than break names and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, Group
    from rich.table import Table


#: Letters of the longest word that a wrapped column holds in one piece, and the least width of one of longer text.
_WORD: Final = 16
_TEXT: Final = 30


@dataclass(frozen=True)
class Grid:
    """A table under its title. A column is its heading and its side.

    `left` and `text` wrap at words, `text` not into a narrow column; `right` and `name` are never broken. With a `?`
    behind it a column is left out where the terminal is too narrow for all, the last one first.
    """

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        from rich.text import Text

        yield Text(self.title, style="bold")
        yield self.table(console, options)

    def table(self, console: Console, options: ConsoleOptions) -> Table:
        """The table with as many of its columns as the width holds."""
        kept = list(range(len(self.columns)))
        while True:
            table = self._table(kept)
            needed = console.measure(table, options=options.update(width=10_000)).minimum
            spare = [index for index in kept if self.columns[index][1].endswith("?")]
            if needed <= options.max_width or not spare:
                return table
            kept.remove(spare[-1])

    def _table(self, kept: Sequence[int]) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for index in kept:
            heading, side = self.columns[index]
            table.add_column(
                heading, justify="right" if side.startswith("right") else "left", overflow="fold",
                no_wrap=side.startswith(("right", "name")), min_width=self._least(index),
            )  # fmt: skip
        for row in self.rows:
            table.add_row(*(row[index] for index in kept))
        return table

    def _least(self, index: int) -> int:
        """The width below which a column would be broken."""
        heading, side = self.columns[index]
        cells = [heading, *(row[index] for row in self.rows)]
        longest = max(map(len, cells))
        if side.startswith(("right", "name")):
            return longest
        if side.startswith("text"):
            return min(longest, _TEXT)
        return min(_WORD, max(len(word) for cell in cells for word in [*cell.split(), ""]))


def grid(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> Group:
    """A table under its title; a column is its heading and its side, as `Grid` tells."""
    from rich.console import Group

    return Group(Grid(title, tuple(columns), tuple(tuple(row) for row in rows)))
