"""The table of `roofline levels`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.report.glossary import LEVELS
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_table
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_COLUMNS: Final = (
    *(("level", "left"), ("kernels", "right"), ("traffic", "right")),
    *(("activations", "right"), ("bound, one call", "right"), ("bound, whole run", "right")),
)


def print_levels(rows: Sequence[dict[str, Any]], title: str, console: Console) -> None:
    """The table of `roofline levels`, and a line of what each level is."""
    cells = []
    for row in rows:
        sizes = [format_si(row["bytes"], "B"), format_si(row["peak_bytes"], "B")]
        times = [format_time(row["bound_s"]), format_time(row["total_bound_s"])]
        cells.append([row["level"], f"{row['kernels']:,.0f}", *sizes, *times])
    print_table(grid(title, _COLUMNS, cells), console)
    names = {row["level"] for row in rows}
    for term in LEVELS:
        if term.word in names:
            console.print(f"{term.word}: {term.few}", style="dim")
    console.print()
