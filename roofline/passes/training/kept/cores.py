"""What attention proper keeps: of one fused kernel, of products and a softmax, and of a core that is computed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from roofline.num import Num, all_hold, first_value
from roofline.passes.training.kept.layer import Layer
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, SelectedAttentionShape

#: Seed and offset of the random state that the flash kernel keeps.
RANDOM_STATE: Final = 24.0


def joined(layer: Layer) -> bool:
    """Whether queries were joined of two parts, so that heads stand before tokens and the output must be copied."""
    own, turned = layer.sizes, layer.sizes.get("rotary", 0.0)
    queries = own.get("q_proj", 0.0) + own.get("q_b_proj", 0.0)
    return bool(turned) and (layer.habits.joined_rotary or bool(all_hold(turned < queries + own.get("k_proj", 0.0))))


def values_of(shape: AttentionShape | SelectedAttentionShape, tokens: Num, groups: Num, layer: Layer) -> Num:
    """Elements of values as they are held: a slice holds all of the product that it was cut from."""
    own = layer.sizes
    if "kv_b_proj" in own:
        return own["kv_b_proj"]
    if isinstance(shape, AttentionShape) and shape.packed and "rotary" in own:
        return own.get("q_proj", 0.0) + own.get("k_proj", 0.0) + own.get("v_proj", 0.0)
    return tokens * groups * shape.value_dim


def tables(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: Layer) -> None:
    """Cosines and sines [n, d], of which all layers have the same."""
    turned = layer.sizes.get("rotary")
    if turned is None:
        return
    groups = 1.0 if "kv_a_proj" in layer.sizes else sizes_of(shape)[2]
    elements = 2.0 * turned / (shape.heads + groups) / shape.span.batch
    wide = layer.habits.wide_tables
    label = f"tables.{first_value(elements):.0f}"
    if layer.habits.spread_tables:
        layer.keep(op, label, half=elements)
        return
    layer.keep_once(op, label, wide=elements if wide else 0.0, half=0.0 if wide else elements)


def flash_core(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: Layer) -> None:
    """q, k, v, o and log-sum-exp [b, h, n]; values narrower than keys are filled up, and the output cut off again."""
    tokens, heads, groups, keys = sizes_of(shape)
    padded = shape.value_dim != shape.key_dim
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    values = keys * groups * shape.key_dim if padded else values_of(shape, keys, groups, layer)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + values)
    copied = padded or joined(layer)
    layer.keep(op, "padded" if copied else op.name, half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.sums", wide=tokens * heads, fixed=RANDOM_STATE)


def sizes_of(shape: AttentionShape | SelectedAttentionShape) -> tuple[Num, Num, Num, Num]:
    """Queries over the batch, heads of them, heads of keys, keys over the batch."""
    span = shape.span
    if isinstance(shape, AttentionShape):
        return span.tokens, shape.heads, shape.kv_heads, shape.whole.tokens
    return span.tokens, shape.heads, shape.groups, span.batch * shape.keys


def selective_core(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: Layer) -> None:
    """q, k and v, of which the core is computed again; the mask [n, s] is kept once for all layers."""
    tokens, heads, groups, keys = sizes_of(shape)
    if not isinstance(shape, AttentionShape) or shape.causal:
        window = shape.window if isinstance(shape, AttentionShape) else None
        layer.keep_once(op, f"mask.{window}", half=shape.span.new * keys / shape.span.batch)
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + values_of(shape, keys, groups, layer))


def eager_core(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: Layer) -> None:
    """q, k and v, keys and values once for each query head; the probabilities [b, h, n, s]."""
    tokens, heads, groups, keys = sizes_of(shape)
    alone = groups == 1.0 and all_hold(shape.span.batch == 1.0)  # one head of one sequence is seen by all, not copied
    repeated = groups < heads and not alone
    groups = heads if repeated else groups
    own = repeated or alone
    values = keys * groups * shape.value_dim if own else values_of(shape, keys, groups, layer)
    wide = not layer.habits.narrow_softmax and (not isinstance(shape, AttentionShape) or shape.softmax_fp32)
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + values)
    scores = shape.span.new * keys * heads
    dropped = "attention" in layer.habits.dropped
    if layer.habits.softcap:
        layer.keep(op, f"{op.name}.capped", half=scores)
    if wide:
        layer.keep(op, f"{op.name}.softmax", wide=scores)
    if dropped:
        layer.keep(op, f"{op.name}.mask", byte=scores)
        if not wide:
            layer.keep(op, f"{op.name}.softmax", half=scores)
    layer.keep(op, f"{op.name}.probabilities", half=scores, fixed=16.0 if layer.habits.broadcast else 0.0)


CORES: Final[dict[str, Callable[[Op, AttentionShape | SelectedAttentionShape, Layer], None]]] = {
    "flash": flash_core,
    "eager": eager_core,
    "selective": selective_core,
}
