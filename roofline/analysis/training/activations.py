"""What a stage of a training run keeps of a micro-batch between its passes, and needs while they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from roofline.analysis.training.memory import Activations, loss_bytes
from roofline.analysis.training.stages import StageWork
from roofline.num import Num, maximum
from roofline.passes.training.flow import Flow
from roofline.passes.training.in_flight import in_flight
from roofline.passes.training.products import kept_bytes
from roofline.runs.training.run import TrainQuestion
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

_FIRST, _LAST = "embedding", "head"


def activations_of(question: TrainQuestion, work: StageWork, head: float) -> Activations:
    """Bytes of one micro-batch on a stage; `head` are those of the gradient of the head's weights."""
    layers = [flow for flow in work.flows if flow.op.block not in (_FIRST, _LAST)]
    kept, whole = _kept(question, layers), _largest_layer(question, layers)
    live = _working(question, work.backward)
    if question.run.recompute == "full":
        kept, live = _inputs(question, layers), live + whole
    elif question.by_products:
        kept, live = _inputs(question, layers) + kept_bytes([flow.op for flow in layers]), live + whole
    return Activations(
        layers=kept,
        first=_kept(question, [flow for flow in work.flows if flow.op.block == _FIRST]),
        last=_kept(question, [flow for flow in work.flows if flow.op.block == _LAST]),
        live=live,
        loss=_loss(question, work.forward, head) if work.last else 0.0,
        in_flight=_in_flight(question, work),
        head=head if work.last else 0.0,
    )


def _in_flight(question: TrainQuestion, work: StageWork) -> Num:
    """Micro-batches that a kind of stage keeps at once; of those between the ends that of the earliest."""
    pipeline, layout = question.plan.pp, question.layout
    stage = 0 if work.first else pipeline - 1 if work.last else 1
    return in_flight(layout.schedule, stage, pipeline, question.microbatches, layout.vpp)


#: Ops whose input another op beside them keeps already.
_BESIDE = ("k_proj", "v_proj", "up_proj", "shared_up_proj", "router")


def _kept(question: TrainQuestion, flows: Iterable[Flow]) -> Num:
    """Bytes that these ops keep: products and norms what they read, attention what it gives as well."""
    total: Num = 0.0
    for flow in flows:
        total = total + flow.op.count * _saved(flow.op) / _parts(question, flow.op)
    return total


def _saved(op: Op) -> Num:
    if op.kind == "attention":
        return 2.0 * (op.read + op.write)
    if op.kind == "pointwise" and "activation" not in op.name:
        return 0.0
    if op.name in _BESIDE or op.kind in ("collective", "gather"):
        return 0.0
    return 2.0 * op.read


def _parts(question: TrainQuestion, op: Op) -> float:
    """Devices over which sequence parallelism spreads what norms keep, beside what is split already."""
    return float(question.plan.tp) if question.layout.sequence_parallel and op.kind == "norm" else 1.0


def _largest_layer(question: TrainQuestion, layers: Sequence[Flow]) -> Num:
    """What one layer keeps: of groups of layers, the largest."""
    groups: dict[str, list[Flow]] = {}
    for flow in layers:
        groups.setdefault(flow.op.block.rpartition(".")[0], []).append(flow)
    most: Num = 0.0
    for group in groups.values():
        number = max(flow.op.count for flow in group)
        most = maximum(most, _kept(question, group) / number)
    return most


def _inputs(question: TrainQuestion, layers: Sequence[Flow]) -> Num:
    """What is kept where whole layers are done again: the input of each."""
    groups: dict[str, tuple[float, Num]] = {}
    for flow in layers:
        if isinstance(flow.op.shape, MatmulShape):
            group = flow.op.block.rpartition(".")[0]
            count, _ = groups.get(group, (0.0, 0.0))
            groups[group] = max(count, flow.op.count), flow.op.shape.m
    tokens = sum((count * rows for count, rows in groups.values()), start=0.0)
    shared = question.plan.tp if question.layout.sequence_parallel else 1
    return 2.0 * tokens * float(question.spec.width) / shared


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
