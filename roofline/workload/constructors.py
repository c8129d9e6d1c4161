"""Constructors of ops: one small function per operation, each a formula with its shape.

All are written for one kernel per operation (`--fusion flash`); the passes rewrite them for other fusion levels.
"""

from __future__ import annotations

from typing import Final, Literal

from roofline.num import Num, maximum, minimum, power
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, ExpertsShape, MatmulShape, RowShape

#: Vector FLOPs per element. A transcendental counts as one operation; the counts are conventions, stated here once.
VECTOR_FLOPS: Final[dict[str, float]] = {
    "rms": 4.0,  # square, add to the sum, scale, weight
    "layer": 7.0,  # mean, centre, square, sum, scale, weight, bias
    "softmax": 5.0,  # scale, maximum, subtract and exponentiate, sum
    "silu": 4.0,  # negate, exponentiate, add and divide, multiply
    "gelu": 8.0,
    "gelu_tanh": 8.0,
    "gelu_new": 8.0,  # gelu_tanh, written out in element-wise operations
    "quick_gelu": 5.0,
    "relu": 1.0,
    "relu2": 2.0,
    "rotary": 3.0,  # two products and a sum per element
    "sigmoid": 3.0,  # negate, exponentiate, add and divide
    "softplus": 3.0,
    "none": 0.0,
}


