"""Answers for people: tables that can be read aloud, at 80 columns and wider."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from roofline.analysis.estimate import Estimate
from roofline.analysis.explain import Derivation
from roofline.analysis.result import OpRow, Times
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def sentence(est: Estimate) -> str:
    """The answer in one sentence."""
    q, m = est.question, est.memory
    tokens = est.latency
    fit = "fits" if m.fits else "does not fit"
    speech = (
        f"{q.spec.title} on {q.gpu.title}, batch {q.run.batch:g}, {q.run.prompt:g} tokens in, {q.run.generate:g} out: "
        f"{fit} ({format_si(float(m.total_bytes), 'B')} of {format_si(float(m.capacity_bytes), 'B')}); "
        f"first token after {_at(tokens.ttft)}"
    )
    if tokens.tpot is not None:
        speech += f", then one every {_at(tokens.tpot)}, {_at(tokens.total)} in all"
    return speech + (" (roofline bound)." if q.engine == "ideal" else " (expected).")


def _at(times: Times) -> str:
    return format_time(float(times.expected))


def grid(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], width: int = 80) -> Table:
    """A table; a column is its heading and its alignment, `left` or `right`."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.expand = False
    for heading, side in columns:
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def print_estimate(est: Estimate, console: Console) -> None:
    """The tables of `roofline estimate`."""
    q = est.question
    console.print(f"[bold]{q.spec.title}[/bold] on [bold]{q.gpu.title}[/bold]", highlight=False)
    p = q.precision
    console.print(
        f"batch {q.run.batch:g}, prompt {q.run.prompt:g}, generate {q.run.generate:g}; weights {p.weights.name}, "
        f"activations {p.activations.name}, KV-cache {p.cache.name}; fusion {q.fusion}; engine {q.engine}",
        highlight=False,
    )
    _print_aliases(est, console)
    console.print()
    console.print(_phase_table(est))
    console.print(_latency_table(est))
    console.print(_memory_table(est))
    print_warnings(est, console)


def _print_aliases(est: Estimate, console: Console) -> None:
    q = est.question
    for what, origin, name in (("model", q.model_origin, q.spec.name), ("GPU", q.gpu_origin, q.gpu.name)):
        if origin.alias and origin.alias.lower() != name:
            console.print(f"{what} {origin.alias} is taken as {name}", highlight=False, style="dim")


def _phase_table(est: Estimate) -> Table:
    rows = []
    for phase in est.phases:
        repeat = f"{phase.repeat:,.0f} ×" if phase.repeat != 1 else "once"
        rows.append([
            phase.name, repeat, format_si(float(phase.flops), "FLOP"), format_si(float(phase.bytes), "B"),
            f"{phase.intensity:,.1f}", phase.bound_by, format_time(float(phase.times.floor)),
            format_time(float(phase.times.bound)),
        ])  # fmt: skip
    columns = [("phase", "left"), ("runs", "right"), ("compute", "right"), ("traffic", "right"),
               ("FLOP/B", "right"), ("bound by", "left"), ("floor", "right"), ("bound", "right")]  # fmt: skip
    ridge = est.machine["ridge_flops_per_byte"]
    dtype = est.machine["peak_dtype"]
    return grid(f"Each phase, per run (compute and memory balance at {ridge:,.0f} FLOP/B in {dtype})", columns, rows)


def _latency_table(est: Estimate) -> Table:
    latency, throughput = est.latency, est.throughput
    rows = [_times_row("time to first token", latency.ttft)]
    if latency.tpot is not None:
        rows.append(_times_row("time per output token", latency.tpot))
        rows.append(_times_row("whole request", latency.total))
    if throughput.output_tokens is not None:
        rows.append(_rate_row("output tokens per second", throughput.output_tokens))
    rows.append(_rate_row("all tokens per second", throughput.tokens))
    columns = [("", "left"), ("floor", "right"), ("bound", "right"), ("expected", "right"), ("80 % interval", "right")]
    return grid("Latency and throughput of the whole batch", columns, rows)


def _times_row(name: str, times: Times) -> list[str]:
    return _readings(name, times, lambda value: format_time(value))


def _rate_row(name: str, times: Times) -> list[str]:
    return _readings(name, times, lambda value: f"{value:,.0f}" if value >= 100 else f"{value:,.1f}")


def _readings(name: str, times: Times, show: Callable[[float], str]) -> list[str]:
    floor, bound, expected, low, high = (float(value) for value in times)
    interval = f"{show(low)} – {show(high)}" if low != high else "–"
    return [name, show(floor), show(bound), show(expected), interval]


