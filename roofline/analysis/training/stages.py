"""What the devices of a training run do: the ops of each kind of pipeline stage, forward, repeated and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from roofline.analysis.training.work import StageWork
from roofline.architectures.text.training import training_ops
from roofline.passes.fusion.eager import eager_ops
from roofline.passes.parallel.context import split_context
from roofline.passes.parallel.experts import split_experts
from roofline.passes.parallel.pipeline import layers_of, stage_layers, stage_ops
from roofline.passes.parallel.sequence import split_sequence
from roofline.passes.parallel.tensor import split_tensors
from roofline.passes.training.adapters import adapted, default_targets
from roofline.passes.training.flow import Flow, adapters_only, every_op, flows
from roofline.passes.training.gradients import Accumulated, backward_ops
from roofline.passes.training.kept.rules import Core, Rules
from roofline.passes.training.loss import loss_ops
from roofline.passes.training.products import repeated
from roofline.passes.training.recompute import Policy, recomputed
from roofline.runs.devices.spread import ALONE
from roofline.runs.training.run import TrainQuestion
from roofline.specs.text.reference import USUAL, ReferenceCode
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.shapes import CollectiveShape, MatmulShape

#: The gather of logits that are split over devices: the loss takes them as they are.
_GATHERED: Final = "head.all_gather"
#: What goes from stage to stage.
_BETWEEN: Final = ("send", "receive")
#: Where GPT drops out: what frameworks do that have dropout, whose models say nothing of it.
_AS_GPT: Final = ReferenceCode(dropout=("embedding", "attention", "residual"))


def stages_of(question: TrainQuestion) -> tuple[StageWork, ...]:
    """The kinds of stages of a training run. Raises UsageError where the plan does not fit the model."""
    run, plan = question.run, question.plan
    if run.height:
        from roofline.analysis.training.image.works import image_work

        return (image_work(question),)
    whole = training_ops(question.spec, run.micro_batch, run.sequence, run.decoder)
    if run.adapters is not None:
        targets = run.adapters.targets or default_targets(whole)
        joined = question.spec.reference.joined_feed_forward
        whole = adapted(
            whole, run.adapters._replace(targets=targets, joined=joined, wide=question.habits.adapters_wide)
        )
    kinds = _kinds(whole, plan.pp)
    return tuple(_stage(question, whole, stage, number) for stage, number in kinds.items())


def _kinds(whole: Sequence[Op], stages: int) -> dict[int, int]:
    """The first stage of each kind, and how many there are of it."""
    if stages == 1:
        return {0: 1}
    seen: dict[tuple[bool, bool, int], int] = {}
    kinds: dict[int, int] = {}
    for stage, layers in enumerate(stage_layers(layers_of(whole), stages)):
        first = seen.setdefault((stage == 0, stage == stages - 1, layers), stage)
        kinds[first] = kinds.get(first, 0) + 1
    return kinds


def whole_of(question: TrainQuestion) -> StageWork:
    """The same for one device that does all of it."""
    alone = replace(question.layout, spread=ALONE)
    return stages_of(replace(question, layout=alone))[0]


def _stage(question: TrainQuestion, whole: Sequence[Op], stage: int, number: int) -> StageWork:
    plan, run = question.plan, question.run
    first, last = stage == 0, stage == plan.pp - 1
    ops, spread = device_ops(question, whole, stage), device_ops(question, whole, stage, by_tokens=True)
    trains = every_op if run.adapters is None else adapters_only
    rooted = run.adapters is not None and run.recompute == "full"
    needed = flows(ops, trains, rooted=rooted, entered=not first)
    rules = rules_of(question)
    going = needed if spread == ops else flows(spread, trains, rooted=rooted, entered=not first)
    again = recomputed(going, _policy(question), rules)
    if question.by_products:
        again = tuple(repeated([flow.op for flow in going]))
    if run.eager_attention:
        going, again = unfused(going), tuple(eager_ops(again))
    ahead, behind = _loss(question, ops) if last else ((), ())
    back = backward_ops(going, Accumulated(question.habits.gradients != "narrow"))
    forward = (*(flow.op for flow in going), *ahead)
    return StageWork(number, first, last, needed, rules, forward, again, (*behind, *back))


def rules_of(question: TrainQuestion) -> Rules:
    """What layers keep, by the framework's habits and the model's reference code."""
    run, habits, layout = question.run, question.habits, question.layout
    core: Core = "again" if run.recompute == "selective" else "eager" if run.eager_attention else "flash"
    code = question.spec.reference
    if habits.dropout and code == USUAL:
        code = _AS_GPT
    drops = habits.dropout or habits.kept == "eager"
    shares = float(layout.plan.tp) if layout.sequence_parallel else 1.0
    return Rules(habits.kept == "fused", core, code, drops, shares, run.micro_batch)


def _policy(question: TrainQuestion) -> Policy:
    """What is repeated: as asked, and layers as the framework repeats them."""
    asked = question.run.recompute
    return "full-early" if asked == "full" and question.early else asked


def _loss(question: TrainQuestion, ops: Sequence[Op]) -> tuple[tuple[Op, ...], tuple[Op, ...]]:
    """The loss behind the head, forward and backward."""
    for op in ops:
        if op.name == "head" and isinstance(op.shape, MatmulShape):
            return loss_ops(op.shape.m, op.shape.n, question.habits.loss)
    return (), ()


def unfused(needed: Sequence[Flow]) -> tuple[Flow, ...]:
    """The flows of the kernels into which unfused code cuts ops: each needs the gradients of the op that it is of."""
    known = {(flow.op.block, flow.op.name): flow for flow in needed}
    out: list[Flow] = []
    for op in eager_ops([flow.op for flow in needed]):
        of = known.get((op.block, op.name)) or known.get((op.block, op.name.split(".")[0]))
        out.append(Flow(op, False, False, False, False) if of is None else of._replace(op=op))
    return tuple(out)


def device_ops(question: TrainQuestion, whole: Sequence[Op], stage: int, *, by_tokens: bool = False) -> tuple[Op, ...]:
    """What one device of a stage runs forward, with the exchanges within its groups.

    `by_tokens`: norms and residuals are spread over a group of tensors where the framework does so; rules of what is
    kept spread them on their own.
    """
    plan, width = question.plan, float(question.spec.width)
    if plan.devices == plan.dp and plan.ep == 1:
        return tuple(whole)
    tokens = question.run.micro_batch * question.run.sequence / plan.cp
    ops = split_context(whole, plan, prefill=True, every=True)
    ops = split_experts(ops, plan, 0)
    ops = split_tensors(ops, plan, 0)
    if by_tokens and question.layout.sequence_parallel:
        ops = split_sequence(ops, width, float(plan.tp))
    ops = stage_ops(ops, plan, stage, tokens * width / plan.tp)
    return tuple(_placed(op, plan, question.layout.vpp) for op in ops if op.name != _GATHERED)


def _placed(op: Op, plan: Plan, chunks: int) -> Op:
    """What goes from stage to stage crosses all devices of a stage, and once for every chunk of layers.

    Replicas stand between stages, as the libraries that train lay them out: a stage is on as few nodes as can be.
    """
    shape = op.shape
    if op.name not in _BETWEEN or not isinstance(shape, CollectiveShape):
        return op
    return op._replace(count=op.count * chunks, shape=shape._replace(stride=float(plan.tp * plan.cp * plan.dp)))