def linear(
    name: str, block: str, tokens: Num, d_in: float, d_out: float, *,
    bias: bool = False, held: bool = True, joined: bool = False, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """A dense layer: x [t, i] @ w [i, o] (+ b [o]) -> [t, o]; 2 t i o FLOPs.

    `held=False` where the weights belong to another op (a tied head): streamed, not held twice. `joined=True` where the
    columns stand in one matrix with those of the op before: its launch and its read of x serve both.
    """
    weights = d_in * d_out + (d_out if bias else 0.0)
    params = weights if held else 0.0
    return Op(
        name, "linear", block, count,
        flops=2.0 * tokens * (d_in * d_out),
        vector_flops=tokens * d_out if bias else 0.0,
        params=params, active=params, weights=weights,
        read=0.0 if joined else tokens * d_in, write=tokens * d_out,
        live=live + tokens * d_in if joined else live,
        kernels=0.0 if joined else 1.0,
        shape=MatmulShape(tokens, d_in, d_out, bias),
    )  # fmt: skip


def heads_linear(
    name: str, block: str, tokens: Num, heads: float, d_in: float, d_out: float, *,
    bias: bool = False, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """A matrix for each head or group: x [t, h, i] @ w [h, i, o] (+ b [h, o]) -> [t, h, o]; 2 t h i o FLOPs."""
    products, outputs = heads * d_in * d_out, heads * d_out
    weights = products + (outputs if bias else 0.0)
    return Op(
        name, "linear", block, count,
        flops=2.0 * tokens * products, vector_flops=tokens * outputs if bias else 0.0,
        params=weights, active=weights, weights=weights,
        read=tokens * (heads * d_in), write=tokens * outputs, live=live,
        shape=MatmulShape(tokens * heads, d_in, d_out, bias, groups=heads),
    )  # fmt: skip


def embedding(
    name: str, block: str, tokens: Num, rows: float, width: float, *, count: float = 1.0, live: Num = 0.0
) -> Op:
    """A table look-up: ids [t] (8 bytes each) -> rows [t, d]; a row that several tokens share is read once at best."""
    return Op(
        name, "gather", block, count,
        params=rows * width, active=rows * width, weights=minimum(tokens, rows) * width,
        read_fp32=2.0 * tokens, write=tokens * width, live=live,
        shape=RowShape(tokens, width, "embedding"),
    )  # fmt: skip


def norm(
    name: str, block: str, rows: Num, width: float, *,
    style: Literal["rms", "layer"] = "rms", weight: bool = True, bias: bool = False,
    count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """A normalisation of rows [t, d], read once and written once."""
    params = (width if weight else 0.0) + (width if bias else 0.0)
    elements = rows * width
    return Op(
        name, "norm", block, count,
        vector_flops=VECTOR_FLOPS[style] * elements, params=params, active=params, weights=params,
        read=elements, write=elements, live=live,
        shape=RowShape(rows, width, style, "bias" if bias else ""),
    )  # fmt: skip


def add(name: str, block: str, rows: Num, width: float, *, shared_rows: Num | None = None, count: float = 1.0) -> Op:
    """A residual: a + b -> c over [t, d]; b may have fewer rows, `shared_rows`, that serve every sequence."""
    elements = rows * width
    second = elements if shared_rows is None else shared_rows * width
    return Op(
        name, "pointwise", block, count,
        vector_flops=elements, read=elements + second, write=elements, shape=RowShape(rows, width, "add"),
    )  # fmt: skip


def activate(
    name: str, block: str, rows: Num, width: float, *,
    function: str, gated: bool, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """f(x) over [t, f], or f(gate) * up when gated: one kernel."""
    elements = rows * width
    return Op(
        name, "pointwise", block, count,
        vector_flops=(VECTOR_FLOPS[function] + (1.0 if gated else 0.0)) * elements,
        read=(2.0 if gated else 1.0) * elements, write=elements, live=live,
        shape=RowShape(rows, width, "gated" if gated else "activation", function),
    )  # fmt: skip


def rotary(
    name: str, block: str, tokens: Num, query_width: float, key_width: float, *, count: float = 1.0, live: Num = 0.0
) -> Op:
    """Rotation of queries [t, h d] and keys [t, g d] in one kernel."""
    elements = tokens * (query_width + key_width)
    return Op(
        name, "pointwise", block, count,
        vector_flops=VECTOR_FLOPS["rotary"] * elements, read=elements, write=elements, live=live,
        shape=RowShape(tokens, query_width + key_width, "rotary"),
    )  # fmt: skip


def attention(
    name: str, block: str, shape: AttentionShape, *, cached: bool = True, count: float = 1.0, live: Num = 0.0
) -> Op:
    """Fused attention: q [b, h, n, d], k [b, g, s, d], v [b, g, s, e] -> o [b, h, n, e]; scores never reach memory.

    2 (d + e) FLOPs per head and query-key pair: q k^T and the product with v. New keys and values are read from their
    activations and appended to the cache; older ones are read from the cache, once per step.
    """
    span, old = shape.span, shape.span.cached_keys(shape.window)
    pairs = span.causal_pairs(shape.window) if shape.causal else span.new * (span.past + span.new)
    if shape.chunked and shape.window is not None:
        pairs, old = span.chunk_pairs(shape.window), span.chunk_keys(shape.window)
    scores = span.batch * shape.heads * pairs
    kv_width = shape.kv_heads * (shape.key_dim + shape.value_dim)
    fresh = span.batch * span.new * kv_width
    return Op(
        name, "attention", block, count,
        flops=2.0 * scores * (shape.key_dim + shape.value_dim),
        vector_flops=VECTOR_FLOPS["softmax"] * scores,
        read=span.batch * span.new * shape.heads * shape.key_dim + fresh,
        write=span.batch * span.new * shape.heads * shape.value_dim,
        cache_read=span.batch * old * kv_width if cached else 0.0,
        cache_write=fresh if cached else 0.0,
        cache_held=span.batch * span.held_keys(shape.window) * kv_width if cached else 0.0,
        live=live, shape=shape,
    )  # fmt: skip


def experts_touched(tokens: Num, experts: float, top_k: float) -> Num:
    """Expected number of distinct experts that `tokens` tokens visit under uniform routing: E (1 - (1 - k/E)^t)."""
    return experts * (1.0 - power(1.0 - top_k / experts, tokens))


def experts_peak(outer: Num, inner: Num, out: Num, *, gated: bool) -> Num:
    """Most elements of routed feed-forwards that are in memory at once, beside the input x [t, d], which stays.

    That is one of: gate, up and their product [r, f] while they are multiplied; that product and the rows [r, d] that
    come down from it; these rows and their sum [t, d]. `outer` is t d, `inner` r f and `out` r d.
    """
    activating = (3.0 if gated else 2.0) * inner
    return outer + maximum(activating, out + maximum(inner, outer))


def experts(
    name: str, block: str, tokens: Num, *, width: float, hidden: float, number: float, top_k: float,
    gated: bool, bias: bool = False, function: str = "silu", count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """Routed feed-forwards, as one grouped kernel per matrix: each token visits `top_k` of `number` experts.

    The weights of the experts expected to be touched are read, not those of one token and not all. Of what the kernels
    read and write, no more than `experts_peak` is in memory at once.
    """
    matrices = 3.0 if gated else 2.0
    each = matrices * width * hidden + ((matrices - 1.0) * hidden + width if bias else 0.0)
    touched = experts_touched(tokens, number, top_k)
    rows = tokens * top_k
    outer, inner, out = tokens * width, rows * hidden, rows * width
    moved = outer + inner * matrices + out
    return Op(
        name, "experts", block, count,
        flops=2.0 * rows * matrices * (width * hidden),
        vector_flops=(VECTOR_FLOPS[function] + (1.0 if gated else 0.0)) * rows * hidden + 2.0 * rows * width,
        params=number * each, active=top_k * each, weights=touched * each,
        read=moved, write=moved, kernels=5.0, live=live,
        reused=2.0 * moved - experts_peak(outer, inner, out, gated=gated),
        shape=ExpertsShape(tokens, number, top_k, touched, width, hidden, gated, function),
    )  # fmt: skip
