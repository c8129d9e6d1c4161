"""Attention whose projections are not a layer's own, or not every token's.

Zamba 2's transformer block is one set of matrices for several layers, with small adapters for each; in JetMoE's mixture
of attention heads the projections of queries and output are routed experts.
"""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.attention import RoutedHeads, SharedBlock
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape


def shared_block_ops(spec: TransformerSpec, shared: SharedBlock, layer: Sublayer) -> list[Op]:
    """Norm of residual and embedding side by side, attention to the width, norm, feed-forward, projection.

    No residual runs around its parts: its output is added to the residual of the state space behind it.

    Source: Glorioso et al. 2024 (arXiv:2411.15242), section 2; transformers 5.23.0, zamba2.
    """
    width, double = float(spec.width), 2.0 * spec.width
    ops = [
        layer.norm("block_norm", double),
        *_attention_ops(spec, shared, layer.beside(layer.stream + layer.tokens * double)),
        layer.linear("o_proj", float(shared.heads) * float(shared.head_dim), width),
        layer.norm("feed_forward_norm", width),
        *_feed_forward_ops(shared, width, layer),
        layer.linear("block_proj", width, width),
    ]
    return ops if shared.held else [op if _is_own(op) else op._replace(params=0.0, active=0.0) for op in ops]


def _is_own(op: Op) -> bool:
    """Whether each layer has such an op of its own: its adapters, and the projection of the block's output."""
    return "adapter" in op.name or op.name == "block_proj"


def _attention_ops(spec: TransformerSpec, shared: SharedBlock, layer: Sublayer) -> list[Op]:
    double, rank = 2.0 * spec.width, float(shared.adapter_rank or 0)
    heads, groups, dim = float(shared.heads), float(shared.kv_heads), float(shared.head_dim)
    queries, keys = heads * dim, groups * dim
    ops: list[Op] = []
    for name, out in (("q", queries), ("k", keys), ("v", keys)):
        ops.append(layer.linear(f"{name}_proj", double, out))
        if shared.attention_adapters:
            ops.append(layer.linear(f"{name}_adapter_a", double, rank))
            ops.append(layer.linear(f"{name}_adapter_b", rank, double))
    if spec.positions.kind == "rotary":
        ops.append(layer.rotary("rotary", queries, keys))
    return [*ops, layer.attention(AttentionShape(layer.span, heads, groups, dim, dim))]


def _feed_forward_ops(shared: SharedBlock, width: float, layer: Sublayer) -> list[Op]:
    hidden, bias = float(shared.hidden), shared.bias
    beside = layer.beside(layer.stream + 2.0 * layer.tokens * hidden)
    adapted: list[Op] = []
    if shared.adapter_rank is not None:
        rank = float(shared.adapter_rank)
        adapted = [
            beside.linear("gate_up_adapter_a", width, rank),
            beside.linear("gate_up_adapter_b", rank, 2.0 * hidden),
            layer.add("adapter_add", 2.0 * hidden),
        ]
    return [
        layer.linear("gate_up_proj", width, 2.0 * hidden, bias=bias),
        *adapted,
        layer.activate("activation", hidden, function=shared.activation, gated=True),
        layer.linear("down_proj", hidden, width, bias=bias),
    ]


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
