"""Answers for people: tables that can be read aloud, at 80 columns and wider; and an answer as one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Answer
from roofline.analysis.explain_expected import fetched_s
from roofline.answer.memory import Memory
from roofline.answer.phase import Warn
from roofline.answer.quantity import Quantity
from roofline.machine.engine import IDEAL
from roofline.report.tables.console import Styled
from roofline.report.tables.costs.estimate import cost_table
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_legend, print_table
from roofline.report.tables.room import room_of
from roofline.report.tables.service import SHOWN, print_service, shown_times, significant
from roofline.runs.devices.words import where_words
from roofline.runs.telling.notes import taken_as
from roofline.runs.telling.products import multiplied_words
from roofline.runs.text.service.running import is_load, serves
from roofline.units import format_binary, format_count, format_si, format_time

if TYPE_CHECKING:
    from roofline.evidence.runs.nearest import Nearest
    from roofline.report.tables.console import Console


def sentence(est: Answer) -> str:
    """The answer in one sentence."""
    q, m = est.question, est.memory
    what = f"{q.spec.title} on {q.gpu.title}, {q.kind.told(q).setting}"
    fit = f"{'fits' if m.fits else 'does not fit'} ({m.asked_of_room})"
    return f"{what}: {fit}; {q.kind.speech(est)} ({'roofline bound' if q.engine == 'ideal' else 'expected'})."


def print_estimate(est: Answer, console: Console, nearest: list[Nearest], verdict: str) -> None:
    """What `roofline estimate` shows: the verdict, the tables behind it, the measured run that is nearest."""
    q = est.question
    console.print(verdict, style="bold" if est.memory.fits else "bold red")
    console.print()
    console.print([Styled(q.spec.title, "bold"), Styled(" on "), Styled(q.gpu.title, "bold")])
    print_asked(est, console)
    console.print(room_of([("", est.memory)]))
    print_table(phase_table(est), console)
    exchanges = communication_table(est)
    if exchanges is not None:
        print_table(exchanges, console)
    print_table(reached_table(est), console)
    print_table(readings_table(est), console)
    if serves(q) and is_load(q):
        print_service(est, console)
    print_table(memory_table(est), console)
    costs = cost_table(est)
    if costs is not None:
        print_table(costs, console)
    if q.engine != IDEAL:
        console.print(f"nearest measurement: {nearest[0] if nearest else nothing_near(est)}")
    print_warnings(est.warnings, console)


def nothing_near(est: Answer) -> str:
    """That there is no run to compare with."""
    return f"nothing near was measured: no run of {est.question.engine} with such a model on a chip of its class"


def print_asked(est: Answer, console: Console) -> None:
    """What was asked: the run, where it runs, and which names were taken for which."""
    q = est.question
    console.print(q.kind.told(q).heading)
    if words := multiplied_words(est):
        console.print(words)
    where = where_words(q.spread, q.run.batch)
    if where:
        console.print(where)
    print_legend(q.kind.told(q).heading, console)
    for line in taken_as(q):
        console.print(line, style="dim")
    console.print()


_PHASES: Final = (
    *(("phase", "name"), ("runs", "right?"), ("compute", "right?"), ("traffic", "right?")),
    *(("FLOP/B", "right?"), ("bound by", "left"), ("floor", "right"), ("bound", "right")),
)


def phase_table(est: Answer) -> Grid:
    """Counts and times of each phase."""
    rows = []
    for phase in est.phases:
        repeat = f"{phase.repeat:,.0f} ×" if phase.repeat != 1 else "once"
        counts = [format_si(float(phase.flops), "FLOP"), format_si(float(phase.bytes), "B")]
        times = [format_time(float(phase.times.floor)), format_time(float(phase.times.bound))]
        rows.append([phase.name, repeat, *counts, f"{phase.intensity:,.1f}", phase.bound_by, *times])
    return grid(f"Each phase, per run (compute and memory balance at {_balances(est)})", _PHASES, rows)


def _balances(est: Answer) -> str:
    """Where compute and memory balance, for every format that phases multiply in: that of the slowest first."""
    q, machine, main = est.question, est.question.machine(), est.machine["peak_dtype"]
    others: dict[str, list[str]] = {}
    for phase in est.workload.phases:
        dtype = q.precision_of(phase).matrix_dtype()
        if dtype != main and phase.flops:
            others.setdefault(dtype, []).append(phase.name)
    parts = [f"{est.machine['ridge_flops_per_byte']:,.0f} FLOP/B in {main}"]
    parts += [f"{', '.join(names)}: {float(machine.ridge(dtype)):,.0f} in {dtype}" for dtype, names in others.items()]
    return "; ".join([*parts, *_half_sums(est, main)])


def _half_sums(est: Answer, dtype: str) -> Iterator[str]:
    """The rate of the floor, where it is that of products that sum in 16 bit: no other figure stands on it."""
    q, machine = est.question, est.question.machine()
    for phase in est.workload.phases:
        precision = q.precision_of(phase)
        peak = float(machine.fastest(dtype, precision.may_be_halves))
        if precision.matrix_dtype() == dtype and peak > float(machine.tensor[dtype]):
            yield f"the floor lets products sum in 16 bit: {format_si(peak, 'FLOP/s')}"
            return


_EXCHANGES: Final = (
    *(("phase", "left"), ("over links", "right"), ("communication", "right"), ("share", "right")),
    *(("bound, hidden", "right"), ("bound, in turn", "right")),
)


def communication_table(est: Answer) -> Grid | None:
    """Per phase: bytes over the link, time in communication, and the bound with it hidden and not; None where none."""
    if not any(float(phase.communication_bytes) for phase in est.phases):
        return None
    rows = []
    for phase in est.phases:
        taken, serial = float(phase.communication_s), float(phase.serial_s)
        share = f"{100 * taken / serial if serial else 0.0:.1f} %"
        bounds = [format_time(float(phase.overlapped_s)), format_time(serial)]
        crossing = format_si(float(phase.communication_bytes), "B")
        rows.append([phase.name, crossing, format_time(taken), share, *bounds])
    return grid("Communication, per run", _EXCHANGES, rows)


_READINGS: Final = (
    *(("", "left"), ("floor", "right?"), ("bound", "right")),
    *(("expected", "right"), ("80 % interval", "right?")),
)


def readings_table(est: Answer) -> Grid:
    """Headline quantities in their readings; without an engine nothing is expected beside the bound."""
    q = est.question
    shown = 3 if q.engine == "ideal" else len(_READINGS)
    rows = [_readings(quantity)[:shown] for quantity in est.quantities if quantity.times is not None and quantity.title]
    title = q.kind.told(q).readings
    return grid(title if est.memory.fits else f"{title}, if it did fit: it does not", _READINGS[:shown], rows)


_REACHED: Final = (
    *(("phase", "name"), ("each", "right"), ("in all", "right"), ("share", "right")),
    *(("MFU", "right"), ("MBU", "right")),
)


def reached_table(est: Answer) -> Grid:
    """Where the time goes, and which shares of the peaks are reached in it."""
    late = fetched_s(est)
    whole = sum(float(phase.repeat * phase.times.expected) for phase in est.phases) + (late or 0.0)
    rows = []
    for phase in est.phases:
        each = float(phase.times.expected)
        taken = float(phase.repeat) * each
        shares = [percent(taken / whole if whole else 0.0), percent(float(phase.mfu)), percent(float(phase.mbu))]
        rows.append([phase.name, format_time(each), format_time(taken), *shares])
    if late is not None:
        rows.append(["weights from the host", "", format_time(late), percent(late / whole if whole else 0.0), "", ""])
    what = "bound" if est.question.engine == "ideal" else "expected"
    return grid(f"Where the time goes, as {what}", _REACHED, rows)


def _readings(quantity: Quantity) -> list[str]:
    """A quantity in its readings."""
    assert quantity.times is not None
    show = SHOWN.get(quantity.unit, significant)
    return [quantity.title, *shown_times(quantity.times, show)]


def percent(share: float) -> str:
    """A share in per cent; far beyond the whole, that it is so."""
    return f"{100 * share:,.1f} %" if share < 9.995 else ">999 %"


def largest(memory: Memory) -> str:
    """The limits that memory sets, in words."""
    return ", ".join(limit.words(limit.value) for limit in memory.limits if limit.value is not None)


def _verdict(memory: Memory) -> str:
    """Whether all fits, in GB, and in the GiB that drivers' tools tell."""
    total, usable = format_binary(float(memory.total_bytes)), format_binary(float(memory.usable_bytes))
    return f"{'fits' if memory.fits_device else 'DOES NOT FIT'} in {memory.room} ({total} of {usable})"


