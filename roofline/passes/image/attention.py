"""Attention of image models as code without a fused kernel runs it: scores in memory, whole or slice by slice.

Each function takes the fused op and returns what it becomes, with the memory that is in use meanwhile.

Source: diffusers 0.42.1, AttnProcessor and SlicedAttnProcessor; torch 2.13.0, scaled_dot_product_attention's math path.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, ceil, minimum, where
from roofline.workload.constructors_image import Block
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
    inputs = s.held + s.q + 2.0 * s.k
    return [
        _split(op, s),
        _product(op, "scores", s.scores + s.q + s.k, s.scores, half, s.held + s.k),
        *_softmax(op, shape.wide_softmax, s.scores, inputs),
        _product(op, "values", s.scores + s.k, s.q, half, s.held + s.q + s.k),
        _merge(op, s, inputs + s.scores),
    ]


def _split(op: Op, s: _Sizes) -> Op:
    """Copies of queries, keys and values per head: none for one head or one image."""
    moved, block = s.apart * (s.q + 2.0 * s.k), Block(op.block, op.count)
    return block.field(f"{op.name}.split", "copy", moved, moved, kernels=3.0 * s.apart, live=s.held + s.q - moved)


def _merge(op: Op, s: _Sizes, held: Num) -> Op:
    """The output of all heads side by side: a copy where there are several."""
    return Block(op.block, op.count).copies(f"{op.name}.merge", s.heads_apart, s.q, live=held)


def _softmax(op: Op, wide: bool, scores: Num, inputs: Num) -> list[Op]:
    name, block = f"{op.name}.softmax", Block(op.block, op.count)
    if not wide:
        return [block.field(name, "softmax", scores, scores, live=inputs)]
    return [
        block.field_fp32(f"{name}.widen", "copy", 0.0, scores, read_half=scores, live=inputs),
        block.field_fp32(name, "softmax", scores, scores, live=inputs),
        block.field_fp32(f"{name}.narrow", "copy", scores, 0.0, write_half=scores, live=inputs),
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
    block, name = Block(op.block, op.count), op.name
    # one op stands for all slices: its own reads and writes are those of all, so `live` is less by what is not there
    fewer = beside + 2.0 * part * s.scores - 2.0 * s.scores - s.q - s.k
    scores = _product(op, "scores", s.scores + s.q + s.k, s.scores, half, fewer)
    values = _product(op, "values", s.scores + s.k, s.q, half, beside + (part - 1.0) * s.scores - s.k - s.q)
    rest = beside + 2.0 * (part - 1.0) * s.scores
    return [
        _split(op, s),
        block.field(f"{name}.zeros", "factory", 0.0, s.q, live=inputs),
        scores._replace(kernels=slices),
        block.field(f"{name}.softmax", "softmax", s.scores, s.scores, kernels=slices, live=rest),
        values._replace(kernels=slices),
        block.field(f"{name}.store", "copy", 2.0 * s.q, s.q, kernels=slices, live=beside - 3.0 * s.q),
        _merge(op, s, inputs),
    ]


def math_attention(op: Op) -> list[Op]:
    """The framework's own fallback: in 16 bit it widens everything to fp32, scores included."""
    shape = op.shape
    if not isinstance(shape, DenseAttentionShape):
        return [op]
    s, half = _sizes(op, shape), op.flops / 2.0
    name, block, both = op.name, Block(op.block, op.count), s.q + s.k
    wide = s.held + s.q + 2.0 * s.k + 4.0 * s.q + 4.0 * s.k  # inputs, their fp32 copies, scaled queries

    def split(part: str, elements: Num, kernels: Num) -> Op:
        n = s.apart * elements
        return block.field_fp32(f"{name}.{part}", "copy", n, n, kernels=kernels, live=wide - 4.0 * n)

    def narrow(part: str, elements: Num) -> Op:
        held = wide - 2.0 * elements
        return block.field_fp32(f"{name}.{part}", "copy", elements, 0.0, write_half=elements, live=held)

    scores = _product(op, "scores", 0.0, 0.0, half, wide)._replace(read_fp32=both, write_fp32=s.scores)
    values = _product(op, "values", 0.0, 0.0, half, wide)._replace(read_fp32=s.scores + s.k, write_fp32=s.q)
    inputs = s.q + 2.0 * s.k
    beside = wide - 2.0 * inputs
    return [
        block.field_fp32(f"{name}.widen", "copy", 0.0, inputs, read_half=inputs, kernels=3.0, live=beside),
        block.field_fp32(f"{name}.scale", "arithmetic", both, both, kernels=2.0, live=s.held),
        split("split", both, 2.0 * s.apart),
        scores,
        block.field_fp32(f"{name}.softmax", "softmax", s.scores, s.scores, live=wide),
        narrow("narrow", s.scores),
        split("split_values", s.k, s.apart),
        values,
        narrow("output", s.q),
        _merge(op, s, s.held),
    ]
