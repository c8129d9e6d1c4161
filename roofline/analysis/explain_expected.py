"""Where the expected time goes: what each cause adds to a phase, from the functions that give the time itself.

A cause's share is what the expected time loses when that cause is taken away, one after the other: the host's times,
the exchanges between devices, the launches of kernels, then the limit of the matrix units, then that of the memory.
What is taken away sooner does not count again, so the shares sum to the expected time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median
from typing import Any, Final, NamedTuple, TypeAlias

from roofline.analysis.evaluate import in_stages, without_received
from roofline.answer.derivation import Derivation, Term
from roofline.answer.phase import PhaseEstimate
from roofline.machine.chips.coefficients import measured_ceilings
from roofline.machine.cut import cut_of
from roofline.machine.engine import IDEAL, Engine, engine_path, read_engine
from roofline.machine.engine_lookup import engine_told
from roofline.machine.expected import expected_op_time
from roofline.passes.fusion.joined import join_projections
from roofline.runs.expectation import Expectation, expect
from roofline.runs.kind import Outcome
from roofline.runs.telling.derivations import amount, cite
from roofline.specs.files.document import read_document
from roofline.units import format_host_time, format_si, format_time
from roofline.workload.workload import Phase

#: So many times a limit is no limit.
_BOUNDLESS: Final = 1e15
_FORMULA: Final = "sum of what each cause adds, taken away one after the other"
Seconds: TypeAlias = Callable[[Expectation, bool], float]


class Cause(NamedTuple):
    """One cause of a phase's time: seconds, and what they are."""

    name: str
    seconds: float
    text: str


def explain_expected(est: Outcome) -> Iterator[Derivation]:
    """The derivations of the expected times; none for the ideal engine, whose expected time is the bound."""
    if est.question.engine == IDEAL:
        return
    source, lines = _source(est), cite(read_document(engine_path(est.question.engine)), _PLACES)
    found = {phase.name: causes(est, phase) for phase in est.phases}
    for phase in est.phases:
        yield _derivation(f"{phase.name}.expected_s", float(phase.times.expected), found[phase.name], source, lines)
    for quantity in est.quantities:
        if quantity.times is not None and quantity.phases:
            parts = found[quantity.phases[0]]
            if quantity.name == "total_s":
                parts = _whole(est, found)
            elif len(quantity.phases) > 1:
                parts = _summed([cause for name in quantity.phases for cause in found[name]])
            name = f"latency.{quantity.name.removesuffix('_s')}_expected_s"
            yield _derivation(name, float(quantity.times.expected), parts, source, lines)


def _whole(est: Outcome, found: dict[str, list[Cause]]) -> list[Cause]:
    """The causes of all phases and repeats, and what is fetched once."""
    whole = [
        Cause(cause.name, float(phase.repeat) * cause.seconds, "over all phases and repeats")
        for phase in est.phases
        for cause in found[phase.name]
    ]
    late = fetched_s(est)
    if late is not None:
        whole.append(Cause("transfer", late, "weights from host memory that no work hides, per run"))
    return _summed(whole)


def fetched_s(est: Outcome) -> float | None:
    """Seconds of a run in which it waits for weights from host memory, beside its phases, as expected [s]; None where
    it fetches none beside them.
    """
    transfer, total = est.quantity("transfer_s"), est.quantity("total_s")
    if transfer is None or transfer.times is None or total is None or total.times is None:
        return None
    work = sum(float(phase.repeat * phase.times.expected) for phase in est.phases)
    return max(0.0, float(total.times.expected) - work)


