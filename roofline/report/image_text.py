"""Answers about image models for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roofline.analysis.image_estimate import ImageEstimate
from roofline.report.spread import communication_table, where
from roofline.report.text import count, grid, phase_table, print_aliases, print_warnings, rate_row, times_row
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from rich.console import Console, Group


def sentence(est: ImageEstimate) -> str:
    """The answer in one sentence."""
    q, m, run = est.question, est.memory, est.question.run
    pictures = "picture" if run.batch == 1 else "pictures"
    speech = (
        f"{q.spec.title} on {q.gpu.title}, {run.batch:g} {pictures} of {run.height:g}×{run.width:g} px in "
        f"{run.steps:g} steps: {'fits' if m.fits else 'does not fit'} ({format_si(float(m.total_bytes), 'B')} of "
        f"{format_si(float(m.capacity_bytes), 'B')}); {format_time(float(est.latency.total.expected))} in all"
    )
    if est.latency.step is not None:
        speech += f", {format_time(float(est.latency.step.expected))} per step"
    return speech + " (roofline bound)."


def print_image_estimate(est: ImageEstimate, console: Console) -> None:
    """The tables of `roofline estimate` for an image model."""
    q, run = est.question, est.question.run
    console.print(f"[bold]{q.spec.title}[/bold] on [bold]{q.gpu.title}[/bold]", highlight=False)
    console.print(
        f"batch {run.batch:g}, {run.height:g}×{run.width:g} px, {run.steps:g} steps of {run.scheduler}, guidance "
        f"{q.guidance:g}; weights {q.precision.label}, activations {q.precision.activations.name}; level {q.fusion}",
        highlight=False,
    )
    if q.spread is not None:
        console.print(where(est), highlight=False)
    print_aliases(est, console)
    console.print()
    console.print(phase_table(est))
    exchanges = communication_table(est)
    if exchanges is not None:
        console.print(exchanges)
    console.print(_latency_table(est))
    console.print(_memory_table(est))
    print_warnings(est, console)


def _latency_table(est: ImageEstimate) -> Group:
    rows = []
    if est.latency.step is not None:
        rows.append(times_row("time per step", est.latency.step))
    rows.append(times_row("whole picture" if est.question.run.batch == 1 else "whole batch", est.latency.total))
    rows.append(rate_row("pictures per second", est.throughput.images))
    columns = [("", "left"), ("floor", "right"), ("bound", "right"), ("expected", "right"), ("80 % interval", "right")]
    return grid("Latency and throughput", columns, rows)


def _memory_table(est: ImageEstimate) -> Group:
    m = est.memory
    rows = []
    for name, weights in m.components.items():
        peak = float(m.peaks[name])
        if not weights:
            continue
        rows.append([name, format_si(weights, "B"), format_si(peak, "B"), format_si(weights + peak, "B")])
    total, capacity = float(m.total_bytes), float(m.capacity_bytes)
    rows.append(["on the GPU at once", format_si(float(m.weights_bytes), "B"),
                 format_si(float(m.activation_peak_bytes), "B"), format_si(total, "B")])  # fmt: skip
    rows.append(["one part at a time", "", "", format_si(float(m.offloaded_bytes), "B")])
    verdict = "fits" if m.fits else "DOES NOT FIT"
    title = (
        f"Memory (1 GB = 1e9 B), {count(est.parameters.total)} parameters: {verdict} in {format_si(capacity, 'B')}; "
        f"largest batch {m.max_batch:,}, largest square {m.max_side:,} px"
    )
    return grid(title, [("", "left"), ("weights", "right"), ("activations", "right"), ("both", "right")], rows)


def print_levels(rows: Sequence[dict[str, Any]], title: str, console: Console) -> None:
    """The table of `roofline levels`."""
    cells = [
        [
            row["level"], f"{row['kernels']:,.0f}", format_si(row["bytes"], "B"), format_si(row["peak_bytes"], "B"),
            format_time(row["bound_s"]), format_time(row["total_bound_s"]),
        ]
        for row in rows
    ]  # fmt: skip
    columns = [("level", "left"), ("kernels", "right"), ("traffic", "right"), ("activations", "right"),
               ("bound, one call", "right"), ("bound, whole run", "right")]  # fmt: skip
    console.print(grid(title, columns, cells))
