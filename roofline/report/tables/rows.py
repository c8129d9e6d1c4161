"""Rows of any kind as a table: what differs in columns, and what all have in common once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.report.tables.deciding.sweep import cell_of, heading_of
from roofline.report.tables.grid import grid

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

Row = Mapping[str, Any]

#: Rows that are shown; frames, JSON and CSV have all.
SHOWN: Final = 40
#: Columns from which on those that are alike in all rows stand apart.
_MANY: Final = 12


def print_rows(title: str, rows: Sequence[Row], console: Console) -> None:
    """The first rows: their columns in order, without those in which nothing stands."""
    if not rows:
        console.print(f"{title}: none", style="bold")
        return
    some = rows[:SHOWN]
    names = [name for name in dict.fromkeys(name for row in some for name in row) if _filled(name, some)]
    alike = [name for name in names if len(some) > 1 and _alike(name, some)] if len(names) > _MANY else []
    told = [name for name in names if name not in alike]
    columns = [(heading_of(name), _side(name, some)) for name in told]
    more = f"; the first {SHOWN} of {len(rows):,}" if len(rows) > SHOWN else ""
    console.print(grid(f"{title}{more}", columns, [[cell_of(name, row.get(name)) for name in told] for row in some]))
    console.notes("The same in each of them", [f"{name}: {cell_of(name, some[0].get(name))}" for name in alike])


def _filled(name: str, rows: Sequence[Row]) -> bool:
    return any(row.get(name) not in (None, "") for row in rows)


def _alike(name: str, rows: Sequence[Row]) -> bool:
    return len({str(row.get(name)) for row in rows}) == 1


def _side(name: str, rows: Sequence[Row]) -> str:
    numbers = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
    return "right" if numbers else "left"
