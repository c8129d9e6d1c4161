"""Multi-head latent attention: its projections, its cache of one latent vector per token, and its two forms.

*Naive*, keys and values of all heads are made from the latents of the whole cache, and attention has as many heads of
keys as of queries. *Absorbed*, the matrices that would make them are multiplied into queries and outputs instead, and
all heads attend to the latents themselves. Both compute the same; a prefill costs less in the first form, a decode step
in the second, `Span.absorbed`.

Source: DeepSeek-AI 2024 (arXiv:2405.04434), section 2.1.
"""

from __future__ import annotations

from roofline.architectures.text.indexer import Selection, selection
from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.formats.caches import Row
from roofline.specs.text.attention import LatentAttention
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.constructors_state import CacheUse
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape


def latent_ops(spec: TransformerSpec, attention: LatentAttention, layer: Sublayer) -> list[Op]:
    """Projections into the latents, queries, rotation, indexer, the core in either form, output projection."""
    tokens, stream, width, bias = layer.tokens, layer.stream, float(spec.width), attention.bias
    heads, rope = float(attention.heads), float(attention.rope_dim)
    latent, queries = float(attention.kv_rank), heads * (attention.key_dim + attention.rope_dim)
    ops = [layer.linear("kv_a_proj", width, latent + rope, bias=bias)]
    with_keys = layer.beside(stream + tokens * (latent + rope))
    if attention.latent_norm:
        ops.append(layer.norm("kv_a_norm", latent, live=stream + tokens * (width + rope)))
    ops += _query_ops(attention, width, queries, with_keys)
    if spec.positions.kind == "rotary":
        ops.append(layer.rotary("rotary", heads * rope, rope, live=with_keys.stream + tokens * queries))
    chosen = selection(attention, width, with_keys)
    ops += chosen.ops
    ops += (_absorbed if layer.span.absorbed else _naive)(attention, chosen, layer)
    output = heads * attention.value_dim
    if attention.joint_gate:
        ops.append(layer.pointwise("output_gate", output, reads=2.0, each=4.0))
    elif attention.output_gate:
        gates = heads if attention.output_gate == "head" else output
        ops.append(layer.linear("output_gate_proj", width, gates, live=stream + tokens * output))
        ops.append(layer.pointwise("output_gate", output, reads=1.0 + gates / output, each=4.0))
    ops.append(layer.linear("o_proj", output, width, bias=bias))
    return ops


def _query_ops(attention: LatentAttention, width: float, queries: float, layer: Sublayer) -> list[Op]:
    """Queries from the residual, or through a latent of their own."""
    if attention.query_rank is None:
        return [layer.linear("q_proj", width, queries)]
    rank, out = float(attention.query_rank), queries
    inputs = rank
    if attention.joint_gate:
        inputs, out = 2.0 * rank, queries + float(attention.heads * attention.value_dim)
    return [
        layer.linear("q_a_proj", width, rank, bias=attention.bias),
        layer.norm("q_a_norm", rank),
        layer.linear("q_b_proj", inputs, out),
    ]


def _row(attention: LatentAttention) -> Row:
    """What is cached of a token: the latent, and the rotated part of the keys."""
    return Row(float(attention.kv_rank + attention.rope_dim), kind="latent", rope=float(attention.rope_dim))


def _sinks(attention: LatentAttention) -> float:
    return float(attention.heads) if attention.sinks else 0.0


def _naive(attention: LatentAttention, chosen: Selection, layer: Sublayer) -> list[Op]:
    """kv_b_proj over the cache and the new tokens, then attention of h heads of keys and of values."""
    span, tokens = layer.span, layer.tokens
    heads, latent, rope = float(attention.heads), float(attention.kv_rank), float(attention.rope_dim)
    key, value = float(attention.key_dim), float(attention.value_dim)
    cached, fresh = span.batch * span.mean_past, tokens * (latent + rope)
    rows = cached + tokens
    expand = layer.over(rows).linear("kv_b_proj", latent, heads * (key + value))
    row = _row(attention)
    expand = expand._replace(read=tokens * latent, cache_read=cached * latent, row=row)
    rectangle, keys = span.rectangle_pairs(), span.mean_past + span.new
    shape = SelectedAttentionShape(span, heads, heads, key + rope, value, chosen.pairs, rectangle, keys)
    cache = CacheUse(cached * rope, fresh, span.batch * span.end * (latent + rope), latent + rope, row)
    read = rows * heads * (key + value) + tokens * rope
    return [
        expand,
        layer.selected_attention("attention", shape, cache, fresh=read, chosen=chosen.chosen, params=_sinks(attention)),
    ]


def _absorbed(attention: LatentAttention, chosen: Selection, layer: Sublayer) -> list[Op]:
    """Queries times the keys' half of kv_b_proj, attention to the latents, output times the values' half.

    q [t, h, k] @ w [h, k, r] -> [t, h, r]; attention with one head of keys, of r + rope elements, whose first r are the
    value; o [t, h, r] @ w [h, r, v] -> [t, h, v].
    """
    span = layer.span
    heads, latent, rope = float(attention.heads), float(attention.kv_rank), float(attention.rope_dim)
    key, value, stored = float(attention.key_dim), float(attention.value_dim), latent + rope
    fresh, rectangle, keys = layer.tokens * stored, span.rectangle_pairs(), span.mean_past + span.new
    shape = SelectedAttentionShape(span, heads, 1.0, stored, latent, chosen.pairs, rectangle, keys)
    cache = CacheUse(span.batch * chosen.read * stored, fresh, span.batch * span.end * stored, stored, _row(attention))
    return [
        layer.heads_linear("k_up_proj", heads, key, latent, live=layer.stream + fresh),
        layer.selected_attention(
            "attention", shape, cache, fresh=fresh, chosen=chosen.chosen, params=_sinks(attention)
        ),
        layer.heads_linear("v_up_proj", heads, latent, value),
    ]
