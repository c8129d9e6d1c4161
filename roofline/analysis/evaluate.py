"""A question to its outcome: phases, memory and quantities, on one device or several, whatever the kind of run.

A run on one device is one stage, and one microbatch goes through it. With stage times t, a prefill of m microbatches
takes sum(t) + (m - 1) max(t): the pipeline fills, then the slowest stage sets the pace. A decode step of all sequences
takes max(sum(t), m max(t)): a microbatch can start anew when it has come through. What the last stage receives keeps it
busy, but counts in sum(t) once, with the stage that sends it.

Source: Huang et al. 2019, GPipe (arXiv:1811.06965), section 2; Narayanan et al. 2021 (arXiv:2104.04473), section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from roofline.analysis.exchanges import exchange_s, own_work
from roofline.answer.memory import Memory
from roofline.answer.phase import Parameters, PhaseEstimate, Roof
from roofline.answer.quantity import Quantity
from roofline.answer.times import Times
from roofline.errors import Place, SpecError
from roofline.machine.collectives import Fabric
from roofline.machine.cores import beside, cores_cost
from roofline.machine.intervals import timed_as
from roofline.machine.machine import Machine
from roofline.machine.time import PhaseCost, phase_cost
from roofline.num import Num, first_value, maximum
from roofline.runs.devices.spread import ALONE
from roofline.runs.execution import Stage, Stages
from roofline.runs.expectation import Expectation
from roofline.runs.formats import check_overrides
from roofline.runs.kind import Outcome, Question
from roofline.workload.workload import Phase, Workload

Form = TypeVar("Form", bound=Outcome)


class StageTime(NamedTuple):
    """One phase on one kind of stage, per microbatch: counts and roofline of its own work, and its communication.

    `received_s` is the part of the communication that the stage before sends, `kernels` are those of all of it.
    """

    number: int
    cost: PhaseCost
    kernels: Num
    communication_s: Num = 0.0
    communication_bytes: Num = 0.0
    expected_s: Num = 0.0
    received_s: Num = 0.0

    @property
    def silent(self) -> bool:
        """Whether nothing is exchanged."""
        return isinstance(self.communication_s, float) and self.communication_s == 0.0

    @property
    def serial_s(self) -> Num:
        """Nothing hidden: own work, then communication."""
        return self.cost.bound_s if self.silent else self.cost.bound_s + self.communication_s

    @property
    def overlapped_s(self) -> Num:
        """Communication hidden behind work, or the other way round."""
        return self.cost.bound_s if self.silent else maximum(self.cost.bound_s, self.communication_s)

    @property
    def through_s(self) -> Num:
        """Nothing hidden, without what the stage before sends, on the way of one microbatch through all stages."""
        return self.serial_s - self.received_s

    @property
    def through_overlapped_s(self) -> Num:
        """The same with communication hidden."""
        return maximum(self.cost.bound_s, self.communication_s - self.received_s)


class _Setting(NamedTuple):
    """What all phases have in common: the machine, its links, and what the engine makes of one microbatch."""

    question: Question
    machine: Machine
    expectation: Expectation | None
    micro: Num
    turns: Num = 1.0

    @property
    def fabric(self) -> Fabric | None:
        """The links between devices."""
        return self.question.spread.fabric

    def piped(self, times: Sequence[StageTime]) -> bool:
        """Whether the times of stages must be put together: there are several, or several microbatches."""
        return len(times) > 1 or times[0].number > 1 or not isinstance(self.micro, float) or self.micro != 1.0


def evaluate(question: Question, form: type[Form]) -> Form:
    """Evaluate a question, as an outcome of that form. Raises UsageError where its options do not fit its model."""
    kind = question.kind
    parameters = _parameters(question)
    stages = question.stages()
    phases, ledger = phases_of(question, stages)
    memory = kind.memory(question, stages, parameters, partial(_needs, question))
    quantities = tuple(kind.quantities(question, phases, memory))
    return form(question, ledger.workload, parameters, memory, phases, quantities, stages.microbatches)


def phases_of(question: Question, stages: Stages) -> tuple[tuple[PhaseEstimate, ...], Stage]:
    """The phases of a question over its stages, and the stage that takes longest."""
    return _phases(_setting(question, stages), stages.each)


def quantities_of(question: Question, stages: Stages, memory: Memory) -> tuple[Quantity, ...]:
    """The headline figures of a question whose stages and memory are known: of faster hardware they are the same."""
    phases, _ = _phases(_setting(question, stages), stages.each)
    return tuple(question.kind.quantities(question, phases, memory))


def _setting(question: Question, stages: Stages) -> _Setting:
    machine, micro = question.machine(), stages.microbatches
    return _Setting(question, machine, question.expectation(machine, question.run.batch / micro), micro, stages.turns)


#: A thousand times the largest model that there is; whole numbers are exact in a float to nine times as many.
MOST_PARAMETERS: Final = 1e15

#: What the devices of runs do, by all that it depends on but the accelerator.
Kept: TypeAlias = dict[tuple[Any, ...], Stages]


def memory_of(question: Question, kept: Kept) -> Memory:
    """What a question's run holds, without its times; whether its devices have links for it is not looked at.

    `kept` holds the stages of one model from call to call: they are the same on every accelerator. Raises UsageError
    where its options do not fit its model.
    """
    parameters = _parameters(question)

    def stages(run: Any) -> Stages:
        spread, away = question.spread, question.spread.away and question.spread.away.text()
        how = (question.execution._replace(spread=ALONE), spread.plan, spread.alone, spread.microbatches, away)
        key = (run, *how)
        if key not in kept:
            kept[key] = question.stages(run)
        return kept[key]

    def needs(run: Any) -> Num:
        return question.kind.held(replace(question, run=run), stages(run))

    return question.kind.memory(question, stages(question.run), parameters, needs)


def _parameters(question: Question) -> Parameters:
    """Parameters of the model. Raises UsageError for formats of ops that it does not have."""
    whole = question.workload()
    if question.precision.overrides:
        check_overrides(question.precision, whole)
    found = question.kind.parameters(question, whole)
    if not found.total <= MOST_PARAMETERS:
        message = f"its sizes make {found.total:.3g} parameters; no model has more than {MOST_PARAMETERS:.0e}"
        raise SpecError(message, Place(question.model_origin.path), hint=_largest_op(whole))
    return found


def _largest_op(workload: Workload) -> str:
    op = max(workload.holders(), key=lambda op: op.count * op.params)
    return f"Most of them are in {op.name} of {op.block}: look at its sizes there."


def evaluate_aside(question: Question) -> tuple[Workload, PhaseEstimate] | None:
    """What a device runs beside the phases of the run, with counts and times of one step of it; None where there is
    nothing. No total counts it.
    """
    stages = question.stages()
    found = next((stage.aside for stage in stages.each if stage.aside is not None), None)
    if found is None:
        return None
    machine, run = question.machine(), question.run
    setting = _Setting(question, machine, question.expectation(machine, run.batch), 1.0)
    stage = Stage(1, found, found)
    return found, _phase(setting, found.phases[0], [_stage_time(setting, stage, 0)], 0)


def _needs(question: Question, run: Any) -> Num:
    """Bytes on the fullest device for another run of the question."""
    return question.kind.held(replace(question, run=run), question.stages(run))


def _phases(setting: _Setting, stages: Sequence[Stage]) -> tuple[tuple[PhaseEstimate, ...], Stage]:
    """The phases over all stages, and the stage that takes longest in the last of them: that of the ledger."""
    indices = range(len(stages[0].workload.phases))
    times = [[_stage_time(setting, stage, index) for stage in stages] for index in indices]
    busiest = max(range(len(stages)), key=lambda stage: first_value(times[-1][stage].serial_s))
    ledger = stages[busiest]
    if ledger.workload.towers and busiest:  # the first stage has them
        ledger = ledger._replace(workload=Workload((*stages[0].workload.towers, *ledger.workload.own)))
    phases = ledger.workload.phases
    each = (_phase(setting, phases[i], times[i], 0 if phases[i].beside else busiest) for i in indices)
    return tuple(each), ledger


def _stage_time(setting: _Setting, stage: Stage, index: int) -> StageTime:
    """Own work and communication of one phase on one stage, per microbatch."""
    phase, question = stage.workload.phases[index], setting.question
    precision, expectation = question.precision_of(phase), setting.expectation
    begun = stage.workload.begun(phase) / setting.turns  # once on the way through all stages
    reference = None if question.execution.level == "flash" else stage.ideal.phases[index]
    if not any(op.kind == "collective" for op in phase.ops):
        cost = phase_cost(phase, precision, setting.machine, reference)
        expected = expectation.seconds(phase, precision, begun) if expectation else 0.0
        return StageTime(stage.number, cost, cost.kernels, expected_s=expected)
    cost = phase_cost(own_work(phase), precision, setting.machine, reference and own_work(reference))
    seconds, crossing = exchange_s(phase, precision, setting.fabric)
    if phase.on_host:
        cores = question.spread.cores
        assert cores is not None
        host = cores_cost(phase.on_host, precision, cores, setting.machine)
        cost, seconds, crossing = beside(cost, host.cost), seconds + host.link_s, crossing + host.link_bytes
    given = without_received(phase)
    received = 0.0 if given is phase else seconds - exchange_s(given, precision, setting.fabric)[0]
    expected = expectation.seconds(given, precision, begun) if expectation else 0.0
    return StageTime(stage.number, cost, phase.kernels, seconds, crossing, expected, received)


def without_received(phase: Phase) -> Phase:
    """A phase without what it receives from the stage before, whose time is that of the stage that sends."""
    if not any(op.name == "receive" for op in phase.ops):
        return phase
    return phase.kept("given", lambda: replace(phase, ops=tuple(op for op in phase.ops if op.name != "receive")))


def _phase(setting: _Setting, phase: Phase, times: list[StageTime], busiest: int) -> PhaseEstimate:
    """Times of a phase over all stages; counts, and what bounds it, of the stage in the ledger."""
    micro, own = setting.micro, times[busiest]
    cost, serial, overlapped = own.cost, own.serial_s, own.overlapped_s
    floor, expected = cost.floor_s, own.expected_s
    counts: Sequence[Num] = (cost.flops, cost.vector_flops, cost.bytes, own.kernels)
    exchanged: Sequence[Num] = (own.communication_bytes, own.communication_s)
    if setting.piped(times):
        counts, exchanged = [count * micro for count in counts], [count * micro for count in exchanged]
        steady = phase.name == "decode"
        serial = in_stages([(t.serial_s, t.through_s, t.number) for t in times], micro, steady)
        overlapped = in_stages([(t.overlapped_s, t.through_overlapped_s, t.number) for t in times], micro, steady)
        floor = in_stages([(t.cost.floor_s, t.cost.floor_s, t.number) for t in times], micro, steady)
        expected = in_stages([(t.expected_s, t.expected_s, t.number) for t in times], micro, steady)
    bound = overlapped if setting.question.spread.overlap else serial
    expectation = setting.expectation
    flops, vector_flops, moved, kernels = counts
    return PhaseEstimate(
        name=phase.name,
        repeat=phase.repeat,
        context=phase.context,
        flops=flops,
        vector_flops=vector_flops,
        bytes=moved,
        kernels=kernels,
        communication_bytes=exchanged[0],
        bound_by=_bound_by(own),
        times=_times(expectation, phase, (floor, bound, expected)),
        communication_s=exchanged[1],
        overlapped_s=overlapped,
        serial_s=serial,
        roof=_roof(setting, phase),
    )


def _times(expectation: Expectation | None, phase: Phase, seconds: tuple[Num, Num, Num]) -> Times:
    """The readings of a phase from the seconds of its floor, of its bound and as expected, if an engine is."""
    floor, bound, expected = seconds
    if expectation is None:
        return Times(floor, bound, bound, bound, bound)
    return expectation.times(floor, bound, expected, timed_as(phase.name))


def _roof(setting: _Setting, phase: Phase) -> Roof:
    machine = setting.machine
    dtype = setting.question.precision_of(phase).matrix_dtype()
    return Roof(machine.tensor[dtype], machine.bandwidth, dtype)


def _bound_by(time: StageTime) -> str:
    """What takes longest, at the first point of a grid."""
    by_memory, by_compute = time.cost.first_bounds
    parts = {"memory": by_memory, "compute": by_compute, "communication": first_value(time.communication_s)}
    return max(parts, key=parts.__getitem__)


def in_stages(times: Sequence[tuple[Num, Num, int]], micro: Num, steady: bool) -> Num:
    """Time of `micro` microbatches through stages: seconds that each keeps a stage busy, seconds that it adds to a
    microbatch's way, number of such stages. `steady`: step follows step, so that nothing fills and drains.
    """
    through: Num = 0.0
    slowest: Num = 0.0
    for time, way, number in times:
        through = through + way * number
        slowest = maximum(slowest, time)
    return maximum(through, micro * slowest) if steady else through + (micro - 1.0) * slowest
