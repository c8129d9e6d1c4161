"""What the devices of a training run do: the ops of each kind of pipeline stage, forward, repeated and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from roofline.architectures.text.training import training_ops
from roofline.passes.fusion.eager import eager_ops
from roofline.passes.parallel.context import split_context
from roofline.passes.parallel.experts import split_experts
from roofline.passes.parallel.pipeline import layers_of, stage_layers, stage_ops
from roofline.passes.parallel.tensor import split_tensors
from roofline.passes.training.flow import Flow, trained
from roofline.passes.training.gradients import Accumulated, backward_ops
from roofline.passes.training.products import repeated
from roofline.passes.training.recompute import Policy, recomputed
from roofline.runs.devices.spread import ALONE
from roofline.runs.training.run import TrainQuestion
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.shapes import CollectiveShape

#: The gather of logits that are split over devices: the loss takes them as they are.
_GATHERED: Final = "head.all_gather"
#: What goes from stage to stage.
_BETWEEN: Final = ("send", "receive")


class StageWork(NamedTuple):
    """What one device of a kind of stage does for a micro-batch; there are `number` such stages.

    `flows` are the ops of its forward pass with the gradients that are needed of each, `fused` the same before attention
    is cut into kernels: what is kept is told of these.
    """

    number: int
    first: bool
    last: bool
    flows: tuple[Flow, ...]
    recompute: tuple[Op, ...]
    backward: tuple[Op, ...]
    fused: tuple[Flow, ...] = ()

    @property
    def forward(self) -> tuple[Op, ...]:
        """The ops of the forward pass."""
        return tuple(flow.op for flow in self.flows)


def stages_of(question: TrainQuestion) -> tuple[StageWork, ...]:
    """The kinds of stages of a language model's training run. Raises UsageError where the plan does not fit it."""
    run, plan = question.run, question.plan
    whole = training_ops(question.spec, run.micro_batch, run.sequence, run.decoder)
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
    plan = question.plan
    first, last = stage == 0, stage == plan.pp - 1
    ops = device_ops(question, whole, stage)
    fused = flows = trained(ops)
    if question.run.eager_attention:
        flows = trained(eager_ops(ops))
    accumulated = Accumulated(question.habits.gradients != "narrow")
    forward = [flow.op for flow in flows]
    again = repeated(forward) if question.by_products else recomputed(forward, _policy(question))
    return StageWork(number, first, last, flows, again, backward_ops(flows, accumulated), fused)


def _policy(question: TrainQuestion) -> Policy:
    """What is repeated: as asked, and layers as the framework repeats them."""
    asked = question.run.recompute
    return "full-early" if asked == "full" and question.early else asked


def device_ops(question: TrainQuestion, whole: Sequence[Op], stage: int) -> tuple[Op, ...]:
    """What one device of a stage runs forward, with the exchanges within its groups."""
    plan, width = question.plan, float(question.spec.width)
    if plan.devices == plan.dp and plan.ep == 1:
        return tuple(whole)
    tokens = question.run.micro_batch * question.run.sequence / plan.cp
    ops = split_context(whole, plan, prefill=True, every=True)
    ops = split_experts(ops, plan, 0)
    ops = split_tensors(ops, plan, 0)
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
