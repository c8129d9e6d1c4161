"""What attention keeps: its operands and its result, or scores on their way through memory, or operands alone."""

from __future__ import annotations

from typing import Final

from roofline.num import Num
from roofline.passes.training.flow import Flow
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.storage import Layer, Storage
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, SelectedAttentionShape

#: Bytes of the state of random numbers that a fused kernel keeps.
_RANDOM: Final = 24.0
_INDEX: Final = 8.0


def crossing(shape: SelectedAttentionShape) -> AttentionShape:
    """Attention to what an encoder made, as one of keys that stand before the queries."""
    span = shape.span._replace(past=shape.keys - shape.span.new)
    return AttentionShape(span, shape.heads, shape.groups, shape.key_dim, shape.value_dim, causal=False)


def attention_kept(flow: Flow, shape: AttentionShape, layer: Layer, rules: Rules, *, turned: bool) -> None:
    """Softmax attention over keys and values. `turned`: queries and keys were rotated, so that they are new tensors."""
    op, span = flow.op, shape.span
    queries, keys = span.tokens * shape.heads, span.batch * (span.past + span.new)
    q, k, v = queries * shape.key_dim, keys * shape.kv_heads * shape.key_dim, keys * shape.kv_heads * shape.value_dim
    crossing = op.name == "cross_attention"
    out = layer.make("co" if crossing else "o", queries * shape.value_dim)
    if not (flow.inputs or flow.keys or flow.values):
        return
    names = ("cq", "ck", "cv") if crossing else ("q", "k", "v")
    operands = [layer.value((name,)) for name in names]
    if rules.core == "eager":
        _stored(op, shape, layer, rules, [(storage, size) for storage, size in zip(operands, (q, k, v), strict=True)])
        return
    for storage, size in zip(operands, (q, k, v), strict=True):
        layer.keep(op, storage, size)
    if rules.core == "flash":
        layer.own(op, wide=queries, fixed=_RANDOM)
        layer.keep(op, out, queries * shape.value_dim)
        if turned and shape.packed and not rules.fused:  # it lies in memory head by head: the product reads a copy
            layer.make("o", queries * shape.value_dim)


def _stored(
    op: Op, shape: AttentionShape, layer: Layer, rules: Rules, operands: list[tuple[Storage | None, Num]]
) -> None:
    """Scores in memory: what they were multiplied from, their softmax, and it in the format of the values."""
    span = shape.span
    keys = span.past + span.new
    scores = span.tokens * shape.heads * keys
    for index, (storage, size) in enumerate(operands):
        if index and 1.0 < shape.kv_heads < shape.heads:  # repeated for each query head
            layer.own(op, half=size * (shape.heads / shape.kv_heads))
        else:
            layer.keep(op, storage, size)
    if rules.code.copied:
        layer.own(op, fixed=2.0 * _INDEX)
    if rules.code.capped:
        layer.own(op, half=scores)
    wide = shape.softmax_fp32 and rules.code.scores == "wide" and not rules.fused
    layer.own(op, wide=scores if wide else 0.0, half=0.0 if wide else scores)
    if rules.drops("attention"):
        layer.own(op, byte=scores, half=scores)
    elif wide:
        layer.own(op, half=scores)


def latent_kept(flow: Flow, shape: SelectedAttentionShape, layer: Layer, rules: Rules) -> None:
    """Attention of expanded latents: keys put together of two parts, values padded to the width of keys."""
    op, span = flow.op, shape.span
    queries, keys = span.tokens * shape.heads, span.batch * shape.keys * shape.heads
    width = shape.key_dim if shape.value_dim < shape.key_dim else shape.value_dim
    padded = queries * width
    layer.make("o", queries * shape.value_dim)
    if not (flow.inputs or flow.keys or flow.values):
        return
    layer.own(op, half=queries * shape.key_dim)
    layer.own(op, half=keys * shape.key_dim)
    values = layer.value(("kv", "v"))
    if rules.core == "flash" and not rules.fused:
        layer.own(op, half=keys * width)
        layer.own(op, half=padded, wide=queries, fixed=_RANDOM)
        return
    layer.keep(op, values, keys * shape.value_dim)
    if rules.core == "eager":
        scores = queries * shape.keys
        layer.own(op, wide=scores, half=scores)
    elif rules.core == "flash":
        layer.own(op, wide=queries, fixed=_RANDOM)
        layer.keep(op, layer.value(("o",)), queries * shape.value_dim)
