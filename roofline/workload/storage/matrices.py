"""How many bits the parameters of an op take: matrices with their scales, and vectors."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from roofline.num import is_nothing
from roofline.specs.formats.dtypes import DType
from roofline.specs.formats.mixes import ModelFacts
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, DepthwiseShape, ExpertsShape, MatmulShape, RowShape
from roofline.workload.storage.formats import VECTORS, Formats, expert_formats, overridden, parts_of, stored_as


class Matrix(NamedTuple):
    """A matrix of [inputs, outputs], or several of that shape."""

    inputs: float
    outputs: float


def stored(
    overrides: Mapping[str, DType], weights: DType, op: Op, facts: ModelFacts, vector_bits: float
) -> tuple[DType, float]:
    """The format of most of an op's weights, and the mean bits per parameter."""
    own = overridden(overrides, op)
    whole = stored_as(weights, op, facts) if own is None else parts_of(own)
    if whole[0][0].whole:
        return whole[0][0], whole[0][0].bits
    matrices, vectors = _parts(op)
    formats = [whole] * len(matrices)
    if op.kind == "experts" and overrides and isinstance(op.shape, ExpertsShape):
        formats = expert_formats(overrides, op, whole)
    return _most(formats or [whole]), _mean_bits(formats or [whole], matrices, (op.params, vectors), vector_bits)


def holds_none(op: Op) -> bool:
    """Whether an op is no matrix of weights and holds no vectors: no format of weights means anything for it."""
    return op.kind in VECTORS and not op.params and is_nothing(op.weights)


def storage_key(op: Op) -> Hashable:
    """All of an op that the format of its weights and their mean bits depend on, beside what a precision says.

    Ops of one name and as many parameters may still be matrices of other sides: experts of half the width, or half of
    the experts.
    """
    return op.name, op.block, op.kind, op.params, None if op.kind in VECTORS else _sides(op)


def _sides(op: Op) -> Hashable:
    """Of the shape of an op with matrices, what its weights have."""
    shape = op.shape
    if isinstance(shape, MatmulShape):
        return float(shape.k), float(shape.n), shape.bias, float(shape.groups) if op.params else 1.0
    if isinstance(shape, ExpertsShape):
        return shape.experts, shape.width, shape.hidden, shape.gated
    if isinstance(shape, ConvolutionShape):
        return shape.channels_out, shape.bias
    return float(shape.width) if isinstance(shape, RowShape) else type(shape).__name__


def _most(formats: Sequence[Formats]) -> DType:
    """The format of most parts: of several matrices, that of the first."""
    return formats[0][0][0]


def _mean_bits(
    formats: Sequence[Formats], matrices: Sequence[Matrix], amounts: tuple[float, float], vector_bits: float
) -> float:
    """Bits per parameter; `amounts` are all parameters and those in vectors. Matrices of one op have one size."""
    if not matrices:
        each = sum(_mean(parts, None) for parts in formats) / len(formats)
    else:
        each = sum(_mean(parts, matrix) for parts, matrix in zip(formats, matrices, strict=True)) / len(matrices)
    params, vectors = amounts
    if params <= 0:
        return each
    widest = max(vector_bits, min(dtype.bits for parts in formats for dtype, _ in parts))
    return ((params - vectors) * each + vectors * widest) / params


def _mean(parts: Formats, matrix: Matrix | None) -> float:
    """Bits per element of a matrix of which parts of equal size have these formats."""
    total = sum(number for _, number in parts)
    return (
        sum(number * (dtype.bits if matrix is None else matrix_bits(dtype, matrix)) for dtype, number in parts) / total
    )


def matrix_bits(dtype: DType, matrix: Matrix) -> float:
    """Bits per element of a matrix with its scales: per group, channel and tensor; a last group may be smaller."""
    inputs, outputs = matrix
    elements, (rows, columns) = inputs * outputs, dtype.block
    groups = math.ceil(inputs / rows) * math.ceil(outputs / columns) - elements / (rows * columns)
    beside = dtype.block_bits * groups + dtype.channel_bits * outputs + dtype.row_bits * inputs + dtype.tensor_bits
    beside += dtype.rank * 16.0 * (inputs + outputs)
    return dtype.bits + beside / elements


def _parts(op: Op) -> tuple[list[Matrix], float]:
    """The matrices of an op, which are of one size, and how many of its parameters are in vectors."""
    shape = op.shape
    if op.kind in VECTORS or isinstance(shape, DepthwiseShape):
        return [], op.params
    if isinstance(shape, MatmulShape):
        heads = float(shape.groups) if op.params else 1.0
        return [Matrix(float(shape.k), float(shape.n))], float(shape.n) * heads if shape.bias else 0.0
    if isinstance(shape, ExpertsShape):
        up, down = Matrix(shape.width, shape.hidden), Matrix(shape.hidden, shape.width)
        matrices = [up, up, down] if shape.gated else [up, down]
        return matrices, max(op.params - shape.experts * len(matrices) * shape.width * shape.hidden, 0.0)
    if isinstance(shape, ConvolutionShape):
        channels = float(shape.channels_out)
        bias = channels if shape.bias else 0.0
        return [Matrix((op.params - bias) / channels, channels)] if op.params > bias else [], bias
    if isinstance(shape, RowShape) and op.params:
        return [Matrix(float(shape.width), op.params / float(shape.width))], 0.0
    return [], 0.0
