"""Tables of what there is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from roofline.analysis.catalogue.rows import (
    MIXED_IN,
    EngineRow,
    GPURow,
    ModelRow,
    NodeRow,
    PrecisionRow,
    SchedulerRow,
)
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.words import count
from roofline.units import format_si

if TYPE_CHECKING:
    from roofline.report.tables.console import Console


def print_models(rows: Iterable[ModelRow], console: Console) -> None:
    """The table of `roofline list models`."""
    lines = []
    for row in rows:
        cells = [row.name, row.kind, count(row.parameters) if row.parameters else "–"]
        cells.append(f"{row.max_context:,}" if row.max_context else "")
        cells.append(count(row.active) if row.active and row.active != row.parameters else "")
        lines.append([*cells, row.title, ", ".join(row.aliases)])
    columns = [("name", "name"), ("kind", "name"), ("parameters", "right"), ("context", "right?"),
               ("active", "right?"), ("model", "left?"), ("aliases", "text?")]  # fmt: skip
    _print(grid(f"{len(lines)} models; `roofline show NAME` prints one", columns, lines), console)


def print_gpus(rows: Iterable[GPURow], console: Console) -> None:
    """The table of `roofline list gpus`."""
    lines = [
        [row.name, format_si(row.peak_16bit, "FLOP/s") if row.peak_16bit else "–", format_si(row.bandwidth, "B/s"),
         format_si(row.capacity, "B"), row.title, ", ".join(row.aliases)]
        for row in rows
    ]  # fmt: skip
    columns = [("name", "name"), ("16 bit", "right"), ("bandwidth", "right"), ("memory", "right"),
               ("accelerator", "left?"), ("aliases", "text?")]  # fmt: skip
    _print(grid(f"{len(lines)} accelerators, dense peaks", columns, lines), console)


def print_nodes(rows: Iterable[NodeRow], console: Console) -> None:
    """The table of `roofline list nodes`."""
    lines = [
        [row.name, f"{row.count} × {row.gpu}", row.scale_up, format_si(row.scale_up_bandwidth, "B/s"),
         format_si(row.scale_out_bandwidth, "B/s") if row.scale_out_bandwidth else "–"]
        for row in rows
    ]  # fmt: skip
    columns = [("name", "name"), ("accelerators", "name"), ("link", "left?"), ("in the node", "right"),
               ("between nodes", "right?")]  # fmt: skip
    _print(grid(f"{len(lines)} nodes; bandwidth per accelerator and direction", columns, lines), console)


def print_engines(rows: Iterable[EngineRow], console: Console) -> None:
    """The table of `roofline list engines`."""
    lines = [
        [row.name, f"{row.runs:,}" if row.runs else "–",
         f"{100 * row.median_error:.0f} %" if row.median_error is not None else "–", row.title, ", ".join(row.aliases)]
        for row in rows
    ]  # fmt: skip
    columns = [("name", "name"), ("runs", "right"), ("median error", "right"), ("engine", "left?"),
               ("aliases", "text?")]  # fmt: skip
    _print(grid(f"{len(lines)} engines, the measured runs that each is fitted to and the error of the fit", columns,
                lines), console)  # fmt: skip


def print_schedulers(rows: Iterable[SchedulerRow], console: Console) -> None:
    """The table of `roofline list schedulers`."""
    columns = [("name", "name"), ("20 steps", "right"), ("follows", "name"), ("aliases", "text?")]
    lines = [[row.name, f"{row.calls_of_20_steps} calls", row.follows, ", ".join(row.aliases)] for row in rows]
    _print(grid(f"{len(lines)} schedulers; what is called is the denoiser", columns, lines), console)


def print_precisions(rows: Iterable[PrecisionRow], console: Console) -> None:
    """The table of `roofline list precisions`."""
    columns = [("name", "name"), ("bits", "right"), ("multiplied in", "name"), ("layout", "left?")]
    lines = [[row.name, f"~{row.bits:.2f}" if row.mix else f"{row.bits:g}", _multiplied(row), row.layout]
             for row in rows]  # fmt: skip
    _print(grid(f"{len(lines)} number formats; ~ is the mean of a mix, here in {MIXED_IN}", columns, lines), console)


def _multiplied(row: PrecisionRow) -> str:
    """In which format matrices stored so are multiplied: narrow floats in their own, integers with their like."""
    if row.compute in ("fp8", "fp4") or row.bits >= 16:
        return row.compute
    return f"{row.compute} with {row.compute}" if row.compute == row.name else "activations' format"


def _print(table: Grid, console: Console) -> None:
    """A listing, of which no name is cut even where the terminal is narrower: names are copied and searched for."""
    console.print(table, crop=False)
