"""Constructors of ops whose keys are selected or compressed, and of ops that carry a state of a fixed size.

The core of a linear attention or a state space is counted in its recurrent form, the least work that gives its result,
whatever the kernel: a chunked kernel computes more, and a framework's fallback yet another amount.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.num import Num, where
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


def scan(
    name: str, block: str, span: Span, *, rule: Rule, heads: float, key_dim: float, value_dim: float,
    read: float, write: float, params: float = 0.0, fp32: bool = True, states: float = 1.0,
    count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """A recurrence over the tokens of each sequence, one kernel; its state [heads, key_dim, value_dim] is carried on.

    `read` and `write` are elements per token, `params` what the recurrence holds (decays, biases). The state is read
    where a sequence goes on and written when the step is done; it stays in 4 bytes where `fp32`. `states` counts
    several such states where the recurrence carries more than one.

    Sources: Gu and Dao 2023 (arXiv:2312.00752), algorithm 2; Dao and Gu 2024 (arXiv:2405.21060), section 2; Yang et al.
    2024 (arXiv:2412.06464), equation 10.
    """
    tokens, cost = span.tokens, RULES[rule]
    elements = heads * key_dim * value_dim
    held = span.batch * (states * elements)
    moved = held * (1.0 + where(span.past > 0.0, 1.0, 0.0))
    return Op(
        name, "scan", block, count,
        flops=cost.contractions * tokens * elements, vector_flops=cost.vector * tokens * elements,
        params=params, active=params, weights=params,
        read=tokens * read, write=tokens * write,
        cache_read=0.0 if fp32 else moved - held, cache_write=0.0 if fp32 else held,
        state_held=0.0 if fp32 else held,
        state_held_fp32=held if fp32 else 0.0, state_moved_fp32=moved if fp32 else 0.0, live=live,
        shape=ScanShape(span, heads, key_dim, value_dim, rule),
    )  # fmt: skip


def depthwise(
    name: str, block: str, span: Span, channels: float, kernel: float, *,
    bias: bool = False, function: str | None = "silu", kept: float | None = None, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """A causal convolution of each channel with its own `kernel` taps, and the activation behind it.

    2 k FLOPs per element. The last `kept` inputs are there for the next step: k - 1 would do, but the reference code
    keeps k where nothing else is said.
    """
    tokens = span.tokens
    params = channels * kernel + (channels if bias else 0.0)
    held = span.batch * (channels * (kernel if kept is None else kept))
    vector = (1.0 if bias else 0.0) + (VECTOR_FLOPS[function] if function else 0.0)
    return Op(
        name, "convolution", block, count,
        flops=2.0 * tokens * (channels * kernel), vector_flops=tokens * (channels * vector),
        params=params, active=params, weights=params,
        read=tokens * channels, write=tokens * channels,
        cache_read=held * where(span.past > 0.0, 1.0, 0.0), cache_write=held, state_held=held,
        live=live, shape=DepthwiseShape(tokens, channels, kernel),
    )  # fmt: skip


def selected_attention(
    name: str, block: str, shape: SelectedAttentionShape, *, fresh: Num = 0.0, chosen: Num = 0.0, cache_read: Num = 0.0,
    cache_write: Num = 0.0, cache_held: Num = 0.0, state_held: Num = 0.0, params: float = 0.0,
    count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """Fused attention over chosen keys: 2 (d + e) FLOPs per query head and pair, and its softmax.

    `fresh` counts elements of keys and values that are read from activations, `chosen` the 4-byte indices of keys per
    sequence: an indexer (`scores_only`) writes them, the attention behind it reads them. An indexer cuts its heads'
    scores off at zero and adds them up with a weight each; a `value_dim` of 1 counts that sum as a contraction.
    """
    span = shape.span
    tokens, pairs, indices = span.tokens, span.batch * shape.heads * shape.pairs, span.batch * chosen
    only = shape.scores_only
    return Op(
        name, "attention", block, count,
        flops=2.0 * pairs * (shape.key_dim + shape.value_dim),
        vector_flops=(3.0 if only else VECTOR_FLOPS["softmax"]) * pairs,
        params=params, active=params, weights=params,
        read=tokens * (shape.heads * shape.key_dim) + fresh,
        write=0.0 if only else tokens * (shape.heads * shape.value_dim),
        read_fp32=0.0 if only else indices, write_fp32=indices if only else 0.0,
        cache_read=cache_read, cache_write=cache_write, cache_held=cache_held, state_held=state_held,
        live=live, shape=shape,
    )  # fmt: skip


def gated_norm(
    name: str, block: str, rows: Num, width: float, weights: float, *,
    function: str = "silu", count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """RMS norm of rows [t, d] and the product with f(gate) [t, d], in one kernel; `weights` elements of weight."""
    elements = rows * width
    return Op(
        name, "norm", block, count,
        vector_flops=(VECTOR_FLOPS["rms"] + VECTOR_FLOPS[function] + 1.0) * elements,
        params=weights, active=weights, weights=weights, read=2.0 * elements, write=elements, live=live,
        shape=RowShape(rows, width, "other", function),
    )  # fmt: skip


def pointwise(
    name: str, block: str, rows: Num, width: float, *, reads: float, writes: float = 1.0, each: float,
    flops: float = 0.0, params: float = 0.0, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """Element-wise work over [t, d]: `reads` and `writes` tensors of that size, `each` operations per element."""
    elements = rows * width
    return Op(
        name, "pointwise", block, count, flops=flops * elements, vector_flops=each * elements,
        params=params, active=params, weights=params,
        read=reads * elements, write=writes * elements, live=live, shape=RowShape(rows, width, "other", name),
    )  # fmt: skip
