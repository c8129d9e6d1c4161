"""The ledger of a phase with the clock: how long each kernel should take, and what the engine adds beside them.

The rows of a phase sum to its expected time and to its bound. What is no op has rows of its own behind them: waiting
for a host that launches more slowly than the device runs, the host's own work, other stages of a pipeline, and, below
zero, what is hidden behind work. Of the ideal engine the expected time of each op is its bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from roofline.analysis.evaluate import in_stages, without_received
from roofline.analysis.ledger import merged
from roofline.analysis.op_rows import row_of
from roofline.answer.phase import OUTSIDE, OpRow, PhaseEstimate
from roofline.machine.demand import Demands
from roofline.machine.expected import beside_host, kernel_times, one_by_one
from roofline.num import Num
from roofline.passes.fusion.joined import joined_name, products_of
from roofline.runs.execution import Stages
from roofline.runs.expectation import Expectation
from roofline.runs.kind import Question
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase, Workload

#: What takes time beside ops, in the order of rows.
GAPS: Final = "waiting for launches"
STEP: Final = "host per step"
SEQUENCES: Final = "host per sequence"
REQUEST: Final = "host per request"
HIDDEN: Final = "hidden behind work"
STAGES: Final = "other pipeline stages"
LIFTED: Final = "lifted to the bound"
_ORDER: Final = (GAPS, STEP, SEQUENCES, REQUEST, HIDDEN, STAGES, LIFTED)
#: Parts of a phase's time below which a row outside ops is rounding.
_ROUNDING: Final = 1e-11
#: What is joined where no engine joins: what a checkpoint packs.
_PACKED: Final = "none"
_NO_PRODUCT: Final[tuple[Sequence[Op], tuple[float, int]]] = ((), (0.0, 0))
#: A row of what is no op, but for its name and its times.
_NO_OP: Final = OpRow("", OUTSIDE, OUTSIDE, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "", "")


class Ran(NamedTuple):
    """One phase as a device ran it: the ops of the device, its estimate, and the stages that it is part of."""

    question: Question
    workload: Workload
    phase: PhaseEstimate
    stages: Stages

    @property
    def ledger(self) -> Phase:
        """The ops of the device."""
        return self.workload[self.phase.name]

    @property
    def precision(self) -> Precision:
        """The formats of the phase."""
        return self.question.precision_of(self.ledger)

    @property
    def micro(self) -> float:
        """Microbatches of one repeat."""
        return float(self.stages.microbatches)

    @property
    def piped(self) -> bool:
        """Whether the time is that of several stages, or of several microbatches."""
        return sum(stage.number for stage in self.stages.each) > 1 or self.micro != 1.0


class _Kernel(NamedTuple):
    """The ops that one kernel runs, and the expected seconds of one execution; None: those of its bound."""

    ops: Sequence[Op]
    seconds: float | None


class _Clock(NamedTuple):
    """What an engine makes of a phase on the device: what is asked of it, and the seconds of each kind of kernel."""

    by: Expectation
    device: Phase
    asked: Demands
    times: Sequence[Num]


def clocked_rows(ran: Ran, *, split: bool) -> list[OpRow]:
    """The rows of a phase in order of execution, those outside ops last; `split`: joined projections one by one.

    The parts of a joined kernel share its expected time by their bounds.
    """
    question, machine = ran.question, ran.question.machine()
    by = question.expectation(machine, question.run.batch / ran.stages.microbatches)
    clock = None if by is None else _clock(ran, by)
    rows: list[OpRow] = []
    for kernel in _kernels(ran, clock):
        count = float(kernel.ops[0].count * ran.micro)
        parts = [row_of(question, op, ran.precision, machine, count) for op in kernel.ops]
        parts = _timed(parts, None if kernel.seconds is None else count * kernel.seconds)
        rows += parts if split or len(parts) == 1 else [_together(parts)]
    bound = _beside_bound(ran, rows)
    rows += _outside(ran, bound if clock is None else _beside(ran, clock, rows), bound)
    whole = float(ran.phase.times.expected) or 1.0
    return [row._replace(phase=ran.phase.name, share=float(row.expected_s) / whole) for row in rows]


def _clock(ran: Ran, by: Expectation) -> _Clock:
    device = without_received(ran.ledger).on_device
    return _Clock(by, device, *kernel_times(device, ran.precision, by.machine, by.chip))


def _kernels(ran: Ran, clock: _Clock | None) -> Iterator[_Kernel]:
    """The kernels of a phase in order: of the device, of the links, and of the host's cores."""
    if clock is None:
        yield from (_Kernel(product, None) for product in products_of(ran.ledger.ops, _PACKED))
        return
    by, asked = clock.by, iter(zip(clock.asked.products, clock.asked.order, strict=True))
    product, place = next(asked, _NO_PRODUCT)
    within: set[int] = set()
    for op in ran.ledger.ops:
        if product and op is product[0]:
            yield _Kernel(product, float(clock.times[place[1]]) + float(by.fetched(op, ran.precision)))
            within |= {id(part) for part in product}
            product, place = next(asked, _NO_PRODUCT)
        elif op.runs_on == "host" and by.cores is not None:
            yield _Kernel([op], float(sum(by.on_cores(op, ran.precision))))
        elif id(op) not in within:  # held and not run, or received: that counts with the stage that sends
            yield _Kernel([op], 0.0)