def causes(est: Outcome, phase: PhaseEstimate) -> list[Cause]:
    """What one repeat of a phase is expected to spend its time on, the causes that are not zero."""
    seconds, expectation = _seconds(est, phase)
    kernels = _launched(est, phase, expectation)
    whole = seconds(expectation, True)
    found, unhosted = _of_host(seconds, expectation, kernels, whole)
    hostless = expectation.chip.engine._replace(request_s=0.0, sequence_s=0.0, step_s=0.0, kernel_s=0.0)
    expectation, alone = _with_engine(expectation, hostless), unhosted
    if float(phase.communication_bytes):
        alone = seconds(expectation, False)
        crossing = f"{format_si(float(phase.communication_bytes), 'B')} between devices"
        found.append(Cause("communication", unhosted - alone, crossing))
    if expectation.cores is not None:
        expectation, held = expectation._replace(cores=None), alone
        alone = seconds(expectation, False)
        found.append(Cause("host's cores", held - alone, _on_host(est)))
    found += _of_device(est, phase, _with_engine(expectation, hostless._replace(launch=0.0, rows=0.0)), alone)
    short = float(phase.times.expected) - whole
    found.append(Cause("bound", short, "what is missing to the roofline bound, below which nothing is expected"))
    return [cause for cause in found if cause.seconds > 1e-12 * float(phase.times.expected)]


def _on_host(est: Outcome) -> str:
    """Whose cores run what the host holds."""
    host = est.question.spread.host
    return f"what {host.text} runs, or is fetched from its memory where that is quicker" if host is not None else ""


def _launched(est: Outcome, phase: PhaseEstimate, expectation: Expectation) -> str:
    """The kernels that the engine launches, in words."""
    engine, ledger = expectation.chip.engine, est.workload[phase.name]
    precision, joined = est.question.precision_of(ledger), join_projections(ledger.ops, engine.joins)
    cut = (op.count * cut_of(op, precision.weight_dtype(op).bits < 16.0, engine.cuts) for op in joined)
    return amount(sum(cut), "kernel")


def _with_engine(expectation: Expectation, engine: Engine) -> Expectation:
    """The same expectation of an engine with other coefficients."""
    return expectation._replace(chip=replace(expectation.chip, engine=engine, _known={}))


def _of_host(seconds: Seconds, expectation: Expectation, kernels: str, whole: float) -> tuple[list[Cause], float]:
    """What the host adds to the `whole` time, one cause taken away after the other; and what is left without it."""
    engine, host = expectation.chip.engine, float(expectation.chip.host)

    def time_of(seconds: float) -> str:
        quick = f" × {host:.3g} (its PCIe generation)" if host != 1.0 else ""
        return f"{format_host_time(seconds)}{quick} of the host"

    sequences = f"{amount(expectation.batch, 'sequence')} × {time_of(engine.sequence_s)}"
    launches = f"{kernels} × {time_of(engine.kernel_s)}, where that is not hidden behind the device"
    steps: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("request", {"request_s": 0.0}, f"{time_of(engine.request_s)} once per request"),
        ("sequences", {"sequence_s": 0.0}, sequences),
        ("step", {"step_s": 0.0}, f"{time_of(engine.step_s)} per step: scheduling, sampling"),
        ("host kernels", {"kernel_s": 0.0}, launches),
    )
    found, time = [], whole
    for name, change, text in steps:
        if not any(getattr(engine, each) for each in change):
            continue
        engine = engine._replace(**change)
        less = seconds(_with_engine(expectation, engine), True)
        found.append(Cause(name, time - less, text))
        time = less
    return found, time


def _of_device(est: Outcome, phase: PhaseEstimate, launched: Expectation, alone: float) -> list[Cause]:
    """What the device adds: launches, matrix units, memory, waits. `launched` has no launches any more, `alone` has."""
    seconds, asked = _seconds(est, phase)
    machine = launched.machine
    tensor = {name: peak * _BOUNDLESS for name, peak in machine.tensor.items()}
    streams = launched._replace(machine=replace(machine, tensor=tensor, vector=machine.vector * _BOUNDLESS))
    waits = streams._replace(machine=replace(streams.machine, bandwidth=machine.bandwidth * _BOUNDLESS))
    unlaunched, streamed, waited = seconds(launched, False), seconds(streams, False), seconds(waits, False)
    kernels, flops = _launched(est, phase, asked), format_si(float(phase.flops), "FLOP")
    return [
        Cause("launches", alone - unlaunched, f"{kernels}: start, end and first bytes"),
        Cause("compute", unlaunched - streamed, f"matrix units, beyond what the memory needs: {flops}"),
        *_moved(est.workload[phase.name], est, streams, waits, streamed - waited),
        Cause("waits", waited, "inside kernels: tiles, chunks and experts, one after the other"),
    ]


