"""The time of a step: micro-batches through the stages of a pipeline, exchanges between replicas, the optimizer.

With stage times t of a micro-batch, forward and backward, a step of m micro-batches takes m max(t) and the time in
which the pipeline fills and drains: sum(t) - max(t) for GPipe and one-forward-one-backward, that divided by the chunks
of layers on each device where stages are interleaved, and a third of it where the gradients of weights fill the gaps.

Sources: Huang et al. 2019, GPipe (arXiv:1811.06965); Narayanan et al. 2021 (arXiv:2104.04473), section 2.2; Qi et al.
2023, Zero Bubble Pipeline Parallelism (arXiv:2401.10241), table 1: a bubble of (p - 1)(t_f + t_b - 2 t_w) instead
of (p - 1)(t_f + t_b + t_w), in which each of the three, forward, inputs and weights, is about a third.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from roofline.analysis.training.held import sharing_of, tensors_of
from roofline.analysis.training.passes import Links, Pass, PassTime, Setting, links_time, pass_time
from roofline.analysis.training.work import StageWork
from roofline.num import Num, maximum
from roofline.passes.training.exchanges import Shared, gathered, scattered, step_exchanges
from roofline.passes.training.optimizer import optimizer_ops, orthogonal_ops
from roofline.runs.training.optimizers import optimizer_of
from roofline.runs.training.run import TrainQuestion
from roofline.runs.training.states import Sharing
from roofline.workload.op import Op

#: What is left of a pipeline's bubble where gradients of weights fill it.
_FILLED: Final = 1.0 / 3.0


class StagePasses(NamedTuple):
    """What one device of a kind of stage does and exchanges in a step, whatever it takes."""

    work: StageWork
    forward: Pass
    recompute: Pass
    backward: Pass
    update: Pass
    gather: list[Op]
    scatter: list[Op]
    step: list[Op]

    @classmethod
    def of(cls, question: TrainQuestion, work: StageWork) -> StagePasses:
        """The passes of a kind of stage."""
        groups, zero = shared_weights(question, work), sharing_of(question).zero
        return cls(
            work,
            Pass.of("forward", work.forward),
            Pass.of("recompute", work.recompute),
            Pass.of("backward", work.backward),
            Pass.of("optimizer", update_ops(question, work, groups)),
            [op for group in groups for op in gathered(group, "weights")] if zero == 3 else [],
            [op for group in groups for op in scattered(group)] if zero == 3 else [],
            [op for group in groups for op in step_exchanges(group, zero)],
        )


class StageTime(NamedTuple):
    """One kind of stage: its passes over a micro-batch, what it gathers and scatters then, its exchanges of a step."""

    work: StageWork
    forward: PassTime
    recompute: PassTime
    backward: PassTime
    gather: Links
    regather: Links
    scatter: Links
    update: PassTime
    step: Links

    @property
    def passes(self) -> tuple[PassTime, PassTime, PassTime]:
        """Forward, repeated, backward."""
        return (self.forward, self.recompute, self.backward)

    def floor_s(self) -> Num:
        """The speed of light of a micro-batch: forward and backward, without what is only repeated to keep less."""
        return self.forward.cost.floor_s + self.backward.cost.floor_s

    def bound_s(self) -> Num:
        """The bound of a micro-batch: everything that is exchanged hides behind work where that is longer."""
        ahead = maximum(self.forward.bound_s, self.gather.bound_s)
        back = maximum(self.recompute.bound_s + self.backward.bound_s, self.regather.bound_s + self.scatter.bound_s)
        return ahead + back

    def expected_s(self, hidden: float) -> Num:
        """As expected: replicas' exchanges show as far as they are not hidden behind the pass that they go with."""
        return self.work_s + self.exposed_s(hidden)

    @property
    def work_s(self) -> Num:
        """The expected time of the three passes, with what layers exchange."""
        return self.forward.together_s + self.recompute.together_s + self.backward.together_s

    def exposed_s(self, hidden: float) -> Num:
        """What of a micro-batch's gathering and scattering shows, as expected."""
        ahead = shown(self.gather.expected_s, self.forward.together_s, hidden)
        behind = self.recompute.together_s + self.backward.together_s
        return ahead + shown(self.regather.expected_s + self.scatter.expected_s, behind, hidden)


def shown(seconds: Num, behind: Num, hidden: float) -> Num:
    """What shows of an exchange of which a share can hide behind work: the rest, or what is longer than the work."""
    return maximum(seconds * (1.0 - hidden), seconds - behind)


