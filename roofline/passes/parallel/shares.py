"""An op of which one device does a part: what of it shrinks, and what stays whole."""

from __future__ import annotations

from roofline.num import Num
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import ExpertsShape, Shape


def scaled(op: Op, share: float, *, read: float, write: float, shape: Shape | None, held: float | None = None) -> Op:
    """An op of which one device does a share; `held` is its share of the parameters where that differs."""
    own = share if held is None else held
    return op._replace(
        flops=op.flops * share,
        vector_flops=op.vector_flops * share,
        params=op.params * own,
        active=op.active * own,
        weights=op.weights * own,
        read=op.read * read,
        write=op.write * write,
        read_fp32=op.read_fp32 * read,
        write_fp32=op.write_fp32 * write,
        shape=shape,
    )


def over_fewer_tokens(op: Op, devices: float, shape: Shape | None) -> Op:
    """An op over the tokens of one of several devices: what goes with tokens shrinks, weights and cache stay."""
    return op._replace(
        flops=op.flops / devices,
        vector_flops=op.vector_flops / devices,
        read=op.read / devices,
        write=op.write / devices,
        read_fp32=op.read_fp32 / devices,
        write_fp32=op.write_fp32 / devices,
        live=op.live / devices,
        shape=shape,
    )


def resized_experts(op: Op, sizes: ExpertsShape, live: Num) -> Op:
    """Routed experts in other sizes; how many of them are touched follows from these."""
    shape = op.shape
    return make.experts(
        op.name,
        op.block,
        sizes.tokens,
        width=sizes.width,
        hidden=sizes.hidden,
        number=sizes.experts,
        top_k=sizes.top_k,
        gated=sizes.gated,
        bias=isinstance(shape, ExpertsShape) and has_bias(op, shape),
        function=sizes.function,
        count=op.count,
        live=live,
    )


def has_bias(op: Op, shape: ExpertsShape) -> bool:
    """Whether the matrices of routed experts have biases."""
    return op.params > shape.experts * (3.0 if shape.gated else 2.0) * shape.width * shape.hidden
