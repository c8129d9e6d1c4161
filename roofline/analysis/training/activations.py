"""What a stage of a training run keeps of a micro-batch between its passes, and needs while they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from roofline.analysis.training.memory import Activations, loss_bytes
from roofline.analysis.training.stages import StageWork
from roofline.num import Num, maximum
from roofline.passes.training.in_flight import in_flight
from roofline.passes.training.kept.whole import Group, checkpointed_of, kept_of
from roofline.passes.training.products import kept_bytes
from roofline.runs.training.run import TrainQuestion
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

_HEAD = "head"


def activations_of(question: TrainQuestion, work: StageWork, head: float) -> Activations:
    """Bytes of one micro-batch on a stage; `head` are those of the gradient of the head's weights."""
    rules = work.rules._replace(core="flash") if question.by_products else work.rules
    groups, full = kept_of(work.flows, rules), question.run.recompute == "full"
    layer: Num = 0.0
    for group in groups:
        layer = maximum(layer, group.each if group.is_layer else 0.0)
    live = _working(work.backward)
    if full or question.by_products:
        live = live + layer
    kept = checkpointed_of(work.flows, rules) if full or question.by_products else groups
    layers = _bytes(group for group in kept if group.is_layer)
    if question.by_products:
        layers = layers + kept_bytes([flow.op for flow in work.flows])
    return Activations(
        layers=layers,
        first=_bytes(group for group in kept if not group.is_layer and group.name != _HEAD),
        last=_bytes(_without_loss(group) for group in kept if group.name == _HEAD),
        live=live,
        loss=_loss(question, work.forward, head) if work.last else 0.0,
        in_flight=_in_flight(question, work),
        head=head if work.last else 0.0,
    )


def _bytes(groups: Iterable[Group]) -> Num:
    total: Num = 0.0
    for group in groups:
        total = total + group.bytes
    return total


def _without_loss(group: Group) -> Group:
    """The head without what its loss keeps, which is counted at its fullest moment."""
    return group._replace(kept=tuple(kept for kept in group.kept if "loss" not in kept.op))


def _in_flight(question: TrainQuestion, work: StageWork) -> Num:
    """Micro-batches that a kind of stage keeps at once; of those between the ends that of the earliest."""
    pipeline, layout = question.plan.pp, question.layout
    stage = 0 if work.first else pipeline - 1 if work.last else 1
    return in_flight(layout.schedule, stage, pipeline, question.microbatches, layout.vpp)


def _working(backward: Iterable[Op]) -> Num:
    """The most that an op of the backward pass reads and writes, beside what is kept."""
    most: Num = 0.0
    for op in backward:
        if op.block not in ("embedding", _HEAD) and op.kind != "collective":
            most = maximum(most, 2.0 * op.write)
    return most


def _loss(question: TrainQuestion, forward: Sequence[Op], head: float) -> Num:
    """Logits and the cross-entropy at their fullest moment."""
    for op in forward:
        if op.name == _HEAD and isinstance(op.shape, MatmulShape):
            return loss_bytes(op.shape.m, float(op.shape.n), question.habits.loss, head=head)
    return 0.0