class StepTime(NamedTuple):
    """A whole step: its readings, and what of it is not work."""

    stages: tuple[StageTime, ...]
    microbatches: float
    floor_s: Num
    bound_s: Num
    expected_s: Num
    bubble_s: Num
    exposed_s: Num
    update_s: Num
    exposed_step_s: Num

    @property
    def slowest(self) -> StageTime:
        """The stage that sets the pace."""
        return max(self.stages, key=lambda stage: float(stage.work_s))


def step_time(question: TrainQuestion, works: Sequence[StageWork]) -> StepTime:
    """The time of a step over its kinds of stages."""
    return timed(Setting.of(question), [StagePasses.of(question, work) for work in works])


def timed(setting: Setting, passes: Sequence[StagePasses]) -> StepTime:
    """The time of a step in a setting."""
    question = setting.question
    stages = tuple(_stage_time(setting, each) for each in passes)
    hidden, micro = question.habits.hidden, question.microbatches
    expected, bubble = _piped(stages, lambda stage: stage.expected_s(hidden), question)
    least, _ = _piped(stages, StageTime.bound_s, question)
    floor = micro * max(float(stage.floor_s()) for stage in stages)
    slow = max(stages, key=lambda stage: float(stage.work_s))
    shown_s = max(float(shown(stage.step.expected_s, stage.backward.together_s, hidden)) for stage in stages)
    update = max(float(stage.update.together_s) for stage in stages)
    host = setting.chip.host * setting.engine.step_s if setting.chip and setting.engine else 0.0
    hiding = max(float(maximum(stage.step.bound_s - stage.backward.bound_s, 0.0)) for stage in stages)
    bound = least + hiding + max(float(stage.update.bound_s) for stage in stages)
    layers = sum(float(p.together_s - p.expected_s) for p in slow.passes)
    exposed = micro * (float(slow.exposed_s(hidden)) + layers) + shown_s
    floor = max(floor, *(float(stage.update.cost.floor_s) for stage in stages))
    total = maximum(expected + shown_s + update + host, bound)
    return StepTime(stages, micro, floor, bound, total, bubble, exposed, update, shown_s)


def _piped(
    stages: Sequence[StageTime], time_of: Callable[[StageTime], Num], question: TrainQuestion
) -> tuple[Num, Num]:
    """Seconds of all micro-batches through all stages, and those of them in which stages wait."""
    times = [(float(time_of(stage)), stage.work.number) for stage in stages]
    slowest = max(time for time, _ in times)
    filling = (sum(time * number for time, number in times) - slowest) / question.layout.vpp
    if question.layout.schedule == "zero-bubble":
        filling = filling * _FILLED
    return question.microbatches * slowest + filling, filling


def _stage_time(setting: Setting, passes: StagePasses) -> StageTime:
    habits = setting.question.habits
    ahead, back = links_time(setting, passes.gather), links_time(setting, passes.scatter)
    return StageTime(
        passes.work,
        pass_time(setting, passes.forward),
        pass_time(setting, passes.recompute),
        pass_time(setting, passes.backward, habits.backward),
        ahead,
        ahead,
        back,
        pass_time(setting, passes.update, habits.update),
        links_time(setting, passes.step),
    )


def shared_weights(question: TrainQuestion, work: StageWork) -> list[Shared]:
    """The weights that replicas of a stage hold alike: those of experts, whose replicas are fewer, and the others."""
    plan = question.plan
    held = {True: 0.0, False: 0.0}
    taught = {True: 0.0, False: 0.0}
    for flow in work.flows:
        routed, number = flow.op.kind == "experts", flow.op.count * flow.op.params
        held[routed] += number
        taught[routed] += number if flow.weights else 0.0
    wide = 4.0 / (question.precision.activations.bits / 8.0) if question.habits.gradients != "narrow" else 1.0
    groups = [("weights", False, plan.dp * plan.cp, plan.tp)]
    if held[True]:
        groups.append(("experts", True, Sharing.of(plan, question.layout.zero).experts, max(plan.tp, plan.ep)))
    return [
        Shared(name, held[routed], devices, stride, wide, taught[routed] / held[routed] if held[routed] else 0.0)
        for name, routed, devices, stride in groups
    ]


def update_ops(question: TrainQuestion, work: StageWork, groups: Sequence[Shared]) -> tuple[Op, ...]:
    """The optimizer's step on one device: over its share of what is trained."""
    recipe, own = question.recipe, 0.0
    for group in groups:
        own += group.parameters * group.trained / (group.devices if question.layout.zero else 1)
    states = recipe.master + recipe.optimizer
    ops = optimizer_ops(own, 2.0 * recipe.gradients + states, recipe.weights + states)
    if not optimizer_of(question.run.optimizer).orthogonal:
        return ops
    whole = sum(group.parameters * group.trained for group in groups)
    return (*ops, *orthogonal_ops(tensors_of(work)[0], own / whole if whole else 1.0))
