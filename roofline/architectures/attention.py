"""Attention of one group of layers: projections, positions, the core and its cache."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, Span


def attention_ops(
    spec: TransformerSpec, attention: SoftmaxAttention, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """q, k, v projections, what positions add, fused attention, output projection.

    `stream` is what else of the block stays in memory meanwhile, in elements.
    """
    tokens, width = span.tokens, float(spec.width)
    key_dim = float(attention.head_dim)
    value_dim = float(attention.value_dim or attention.head_dim)
    query_width, key_width = attention.heads * key_dim, attention.kv_heads * key_dim
    value_width, output_width = attention.kv_heads * value_dim, attention.heads * value_dim
    bias, queries = attention.qkv_bias, stream + tokens * query_width
    ops = [
        make.linear("q_proj", block, tokens, width, query_width, bias=bias, count=count, live=stream),
        make.linear("k_proj", block, tokens, width, key_width, bias=bias, joined=attention.packed, count=count,
                    live=queries),
        make.linear("v_proj", block, tokens, width, value_width, bias=bias, joined=attention.packed, count=count,
                    live=queries + tokens * key_width),
    ]  # fmt: skip
    if attention.qk_norm is not None:
        ops.extend(_qk_norms(attention, tokens, block, count, stream))
    if spec.positions.kind == "rotary":
        rotated = float(spec.positions.rotary_dim or key_dim)
        ops.append(
            make.rotary("rotary", block, tokens, attention.heads * rotated, attention.kv_heads * rotated,
                        count=count, live=stream + tokens * value_width)
        )  # fmt: skip
    window = float(attention.window) if attention.window is not None else None
    shape = AttentionShape(
        span, float(attention.heads), float(attention.kv_heads), key_dim, value_dim, window, attention.causal,
        attention.packed, attention.softmax_fp32,
    )  # fmt: skip
    core = make.attention("attention", block, shape, count=count, live=stream, cached=attention.causal)
    if spec.positions.kind == "relative":
        distances = _distance_ops(attention, span, width, block, count, queries + tokens * (key_width + value_width))
        ops.extend(distances)
        core = core._replace(read=core.read + distances[-1].write)
    ops.append(core)
    ops.append(
        make.linear("o_proj", block, tokens, output_width, width, bias=attention.output_bias, count=count, live=stream)
    )
    return ops


def _distance_ops(
    attention: SoftmaxAttention, span: Span, width: float, block: str, count: float, live: Num
) -> list[Op]:
    """Transformer-XL's terms of distance, which the attention adds to its scores.

    r [n + past, d] @ w [d, h k], once for the batch; then (q + v) [b, h, n, k] @ r^T -> [b, h, n, n + past]: every
    query with every distance, because the shift that aligns them follows the product. Two biases u, v [h, k] are held.

    Source: Dai et al. 2019 (arXiv:1901.02860), section 3.3. The FLOP counts of Chinchilla's appendix F leave both out.
    """
    heads, dim = float(attention.heads), float(attention.head_dim)
    distances = span.mean_past + span.new
    scores = span.tokens * heads * distances
    biases = 2.0 * heads * dim
    return [
        make.linear("relative_projection", block, distances, width, heads * dim, count=count, live=live),
        Op(
            "relative_scores", "attention", block, count,
            flops=2.0 * scores * dim, vector_flops=scores + span.tokens * biases,
            params=biases, active=biases, weights=biases,
            read=(span.tokens + distances) * heads * dim, write=scores, live=live,
        ),
    ]  # fmt: skip


def _qk_norms(attention: SoftmaxAttention, tokens: Num, block: str, count: float, live: Num) -> list[Op]:
    """Norms of queries and keys, per head or over the whole width."""
    ops = []
    for name, heads in (("q_norm", float(attention.heads)), ("k_norm", float(attention.kv_heads))):
        dim = float(attention.head_dim)
        rows, width = (tokens * heads, dim) if attention.qk_norm == "head" else (tokens, heads * dim)
        ops.append(make.norm(name, block, rows, width, style="rms", count=count, live=live))
    return ops
