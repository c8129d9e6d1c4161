"""Linear attention: gated delta net, Kimi delta attention, Lightning attention. Each carries a matrix per head."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.recurrence import GatedDelta, KimiDelta, Lightning
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import depthwise, gated_norm, pointwise, scan
from roofline.workload.op import Op
from roofline.workload.shapes import Span

#: Square, sum, square root and division, per element of a query or key that is scaled to length one.
_UNIT_LENGTH = 4.0


def gated_delta_ops(
    spec: TransformerSpec, attention: GatedDelta, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Projections to queries, keys, values, output gate, decay and rate; convolution; delta rule; gated norm; output.

    S = a S + k (b (v - k S))^T, o = q S; decay a and rate b are numbers per value head.

    Source: Yang et al. 2024 (arXiv:2412.06464); transformers 5.23.0, qwen3_next.
    """
    tokens, width = span.tokens, float(spec.width)
    heads, key_dim, value_dim = float(attention.value_heads), float(attention.key_dim), float(attention.value_dim)
    keys, values = attention.key_heads * key_dim, heads * value_dim
    mixed = 2.0 * keys + values
    beside = stream + tokens * (values + 2.0 * heads)
    return [
        make.linear("qkv_proj", block, tokens, width, mixed, count=count, live=stream),
        make.linear("gate_proj", block, tokens, width, values, count=count, live=stream + tokens * mixed),
        make.linear("decay_proj", block, tokens, width, 2.0 * heads, count=count,
                    live=stream + tokens * (mixed + values)),
        depthwise("conv", block, span, mixed, float(attention.kernel), count=count, live=beside),
        pointwise("unit_length", block, tokens, 2.0 * keys, reads=1.0, each=_UNIT_LENGTH, count=count, live=beside),
        scan("scan", block, span, rule="delta", heads=heads, key_dim=key_dim, value_dim=value_dim,
             read=mixed + 2.0 * heads, write=values, params=2.0 * heads, count=count, live=stream + tokens * values),
        gated_norm("gated_norm", block, tokens * heads, value_dim, value_dim, count=count, live=stream),
        make.linear("o_proj", block, tokens, values, width, count=count, live=stream),
    ]  # fmt: skip


def kimi_delta_ops(
    spec: TransformerSpec, attention: KimiDelta, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """As the gated delta net, with a decay per key channel; decay and output gate go through a bottleneck.

    Source: Kimi Team 2025 (arXiv:2510.26692); transformers 5.23.0, kimi_linear.
    """
    tokens, width = span.tokens, float(spec.width)
    heads, dim, rank = float(attention.heads), float(attention.head_dim), float(attention.decay_rank)
    inner, kernel = heads * dim, float(attention.kernel)
    row = tokens * inner
    beside = stream + 3.0 * row
    ops = [
        make.linear("q_proj", block, tokens, width, inner, count=count, live=stream),
        make.linear("k_proj", block, tokens, width, inner, count=count, live=stream + row),
        make.linear("v_proj", block, tokens, width, inner, count=count, live=stream + 2.0 * row),
        depthwise("conv", block, span, 3.0 * inner, kernel, count=count, live=stream),
        pointwise("unit_length", block, tokens, 2.0 * inner, reads=1.0, each=_UNIT_LENGTH, count=count,
                  live=stream + row),
        make.linear("decay_a_proj", block, tokens, width, rank, count=count, live=beside),
        make.linear("decay_b_proj", block, tokens, rank, inner, count=count, live=beside),
        make.linear("rate_proj", block, tokens, width, heads, count=count, live=beside + row),
        scan("scan", block, span, rule="delta", heads=heads, key_dim=dim, value_dim=dim, read=4.0 * inner + heads,
             write=inner, params=inner + heads, count=count, live=stream),
    ]  # fmt: skip
    if attention.gate_rank is not None:
        ops.append(make.linear("gate_a_proj", block, tokens, width, float(attention.gate_rank), count=count,
                               live=stream + row))  # fmt: skip
    gate_width = float(attention.gate_rank or width)
    return [
        *ops,
        make.linear("gate_b_proj", block, tokens, gate_width, inner, count=count, live=stream + row),
        gated_norm("gated_norm", block, tokens * heads, dim, dim, function="sigmoid", count=count, live=stream),
        make.linear("o_proj", block, tokens, inner, width, count=count, live=stream),
    ]  # fmt: skip


def lightning_ops(
    spec: TransformerSpec, attention: Lightning, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Activated queries, keys and values; S = a S + k v^T, o = q S with a fixed decay a per head; norm, gate, output.

    The state is kept in the cache's format, as the reference code keeps it.

    Source: MiniMax 2025 (arXiv:2501.08313), section 2.2; transformers 5.23.0, minimax.
    """
    tokens, width = span.tokens, float(spec.width)
    heads, dim = float(attention.heads), float(attention.head_dim)
    inner = heads * dim
    row = tokens * inner
    return [
        make.linear("qkv_proj", block, tokens, width, 3.0 * inner, count=count, live=stream),
        make.activate("qkv_activation", block, tokens, 3.0 * inner, function="silu", gated=False, count=count,
                      live=stream),
        scan("scan", block, span, rule="decay", heads=heads, key_dim=dim, value_dim=dim, read=3.0 * inner,
             write=inner, fp32=False, count=count, live=stream),
        make.norm("output_norm", block, tokens, inner, count=count, live=stream),
        make.linear("gate_proj", block, tokens, width, inner, count=count, live=stream + row),
        pointwise("output_gate", block, tokens, inner, reads=2.0, each=4.0, count=count, live=stream),
        make.linear("o_proj", block, tokens, inner, width, count=count, live=stream),
    ]  # fmt: skip
