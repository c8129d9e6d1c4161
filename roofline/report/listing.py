"""Tables of what there is, and a spec with where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from roofline.analysis.catalogue import GPURow, ModelRow, NodeRow, PrecisionRow
from roofline.report.text import count, grid
from roofline.units import format_si

if TYPE_CHECKING:
    from rich.console import Console


def print_models(rows: Iterable[ModelRow], console: Console) -> None:
    """The table of `roofline list models`."""
    lines = []
    for row in rows:
        cells = [row.name, row.title, count(row.parameters) if row.parameters else "–"]
        cells.append(count(row.active) if row.active and row.active != row.parameters else "")
        cells.append(f"{row.max_context:,}" if row.max_context else "")
        lines.append(cells)
    columns = [("name", "left"), ("model", "left"), ("parameters", "right"), ("active", "right"), ("context", "right")]
    console.print(grid(f"{len(lines)} models; `roofline show NAME` prints one", columns, lines))


def print_gpus(rows: Iterable[GPURow], console: Console) -> None:
    """The table of `roofline list gpus`."""
    lines = [
        [row.name, row.title, format_si(row.peak_16bit, "FLOP/s") if row.peak_16bit else "–",
         format_si(row.bandwidth, "B/s"), format_si(row.capacity, "B"), ", ".join(row.aliases)]
        for row in rows
    ]  # fmt: skip
    columns = [("name", "left"), ("accelerator", "left"), ("16 bit", "right"), ("bandwidth", "right"),
               ("memory", "right"), ("aliases", "left")]  # fmt: skip
    if console.width < 120:
        columns, lines = columns[:-1], [line[:-1] for line in lines]
    console.print(grid(f"{len(lines)} accelerators, dense peaks", columns, lines))


def print_nodes(rows: Iterable[NodeRow], console: Console) -> None:
    """The table of `roofline list nodes`."""
    lines = [
        [row.name, f"{row.count} × {row.gpu}", row.scale_up, format_si(row.scale_up_bandwidth, "B/s"),
         format_si(row.scale_out_bandwidth, "B/s") if row.scale_out_bandwidth else "–"]
        for row in rows
    ]  # fmt: skip
    columns = [("name", "left"), ("accelerators", "left"), ("link", "left"), ("in the node", "right"),
               ("between nodes", "right")]  # fmt: skip
    console.print(grid(f"{len(lines)} nodes; bandwidth per accelerator and direction", columns, lines))


def print_precisions(rows: Iterable[PrecisionRow], console: Console) -> None:
    """The table of `roofline list precisions`."""
    columns = [("name", "left"), ("bits", "right"), ("multiplied in", "left"), ("layout", "left")]
    lines = [[row.name, f"{row.bits:g}", row.compute, row.layout] for row in rows]
    console.print(grid(f"{len(lines)} number formats", columns, lines))


def print_spec(path: Path, text: str, notes: Iterable[str], console: Console) -> None:
    """The text of a spec as it stands in its file, after where it was found."""
    console.print(f"[bold]{path}[/bold]", highlight=False)
    for note in notes:
        console.print(note, highlight=False, style="dim")
    console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)
