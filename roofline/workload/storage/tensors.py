"""The tensors behind the parameters of a ledger: what an optimizer and a way to shard them see.

A sum of parameters is enough for states that are as large as the weights. It is not where a tensor's sides matter
(rows and columns of a factored moment), its size (small ones stay in 32 bit), or its place (embeddings and vectors are
updated otherwise). Sides are in PyTorch's order: a linear layer is [outputs, inputs], a table [rows, width], a
convolution [outputs, inputs, side, side].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from roofline.workload.op import Op
from roofline.workload.shapes import (
    ConvolutionShape,
    DepthwiseShape,
    ExpertsShape,
    FieldShape,
    MatmulShape,
    RowShape,
)
from roofline.workload.storage.formats import VECTORS

Role = Literal["matrix", "expert", "convolution", "embedding", "head", "vector"]
#: Roles of tensors with two sides or more, within the layers.
INNER: Final = ("matrix", "expert", "convolution")


class Tensor(NamedTuple):
    """`count` parameter tensors with these sides, of an op; a share of them where stages hold some of the layers each.

    A bias, a norm's scale, a recurrence's decays are vectors. `of` says what a vector belongs to: `norm`, `bias`, or
    another op.
    """

    name: str
    block: str
    role: Role
    sides: tuple[float, ...]
    count: float = 1.0  # type: ignore[assignment]  # of tensors; tuple.count is not used
    of: str = ""

    @property
    def each(self) -> float:
        """Elements of one of them."""
        return math.prod(self.sides)

    @property
    def elements(self) -> float:
        """Elements of all of them."""
        return self.each * self.count

    @property
    def rows(self) -> float:
        """The first side, along which FSDP2 shards."""
        return self.sides[0]

    @property
    def columns(self) -> float:
        """Elements per row."""
        return self.each / self.sides[0]

    @property
    def factored(self) -> float:
        """Elements of two vectors in place of one of them: means along its last side, and along the last but one.

        Source: Shazeer and Stern 2018, Adafactor (arXiv:1804.04235), section 3; of more than two sides as PyTorch and
        transformers do it, over the last two.
        """
        if len(self.sides) == 1:
            return self.each
        return self.each / self.sides[-1] + self.each / self.sides[-2]


def parameter_tensors(ops: Iterable[Op]) -> tuple[Tensor, ...]:
    """All parameter tensors of a phase. Their elements sum to `count * params` over its ops, whatever these are."""
    return tuple(tensor for op in ops if op.params for tensor in _tensors(op))


def _tensors(op: Op) -> Iterator[Tensor]:
    shape = op.shape
    if isinstance(shape, ExpertsShape):
        yield from _experts(op, shape)
    elif isinstance(shape, FieldShape) and shape.style == "table":
        yield _table(op, 2.0 * float(op.write) / float(op.read_fp32))  # an id takes as much as two elements of 4 bytes
    elif op.kind in VECTORS or isinstance(shape, DepthwiseShape):
        yield from _vectors(op, shape)
    elif isinstance(shape, MatmulShape):
        yield from _beside(op, _matrix(op, shape), float(shape.n) * float(shape.groups) if shape.bias else 0.0)
    elif isinstance(shape, ConvolutionShape):
        yield from _beside(op, _kernel(op, shape), shape.channels_out if shape.bias else 0.0)
    else:
        yield _table(op, float(shape.width) if isinstance(shape, RowShape) else 1.0)


def _beside(op: Op, matrix: Tensor | None, bias: float) -> Iterator[Tensor]:
    """A matrix, its bias, and what an op learns beyond these as one vector more."""
    left = op.params
    if matrix is not None and matrix.each <= left:
        yield matrix
        left -= matrix.each
    if 0.0 < bias <= left:
        yield Tensor(op.name, op.block, "vector", (bias,), op.count, "bias")
        left -= bias
    if left > 0.0:
        yield Tensor(op.name, op.block, "vector", (left,), op.count, op.name)


def _matrix(op: Op, shape: MatmulShape) -> Tensor:
    """[outputs, inputs], the matrices of heads or groups below each other."""
    role: Role = "head" if op.name == "head" else "matrix"
    return Tensor(op.name, op.block, role, (float(shape.n) * float(shape.groups), float(shape.k)), op.count)


def _kernel(op: Op, shape: ConvolutionShape) -> Tensor | None:
    """[outputs, inputs, side, side]; of groups of channels each output has fewer inputs."""
    out, side = shape.channels_out, shape.kernel
    inputs = (op.params - (out if shape.bias else 0.0)) / (out * side * side)
    if inputs <= 0.0:
        return None
    return Tensor(op.name, op.block, "convolution", (out, inputs, side, side), op.count)


def _table(op: Op, width: float) -> Tensor:
    """[rows, width]; of an op that no run takes only the number of parameters is known."""
    role: Role = "matrix" if op.kind == "linear" else "embedding"
    if op.params <= width:
        return Tensor(op.name, op.block, "vector", (op.params,), op.count, op.name)
    return Tensor(op.name, op.block, role, (op.params / width, width), op.count)


def _vectors(op: Op, shape: object) -> Iterator[Tensor]:
    """A norm's scale and its bias as two; taps of a convolution over time as [channels, taps]; the rest as one."""
    if isinstance(shape, DepthwiseShape):
        yield from _beside(op, _taps(op, shape), float(shape.channels))
        return
    width = float(shape.width) if op.kind == "norm" and isinstance(shape, RowShape) else op.params / _scales(op)
    whole = int(op.params // width) if width > 0.0 else 0
    of = "norm" if op.kind == "norm" else op.name
    if whole:
        yield Tensor(op.name, op.block, "vector", (width,), whole * op.count, of)
    if (rest := op.params - whole * width) > 0.0:
        yield Tensor(op.name, op.block, "vector", (rest,), op.count, of)


def _scales(op: Op) -> float:
    """Vectors of a norm that says no width: scale and bias, as those of pictures have."""
    return 2.0 if op.kind == "norm" and op.params % 2.0 == 0.0 else 1.0


def _taps(op: Op, shape: DepthwiseShape) -> Tensor:
    """[channels, 1, taps], small and no product: no optimizer treats them as a matrix."""
    return Tensor(op.name, op.block, "vector", (float(shape.channels) * float(shape.kernel),), op.count, op.name)


def _experts(op: Op, shape: ExpertsShape) -> Iterator[Tensor]:
    """Gate, up and down of each expert, their biases, and what is learned beyond these."""
    ups = 2.0 if shape.gated else 1.0
    matrix = shape.width * shape.hidden
    number = shape.experts * op.count
    left = op.params - shape.experts * (ups + 1.0) * matrix
    yield Tensor(op.name, op.block, "expert", (shape.hidden, shape.width), ups * number)
    yield Tensor(op.name, op.block, "expert", (shape.width, shape.hidden), number)
    biases = shape.experts * (ups * shape.hidden + shape.width)
    if left >= biases > 0.0:
        yield Tensor(op.name, op.block, "vector", (shape.hidden,), ups * number, "bias")
        yield Tensor(op.name, op.block, "vector", (shape.width,), number, "bias")
        left -= biases
    if left > 0.0:
        yield Tensor(op.name, op.block, "vector", (left,), op.count, op.name)
