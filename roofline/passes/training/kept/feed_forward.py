"""What feed-forwards keep: what goes into an activation and comes out of it; of routed ones also who goes where."""

from __future__ import annotations

from typing import Final

from roofline.passes.training.flow import Flow
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.storage import Layer
from roofline.workload.shapes import ExpertsShape, MatmulShape, RowShape

#: Tensors as wide as its input that an activation keeps beside it, where it is written out in several steps.
_STEPS: Final = {"gelu_new": 3.0, "quick_gelu": 1.0, "xielu": 2.0}
#: Activations whose gradient follows from their result.
_FROM_RESULT: Final = ("relu",)
_INDEX: Final = 8.0
_OFFSET: Final = 4.0


def activation_kept(flow: Flow, shape: RowShape, layer: Layer, rules: Rules, prefix: str = "") -> None:
    """An activation f(x), or f(gate) times up: its input, and where there is a gate both factors of the product."""
    op, size = flow.op, shape.rows * shape.width
    gate, up, out = (f"{prefix}{name}" for name in ("gate", "up", "h"))
    if prefix:
        gate, up, out = "sgate", "sup", "sh"
    if flow.inputs:
        if shape.style == "gated":
            layer.keep(op, layer.value((gate,)), size)
            if not rules.fused:
                layer.own(op, half=size)
            layer.keep(op, layer.value((up,)), size)
        elif shape.detail not in _FROM_RESULT:
            layer.keep(op, layer.value((up,)), size)
            more = 0.0 if rules.fused else _STEPS.get(shape.detail, 0.0)
            if more:
                layer.own(op, half=more * size)
    result = layer.make(out, size)
    if flow.inputs and shape.style != "gated" and shape.detail in _FROM_RESULT:
        layer.keep(op, result, size)
    if rules.drops("inner") and flow.inputs:
        layer.own(op, byte=size)
        layer.make(out, size)


def router_kept(flow: Flow, layer: Layer, rules: Rules) -> None:
    """Scores of all experts in fp32, the numbers of those chosen, and where they are made to add up, their sum."""
    op, shape = flow.op, flow.op.shape
    assert isinstance(shape, MatmulShape)
    tokens, chosen = shape.m, layer.chosen
    source = layer.value(("n", "x"))
    if flow.weights:
        if rules.code.router_input == "wide":
            layer.own(op, wide=op.read)
        else:
            layer.keep(op, source, op.read)
    if flow.inputs or flow.weights:
        layer.own(op, wide=op.write)
        layer.own(op, fixed=_INDEX * tokens * chosen)
        if rules.code.router_sums:
            layer.own(op, wide=tokens * (1.0 + chosen))


def experts_kept(flow: Flow, shape: ExpertsShape, layer: Layer, rules: Rules) -> None:
    """Routed feed-forwards: rows in the order of their experts, between the matrices, and on their way back."""
    op, rows = flow.op, shape.tokens * shape.top_k
    outer, inner, halves = rows * shape.width, rows * shape.hidden, 2.0 if shape.gated else 1.0
    if not (flow.inputs or flow.weights):
        return
    if not rules.fused:
        layer.own(op, fixed=3.0 * _INDEX * rows + _OFFSET * shape.experts)
    if flow.weights:
        layer.own(op, half=outer)
    layer.own(op, half=halves * inner)
    if not rules.fused and shape.gated:
        layer.own(op, half=inner)
    if flow.weights:
        layer.own(op, half=inner)
    if not rules.fused:
        wide = rules.code.router_weights == "wide"
        layer.own(op, wide=rows if wide else 0.0, half=0.0 if wide else rows)
    layer.own(op, half=outer)
