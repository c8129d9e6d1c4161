"""The table of `roofline sweep`: what varies, and the headline figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.sweeping.rows import Rows
from roofline.analysis.sweeping.told import Told
from roofline.answer.times import READINGS
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_legend, print_table
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: Rows that a terminal is shown.
SHOWN: Final = 20
#: Figures that are shown only where there is room for all before.
_LAST: Final = ("weights_bytes", "kv_cache_bytes", "activation_peak_bytes", "capacity_bytes")


def print_sweep(rows: Rows, varied: Sequence[str], options: Sequence[str], title: str, console: Console) -> None:
    """The rows: the options that were varied, then the figures that are expected; all columns where those are `varied`
    and no figures are left.
    """
    figures = _figures([name for name in rows.columns if name not in options])
    shown = [*varied, *(name for name in figures if name not in varied)]
    columns = [(heading_of(name), _side(place, name, options, varied)) for place, name in enumerate(shown)]
    cells = [[cell_of(name, row[name]) for name in shown] for row in rows.records()]
    table = grid(title, columns, cells)
    print_table(table, console)
    if left := table.left_out(console.width):
        console.print(f"No room for: {', '.join(left)}.", style="dim")


def print_shared(told: Told, console: Console) -> None:
    """What all points share though it was not given."""
    if told.shared:
        same = f"In all of them: {', '.join(told.shared)}"
        console.print(f"{same}. Times are as expected of the engine.")
        print_legend(same, console)
        console.print()


def _side(place: int, name: str, options: Sequence[str], varied: Sequence[str]) -> str:
    side = "name" if name in ("model", "gpu", "engine", "node", "draft", "weights", "fusion", "scheduler") else "right"
    return f"{side}?" if place and name not in (*options, *varied[:2], "fits") else side


def _figures(names: Sequence[str]) -> list[str]:
    """What is expected of each figure, those of memory last."""
    endings = tuple(f"_{reading}" for reading in READINGS)
    bases = [name for name in names if not name.endswith(endings) or name.rpartition("_")[0] not in names]
    first = [name for name in bases if name not in _LAST and name != "fits"]
    return [*(["fits"] if "fits" in bases else []), *first, *(name for name in bases if name in _LAST)]


def heading_of(name: str) -> str:
    """A column for people: its unit is in its cells."""
    if name == "total_bytes":
        return "memory"
    base = name
    for reading in READINGS:
        base = base.removesuffix(f"_{reading}")
    rest = name.removeprefix(base).replace("_", " ")
    for ending, said in (("_per_s", "/s"), ("_s", ""), ("_bytes", "")):
        if base.endswith(ending) and base != ending:
            return base.removesuffix(ending).replace("_", " ") + said + rest
    return name.replace("_", " ")


def cell_of(name: str, value: Any) -> str:
    """A value of a column for people: times and bytes in units that suit them."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(name, value) if isinstance(value, (int, float)) else str(value)


def _number(name: str, value: float) -> str:
    parts = name.split("_")
    if "per" not in parts and "s" in parts[1:]:
        return format_time(value)
    if "flops" in parts:
        return format_si(value, "FLOP")
    if "bytes" in parts:
        return format_si(value, "B")
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
