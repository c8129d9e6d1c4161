"""Attention of image models as code without a fused kernel runs it: scores in memory, whole or slice by slice.

Each function takes the fused op and returns what it becomes, with the memory that is in use meanwhile.

Source: diffusers 0.42.1, AttnProcessor and SlicedAttnProcessor; torch 2.13.0, scaled_dot_product_attention's math path.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, ceil, minimum, where
from roofline.workload import constructors_image as make
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape, MatmulShape


class _Sizes(NamedTuple):
    """Elements of queries, of keys (values have as many), of scores; whether a copy per head is needed; what stays."""

    q: Num
    k: Num
    scores: Num
    apart: Num
    heads_apart: float
    held: Num


def _sizes(op: Op, shape: DenseAttentionShape) -> _Sizes:
    width = shape.batch * shape.heads * shape.dim
    many = 1.0 if shape.heads > 1.0 else 0.0
    apart = many * where(shape.batch > 1.0, 1.0, 0.0)
    scores = shape.batch * shape.heads * shape.queries * shape.keys
    return _Sizes(width * shape.queries, width * shape.keys, scores, apart, many, op.live)


def _product(op: Op, name: str, read: Num, write: Num, flops: Num, held: Num) -> Op:
    """Half of the attention's FLOPs as a product per image and head."""
    shape = op.shape
    if isinstance(shape, DenseAttentionShape):
        inner, outer = (shape.dim, shape.keys) if name == "scores" else (shape.keys, shape.dim)
        groups = shape.batch * shape.heads
        op = op._replace(shape=MatmulShape(groups * shape.queries, inner, outer, groups=groups))
    return op._replace(name=f"{op.name}.{name}", flops=flops, vector_flops=0.0, read=read, write=write, live=held)


def classic_attention(op: Op) -> list[Op]:
    """Scores, softmax and values as three kernels; heads are split and merged by copies."""
    shape = op.shape
    if not isinstance(shape, DenseAttentionShape):
        return [op]
    s, half = _sizes(op, shape), op.flops / 2.0
    block, count = op.block, op.count
    inputs = s.held + s.q + 2.0 * s.k
    return [
        _split(op, s),
        _product(op, "scores", s.scores + s.q + s.k, s.scores, half, s.held + s.k),
        *_softmax(op, shape.wide_softmax, s.scores, inputs),
        _product(op, "values", s.scores + s.k, s.q, half, s.held + s.q + s.k),
        make.field(f"{op.name}.merge", block, "copy", s.heads_apart * s.q, s.heads_apart * s.q, count=count,
                   kernels=s.heads_apart, live=inputs + s.scores),
    ]  # fmt: skip


def _split(op: Op, s: _Sizes) -> Op:
    """Copies of queries, keys and values per head: none for one head or one image."""
    moved = s.apart * (s.q + 2.0 * s.k)
    return make.field(f"{op.name}.split", op.block, "copy", moved, moved, count=op.count, kernels=3.0 * s.apart,
                      live=s.held + s.q - moved)  # fmt: skip


def _softmax(op: Op, wide: bool, scores: Num, inputs: Num) -> list[Op]:
    name, block, count = f"{op.name}.softmax", op.block, op.count
    if not wide:
        return [make.field(name, block, "softmax", scores, scores, count=count, live=inputs)]
    return [
        make.field_fp32(f"{name}.widen", block, "copy", 0.0, scores, read_half=scores, count=count, live=inputs),
        make.field_fp32(name, block, "softmax", scores, scores, count=count, live=inputs),
        make.field_fp32(f"{name}.narrow", block, "copy", scores, 0.0, write_half=scores, count=count, live=inputs),
    ]


def sliced_attention(op: Op, largest: bool) -> list[Op]:
    """Attention slicing: half of the heads of one image at a time (`auto`), or one head at a time (`largest`)."""
    shape = op.shape
    if not isinstance(shape, DenseAttentionShape) or shape.wide_softmax:
        return classic_attention(op)
    s, half = _sizes(op, shape), op.flops / 2.0
    size = 1.0 if largest else max(float(shape.heads // 2.0), 1.0)
    every = shape.batch * shape.heads
    slices = ceil(every / size)
    part = minimum(size / every, 1.0)  # of queries, keys and scores, in the largest slice
    inputs = s.held + s.q + 2.0 * s.k
    beside = inputs + s.q + part * s.q  # the result, and the slice before
    zeros = make.field(f"{op.name}.zeros", op.block, "factory", 0.0, s.q, count=op.count, live=inputs)
    # one op stands for all slices: its own reads and writes are those of all, so `live` is less by what is not there
    return [
        _split(op, s), zeros,
        _product(op, "scores", s.scores + s.q + s.k, s.scores, half,
                 beside + 2.0 * part * s.scores - 2.0 * s.scores - s.q - s.k)._replace(kernels=slices),
        make.field(f"{op.name}.softmax", op.block, "softmax", s.scores, s.scores, count=op.count, kernels=slices,
                   live=beside + 2.0 * (part - 1.0) * s.scores),
        _product(op, "values", s.scores + s.k, s.q, half,
                 beside + (part - 1.0) * s.scores - s.k - s.q)._replace(kernels=slices),
        make.field(f"{op.name}.store", op.block, "copy", 2.0 * s.q, s.q, count=op.count, kernels=slices,
                   live=beside - 3.0 * s.q),
        make.field(f"{op.name}.merge", op.block, "copy", s.heads_apart * s.q, s.heads_apart * s.q, count=op.count,
                   kernels=s.heads_apart, live=inputs),
    ]  # fmt: skip


def math_attention(op: Op) -> list[Op]:
    """The framework's own fallback: in 16 bit it widens everything to fp32, scores included."""
    shape = op.shape
    if not isinstance(shape, DenseAttentionShape):
        return [op]
    s, half, n = _sizes(op, shape), op.flops / 2.0, op.name
    block, count, both = op.block, op.count, s.q + s.k
    wide = s.held + s.q + 2.0 * s.k + 4.0 * s.q + 4.0 * s.k  # inputs, their fp32 copies, scaled queries

    def fp32(name: str, style: str, read: Num, write: Num, kernels: Num, half_in: Num = 0.0, half_out: Num = 0.0) -> Op:
        held = wide - 2.0 * read - 2.0 * write if style == "copy" else wide
        return make.field_fp32(f"{n}.{name}", block, style, read, write, read_half=half_in, write_half=half_out,
                               count=count, kernels=kernels, live=held)  # fmt: skip

    scores = _product(op, "scores", 0.0, 0.0, half, wide)._replace(read_fp32=both, write_fp32=s.scores)
    values = _product(op, "values", 0.0, 0.0, half, wide)._replace(read_fp32=s.scores + s.k, write_fp32=s.q)
    return [
        fp32("widen", "copy", 0.0, s.q + 2.0 * s.k, 3.0, half_in=s.q + 2.0 * s.k),
        fp32("scale", "arithmetic", both, both, 2.0)._replace(live=s.held),
        fp32("split", "copy", s.apart * both, s.apart * both, 2.0 * s.apart),
        scores,
        fp32("softmax", "softmax", s.scores, s.scores, 1.0),
        fp32("narrow", "copy", s.scores, 0.0, 1.0, half_out=s.scores),
        fp32("split_values", "copy", s.apart * s.k, s.apart * s.k, s.apart),
        values,
        fp32("output", "copy", s.q, 0.0, 1.0, half_out=s.q),
        make.field(f"{n}.merge", block, "copy", s.heads_apart * s.q, s.heads_apart * s.q, count=count,
                   kernels=s.heads_apart, live=s.held),
    ]  # fmt: skip
