"""Attention of one group of layers: projections, positions, the core and its cache."""

from __future__ import annotations

from roofline.architectures.text.stacks.distances import disentangled_ops
from roofline.architectures.text.stacks.patterns import block_pairs
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape


def attention_ops(spec: TransformerSpec, attention: SoftmaxAttention, layer: Sublayer) -> list[Op]:
    """q, k, v projections, what positions add, fused attention, output projection."""
    tokens, stream, width = layer.tokens, layer.stream, float(spec.width)
    key_dim = float(attention.head_dim)
    value_dim = float(attention.value_dim or attention.head_dim)
    query_width, key_width = attention.heads * key_dim, attention.kv_heads * key_dim
    value_width, output_width = attention.kv_heads * value_dim, attention.heads * value_dim
    bias, packed, queries = attention.qkv_bias, attention.packed, stream + tokens * query_width
    fresh = not attention.shared_cache
    ops = [layer.linear("q_proj", width, query_width, bias=bias)]
    if fresh:
        ops.append(
            layer.linear("k_proj", width, key_width, bias=bias and attention.key_bias, joined=packed, live=queries)
        )
    if fresh and not attention.keys_as_values:
        beside = queries + tokens * key_width
        ops.append(layer.linear("v_proj", width, value_width, bias=bias, joined=packed, live=beside))
    if attention.qk_norm is not None or attention.value_norm:
        ops.extend(_head_norms(attention, layer))
    if spec.positions.kind == "rotary" and attention.rotary:
        rotated = min(float(attention.rotary_dim or spec.positions.rotary_dim or key_dim), key_dim)
        turned, beside = attention.heads * rotated, stream + tokens * value_width
        ops.append(layer.rotary("rotary", turned, attention.kv_heads * rotated * fresh, live=beside))
    ops += _attended(spec, attention, layer)
    if attention.output_gate is not None:
        ops += _output_gate(attention, layer, width)
    if attention.output_norm:
        ops.append(layer.norm("output_norm", output_width))
    ops.append(layer.linear("o_proj", output_width, width, bias=attention.output_bias))
    return ops


def _attended(spec: TransformerSpec, attention: SoftmaxAttention, layer: Sublayer) -> list[Op]:
    """The attention proper, behind what distances add to its scores."""
    ops, core, positions = list[Op](), _core(attention, layer), spec.positions
    width, tokens, heads, groups = float(spec.width), layer.tokens, float(attention.heads), float(attention.kv_heads)
    key_dim, value_dim = float(attention.head_dim), float(attention.value_dim or attention.head_dim)
    if positions.kind == "relative":
        beside = layer.stream + tokens * (heads * key_dim) + tokens * (groups * (key_dim + value_dim))
        ops = _distance_ops(attention, layer, width, beside)
        core = core._replace(read=core.read + ops[-1].write)
    if positions.disentangled is not None:
        ops, scores = disentangled_ops(attention, positions.disentangled, width, layer)
        core = core._replace(read=core.read + scores)
    if positions.per_layer and positions.buckets is not None:
        ops.append(_own_buckets(attention, float(positions.buckets), layer))
    if attention.global_projections:
        # nothing runs them, since no token is global: the attention holds them
        more = (width + 1.0) * (heads * key_dim + groups * (key_dim + value_dim))
        core = core._replace(params=core.params + more)
    return [*ops, core]


def _own_buckets(attention: SoftmaxAttention, buckets: float, layer: Sublayer) -> Op:
    """A score per head for each pair of a query and a key, from a table of the layer's own (UMT5)."""
    pairs = layer.span.new * (layer.span.mean_past + layer.span.new)
    return make.embedding("distance_bias", layer.block, pairs, buckets, float(attention.heads), count=layer.layers)


