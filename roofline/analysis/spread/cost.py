"""What a run takes on several devices, or with parts of it elsewhere: stages, microbatches, communication, memory.

A pipeline takes the batch in as many microbatches as asked, else as it has stages, or sequences if these are fewer.
With stage times t, a prefill of m microbatches takes sum(t) + (m - 1) max(t): the pipeline fills, then the slowest
stage sets the pace. A decode step of all sequences takes max(sum(t), m max(t)): a microbatch can start anew when it has
come through. What the last stage receives keeps it busy, but counts in sum(t) once, with the stage that sends it.

Source: Huang et al. 2019, GPipe (arXiv:1811.06965), section 2; Narayanan et al. 2021 (arXiv:2104.04473), section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from roofline.analysis import limits
from roofline.analysis.expectation import Expectation, expect
from roofline.analysis.formats import check_overrides
from roofline.analysis.result import Memory, PhaseEstimate, Times
from roofline.analysis.spread.exchanges import exchange_s, own_work
from roofline.analysis.spread.spread import Spread
from roofline.errors import UsageError
from roofline.machine.time import PhaseCost, phase_cost
from roofline.num import Num, maximum, minimum
from roofline.passes.fusion.levels import apply_fusion
from roofline.passes.offload import offload
from roofline.passes.parallel.pipeline import layers_of, stage_layers
from roofline.passes.parallel.shard import shard
from roofline.workload.op import Op
from roofline.workload.run import TextRun
from roofline.workload.workload import Phase, Workload

if TYPE_CHECKING:
    from roofline.analysis.question import Question


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of pipeline stage: how many there are, and what one device of it runs per microbatch."""

    number: int
    workload: Workload
    ideal: Workload


@dataclass(frozen=True, slots=True)
class StageTime:
    """One phase on one stage, per microbatch: counts and roofline of its own work, and its communication."""

    number: int
    cost: PhaseCost
    communication_s: Num
    communication_bytes: Num
    expected_s: Num = 0.0
    received_s: Num = 0.0

    @property
    def serial_s(self) -> Num:
        """Nothing hidden: own work, then communication."""
        return self.cost.bound_s + self.communication_s

    @property
    def overlapped_s(self) -> Num:
        """Communication hidden behind work, or the other way round."""
        return maximum(self.cost.bound_s, self.communication_s)

    @property
    def through_s(self) -> Num:
        """Nothing hidden, without what the stage before sends, on the way of one microbatch through all stages."""
        return self.serial_s - self.received_s

    @property
    def through_overlapped_s(self) -> Num:
        """The same with communication hidden."""
        return maximum(self.cost.bound_s, self.communication_s - self.received_s)


def stages_of(question: Question, spread: Spread, run: TextRun) -> tuple[list[Stage], Num]:
    """The kinds of stages of a run, and the number of microbatches."""
    plan = spread.plan
    micro: Num = minimum(run.batch, float(spread.microbatches or plan.pp)) if plan.pp > 1 else 1.0
    whole = question.ideal_workload(replace(run, batch=run.batch / micro) if plan.pp > 1 else run)
    kinds = {0: 1}
    if plan.pp > 1:
        layers = stage_layers(layers_of(whole.phases[0].ops), plan.pp)
        seen: dict[tuple[bool, bool, int], int] = {}
        kinds = {}
        for stage, count in enumerate(layers):
            first = seen.setdefault((stage == 0, stage == plan.pp - 1, count), stage)
            kinds[first] = kinds.get(first, 0) + 1
    found = []
    for stage, number in kinds.items():
        try:
            ideal = shard(whole, plan, stage=stage)
        except UsageError as error:
            raise spread.as_asked(error) from None
        if spread.offload is not None:
            ideal = offload(ideal, spread.offload)
        found.append(Stage(number, apply_fusion(ideal, question.fusion), ideal))
    return found, micro


def stage_memory(question: Question, stage: Stage, micro: Num, reserve: float) -> tuple[Num, Num, Num, Num, float]:
    """Bytes on one device: weights, cache, state, activations of one microbatch, runtime."""
    precision, workload = question.precision, stage.workload
    return (
        workload.weight_bytes(precision),
        workload.cache_elements() * precision.cache.bytes * micro,
        workload.state_bytes(precision) * micro,
        workload.activation_peak_bytes(precision),
        reserve,
    )


def spread_bytes(question: Question, spread: Spread, run: TextRun) -> Num:
    """Bytes that a run needs on the device that needs most."""
    stages, micro = stages_of(question, spread, run)
    most: Num = 0.0
    for stage in stages:
        total: Num = 0.0
        for bytes_ in stage_memory(question, stage, micro, spread.reserve):
            total = total + bytes_
        most = maximum(most, total)
    return most


@dataclass(frozen=True)
class SpreadResult:
    """Phases, memory and the ledger of the device that takes longest in the last phase.

    `replicas` of it all run side by side.
    """

    workload: Workload
    phases: tuple[PhaseEstimate, ...]
    memory: Memory
    microbatches: Num
    replicas: float


