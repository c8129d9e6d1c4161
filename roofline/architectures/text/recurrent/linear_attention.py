"""Linear attention: gated delta net, Kimi delta attention, Lightning attention. Each carries a matrix per head."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.recurrence import GatedDelta, KimiDelta, Lightning
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.shapes import ScanShape

#: Square, sum, square root and division, per element of a query or key that is scaled to length one.
_UNIT_LENGTH = 4.0


def gated_delta_ops(spec: TransformerSpec, attention: GatedDelta, layer: Sublayer) -> list[Op]:
    """Projections to queries, keys, values, output gate, decay and rate; convolution; delta rule; gated norm; output.

    S = a S + k (b (v - k S))^T, o = q S; decay a and rate b are numbers per value head.

    Source: Yang et al. 2024 (arXiv:2412.06464); transformers 5.23.0, qwen3_next.
    """
    tokens, stream, width = layer.tokens, layer.stream, float(spec.width)
    heads, key_dim, value_dim = float(attention.value_heads), float(attention.key_dim), float(attention.value_dim)
    keys, values = attention.key_heads * key_dim, heads * value_dim
    mixed, rates = 2.0 * keys + values, 2.0 * heads
    beside = stream + tokens * (values + 2.0 * heads)
    shape = ScanShape(layer.span, heads, key_dim, value_dim, "delta")
    return [
        layer.linear("in_proj_qkv", width, mixed),
        layer.linear("in_proj_z", width, values, live=stream + tokens * mixed),
        layer.linear("in_proj_ba", width, rates, live=stream + tokens * (mixed + values)),
        layer.depthwise(mixed, float(attention.kernel), live=beside),
        layer.pointwise("unit_length", 2.0 * keys, reads=1.0, each=_UNIT_LENGTH, live=beside),
        layer.scan(shape, read=mixed + rates, write=values, params=rates, live=stream + tokens * values),
        layer.over(tokens * heads).gated_norm("gated_norm", value_dim, value_dim),
        layer.linear("out_proj", values, width),
    ]


def kimi_delta_ops(spec: TransformerSpec, attention: KimiDelta, layer: Sublayer) -> list[Op]:
    """As the gated delta net, with a decay per key channel; decay and output gate go through a bottleneck.

    Source: Kimi Team 2025 (arXiv:2510.26692); transformers 5.23.0, kimi_linear.
    """
    stream, width = layer.stream, float(spec.width)
    heads, dim = float(attention.heads), float(attention.head_dim)
    inner = heads * dim
    row = layer.tokens * inner
    beside = stream + 3.0 * row
    shape = ScanShape(layer.span, heads, dim, dim, "delta")
    ops = [
        layer.linear("q_proj", width, inner),
        layer.linear("k_proj", width, inner, live=stream + row),
        layer.linear("v_proj", width, inner, live=stream + 2.0 * row),
        layer.depthwise(3.0 * inner, float(attention.kernel)),
        layer.pointwise("unit_length", 2.0 * inner, reads=1.0, each=_UNIT_LENGTH, live=stream + row),
        *_decay_ops(attention, width, layer.beside(beside)),
        layer.linear("rate_proj", width, heads, live=beside + row),
        layer.scan(shape, read=4.0 * inner + heads, write=inner, params=inner + heads),
    ]
    gate_width = width
    if attention.gate_rank is not None:
        gate_width = float(attention.gate_rank)
        ops.append(layer.linear("gate_a_proj", width, gate_width, live=stream + row))
    return [
        *ops,
        layer.linear("gate_b_proj", gate_width, inner, live=stream + row),
        layer.over(layer.tokens * heads).gated_norm("gated_norm", dim, dim, function="sigmoid"),
        layer.linear("o_proj", inner, width),
    ]


def _decay_ops(attention: KimiDelta, width: float, layer: Sublayer) -> list[Op]:
    """The decays of all channels, through a bottleneck where there is one."""
    inner = float(attention.heads) * float(attention.head_dim)
    if attention.decay_rank is None:
        return [layer.linear("decay_b_proj", width, inner)]
    rank = float(attention.decay_rank)
    return [layer.linear("decay_a_proj", width, rank), layer.linear("decay_b_proj", rank, inner)]


def lightning_ops(spec: TransformerSpec, attention: Lightning, layer: Sublayer) -> list[Op]:
    """Activated queries, keys and values; S = a S + k v^T, o = q S with a fixed decay a per head; norm, gate, output.

    The state is kept in the cache's format, as the reference code keeps it.

    Source: MiniMax 2025 (arXiv:2501.08313), section 2.2; transformers 5.23.0, minimax.
    """
    width, heads, dim = float(spec.width), float(attention.heads), float(attention.head_dim)
    inner = heads * dim
    shape = ScanShape(layer.span, heads, dim, dim, "decay")
    ops = [layer.linear("qkv_proj", width, 3.0 * inner)]
    if attention.activation:
        ops.append(layer.activate("qkv_activation", 3.0 * inner, function="silu"))
    if attention.qk_norm:
        ops += [layer.over(layer.tokens * heads).norm(name, dim) for name in ("q_norm", "k_norm")]
    return [
        *ops,
        layer.scan(shape, read=3.0 * inner, write=inner, fp32=False),
        layer.norm("output_norm", inner),
        layer.linear("output_gate_proj", width, inner, live=layer.stream + layer.tokens * inner),
        layer.pointwise("output_gate", inner, reads=2.0, each=4.0),
        layer.linear("o_proj", inner, width),
    ]
