"""Answers about image models for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roofline.analysis.images.estimate import ImageEstimate
from roofline.analysis.result import counted
from roofline.report.tables.estimate import (
    phase_table,
    print_aliases,
    print_nearest,
    print_warnings,
    readings,
    readings_table,
    times_row,
)  # fmt: skip
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.spread import communication_table, where
from roofline.report.tables.words import count
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console


def sentence(est: ImageEstimate) -> str:
    """The answer in one sentence."""
    q, m = est.question, est.memory
    speech = (
        f"{q.spec.title} on {q.gpu.title}, {_setting(est)}: {'fits' if m.fits else 'does not fit'} "
        f"({format_si(float(m.total_bytes), 'B')} of {format_si(float(m.capacity_bytes), 'B')}); "
        f"{format_time(float(est.latency.total.expected))} in all"
    )
    if est.latency.step is not None:
        speech += f", {format_time(float(est.latency.step.expected))} per step"
    return speech + (" (roofline bound)." if q.engine == "ideal" else " (expected).")


def _setting(est: ImageEstimate) -> str:
    """What is made: ``2 pictures of 512×512 px in 20 steps``; of a text encoder alone, how many prompts."""
    q, run = est.question, est.question.run
    if not q.takes_pixels:
        return counted(run.batch, "prompt")
    text = f"{counted(run.batch, 'picture')} of {run.height:g}×{run.width:g} px"
    return f"{text} in {counted(run.steps, 'step')}" if q.takes_steps else text


def print_image_estimate(est: ImageEstimate, console: Console) -> None:
    """The tables of `roofline estimate` for an image model."""
    q, run = est.question, est.question.run
    console.print(f"[bold]{q.spec.title}[/bold] on [bold]{q.gpu.title}[/bold]", highlight=False)
    head = f"batch {run.batch:,.0f}"
    if q.takes_pixels:
        head += f", {run.height:g}×{run.width:g} px"
    if q.takes_steps:
        more = f" (×{run.passes:g} batch)" if run.passes > 1 else ""
        head += f", {counted(run.steps, 'step')} of {run.scheduler}, guidance {q.guidance:g}{more}"
    level = f"fusion {q.asked_fusion}" + (f" (level {q.fusion})" if q.fusion != q.asked_fusion else "")
    console.print(f"{head}; weights {q.precision.label}, activations {q.precision.activations.name}; {level}; engine "
                  f"{q.engine}", highlight=False)  # fmt: skip
    if q.spread is not None:
        console.print(where(est), highlight=False)
    print_aliases(est, console)
    console.print()
    console.print(phase_table(est, _balances(est)))
    exchanges = communication_table(est)
    if exchanges is not None:
        console.print(exchanges)
    console.print(_latency_table(est))
    console.print(_memory_table(est))
    print_nearest(est, console)
    print_warnings(est, console)


def _balances(est: ImageEstimate) -> str:
    """Where compute and memory balance, for every format that phases multiply in: the most used one first."""
    q, machine = est.question, est.question.machine()
    main = est.machine["peak_dtype"]
    others: dict[str, list[str]] = {}
    for phase in est.workload.phases:
        dtype = q.precision_of(phase).matrix_dtype()
        if dtype != main and phase.flops:
            others.setdefault(dtype, []).append(phase.name)
    parts = [f"{est.machine['ridge_flops_per_byte']:,.0f} FLOP/B in {main}"]
    parts += [f"{', '.join(names)}: {float(machine.ridge(dtype)):,.0f} in {dtype}" for dtype, names in others.items()]
    return "; ".join(parts)


def _latency_table(est: ImageEstimate) -> Grid:
    latency, throughput = est.latency, est.throughput
    rows = []
    if latency.step is not None:
        rows.append(times_row("time per step", latency.step))
    if latency.transfer is not None:
        rows.append(times_row("weights from the host", latency.transfer))
    if est.question.takes_pixels:
        rows.append(times_row("whole picture" if est.question.run.batch == 1 else "whole batch", latency.total))
    else:
        rows.append(times_row("all prompts", latency.total))
    for what, rate in (("pictures", throughput.images), ("prompts", throughput.prompts)):
        if rate is not None:
            rows.append(readings(f"{what} per second", rate, significant))
    return readings_table("Latency and throughput", rows, est.question.engine)


def significant(value: float) -> str:
    """A rate to three significant digits: 0.186, 2.31, 1,204."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _memory_table(est: ImageEstimate) -> Grid:
    m = est.memory
    rows = []
    for name, weights in m.components.items():
        peak = float(m.peaks[name])
        if not weights:
            continue
        rows.append([name, format_si(weights, "B"), format_si(peak, "B"), format_si(weights + peak, "B")])
    if m.runtime_bytes:
        rows.append(["runtime", "", "", format_si(float(m.runtime_bytes), "B")])
    total, capacity = float(m.total_bytes), float(m.capacity_bytes)
    rows.append(["on the GPU at once", format_si(float(m.weights_bytes), "B"),
                 format_si(float(m.activation_peak_bytes), "B"), format_si(total, "B")])  # fmt: skip
    if len(m.components) > 1 and m.offloaded_bytes != m.total_bytes:
        rows.append(["with --offload model", "", "", format_si(float(m.offloaded_bytes), "B")])
    verdict = "fits" if m.fits else "DOES NOT FIT"
    title = (
        f"Memory (1 GB = 1e9 B), {count(est.parameters.total)} parameters: {verdict} in {format_si(capacity, 'B')}; "
        f"largest batch {m.max_batch:,}"
    )
    if m.max_side is not None:
        title += f", largest square {m.max_side:,} px"
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