def memory_table(est: Answer) -> Grid:
    """What is held: by parts of the model where it has several, else by what it is."""
    return _component_table(est) if est.memory.by_component else _part_table(est)


def _part_table(est: Answer) -> Grid:
    """What is held, part by part, as shares of what there is room for."""
    m, capacity = est.memory, float(est.memory.capacity_bytes)
    held = [(part.title, float(part.bytes), part.note) for part in m.parts if float(part.bytes)]
    rows = [[title, format_si(size, "B"), percent(size / capacity), note] for title, size, note in held]
    total = float(m.total_bytes)
    rows.append(["total", format_si(total, "B"), percent(total / capacity), _verdict(m)])
    if (host := m.host) is not None:
        size, verdict = float(host.together), "fits" if host.fits else "DOES NOT FIT"
        note = f"{verdict} in {format_si(host.capacity, 'B')} of {host.name}"
        rows.append(["host memory", format_si(size, "B"), percent(size / host.capacity), note])
    scope = "" if est.question.spread.alone else " per GPU"
    columns = (("", "left"), ("bytes", "right"), ("share", "right?"), ("", "left"))
    return grid(f"Memory{scope} (1 GB = 1e9 B); {largest(m)}", columns, rows)


def _component_table(est: Answer) -> Grid:
    """What is held by each part of the model: weights, and activations where they are widest."""
    m = est.memory
    rows = [
        [part.name, *_sizes(part.weights, float(part.activations), part.weights + float(part.activations))]
        for part in m.by_component
        if part.weights
    ]
    shown = ("weights_bytes", "activation_peak_bytes")
    beside = [part for part in m.parts if part.name not in shown and float(part.bytes)]
    rows += [[part.title, "", "", *_sizes(float(part.bytes))] for part in beside]
    sums = _sizes(float(m.weights_bytes), float(m.activation_peak_bytes), float(m.total_bytes))
    rows.append(["on the GPU at once", *sums])
    rows += [[part.note, *_sizes(float(part.beside[0][1])), "", ""] for part in m.parts if part.note and part.beside]
    if len(m.by_component) > 1:
        others = [(option, size) for option, _, size in m.instead if size is not None and size != m.total_bytes]
        rows += [[f"with {option}", "", "", *_sizes(float(size))] for option, size in others]
    columns = (("", "left"), ("weights", "right"), ("activations", "right"), ("both", "right"))
    title = f"Memory (1 GB = 1e9 B), {format_count(est.parameters.total)} parameters: {_verdict(m)}; {largest(m)}"
    return grid(title, columns, rows)


def _sizes(*sizes: float) -> list[str]:
    return [format_si(size, "B") for size in sizes]


def print_warnings(warnings: Iterable[Warn], console: Console) -> None:
    """Warnings, with their codes."""
    for warn in warnings:
        console.warning(warn.code, warn.text)
