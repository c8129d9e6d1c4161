"""A training question to its outcome: the time of a step by phase, its FLOPs, and what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from roofline.analysis.training.flops import StepFlops, step_flops
from roofline.analysis.training.held import memory_of
from roofline.analysis.training.passes import Links, PassTime, Setting
from roofline.analysis.training.stages import stages_of, whole_of
from roofline.analysis.training.step import StepTime, step_time
from roofline.analysis.training.telling.refused import plain_refusals
from roofline.analysis.training.work import StageWork
from roofline.answer.memory import Memory
from roofline.answer.phase import Parameters, PhaseEstimate, Roof
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.num import Num, maximum
from roofline.runs.training.run import TrainQuestion


@dataclass(frozen=True)
class TrainOutcome:
    """What comes out: `times` of a step in all readings, `step` its parts, `phases` of the stage that sets the pace."""

    question: TrainQuestion
    works: tuple[StageWork, ...]
    step: StepTime
    times: Times
    phases: tuple[PhaseEstimate, ...]
    flops: StepFlops
    parameters: Parameters
    memory: Memory


Form = TypeVar("Form", bound=TrainOutcome)


def evaluate_training(question: TrainQuestion, form: type[Form]) -> Form:
    """Evaluate a training question. Raises UsageError where its plan does not fit its model."""
    with plain_refusals(question):
        works = stages_of(question)
    step = step_time(question, works)
    setting = Setting.of(question)
    times = _times(setting, (step.floor_s, step.bound_s, step.expected_s))
    whole = whole_of(question)
    flops = step_flops(whole, question.microbatches * question.plan.dp)
    phases = tuple(_phases(setting, step))
    return form(question, works, step, times, phases, flops, _parameters(whole), memory_of(question, works))


def _parameters(whole: StageWork) -> Parameters:
    """All parameters, those that one token uses, those of the embedding, and beside them those that are trained."""
    held = [(flow, flow.op.count) for flow in whole.flows if flow.op.params]
    total = sum(count * flow.op.params for flow, count in held)
    active = sum(count * flow.op.active for flow, count in held)
    embedding = sum(count * flow.op.params for flow, count in held if flow.op.name == "embedding")
    trained = sum(count * flow.op.params for flow, count in held if flow.weights)
    return Parameters(total, active, embedding, {"trainable": trained})


def _times(setting: Setting, seconds: tuple[Num, Num, Num]) -> Times:
    """All readings: what the framework expects, within the interval of its steps."""
    floor, bound, expected = seconds
    if setting.question.engine == IDEAL or setting.chip is None:
        return Times(floor, bound, bound, bound, bound)
    low, high = setting.interval()
    return Times(floor, bound, expected, maximum(expected * low, bound), expected * high)


def _phases(setting: Setting, step: StepTime) -> Sequence[PhaseEstimate]:
    """The passes over a micro-batch, and what is done once a step, of the stage that sets the pace."""
    stage, hidden = step.slowest, setting.question.habits.hidden
    found = [
        _phase(setting, name, each, step.microbatches)
        for name, each in zip(("forward", "recompute", "backward"), stage.passes, strict=True)
        if each.kernels
    ]
    found.append(_phase(setting, "optimizer", stage.update, 1.0))
    gathering = step.microbatches * float(stage.exposed_s(hidden))
    exchanged = Links(
        step.microbatches * (stage.gather.bound_s + stage.regather.bound_s + stage.scatter.bound_s)
        + stage.step.bound_s,
        gathering + float(step.exposed_step_s),
        step.microbatches * (stage.gather.bytes + stage.regather.bytes + stage.scatter.bytes) + stage.step.bytes,
    )
    if exchanged.bytes:
        found.append(_exchange(setting, exchanged))
    return found


def _phase(setting: Setting, name: str, done: PassTime, repeat: float) -> PhaseEstimate:
    cost, links = done.cost, done.links
    bound = {"memory": cost.first_bounds[0], "compute": cost.first_bounds[1], "communication": float(links.bound_s)}
    return PhaseEstimate(
        name=name,
        repeat=repeat,
        context=0.0,
        flops=cost.flops,
        vector_flops=cost.vector_flops,
        bytes=cost.bytes,
        kernels=done.kernels,
        communication_bytes=links.bytes,
        bound_by=max(bound, key=bound.__getitem__),
        times=_times(setting, (cost.floor_s, done.bound_s, done.together_s)),
        communication_s=links.bound_s,
        overlapped_s=done.bound_s,
        serial_s=cost.bound_s + links.bound_s,
        roof=_roof(setting),
    )


def _exchange(setting: Setting, links: Links) -> PhaseEstimate:
    """What replicas exchange in a step: what shows of it is its time, what crosses the links its bytes."""
    seconds = links.expected_s
    return PhaseEstimate(
        name="exchange",
        repeat=1.0,
        context=0.0,
        flops=0.0,
        vector_flops=0.0,
        bytes=0.0,
        kernels=0.0,
        communication_bytes=links.bytes,
        bound_by="communication",
        times=_times(setting, (0.0, 0.0, seconds)),
        communication_s=links.bound_s,
        overlapped_s=0.0,
        serial_s=links.bound_s,
        roof=_roof(setting),
    )


def _roof(setting: Setting) -> Roof:
    dtype = setting.question.precision.matrix_dtype()
    return Roof(setting.machine.tensor[dtype], setting.machine.bandwidth, dtype)
