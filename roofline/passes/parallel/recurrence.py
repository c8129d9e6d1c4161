"""Tensor parallelism of recurrences: state spaces, linear attention, short convolutions."""

from __future__ import annotations

from roofline.passes.parallel.heads import Heads
from roofline.workload.op import Op
from roofline.workload.shapes import DepthwiseShape, MatmulShape, ScanShape


def split_recurrence(op: Op, heads: Heads) -> Op:
    """A projection into heads, the convolution behind it, or the scan: by heads, with the vectors that all share.

    A state-space model's input and output vectors belong to groups of heads; where there are fewer groups than devices,
    several devices have the same.
    """
    shape = op.shape
    if isinstance(shape, ScanShape):
        return _scan(op, shape, heads)
    if isinstance(shape, DepthwiseShape):
        share = _share(shape.channels, heads)
        return _scaled(op, share, read=share)._replace(shape=shape._replace(channels=shape.channels * share))
    if isinstance(shape, MatmulShape):
        share = _share(float(shape.n), heads)
        return _scaled(op, share, read=1.0)._replace(shape=shape._replace(n=shape.n * share))
    raise TypeError(f"{op.name} is no part of a recurrence")


def _share(width: float, heads: Heads) -> float:
    """The share of a width of which `common` elements do not belong to single heads."""
    common = heads.common if heads.scan == "decay" else 0.0
    return ((width - common) * heads.query + common * heads.key) / width


def _scan(op: Op, shape: ScanShape, heads: Heads) -> Op:
    tokens = shape.span.tokens
    common = tokens * heads.common
    whole = _scaled(op, heads.query, read=heads.query)
    return whole._replace(
        read=op.read * heads.query + common * (heads.key - heads.query),
        shape=shape._replace(heads=shape.heads * heads.query),
    )


def _scaled(op: Op, share: float, *, read: float) -> Op:
    """An op of which one device does a share, state included."""
    return op._replace(
        flops=op.flops * share,
        vector_flops=op.vector_flops * share,
        params=op.params * share,
        active=op.active * share,
        weights=op.weights * share,
        read=op.read * read,
        write=op.write * share,
        cache_read=op.cache_read * share,
        cache_write=op.cache_write * share,
        cache_held=op.cache_held * share,
        state_held=op.state_held * share,
        state_held_fp32=op.state_held_fp32 * share,
        state_moved_fp32=op.state_moved_fp32 * share,
    )
