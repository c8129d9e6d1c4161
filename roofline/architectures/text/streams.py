"""Residuals of several streams that are mixed by every sublayer (manifold-constrained hyper-connections, DeepSeek V4).

The residual is x [t, n, d]. A sublayer f takes a weighted sum of the n streams; its output goes back to each of them,
and the streams mix by a doubly stochastic matrix [n, n]. The 2 n + n^2 weights are a projection of the token's streams.

Source: Xie et al. 2026, mHC (arXiv:2512.24880); transformers 5.23.0, deepseek_v4, where the weights stay in fp32.
"""

from __future__ import annotations

from roofline.num import Num
from roofline.workload import constructors as make
from roofline.workload.constructors_state import pointwise
from roofline.workload.op import Op

#: Sigmoids and the rounds of the Sinkhorn projection of an [n, n] matrix: two sums and two divisions per element each.
_ROUNDS = 20.0


def collapse_ops(name: str, block: str, tokens: Num, width: float, streams: float, count: float) -> list[Op]:
    """Weights from the normed streams [t, n d], and the weighted sum [t, d] that the sublayer reads."""
    size, mixes = streams * width, streams * (2.0 + streams)
    return [
        make.norm(f"{name}_streams_norm", block, tokens, size, weight=False, count=count, live=tokens * size),
        _held_too(make.linear(f"{name}_streams_weights", block, tokens, size, mixes, count=count, live=tokens * size),
                  mixes + 3.0),
        pointwise(f"{name}_streams_sinkhorn", block, tokens, mixes, reads=1.0, each=4.0 * _ROUNDS, count=count,
                  live=tokens * size),
        pointwise(f"{name}_streams_collapse", block, tokens, size, reads=1.0, writes=1.0 / streams, each=2.0,
                  count=count, live=tokens * mixes),
    ]  # fmt: skip


def mix_op(name: str, block: str, tokens: Num, width: float, streams: float, count: float) -> Op:
    """X' [t, n, d] = mix [n, n] x [t, n, d] + post [n] f(x) [t, d]; the mix is a product of 2 n FLOPs per element."""
    return pointwise(
        f"{name}_residual", block, tokens, streams * width, reads=1.0 + 1.0 / streams, each=2.0, flops=2.0 * streams,
        count=count,
    )  # fmt: skip


def head_ops(tokens: Num, width: float, streams: float) -> list[Op]:
    """The last weighted sum of the streams, before the final norm."""
    size = streams * width
    return [
        make.norm("streams_norm", "head", tokens, size, weight=False, live=tokens * size),
        _held_too(make.linear("streams_weights", "head", tokens, size, streams, live=tokens * size), streams + 1.0),
        pointwise("streams_collapse", "head", tokens, size, reads=1.0, writes=1.0 / streams, each=2.0),
    ]


def _held_too(op: Op, params: float) -> Op:
    """The op with its small vectors of parameters: a bias and scales."""
    held = op.params + params
    return op._replace(params=held, active=held, weights=held)
