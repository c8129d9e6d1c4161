"""What is kept where every layer is computed again in the backward pass: its input, and what all layers are given."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.passes.training.flow import Flow, is_layer, layer_of
from roofline.passes.training.habits import LLAMA, Habits
from roofline.passes.training.kept.eager import kept_eager
from roofline.passes.training.kept.tensors import Kept
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, RowShape, SelectedAttentionShape


def kept_checkpoints(flows: Sequence[Flow], habits: Habits = LLAMA) -> tuple[Kept, ...]:
    """The input [t, d] of each layer in 16 bits, tables of positions once, and what stands outside of layers.

    Of an encoder and a decoder also what both stacks are given: the encoder's output, distances, the decoder's mask.
    """
    outside = [flow for flow in flows if not is_layer(flow.op)]
    every = kept_eager(flows, habits, "flash")
    tables = [kept for kept in every if kept.block == "shared" and kept.op != "cross_k_proj"]
    own = tuple(kept for kept in kept_eager(outside, habits) if not _computed_inside(kept))
    return (*own, *_inputs(flows), *tables, *_positions(flows, habits, bool(tables)), *_given(flows))


def _computed_inside(kept: Kept) -> bool:
    """Indices of distances are made by the first layer, which makes them again."""
    return kept.op.endswith("distance_bias")


def _inputs(flows: Sequence[Flow]) -> list[Kept]:
    """The stream that enters each layer: as wide as the last residual makes it."""
    out: list[Kept] = []
    groups: dict[tuple[str, float], Op] = {}
    for flow in flows:
        op = flow.op
        if is_layer(op) and op.name.endswith("_residual"):
            groups[layer_of(op), op.count] = op
    for op in groups.values():
        out.append(Kept("input", layer_of(op), op.count, half=op.write))
    return out


def _positions(flows: Sequence[Flow], habits: Habits, turned: bool) -> list[Kept]:
    """Position ids that layers are given, 8 bytes a token of one sequence."""
    if not (turned or habits.passed_ids):
        return []
    shapes = [flow.op.shape for flow in flows]
    new = next((s.span.new for s in shapes if isinstance(s, (AttentionShape, SelectedAttentionShape))), 0.0)
    return [Kept("position_ids", "shared", 1.0, fixed=8.0 * new)]


def _given(flows: Sequence[Flow]) -> list[Kept]:
    """What the layers of a decoder are given by its encoder, and distances that are added to scores [h, n, s]."""
    out, biased = list[Kept](), False
    for flow in flows:
        op, shape = flow.op, flow.op.shape
        if op.name == "encoder_norm":
            out.append(Kept("encoded", "shared", 1.0, half=op.write))
        elif op.name.endswith("distance_bias") and not is_layer(op) and isinstance(shape, RowShape):
            biased = True
            out.append(Kept(op.name, "shared", 1.0, half=shape.rows * shape.width))
        elif op.name == "cross_attention" and isinstance(shape, SelectedAttentionShape):
            new = shape.span.new
            if biased:
                out.append(Kept("cross_distances", "shared", 1.0, half=new * shape.keys * shape.heads))
            return [*out, Kept("mask", "shared", 1.0, half=new * new)]
    return out