def _timed(parts: list[OpRow], seconds: float | None) -> list[OpRow]:
    """The parts of a kernel with its seconds, shared by their bounds; equally where they have none."""
    if seconds is None:
        return [row._replace(expected_s=row.bound_s) for row in parts]
    whole = sum(float(row.bound_s) for row in parts)
    shares = [float(row.bound_s) / whole if whole else 1.0 / len(parts) for row in parts]
    return [row._replace(expected_s=seconds * share) for row, share in zip(parts, shares, strict=True)]


def _together(parts: Sequence[OpRow]) -> OpRow:
    """The parts of a joined kernel as one, which runs as often as each of them."""
    return merged(joined_name([row.name for row in parts]), parts)._replace(count=parts[0].count)


def _outside(ran: Ran, expected: dict[str, float], bound: dict[str, float]) -> Iterator[OpRow]:
    """Rows of what is no op, as far as it is not nothing."""
    least = _ROUNDING * float(ran.phase.times.expected)
    for name in _ORDER:
        seconds, of_bound = expected.get(name, 0.0), bound.get(name, 0.0)
        if max(abs(seconds), abs(of_bound)) > least:
            yield _NO_OP._replace(name=name, expected_s=seconds, bound_s=of_bound)


def _beside_bound(ran: Ran, rows: Sequence[OpRow]) -> dict[str, float]:
    """Seconds of the bound beside those of its ops: communication behind work, or the other way round, and stages."""
    own, hidden = sum(float(row.bound_s) for row in rows), 0.0
    if ran.question.spread.overlap:
        crossing = float(ran.phase.communication_s)
        hidden = -min(own - crossing, crossing)
    return {HIDDEN: hidden, STAGES: float(ran.phase.times.bound) - own - hidden}


def _beside(ran: Ran, clock: _Clock, rows: Sequence[OpRow]) -> dict[str, float]:
    """Expected seconds beside those of ops: what the engine adds, then stages, then what is missing to the bound."""
    found = _of_engine(ran, clock)
    seconds = sum(float(row.expected_s) for row in rows) + sum(found.values())
    through = _through_stages(ran, clock.by) if ran.piped else seconds
    return found | {STAGES: through - seconds, LIFTED: float(ran.phase.times.expected) - through}


def _of_engine(ran: Ran, clock: _Clock) -> dict[str, float]:
    """Seconds that the engine adds on one stage, all microbatches of it."""
    by, precision, host = clock.by, ran.precision, float(clock.by.chip.host)
    engine, kernels = by.chip.engine, one_by_one(clock.asked, clock.times)
    found = {
        GAPS: float(beside_host(kernels, clock.asked, by.chip) - kernels),
        STEP: host * engine.step_s,
        SEQUENCES: host * engine.sequence_s * float(by.batch),
        REQUEST: host * engine.request_s * float(ran.workload.begun(ran.ledger) / ran.stages.turns),
    }
    if by.overlap:
        on_cores = [(op.count, *by.on_cores(op, precision)) for op in ran.ledger.on_host if by.cores is not None]
        fetching = sum(float(op.count * by.fetched(op, precision)) for op in ran.ledger.ops)
        fetching += sum(float(count * link) for count, _, link in on_cores)
        work = float(kernels) + sum(float(count * own) for count, own, _ in on_cores)
        found[HIDDEN] = -min(work + found[GAPS] + found[STEP] + found[SEQUENCES], fetching)
    return {name: ran.micro * seconds for name, seconds in found.items()}


def _through_stages(ran: Ran, by: Expectation) -> float:
    """Expected seconds of all microbatches through all stages."""
    times = []
    for stage in ran.stages.each:
        phase = stage.workload[ran.phase.name]
        begun = stage.workload.begun(phase) / ran.stages.turns
        seconds = by.seconds(without_received(phase), ran.precision, begun)
        times.append((seconds, seconds, stage.number))
    return float(in_stages(times, ran.stages.microbatches, ran.phase.name == "decode"))
