"""Constructors of ops: one small function per operation, each a formula with its shape.

All are written for one kernel per operation (`--fusion flash`); the passes rewrite them for other fusion levels. What
stands in an op without a keyword is in the order of its fields: name, kind, block, count; FLOPs, vector FLOPs;
parameters held and active, weights streamed; elements read and written; elements of 4 bytes read and written.
"""

from __future__ import annotations

from typing import Final, Literal

from roofline.num import Num, maximum, minimum, power
from roofline.specs.formats.caches import Row
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
    "xielu": 11.0,  # compare, a square and a line; minimum, exponentiate, subtract, scale and a line; choose
    "rotary": 3.0,  # two products and a sum per element
    "sigmoid": 3.0,  # negate, exponentiate, add and divide
    "softplus": 3.0,
    "none": 0.0,
}


def linear(
    name: str,
    block: str,
    tokens: Num,
    d_in: float,
    d_out: float,
    *,
    bias: bool = False,
    held: bool = True,
    joined: bool = False,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A dense layer: x [t, i] @ w [i, o] (+ b [o]) -> [t, o]; 2 t i o FLOPs.

    `held=False` where the weights belong to another op (a tied head): streamed, not held twice. `joined=True` where the
    columns stand in one matrix with those of the op before: its launch and its read of x serve both.
    """
    products = d_in * d_out
    x, y, flops = tokens * d_in, tokens * d_out, 2.0 * tokens * products
    weights, vector = (products + d_out, y) if bias else (products, 0.0)
    own, kernels, shape = weights if held else 0.0, 1.0, MatmulShape(tokens, d_in, d_out, bias)
    if joined:
        x, live, kernels = 0.0, live + x, 0.0
    return Op(
        name, "linear", block, count, flops, vector, own, own, weights, x, y, live=live, kernels=kernels, shape=shape
    )


def heads_linear(
    name: str,
    block: str,
    tokens: Num,
    heads: float,
    d_in: float,
    d_out: float,
    *,
    bias: bool = False,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A matrix for each head or group: x [t, h, i] @ w [h, i, o] (+ b [h, o]) -> [t, h, o]; 2 t h i o FLOPs."""
    products, outputs = heads * d_in * d_out, heads * d_out
    flops, vector = 2.0 * tokens * products, tokens * outputs if bias else 0.0
    own = products + (outputs if bias else 0.0)
    x, y, shape = tokens * (heads * d_in), tokens * outputs, MatmulShape(tokens * heads, d_in, d_out, bias, heads)
    return Op(name, "linear", block, count, flops, vector, own, own, own, x, y, live=live, shape=shape)


def embedding(
    name: str, block: str, tokens: Num, rows: float, width: float, *, count: float = 1.0, live: Num = 0.0
) -> Op:
    """A table look-up: ids [t] (8 bytes each) -> rows [t, d]; a row that several tokens share is read once at best."""
    own, weights, y = rows * width, minimum(tokens, rows) * width, tokens * width
    ids, shape = 2.0 * tokens, RowShape(tokens, width, "embedding")
    return Op(name, "gather", block, count, 0.0, 0.0, own, own, weights, 0.0, y, ids, live=live, shape=shape)


def norm(
    name: str,
    block: str,
    rows: Num,
    width: float,
    *,
    style: Literal["rms", "layer"] = "rms",
    weight: bool = True,
    bias: bool = False,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A normalisation of rows [t, d], read once and written once."""
    own = (width if weight else 0.0) + (width if bias else 0.0)
    x = rows * width
    vector, shape = VECTOR_FLOPS[style] * x, RowShape(rows, width, style, "bias" if bias else "")
    return Op(name, "norm", block, count, 0.0, vector, own, own, own, x, x, live=live, shape=shape)


def add(name: str, block: str, rows: Num, width: float, *, shared_rows: Num | None = None, count: float = 1.0) -> Op:
    """A residual: a + b -> c over [t, d]; b may have fewer rows, `shared_rows`, that serve every sequence."""
    y = rows * width
    read = y + (y if shared_rows is None else shared_rows * width)
    shape = RowShape(rows, width, "add")
    return Op(name, "pointwise", block, count, 0.0, y, 0.0, 0.0, 0.0, read, y, shape=shape)


def activate(
    name: str,
    block: str,
    rows: Num,
    width: float,
    *,
    function: str,
    gated: bool,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """f(x) over [t, f], or f(gate) * up when gated: one kernel."""
    y = rows * width
    vector, read = (VECTOR_FLOPS[function] + (1.0 if gated else 0.0)) * y, (2.0 if gated else 1.0) * y
    shape = RowShape(rows, width, "gated" if gated else "activation", function)
    return Op(name, "pointwise", block, count, 0.0, vector, 0.0, 0.0, 0.0, read, y, live=live, shape=shape)


def rotary(
    name: str, block: str, tokens: Num, query_width: float, key_width: float, *, count: float = 1.0, live: Num = 0.0
) -> Op:
    """Rotation of queries [t, h d] and keys [t, g d] in one kernel."""
    x = tokens * (query_width + key_width)
    vector, shape = VECTOR_FLOPS["rotary"] * x, RowShape(tokens, query_width + key_width, "rotary")
    return Op(name, "pointwise", block, count, 0.0, vector, 0.0, 0.0, 0.0, x, x, live=live, shape=shape)


def attention(
    name: str, block: str, shape: AttentionShape, *, cached: bool = True, count: float = 1.0, live: Num = 0.0
) -> Op:
    """Fused attention: q [b, h, n, d], k [b, g, s, d], v [b, g, s, e] -> o [b, h, n, e]; scores never reach memory.

    2 (d + e) FLOPs per head and query-key pair: q k^T and the product with v. New keys and values are read from their
    activations and appended to the cache; older ones are read from the cache, once per step.
    """
    span, window = shape.span, shape.window
    pairs = span.causal_pairs(window) if shape.causal else span.mutual_pairs(window)
    old = span.cached_keys(window)
    if shape.chunked and window is not None:
        pairs, old = span.chunk_pairs(window), span.chunk_keys(window)
    pairs = pairs if shape.pairs is None else shape.pairs
    scores = span.batch * shape.heads * pairs
    flops, vector = 2.0 * scores * (shape.key_dim + shape.value_dim), VECTOR_FLOPS["softmax"] * scores
    queries, store = span.batch * span.new * shape.heads, shape.kv_heads * (shape.key_dim + shape.value_dim)
    new = span.batch * span.new * store
    x, y = queries * shape.key_dim + new, queries * shape.value_dim
    if not cached:
        return Op(name, "attention", block, count, flops, vector, read=x, write=y, live=live, shape=shape)
    read, held = span.batch * old * store, span.batch * span.held_keys(window) * store
    return Op(
        name,
        "attention",
        block,
        count,
        flops,
        vector,
        read=x,
        write=y,
        cache_read=read,
        cache_write=new,
        cache_held=held,
        live=live,
        shape=shape,
        cache_grows=store * span.grows(window),
        row=Row(shape.kv_heads * shape.key_dim, shape.kv_heads * shape.value_dim),
    )


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
    name: str,
    block: str,
    tokens: Num,
    *,
    width: float,
    hidden: float,
    number: float,
    top_k: float,
    gated: bool,
    bias: bool = False,
    function: str = "silu",
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """Routed feed-forwards, as one grouped kernel per matrix: each token visits `top_k` of `number` experts.

    The weights of the experts expected to be touched are read, not those of one token and not all. Of what the kernels
    read and write, no more than `experts_peak` is in memory at once.
    """
    matrices = 3.0 if gated else 2.0
    each = matrices * width * hidden + ((matrices - 1.0) * hidden + width if bias else 0.0)
    touched = experts_touched(tokens, number, top_k)
    rows = tokens * top_k
    outer, inner, out = tokens * width, rows * hidden, rows * width
    flops = 2.0 * rows * matrices * (width * hidden)
    vector = (VECTOR_FLOPS[function] + (1.0 if gated else 0.0)) * rows * hidden + 2.0 * rows * width
    moved = outer + inner * matrices + out
    shape = ExpertsShape(tokens, number, top_k, touched, width, hidden, gated, function)
    return Op(
        name,
        "experts",
        block,
        count,
        flops,
        vector,
        params=number * each,
        active=top_k * each,
        weights=touched * each,
        read=moved,
        write=moved,
        live=live,
        reused=2.0 * moved - experts_peak(outer, inner, out, gated=gated),
        kernels=5.0,
        shape=shape,
    )