def evaluate(question: Question, spread: Spread, whole: Workload) -> SpreadResult:
    """Evaluate a question on several devices. `whole` is the model's workload on one."""
    if question.precision.overrides:
        check_overrides(question.precision, whole)
    stages, micro = stages_of(question, spread, question.run)
    indices = range(len(stages[0].workload.phases))
    times = [[_stage_time(question, spread, stage, index, micro) for stage in stages] for index in indices]
    ledger = max(range(len(stages)), key=lambda stage: first_value(times[-1][stage].serial_s))
    phases = tuple(
        _phase(question, spread, stages[ledger].workload.phases[index], times[index], ledger, micro)
        for index in indices
    )  # fmt: skip
    memory = _memory(question, spread, stages, micro)
    return SpreadResult(stages[ledger].workload, phases, memory, micro, float(spread.plan.dp))


def _phase(
    question: Question, spread: Spread, phase: Phase, times: list[StageTime], ledger: int, micro: Num
) -> PhaseEstimate:
    """Times of a phase over all stages; counts, and what bounds it, of the stage in the ledger."""
    decode = phase.name == "decode"

    def total(value: Callable[[StageTime], Num], through: Callable[[StageTime], Num] | None = None) -> Num:
        way = through or value
        return in_stages([(value(time), way(time), time.number) for time in times], micro, decode=decode)

    serial = total(lambda t: t.serial_s, lambda t: t.through_s)
    overlapped = total(lambda t: t.overlapped_s, lambda t: t.through_overlapped_s)
    bound = overlapped if spread.overlap else serial
    expectation = _expectation(question, micro)
    floor = total(lambda t: t.cost.floor_s)
    busiest = times[ledger]
    parts = {
        "compute": busiest.cost.compute_bound_s, "memory": busiest.cost.memory_bound_s,
        "communication": busiest.communication_s,
    }  # fmt: skip
    cost = busiest.cost
    return PhaseEstimate(
        name=phase.name, repeat=phase.repeat, context=phase.context, flops=cost.flops * micro,
        vector_flops=cost.vector_flops * micro, bytes=cost.bytes * micro, kernels=phase.kernels * micro,
        communication_bytes=busiest.communication_bytes * micro,
        bound_by=max(parts, key=lambda name: first_value(parts[name])),
        times=expectation.times(floor, bound, total(lambda t: t.expected_s)) if expectation is not None
        else Times(floor, bound, bound, bound, bound),
        communication_s=busiest.communication_s * micro, overlapped_s=overlapped, serial_s=serial,
    )  # fmt: skip


def in_stages(times: list[tuple[Num, Num, int]], micro: Num, *, decode: bool) -> Num:
    """Time of `micro` microbatches through stages: seconds that each keeps a stage busy, seconds that it adds to a
    microbatch's way, number of such stages.
    """
    through: Num = 0.0
    slowest: Num = 0.0
    for time, way, number in times:
        through = through + way * number
        slowest = maximum(slowest, time)
    return maximum(through, micro * slowest) if decode else through + (micro - 1.0) * slowest


def _expectation(question: Question, micro: Num) -> Expectation | None:
    """What the engine makes of one microbatch on one device."""
    return expect(question.gpu, question.engine, question.machine(), question.run.batch / micro)


def _stage_time(question: Question, spread: Spread, stage: Stage, index: int, micro: Num) -> StageTime:
    """Own work and communication of one phase on one stage, per microbatch."""
    precision, fabric = question.precision, spread.fabric
    phase = stage.workload.phases[index]
    reference = None if question.fusion == "flash" else own_work(stage.ideal.phases[index])
    cost = phase_cost(own_work(phase), precision, question.machine(), reference)
    seconds, crossing = exchange_s(phase, precision, fabric)
    expectation = _expectation(question, micro)
    given = tuple(op for op in phase.ops if op.name != "receive")
    received = seconds - exchange_s(replace(phase, ops=given), precision, fabric)[0] if given != phase.ops else 0.0
    expected = expectation.seconds(replace(phase, ops=given), precision) if expectation is not None else 0.0
    return StageTime(stage.number, cost, seconds, crossing, expected, received)


def first_value(value: Num) -> float:
    """A value, or the first of a grid."""
    return value if isinstance(value, float) else float(value.flat[0])


def fullest(question: Question, spread: Spread, stages: list[Stage], micro: Num) -> Stage:
    """The stage whose devices need most memory, at the first point of a grid."""

    def total(stage: Stage) -> float:
        return sum(first_value(value) for value in stage_memory(question, stage, micro, spread.reserve))

    return max(stages, key=total)


def _memory(question: Question, spread: Spread, stages: list[Stage], micro: Num) -> Memory:
    """Bytes on the device that needs most."""
    stage = fullest(question, spread, stages, micro)
    weights, cache, state, activations, reserve = stage_memory(question, stage, micro, spread.reserve)
    last = stage.ideal.phases[-1]
    per_token = last.total(_cached) * question.precision.cache.bytes / maximum(last.tokens, 1.0)
    capacity = question.machine().capacity
    return Memory(
        weights_bytes=weights, kv_cache_bytes=cache, kv_cache_bytes_per_token=per_token, state_bytes=state,
        activation_peak_bytes=activations, runtime_bytes=reserve, capacity_bytes=capacity,
        find_max_batch=partial(limits.max_batch, question, capacity),
        find_max_context=partial(limits.max_context, question, capacity),
    )  # fmt: skip


def _cached(op: Op) -> Num:
    return op.cache_write if op.kind == "attention" else 0.0
