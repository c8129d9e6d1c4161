"""What a stage of a training run keeps of a micro-batch between its passes, and needs while they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from roofline.analysis.training.memory import Activations, loss_bytes
from roofline.analysis.training.work import StageWork
from roofline.num import Num, maximum
from roofline.passes.training.in_flight import in_flight
from roofline.passes.training.kept.whole import checkpointed_of, kept_of
from roofline.passes.training.products import kept_bytes
from roofline.runs.training.run import TrainQuestion
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

_FIRST, _LAST = "embedding", "head"


def activations_of(question: TrainQuestion, work: StageWork, head: float) -> Activations:
    """Bytes of one micro-batch on a stage; `head` are those of the gradient of the head's weights."""
    if work.kept is not None:
        return Activations(layers=work.kept, live=_working(question, work.backward))
    whole = kept_of(work.flows, work.rules)
    found, live = whole, _working(question, work.backward)
    if question.run.recompute == "full" or question.by_products:
        found = checkpointed_of(work.flows, work.rules)
        live = live + _largest(group.each for group in whole if group.is_layer)
    layers = sum((group.bytes for group in found if group.is_layer), start=0.0)
    if question.by_products:
        layers = layers + kept_bytes([flow.op for flow in work.flows])
    return Activations(
        layers=layers,
        first=sum((group.bytes for group in found if not group.is_layer and group.name != _LAST), start=0.0),
        last=sum((group.bytes for group in found if group.name == _LAST), start=0.0),
        live=live,
        loss=_loss(question, work.forward, head) if work.last else 0.0,
        in_flight=_in_flight(question, work),
        head=head if work.last else 0.0,
    )


def _largest(sizes: Iterable[Num]) -> Num:
    most: Num = 0.0
    for size in sizes:
        most = maximum(most, size)
    return most


def _in_flight(question: TrainQuestion, work: StageWork) -> Num:
    """Micro-batches that a kind of stage keeps at once; of those between the ends that of the earliest."""
    pipeline, layout = question.plan.pp, question.layout
    stage = 0 if work.first else pipeline - 1 if work.last else 1
    return in_flight(layout.schedule, stage, pipeline, question.microbatches, layout.vpp)


def _working(question: TrainQuestion, backward: Iterable[Op]) -> Num:
    """The most that an op of the backward pass reads and writes, beside what is kept."""
    most: Num = 0.0
    for op in backward:
        if op.block not in (_FIRST, _LAST) and op.kind != "collective":
            most = maximum(most, 2.0 * op.write)
    return most


def _loss(question: TrainQuestion, forward: Sequence[Op], head: float) -> Num:
    """Logits and the cross-entropy at their fullest moment."""
    for op in forward:
        if op.block == _LAST and isinstance(op.shape, MatmulShape) and op.name == _LAST:
            return loss_bytes(op.shape.m, float(op.shape.n), question.habits.loss, head=head)
    return 0.0
