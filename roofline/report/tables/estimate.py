"""Answers for people: tables that can be read aloud, at 80 columns and wider."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from roofline.analysis.estimate import Estimate
from roofline.analysis.result import Times
from roofline.report.tables import spread
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.words import count, percent
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console


def sentence(est: Estimate) -> str:
    """The answer in one sentence."""
    q, m = est.question, est.memory
    tokens = est.latency
    fit = "fits" if m.fits else "does not fit"
    speech = (
        f"{q.spec.title} on {q.gpu.title}, batch {q.run.batch:,.0f}{spread.per_replica(q)}, "
        f"{q.run.prompt:,.0f} tokens in, {q.run.generate:,.0f} out: {fit} ({format_si(float(m.total_bytes), 'B')} of "
        f"{format_si(float(m.capacity_bytes), 'B')}); first token after {_at(tokens.ttft)}"
    )
    if tokens.tpot is not None:
        speech += f", then one every {_at(tokens.tpot)}, {_at(tokens.total)} in all"
    return speech + (" (roofline bound)." if q.engine == "ideal" else " (expected).")


def _at(times: Times) -> str:
    return format_time(float(times.expected))


def print_estimate(est: Estimate, console: Console) -> None:
    """The tables of `roofline estimate`."""
    q = est.question
    if not hasattr(q.run, "prompt"):
        from roofline.report.tables.pictures import print_image_estimate

        print_image_estimate(est, console)  # type: ignore[arg-type]
        return
    console.print(f"[bold]{q.spec.title}[/bold] on [bold]{q.gpu.title}[/bold]", highlight=False)
    p = q.precision
    console.print(
        f"batch {q.run.batch:,.0f}{spread.per_replica(q)}, prompt {q.run.prompt:,.0f}, "
        f"generate {q.run.generate:,.0f}; weights {p.label}, activations {p.activations.name}, "
        f"KV-cache {p.cache.name}; fusion {q.fusion}; engine {q.engine}",
        highlight=False,
    )
    if q.spread is not None:
        console.print(spread.where(est), highlight=False)
    print_aliases(est, console)
    console.print()
    console.print(phase_table(est))
    exchanges = spread.communication_table(est)
    if exchanges is not None:
        console.print(exchanges)
    console.print(_latency_table(est))
    console.print(_memory_table(est))
    print_nearest(est, console)
    print_warnings(est, console)


def print_nearest(est: Estimate, console: Console) -> None:
    """The measured run most like this one; nothing for the ideal engine."""
    from roofline.evidence.runs.nearest import first

    run = first(est)
    if run is not None:
        console.print(f"nearest measurement: {run}", highlight=False, markup=False)


def print_aliases(est: Estimate, console: Console) -> None:
    """Which names were taken for which."""
    q = est.question
    for what, origin, name in (("model", q.model_origin, q.spec.name), ("GPU", q.gpu_origin, q.gpu.name)):
        if origin.alias and origin.alias.lower() != name:
            console.print(f"{what} {origin.alias} is taken as {name}", highlight=False, style="dim")


def phase_table(est: Estimate, balance: str | None = None) -> Grid:
    """Counts and times of each phase. `balance` says where compute and memory balance, if in more than one place."""
    rows = []
    for phase in est.phases:
        repeat = f"{phase.repeat:,.0f} ×" if phase.repeat != 1 else "once"
        rows.append([
            phase.name, repeat, format_si(float(phase.flops), "FLOP"), format_si(float(phase.bytes), "B"),
            f"{phase.intensity:,.1f}", phase.bound_by, format_time(float(phase.times.floor)),
            format_time(float(phase.times.bound)),
        ])  # fmt: skip
    columns = [("phase", "name"), ("runs", "right?"), ("compute", "right?"), ("traffic", "right?"),
               ("FLOP/B", "right?"), ("bound by", "left"), ("floor", "right"), ("bound", "right")]  # fmt: skip
    ridge, dtype = est.machine["ridge_flops_per_byte"], est.machine["peak_dtype"]
    balance = balance or f"{ridge:,.0f} FLOP/B in {dtype}"
    return grid(f"Each phase, per run (compute and memory balance at {balance})", columns, rows)


def _latency_table(est: Estimate) -> Grid:
    latency, throughput = est.latency, est.throughput
    rows = [times_row("time to first token", latency.ttft)]
    if latency.tpot is not None:
        rows.append(times_row("time per output token", latency.tpot))
        rows.append(times_row("whole request", latency.total))
    if throughput.output_tokens is not None:
        rows.append(rate_row("output tokens per second", throughput.output_tokens))
    rows.append(rate_row("all tokens per second", throughput.tokens))
    return readings_table(spread.readings_title(est.question), rows, est.question.engine)


def readings_table(title: str, rows: list[list[str]], engine: str) -> Grid:
    """Quantities in their readings; without an engine nothing is expected beside the bound."""
    columns = [("", "left"), ("floor", "right?"), ("bound", "right"), ("expected", "right"),
               ("80 % interval", "right?")]  # fmt: skip
    shown = 3 if engine == "ideal" else len(columns)
    return grid(title, columns[:shown], [row[:shown] for row in rows])


def times_row(name: str, times: Times) -> list[str]:
    """A quantity in seconds, in its readings."""
    return readings(name, times, format_time)


def rate_row(name: str, times: Times) -> list[str]:
    """A rate, in its readings."""
    return readings(name, times, lambda value: f"{value:,.0f}" if value >= 100 else f"{value:,.1f}")


def readings(name: str, times: Times, show: Callable[[float], str]) -> list[str]:
    """A quantity in its readings, each as `show` writes it."""
    floor, bound, expected, low, high = (float(value) for value in times)
    interval = f"{show(low)} – {show(high)}" if low != high else "–"
    return [name, show(floor), show(bound), show(expected), interval]


def _memory_table(est: Estimate) -> Grid:
    m = est.memory
    capacity = float(m.capacity_bytes)
    parts = [
        ("weights", float(m.weights_bytes), f"{count(est.parameters.total)} parameters"),
        ("KV-cache", float(m.kv_cache_bytes), f"{format_si(float(m.kv_cache_bytes_per_token), 'B')} per token"),
        ("state", float(m.state_bytes), "fixed size"),
        ("activations", float(m.activation_peak_bytes), "peak"),
        ("runtime", float(m.runtime_bytes), "reserved"),
    ]
    rows = [[n, format_si(v, "B"), percent(v / capacity), note] for n, v, note in parts if v]
    total = float(m.total_bytes)
    verdict = "fits" if m.fits else "DOES NOT FIT"
    rows.append(["total", format_si(total, "B"), percent(total / capacity),
                 f"{verdict} in {format_si(capacity, 'B')}"])  # fmt: skip
    scope = "" if est.question.spread is None else " per GPU"
    most = f"largest batch {m.max_batch:,}{spread.per_replica(est.question)}, {largest_context(est)}"
    title = f"Memory{scope} (1 GB = 1e9 B); {most}"
    return grid(title, [("", "left"), ("bytes", "right"), ("share", "right?"), ("", "left")], rows)


def largest_context(est: Estimate) -> str:
    """The longest context that memory holds, and the model's own limit where that comes first."""
    held, own = est.memory.max_context, est.question.spec.max_context
    if own is None or held <= own:
        return f"largest context {held:,} tokens"
    return f"largest context {held:,} tokens by memory; the model's own limit is {own:,}"


def print_warnings(est: Estimate, console: Console) -> None:
    """Warnings, with their codes."""
    for warn in est.warnings:
        console.print(f"[yellow]warning[/yellow] {warn.code}: {warn.text}", highlight=False)
