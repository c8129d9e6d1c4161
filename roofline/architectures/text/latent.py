"""Multi-head latent attention: its projections, its cache of one latent vector per token, and its two forms.

*Naive*, keys and values of all heads are made from the latents of the whole cache, and attention has as many heads of
keys as of queries. *Absorbed*, the matrices that would make them are multiplied into queries and outputs instead, and
all heads attend to the latents themselves. Both compute the same; a prefill costs less in the first form, a decode step
in the second, `Span.absorbed`.

Source: DeepSeek-AI 2024 (arXiv:2405.04434), section 2.1.
"""

from __future__ import annotations

from roofline.architectures.text.indexer import Selection, indexer_ops
from roofline.num import Num
from roofline.specs.text.attention import LatentAttention
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import pointwise, selected_attention
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape, Span


def latent_ops(
    spec: TransformerSpec, attention: LatentAttention, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Projections into the latents, queries, rotation, indexer, the core in either form, output projection."""
    tokens, width, bias = span.tokens, float(spec.width), attention.bias
    heads, rope = float(attention.heads), float(attention.rope_dim)
    latent, queries = float(attention.kv_rank), heads * (attention.key_dim + attention.rope_dim)
    ops = [make.linear("kv_a_proj", block, tokens, width, latent + rope, bias=bias, count=count, live=stream)]
    beside = stream + tokens * (latent + rope)
    if attention.latent_norm:
        ops.append(make.norm("kv_a_norm", block, tokens, latent, count=count, live=stream + tokens * (width + rope)))
    if attention.query_rank is None:
        ops.append(make.linear("q_proj", block, tokens, width, queries, count=count, live=beside))
    else:
        rank = float(attention.query_rank)
        ops.append(make.linear("q_a_proj", block, tokens, width, rank, bias=bias, count=count, live=beside))
        ops.append(make.norm("q_a_norm", block, tokens, rank, count=count, live=beside))
        ops.append(make.linear("q_b_proj", block, tokens, rank, queries, count=count, live=beside))
    if spec.positions.kind == "rotary":
        ops.append(
            make.rotary("rotary", block, tokens, heads * rope, rope, count=count, live=beside + tokens * queries)
        )
    selection = indexer_ops(attention.indexer, span, block, width, attention.query_rank, rope, count, beside)
    ops += selection.ops
    ops += (_absorbed if span.absorbed else _naive)(attention, span, selection, block, count, stream)
    output = heads * attention.value_dim
    if attention.output_gate:
        ops.append(make.linear("gate_proj", block, tokens, width, output, count=count, live=stream + tokens * output))
        ops.append(pointwise("output_gate", block, tokens, output, reads=2.0, each=4.0, count=count, live=stream))
    ops.append(make.linear("o_proj", block, tokens, output, width, bias=bias, count=count, live=stream))
    return ops


def _naive(
    attention: LatentAttention, span: Span, selection: Selection, block: str, count: float, stream: Num
) -> list[Op]:
    """kv_b_proj over the cache and the new tokens, then attention of h heads of keys and of values."""
    heads, latent, rope = float(attention.heads), float(attention.kv_rank), float(attention.rope_dim)
    key, value = float(attention.key_dim), float(attention.value_dim)
    cached, fresh = span.batch * span.mean_past, span.tokens * (latent + rope)
    rows = cached + span.tokens
    expand = make.linear("kv_b_proj", block, rows, latent, heads * (key + value), count=count, live=stream)
    expand = expand._replace(read=span.tokens * latent, cache_read=cached * latent)
    shape = SelectedAttentionShape(
        span, heads, heads, key + rope, value, selection.pairs, span.rectangle_pairs(), span.mean_past + span.new
    )
    core = selected_attention(
        "attention", block, shape,
        fresh=rows * heads * (key + value) + span.tokens * rope, chosen=selection.chosen, cache_read=cached * rope,
        cache_write=fresh, cache_held=span.batch * span.end * (latent + rope), count=count, live=stream,
    )  # fmt: skip
    return [expand, core]


def _absorbed(
    attention: LatentAttention, span: Span, selection: Selection, block: str, count: float, stream: Num
) -> list[Op]:
    """Queries times the keys' half of kv_b_proj, attention to the latents, output times the values' half.

    q [t, h, k] @ w [h, k, r] -> [t, h, r]; attention with one head of keys, of r + rope elements, whose first r are the
    value; o [t, h, r] @ w [h, r, v] -> [t, h, v].
    """
    heads, latent, rope = float(attention.heads), float(attention.kv_rank), float(attention.rope_dim)
    key, value, tokens = float(attention.key_dim), float(attention.value_dim), span.tokens
    shape = SelectedAttentionShape(
        span, heads, 1.0, latent + rope, latent, selection.pairs, span.rectangle_pairs(), span.mean_past + span.new
    )
    fresh = tokens * (latent + rope)
    return [
        make.heads_linear("k_up_proj", block, tokens, heads, key, latent, count=count, live=stream + fresh),
        selected_attention(
            "attention", block, shape, fresh=fresh, chosen=selection.chosen,
            cache_read=span.batch * selection.read * (latent + rope), cache_write=fresh,
            cache_held=span.batch * span.end * (latent + rope), count=count, live=stream,
        ),
        make.heads_linear("v_up_proj", block, tokens, heads, latent, value, count=count, live=stream),
    ]  # fmt: skip
