"""Attention whose query and output projections are routed experts: JetMoE's mixture of attention heads."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.attention import RoutedHeads
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape


def routed_heads_ops(spec: TransformerSpec, attention: RoutedHeads, layer: Sublayer) -> list[Op]:
    """Router; keys and values; each token's queries from its experts, and their outputs back; attention between.

    An expert is two matrices, [d, g k] before and [g k, d] behind the attention, so both stand here as one op of
    experts with a hidden width of g k. Queries of all experts of a token attend to the same g heads of keys.

    Source: Shen et al. 2024 (arXiv:2404.07413), section 3.2; transformers 5.24.0, jetmoe.
    """
    width, groups, dim = float(spec.width), float(attention.kv_heads), float(attention.head_dim)
    keys, top_k, queries = groups * dim, float(attention.top_k), groups * float(attention.top_k)
    experts = make.experts(
        "experts",
        layer.block,
        layer.tokens,
        width=width,
        hidden=keys,
        number=float(attention.experts),
        top_k=top_k,
        gated=False,
        function="relu",
        count=layer.layers,
        live=layer.stream,
    )
    if attention.output_bias:
        held, active, weights = experts.params + width, experts.active + width, experts.weights + width
        experts = experts._replace(params=held, active=active, weights=weights)
    ops = [
        layer.linear("router", width, float(attention.experts)),
        layer.linear("k_proj", width, keys),
        layer.linear("v_proj", width, keys, joined=True),
    ]
    if spec.positions.kind == "rotary":
        ops.append(layer.rotary("rotary", queries * dim, keys))
    return [*ops, layer.attention(AttentionShape(layer.span, queries, groups, dim, dim)), experts]
