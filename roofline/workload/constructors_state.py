"""Constructors of ops whose keys are selected or compressed, and of ops that carry a state of a fixed size.

The core of a linear attention or a state space is counted in its recurrent form, the least work that gives its result,
whatever the kernel: a chunked kernel computes more, and a framework's fallback yet another amount.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.num import Num, where
from roofline.specs.formats.caches import Row
from roofline.workload.constructors import VECTOR_FLOPS
from roofline.workload.op import Op
from roofline.workload.shapes import DepthwiseShape, RowShape, ScanShape, SelectedAttentionShape, Span

Rule: TypeAlias = Literal["selective", "decay", "delta", "gated", "mlstm", "rwkv"]


class RuleCost(NamedTuple):
    """FLOPs per element of the state [key_dim, value_dim] of a head and token: contractions, and everything else."""

    contractions: float
    vector: float


RULES: Final[dict[str, RuleCost]] = {
    # h = exp(dt A) h + (dt x) B per channel and state: element-wise but for the read-out C . h (a multiply-add)
    "selective": RuleCost(2.0, 5.0),
    # S = a S + k v^T (a multiply-add into the state) and the read-out q S: Mamba-2, Lightning
    "decay": RuleCost(4.0, 1.0),
    # S = a S + k (b (v - k S))^T and q S: gated delta net, Kimi delta attention
    "delta": RuleCost(6.0, 1.0),
    # S = f S + i k v^T, read-out q S and its normaliser
    "mlstm": RuleCost(4.0, 2.0),
    # h = a h + sqrt(1 - a^2) i x, element-wise: the real-gated linear recurrent unit
    "gated": RuleCost(0.0, 11.0),
    # weighted sums of values with decaying exponential weights, element-wise: RWKV-4
    "rwkv": RuleCost(0.0, 14.0),
}


class CacheUse(NamedTuple):
    """Elements of a layer's cache that a step reads, writes and leaves held; `state` counts those that do not grow.

    `grows` are those that one token more of a sequence adds, `row` what of a token is cached; `before`, by how much
    more was held at the fullest moment. `state_fp32` are elements of the state that stay in 4 bytes.
    """

    read: Num
    write: Num
    held: Num
    grows: Num
    row: Row
    state: Num = 0.0
    state_fp32: Num = 0.0
    before: Num = 0.0


def scan(
    name: str,
    block: str,
    shape: ScanShape,
    *,
    read: float,
    write: float,
    params: float = 0.0,
    fp32: bool = True,
    states: float = 1.0,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A recurrence over the tokens of each sequence, one kernel; its state [heads, key_dim, value_dim] is carried on.

    `read` and `write` are elements per token, `params` what the recurrence holds (decays, biases). The state is read
    where a sequence goes on and written when the step is done; it stays in 4 bytes where `fp32`. `states` counts
    several such states where the recurrence carries more than one.

    Sources: Gu and Dao 2023 (arXiv:2312.00752), algorithm 2; Dao and Gu 2024 (arXiv:2405.21060), section 2; Yang et al.
    2024 (arXiv:2412.06464), equation 10.
    """
    tokens, past, cost = shape.span.tokens, shape.span.past, RULES[shape.rule]
    elements = shape.heads * shape.key_dim * shape.value_dim
    flops, vector = cost.contractions * tokens * elements, cost.vector * tokens * elements
    amounts = (flops, vector, params, params, params, tokens * read, tokens * write)
    held = shape.span.batch * (states * elements)
    moved = held * (1.0 + where(past > 0.0, 1.0, 0.0))
    if fp32:
        return Op(
            name, "scan", block, count, *amounts, state_held_fp32=held, state_moved_fp32=moved, live=live, shape=shape
        )
    old = moved - held
    return Op(
        name, "scan", block, count, *amounts, cache_read=old, cache_write=held, state_held=held, live=live, shape=shape
    )


def depthwise(
    name: str,
    block: str,
    span: Span,
    channels: float,
    kernel: float,
    *,
    bias: bool = False,
    function: str | None = "silu",
    kept: float | None = None,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A causal convolution of each channel with its own `kernel` taps, and the activation behind it.

    2 k FLOPs per element. The last `kept` inputs are there for the next step: k - 1 would do, but the reference code
    keeps k where nothing else is said.
    """
    tokens = span.tokens
    own = channels * kernel + (channels if bias else 0.0)
    each = (1.0 if bias else 0.0) + (VECTOR_FLOPS[function] if function else 0.0)
    x, held = tokens * channels, span.batch * (channels * (kernel if kept is None else kept))
    amounts = (2.0 * tokens * (channels * kernel), tokens * (channels * each), own, own, own, x, x)
    return Op(
        name,
        "convolution",
        block,
        count,
        *amounts,
        cache_read=held * where(span.past > 0.0, 1.0, 0.0),
        cache_write=held,
        state_held=held,
        live=live,
        shape=DepthwiseShape(tokens, channels, kernel),
    )


def selected_attention(
    name: str,
    block: str,
    shape: SelectedAttentionShape,
    cache: CacheUse,
    *,
    fresh: Num = 0.0,
    chosen: Num = 0.0,
    params: float = 0.0,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """Fused attention over chosen keys: 2 (d + e) FLOPs per query head and pair, and its softmax.

    `fresh` counts elements of keys and values that are read from activations, `chosen` the 4-byte indices of keys per
    sequence: an indexer (`scores_only`) writes them, the attention behind it reads them. An indexer cuts its heads'
    scores off at zero and adds them up with a weight each; a `value_dim` of 1 counts that sum as a contraction.
    """
    span, only = shape.span, shape.scores_only
    tokens, pairs, indices = span.tokens, span.batch * shape.heads * shape.pairs, span.batch * chosen
    flops, vector = 2.0 * pairs * (shape.key_dim + shape.value_dim), (3.0 if only else VECTOR_FLOPS["softmax"]) * pairs
    x = tokens * (shape.heads * shape.key_dim) + fresh
    y = 0.0 if only else tokens * (shape.heads * shape.value_dim)
    return Op(
        name,
        "attention",
        block,
        count,
        *(flops, vector, params, params, params, x, y),
        read_fp32=0.0 if only else indices,
        write_fp32=indices if only else 0.0,
        cache_read=cache.read,
        cache_write=cache.write,
        cache_held=cache.held,
        state_held=cache.state,
        state_held_fp32=cache.state_fp32,
        live=live,
        shape=shape,
        cache_grows=cache.grows,
        cache_before=cache.before,
        row=cache.row,
    )


def gated_norm(
    name: str,
    block: str,
    rows: Num,
    width: float,
    weights: float,
    *,
    function: str = "silu",
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """RMS norm of rows [t, d] and the product with f(gate) [t, d], in one kernel; `weights` elements of weight."""
    y = rows * width
    vector = (VECTOR_FLOPS["rms"] + VECTOR_FLOPS[function] + 1.0) * y
    amounts, shape = (0.0, vector, weights, weights, weights, 2.0 * y, y), RowShape(rows, width, "other", function)
    return Op(name, "norm", block, count, *amounts, live=live, shape=shape)


def pointwise(
    name: str,
    block: str,
    rows: Num,
    width: float,
    *,
    reads: float,
    each: float,
    writes: float = 1.0,
    flops: float = 0.0,
    params: float = 0.0,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """Element-wise work over [t, d]: `reads` and `writes` tensors of that size, `each` operations per element."""
    x = rows * width
    amounts = (flops * x, each * x, params, params, params, reads * x, writes * x)
    shape = RowShape(rows, width, "other", name)
    return Op(name, "pointwise", block, count, *amounts, live=live, shape=shape)