def _memory_table(est: Estimate) -> Table:
    m = est.memory
    capacity = float(m.capacity_bytes)
    parts = [
        ("weights", float(m.weights_bytes), f"{format_si(est.parameters.total)} parameters"),
        ("KV-cache", float(m.kv_cache_bytes), f"{format_si(float(m.kv_cache_bytes_per_token), 'B')} per token"),
        ("state", float(m.state_bytes), "fixed size"),
        ("activations", float(m.activation_peak_bytes), "peak"),
        ("runtime", float(m.runtime_bytes), "reserved"),
    ]
    rows = [[n, format_si(v, "B"), f"{100 * v / capacity:.1f} %", note] for n, v, note in parts if v]
    total = float(m.total_bytes)
    verdict = "fits" if m.fits else "DOES NOT FIT"
    rows.append(["total", format_si(total, "B"), f"{100 * total / capacity:.1f} %",
                 f"{verdict} in {format_si(capacity, 'B')}"])  # fmt: skip
    title = f"Memory (1 GB = 1e9 B); largest batch {m.max_batch:,}, largest context {m.max_context:,} tokens"
    return grid(title, [("", "left"), ("bytes", "right"), ("share", "right"), ("", "left")], rows)


def print_warnings(est: Estimate, console: Console) -> None:
    """Warnings, with their codes."""
    for warn in est.warnings:
        console.print(f"[yellow]warning[/yellow] {warn.code}: {warn.text}", highlight=False)


def print_ops(est: Estimate, phase: str, rows: Sequence[OpRow], by: str, console: Console) -> None:
    """The table of `roofline ops`."""
    q = est.question
    total_s = sum(float(row.bound_s) for row in rows)
    wide = console.width >= 110
    columns = [(by, "left"), ("×", "right"), ("compute", "right"), ("traffic", "right"), ("FLOP/B", "right"),
               ("bound by", "left"), ("bound", "right"), ("share", "right")]  # fmt: skip
    if wide:
        columns[1:1] = [("block", "left")] if by == "op" else []
        columns += [("weights", "right"), ("cache", "right"), ("activations", "right"), ("parameters", "right")]
    lines = [_op_line(row, total_s, wide, by) for row in rows]
    lines.append(_total_line(rows, total_s, wide, by))
    repeat = est.phase(phase).repeat
    console.print(
        grid(f"{q.spec.title} on {q.gpu.title}: one {phase} of {repeat:,.0f}, {q.fusion}, {len(rows)} rows", columns,
             lines)
    )  # fmt: skip


def _op_line(row: OpRow, total_s: float, wide: bool, by: str) -> list[str]:
    line = [
        row.name, f"{row.count:,.0f}", format_si(float(row.flops), "FLOP"), format_si(float(row.bytes), "B"),
        f"{float(row.intensity):,.1f}", row.bound_by, format_time(float(row.bound_s)),
        f"{100 * float(row.bound_s) / total_s:.1f} %" if total_s else "",
    ]  # fmt: skip
    if wide:
        line[1:1] = [row.block] if by == "op" else []
        line += [format_si(float(v), "B") for v in (row.weight_bytes, row.cache_bytes, row.activation_bytes)]
        line.append(format_si(row.params))
    return line


def _total_line(rows: Sequence[OpRow], total_s: float, wide: bool, by: str) -> list[str]:
    flops, moved = sum(float(r.flops) for r in rows), sum(float(r.bytes) for r in rows)
    line = ["total", f"{sum(r.count for r in rows):,.0f}", format_si(flops, "FLOP"), format_si(moved, "B"),
            f"{flops / moved:,.1f}" if moved else "", "", format_time(total_s), "100.0 %"]  # fmt: skip
    if wide:
        line[1:1] = [""] if by == "op" else []
        for part in ("weight_bytes", "cache_bytes", "activation_bytes"):
            line.append(format_si(sum(float(getattr(r, part)) for r in rows), "B"))
        line.append(format_si(sum(r.params for r in rows)))
    return line


def print_explanation(est: Estimate, derivations: Sequence[Derivation], console: Console, terms: int = 6) -> None:
    """The text of `roofline explain`: every number as formula, values, result, spec lines and source."""
    console.print(f"[bold]{est.question.spec.title}[/bold] on [bold]{est.question.gpu.title}[/bold]\n", highlight=False)
    for d in derivations:
        console.print(f"[bold]{d.quantity}[/bold] = {_value(d.value, d.unit)}", highlight=False)
        console.print(f"  = {d.formula}", highlight=False)
        console.print(f"  = {d.substituted}", highlight=False)
        shown = sorted(d.terms, key=lambda term: -term.value)
        for term in shown[:terms]:
            console.print(f"      {term.name}: {term.text} = {term.value:,.0f}", highlight=False)
        if len(shown) > terms:
            rest = sum(term.value for term in shown[terms:])
            console.print(f"      {len(shown) - terms} more ops: {rest:,.0f}", highlight=False)
        for line in d.lines:
            console.print(f"  from {line}", highlight=False, style="dim", markup=False)
        console.print(f"  source: {d.source}\n", highlight=False, style="dim")
    console.print("[bold]Assumed[/bold]", highlight=False)
    for note in est.assumptions:
        console.print(f"  - {note}", highlight=False)
    console.print("[bold]Sources[/bold]", highlight=False)
    for note in est.sources:
        console.print(f"  - {note}", highlight=False, markup=False)
    print_warnings(est, console)


def _value(value: float, unit: str) -> str:
    if unit == "s":
        return f"{format_time(value, 4)} ({value:.6g} s)"
    exact = f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
    return f"{exact} {unit}" + (f" ({format_si(value, unit)})" if value >= 1e4 and unit in ("B", "FLOP") else "")
