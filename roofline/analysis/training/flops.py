"""FLOPs of a training step: of the model, and of what is really done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from roofline.analysis.training.work import StageWork
from roofline.num import Num
from roofline.passes.fusion.eager import eager_ops
from roofline.passes.training.flow import Flow
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, DenseAttentionShape, ScanShape, SelectedAttentionShape


class StepFlops(NamedTuple):
    """FLOPs of one step over all devices.

    full       forward and backward, every query with every key, as frameworks count: what is trained decides
    causal     the same, of attention what its mask lets through
    hardware   all that is done: with what is repeated, and with what fused attention multiplies once more
    """

    full: float
    causal: float
    hardware: float


def total(ops: Iterable[Op]) -> float:
    """FLOPs of some ops."""
    return float(sum(op.count * op.flops for op in ops))


def step_flops(whole: StageWork, rounds: float) -> StepFlops:
    """The FLOPs of a step of so many micro-batches, all replicas counted, by what the whole model does for one."""
    causal = sum(_needed(flow, flow.op.flops) for flow in whole.flows)
    full = sum(_needed(flow, _rectangle(flow.op)) for flow in whole.flows)
    done = total(whole.forward) + total(whole.recompute) + total(whole.backward)
    return StepFlops(float(full) * rounds, float(causal) * rounds, done * rounds)


def _rectangle(op: Op) -> Num:
    """FLOPs of one execution of an op as unfused code does it: of attention those of all pairs."""
    if not isinstance(op.shape, (AttentionShape, SelectedAttentionShape)):
        return op.flops
    return sum(each.flops * (each.count / op.count) for each in eager_ops((op,)) if each.kind == "attention")


def _needed(flow: Flow, flops: Num) -> Num:
    """FLOPs of an op in a whole step: its own, and as many again for every gradient that is needed of it."""
    op, shape = flow.op, flow.op.shape
    if isinstance(shape, (AttentionShape, SelectedAttentionShape, DenseAttentionShape)):
        return op.count * flops * (1.0 + _of_attention(flow))
    if isinstance(shape, ScanShape):
        return op.count * flops * (3.0 if flow.inputs or flow.weights else 1.0)
    trained = flow.weights and op.kind != "attention"
    return op.count * flops * (1.0 + flow.inputs + trained)


def _of_attention(flow: Flow) -> float:
    """The four products of attention's backward pass that are needed, over the two of its forward pass."""
    shape = flow.op.shape
    keys, values = (1.0, 1.0) if isinstance(shape, DenseAttentionShape) else (shape.key_dim, shape.value_dim)  # type: ignore[union-attr]
    wide = keys * flow.inputs + keys * flow.keys + values * flow.values + values * (flow.inputs or flow.keys)
    return wide / (keys + values)