def _distance_ops(attention: SoftmaxAttention, layer: Sublayer, width: float, live: Num) -> list[Op]:
    """Transformer-XL's terms of distance, which the attention adds to its scores.

    r [n + past, d] @ w [d, h k], once for the batch; then (q + v) [b, h, n, k] @ r^T -> [b, h, n, n + past]: every
    query with every distance, because the shift that aligns them follows the product. Two biases u, v [h, k] are held.

    Source: Dai et al. 2019 (arXiv:1901.02860), section 3.3. The FLOP counts of Chinchilla's appendix F leave both out.
    """
    heads, dim, tokens = float(attention.heads), float(attention.head_dim), layer.tokens
    distances = layer.span.mean_past + layer.span.new
    scores, biases = tokens * heads * distances, 2.0 * heads * dim
    flops, vector, read = 2.0 * scores * dim, scores + tokens * biases, (tokens + distances) * heads * dim
    amounts = (flops, vector, biases, biases, biases, read, scores)
    return [
        layer.over(distances).linear("relative_projection", width, heads * dim, live=live),
        Op("relative_scores", "attention", layer.block, layer.layers, *amounts, live=live),
    ]


def _output_gate(attention: SoftmaxAttention, layer: Sublayer, width: float) -> list[Op]:
    """The heads' output times the sigmoid of a projection of the input: an element or a head each."""
    output = float(attention.heads * (attention.value_dim or attention.head_dim))
    gates = output if attention.output_gate == "element" else float(attention.heads)
    bias = attention.qkv_bias and attention.gate_bias
    joined, beside = attention.packed, layer.stream + layer.tokens * output
    return [
        layer.linear("output_gate_proj", width, gates, bias=bias, joined=joined, live=beside),
        layer.pointwise("output_gate", output, reads=1.0 + gates / output, each=4.0),
    ]


def _core(attention: SoftmaxAttention, layer: Sublayer) -> Op:
    """The attention proper, with its cache and its sinks."""
    limit = attention.chunk or attention.window
    shape = AttentionShape(
        layer.span,
        float(attention.heads),
        float(attention.kv_heads),
        float(attention.head_dim),
        float(attention.value_dim or attention.head_dim),
        None if limit is None else float(limit),
        attention.causal,
        attention.packed,
        attention.softmax_fp32,
        attention.chunk is not None,
        attention.reference_window,
        None if attention.pattern is None else block_pairs(attention.pattern, layer.span.new),
    )
    core = layer.attention(shape, cached=attention.causal)
    if attention.cache_heads is not None:
        copies = attention.cache_heads / attention.kv_heads
        read, write, held = core.cache_read * copies, core.cache_write * copies, core.cache_held * copies
        grows = core.cache_grows * copies
        core = core._replace(cache_read=read, cache_write=write, cache_held=held, cache_grows=grows)
    if attention.shared_cache:
        fresh = core.cache_write
        read, cached = core.read - fresh, core.cache_read + fresh
        core = core._replace(read=read, cache_read=cached, cache_write=0.0, cache_held=0.0, cache_grows=0.0)
    if attention.sinks:
        sinks = float(attention.heads)
        core = core._replace(params=sinks, active=sinks, weights=sinks)
    return core


def _head_norms(attention: SoftmaxAttention, layer: Sublayer) -> list[Op]:
    """Norms of queries and keys, per head or over the whole width, and of values per head."""
    ops = []
    tokens, dim = layer.tokens, float(attention.head_dim)
    named = [("q_norm", float(attention.heads)), ("k_norm", float(attention.kv_heads))]
    for name, heads in named[: (1 if attention.shared_cache else 2) if attention.qk_norm else 0]:
        ops.append(_head_norm(name, attention, layer, heads))
    if attention.value_norm and not attention.shared_cache:
        values = layer.over(tokens * attention.kv_heads)
        ops.append(values.norm("v_norm", float(attention.value_dim or dim), weight=False))
    return ops


def _head_norm(name: str, attention: SoftmaxAttention, layer: Sublayer, heads: float) -> Op:
    """A norm of so many heads of each token: of each head alone, or over all of them."""
    how, dim = attention.qk_norm, float(attention.head_dim)
    kind, bias = attention.qk_norm_kind, attention.qk_norm_bias
    if how == "width":
        return layer.norm(name, heads * dim, style=kind, bias=bias)
    op = layer.over(layer.tokens * heads).norm(name, dim, style=kind, weight=how != "plain", bias=bias)
    if how == "heads":
        op = op._replace(params=op.params * heads, active=op.active * heads, weights=op.weights * heads)
    return op
