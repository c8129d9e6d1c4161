"""Attention to tokens of another sequence: the prompt of an encoder, the pictures of a prompt.

What is attended to is projected to keys and values once, by the phase that reads the prompt, and cached; it does not
grow.

Source: Vaswani et al. 2017 (arXiv:1706.03762); the model code of T5, BART and Mllama in transformers 5.24.0.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.formats.caches import Row
from roofline.specs.text.attention import CrossAttention
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape


class Source(NamedTuple):
    """What is attended to: `keys` per sequence of `width`; `fresh` rows of them are projected now, over the batch.

    `cached`: the keys come from the cache.
    """

    keys: Num
    width: float
    fresh: Num
    cached: bool


def cross_ops(attention: SoftmaxAttention | CrossAttention, width: float, source: Source, layer: Sublayer) -> list[Op]:
    """Q [b, h, n, d] of the layer with k, v [b, g, s, d] of the source; 2 (d + e) FLOPs per head and pair."""
    key_dim, value_dim, bias, key_bias = float(attention.head_dim), _value_dim(attention), False, False
    if isinstance(attention, SoftmaxAttention):
        bias, key_bias = attention.qkv_bias, attention.qkv_bias and attention.key_bias
    heads, groups = float(attention.heads), float(attention.kv_heads)
    ops = [layer.linear("cross_q_proj", width, heads * key_dim, bias=bias)]
    normed = attention.qk_norm is not None
    if normed:
        ops.append(layer.over(layer.tokens * heads).norm("q_norm", key_dim))
    if not source.cached:
        rows = layer.over(source.fresh)
        ops.append(rows.linear("cross_k_proj", source.width, groups * key_dim, bias=key_bias))
        ops.append(rows.linear("cross_v_proj", source.width, groups * value_dim, bias=bias))
        if normed:
            ops.append(rows.over(source.fresh * groups).norm("k_norm", key_dim))
    return [
        *ops,
        _core(attention, source, layer),
        layer.linear("cross_o_proj", heads * value_dim, width, bias=attention.output_bias),
    ]


def _value_dim(attention: SoftmaxAttention | CrossAttention) -> float:
    other = attention.value_dim if isinstance(attention, SoftmaxAttention) else None
    return float(other or attention.head_dim)


def _core(attention: SoftmaxAttention | CrossAttention, source: Source, layer: Sublayer) -> Op:
    span, keys = layer.span, source.keys
    heads, groups = float(attention.heads), float(attention.kv_heads)
    key_dim, value_dim = float(attention.head_dim), _value_dim(attention)
    pairs = span.new * keys
    scores = span.batch * heads * pairs
    held = span.batch * keys * groups * (key_dim + value_dim)
    new = source.fresh * groups * (key_dim + value_dim)
    return Op(
        "cross_attention",
        "attention",
        layer.block,
        layer.layers,
        flops=2.0 * scores * (key_dim + value_dim),
        vector_flops=make.VECTOR_FLOPS["softmax"] * scores,
        read=layer.tokens * heads * key_dim + new,
        write=layer.tokens * heads * value_dim,
        cache_read=held - new,
        cache_write=new,
        cache_held=held,
        live=layer.stream,
        shape=SelectedAttentionShape(span, heads, groups, key_dim, value_dim, pairs, pairs, keys),
        row=Row(groups * key_dim, groups * value_dim, "cross"),
    )


def media_ops(spec: TransformerSpec, attention: CrossAttention, layer: Sublayer) -> list[Op]:
    """A layer that attends to the pictures of its prompt, whose keys the passes of a prefill share out."""
    span = layer.span
    fresh = span.batch * span.media / span.steps if span.reads_media else 0.0
    source = Source(span.media, float(attention.source_width or spec.width), fresh, not span.reads_media)
    return cross_ops(attention, float(spec.width), source, layer)
