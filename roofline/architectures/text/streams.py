"""Residuals of several streams that are mixed by every sublayer (manifold-constrained hyper-connections, DeepSeek V4).

The residual is x [t, n, d]. A sublayer f takes a weighted sum of the n streams; its output goes back to each of them,
and the streams mix by a doubly stochastic matrix [n, n]. The 2 n + n^2 weights are a projection of the token's streams.
Hunyuan V4 does without that matrix.

Source: Xie et al. 2026, mHC (arXiv:2512.24880); transformers 5.24.0, deepseek_v4 and hy_v4, where the weights stay in
fp32.
"""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.workload.constructors_state import pointwise
from roofline.workload.op import Op

#: Sigmoids and the rounds of the Sinkhorn projection of an [n, n] matrix: two sums and two divisions per element each.
_ROUNDS = 20.0


def collapse_ops(name: str, width: float, streams: float, layer: Sublayer, *, mixed: bool = True) -> list[Op]:
    """Weights from the normed streams [t, n d], and the weighted sum [t, d] that the sublayer reads.

    Where streams are not `mixed` the weights are 2 n, of reading and writing.
    """
    size, tokens = streams * width, layer.tokens
    mixes = streams * (2.0 + streams) if mixed else 2.0 * streams
    beside = layer.beside(tokens * size)
    return [
        beside.norm(f"{name}_streams_norm", size, weight=False),
        _held_too(beside.linear(f"{name}_streams_weights", size, mixes), mixes + (3.0 if mixed else 2.0)),
        beside.pointwise(f"{name}_streams_sinkhorn", mixes, reads=1.0, each=4.0 * _ROUNDS if mixed else 4.0),
        _weighted_sum(f"{name}_streams_collapse", size, streams, layer.beside(tokens * mixes)),
    ]


def mix_op(name: str, width: float, streams: float, layer: Sublayer, *, mixed: bool = True) -> Op:
    """X' [t, n, d] = mix [n, n] x [t, n, d] + post [n] f(x) [t, d]; the mix is a product of 2 n FLOPs per element."""
    size, reads, flops = streams * width, 1.0 + 1.0 / streams, 2.0 * streams if mixed else 0.0
    name, tokens, count = f"{name}_residual", layer.tokens, layer.layers
    return pointwise(name, layer.block, tokens, size, reads=reads, each=2.0, flops=flops, count=count)


def head_ops(width: float, streams: float, head: Sublayer) -> list[Op]:
    """The last weighted sum of the streams, before the final norm."""
    size = streams * width
    beside = head.beside(head.tokens * size)
    return [
        beside.norm("streams_norm", size, weight=False),
        _held_too(beside.linear("streams_weights", size, streams), streams + 1.0),
        _weighted_sum("streams_collapse", size, streams, head),
    ]


def _weighted_sum(name: str, size: float, streams: float, layer: Sublayer) -> Op:
    return layer.pointwise(name, size, reads=1.0, writes=1.0 / streams, each=2.0)


def _held_too(op: Op, params: float) -> Op:
    """The op with its small vectors of parameters: a bias and scales."""
    held = op.params + params
    return op._replace(params=held, active=held, weights=held)
