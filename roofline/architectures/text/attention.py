"""Attention of one group of layers: projections, positions, the core and its cache."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import pointwise
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
    bias, queries, fresh = attention.qkv_bias, stream + tokens * query_width, not attention.shared_cache
    ops = [make.linear("q_proj", block, tokens, width, query_width, bias=bias, count=count, live=stream)]
    if fresh:
        ops.append(make.linear("k_proj", block, tokens, width, key_width, bias=bias, joined=attention.packed,
                               count=count, live=queries))  # fmt: skip
    if fresh and not attention.keys_as_values:
        ops.append(make.linear("v_proj", block, tokens, width, value_width, bias=bias, joined=attention.packed,
                               count=count, live=queries + tokens * key_width))  # fmt: skip
    if attention.qk_norm is not None or attention.value_norm:
        ops.extend(_head_norms(attention, tokens, block, count, stream))
    if spec.positions.kind == "rotary" and attention.rotary:
        rotated = min(float(spec.positions.rotary_dim or key_dim), key_dim)
        ops.append(
            make.rotary("rotary", block, tokens, attention.heads * rotated, attention.kv_heads * rotated * fresh,
                        count=count, live=stream + tokens * value_width)
        )  # fmt: skip
    core = _core(attention, span, block, count, stream)
    if spec.positions.kind == "relative":
        distances = _distance_ops(attention, span, width, block, count, queries + tokens * (key_width + value_width))
        ops.extend(distances)
        core = core._replace(read=core.read + distances[-1].write)
    ops.append(core)
    if attention.output_gate is not None:
        ops += _output_gate(attention, tokens, width, block, count, stream)
    if attention.output_norm:
        ops.append(make.norm("output_norm", block, tokens, output_width, style="rms", count=count, live=stream))
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


def _output_gate(
    attention: SoftmaxAttention, tokens: Num, width: float, block: str, count: float, stream: Num
) -> list[Op]:
    """The heads' output times the sigmoid of a projection of the input: an element or a head each."""
    output = float(attention.heads * (attention.value_dim or attention.head_dim))
    gates = output if attention.output_gate == "element" else float(attention.heads)
    return [
        make.linear("gate_proj", block, tokens, width, gates, bias=attention.qkv_bias, joined=attention.packed,
                    count=count, live=stream + tokens * output),
        pointwise("output_gate", block, tokens, output, reads=1.0 + gates / output, each=4.0, count=count, live=stream),
    ]  # fmt: skip


def _core(attention: SoftmaxAttention, span: Span, block: str, count: float, stream: Num) -> Op:
    """The attention proper, with its cache and its sinks."""
    limit = attention.chunk or attention.window
    shape = AttentionShape(
        span, float(attention.heads), float(attention.kv_heads), float(attention.head_dim),
        float(attention.value_dim or attention.head_dim), None if limit is None else float(limit), attention.causal,
        attention.packed, attention.softmax_fp32, attention.chunk is not None,
    )  # fmt: skip
    core = make.attention("attention", block, shape, count=count, live=stream, cached=attention.causal)
    if attention.cache_heads is not None:
        copies = attention.cache_heads / attention.kv_heads
        core = core._replace(
            cache_read=core.cache_read * copies, cache_write=core.cache_write * copies,
            cache_held=core.cache_held * copies,
        )  # fmt: skip
    if attention.shared_cache:
        fresh = core.cache_write
        core = core._replace(
            read=core.read - fresh, cache_read=core.cache_read + fresh, cache_write=0.0, cache_held=0.0
        )
    if attention.sinks:
        sinks = float(attention.heads)
        core = core._replace(params=sinks, active=sinks, weights=sinks)
    return core


def _head_norms(attention: SoftmaxAttention, tokens: Num, block: str, count: float, live: Num) -> list[Op]:
    """Norms of queries and keys, per head or over the whole width, and of values per head."""
    ops = []
    how, dim = attention.qk_norm, float(attention.head_dim)
    named = [("q_norm", float(attention.heads)), ("k_norm", float(attention.kv_heads))]
    for name, heads in named[: (1 if attention.shared_cache else 2) if how else 0]:
        rows, width = (tokens, heads * dim) if how == "width" else (tokens * heads, dim)
        op = make.norm(
            name, block, rows, width, style=attention.qk_norm_kind, weight=how != "plain",
            bias=attention.qk_norm_bias, count=count, live=live,
        )  # fmt: skip
        if how == "heads":
            op = op._replace(params=op.params * heads, active=op.active * heads, weights=op.weights * heads)
        ops.append(op)
    if attention.value_norm and not attention.shared_cache:
        rows = tokens * attention.kv_heads
        ops.append(
            make.norm("v_norm", block, rows, float(attention.value_dim or dim), weight=False, count=count, live=live)
        )
    return ops