def _seconds(est: Outcome, phase: PhaseEstimate) -> tuple[Seconds, Expectation]:
    """The expected time of a phase by any expectation, with or without exchanges; and the expectation in question."""
    q = est.question
    precision, stages = q.precision_of(est.workload[phase.name]), q.stages()
    expectation = q.expectation(q.machine(), q.run.batch / stages.microbatches)
    assert expectation is not None

    def seconds(by: Expectation, exchanging: bool) -> float:
        times = []
        for stage in stages.each:
            ledger = without_received(stage.workload[phase.name])
            ops = tuple(op for op in ledger.ops if exchanging or op.kind != "collective")
            time = by.seconds(replace(ledger, ops=ops), precision, stage.workload.begun(ledger) / stages.turns)
            times.append((time, time, stage.number))
        return float(in_stages(times, stages.microbatches, phase.name == "decode"))

    return seconds, expectation


def _moved(ledger: Phase, est: Outcome, streams: Expectation, waits: Expectation, seconds: float) -> list[Cause]:
    """The time of the memory, shared by what is moved: of each kernel's own time, by its bytes."""
    precision = est.question.precision_of(ledger)
    parts = {
        "weights": precision.weight_bytes,
        "cache": precision.cache_bytes,
        "activations": precision.activation_bytes,
    }
    times, moved = dict.fromkeys(parts, 0.0), dict.fromkeys(parts, 0.0)
    for op in ledger.ops:
        if op.kind == "collective":
            continue
        each = {name: float(op.count * count(op)) for name, count in parts.items()}
        total = sum(each.values())
        if not total:
            continue
        spent = [float(op.count * expected_op_time(op, precision, by.machine, by.chip)) for by in (streams, waits)]
        for name, size in each.items():
            times[name] += (spent[0] - spent[1]) * size / total
            moved[name] += size
    scale = seconds / (sum(times.values()) or 1.0)
    return [Cause(name, scale * times[name], f"{format_si(moved[name], 'B')} moved") for name in parts]


def _summed(found: list[Cause]) -> list[Cause]:
    """Causes of one name as one, in order of appearance."""
    sums: dict[str, Cause] = {}
    for cause in found:
        before = sums.get(cause.name, Cause(cause.name, 0.0, cause.text))
        sums[cause.name] = before._replace(seconds=before.seconds + cause.seconds)
    return list(sums.values())


def _derivation(quantity: str, value: float, found: list[Cause], source: str, lines: list[str]) -> Derivation:
    ordered = sorted(found, key=lambda cause: -cause.seconds)
    body = " + ".join(f"{cause.name} {format_time(cause.seconds)}" for cause in ordered)
    terms = [Term(cause.name, cause.text, cause.seconds) for cause in ordered]
    return Derivation(quantity, "s", value, _FORMULA, body, source, terms, lines)


def _source(est: Outcome) -> str:
    """On which fits the coefficients rest: the engine's and the chip's."""
    q = est.question
    fit, chip = read_engine(q.engine).fit, expect(q.gpu, q.engine, q.machine(), 1.0)
    assert chip is not None
    error = f", median error {100 * fit.median_error:.0f} %" if fit.median_error is not None else ""
    engine = f"engine {engine_told(q.engine)}: fit of {fit.date} to {fit.rows} runs{error}"
    known, ceilings = chip.chip.stand_ins[0].chip, measured_ceilings()
    if chip.chip.cores:
        return f"{engine}; shares of bandwidth and peak of a processor: nominal"
    rows = [row for kinds in ceilings.rows.values() for row in kinds.get(known, ())]
    kernels = f"kernels of {known}: fit of {ceilings.fitted} to {sum(row.rows for row in rows):,} kernels"
    middle = 100 * median(row.error for row in rows)
    return f"{engine}; {kernels}, median error of the middle kind {middle:.0f} %"


_PLACES: Final = (("factors",), ("host",))
