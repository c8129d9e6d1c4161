"""What a forward pass makes, and what of it autograd remembers."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape


class Value:
    """A tensor of a forward pass: elements of 16 bit and of 4 bytes, how many alike, and whether a gradient reaches it.

    `origin`: of a copy that is made only sometimes, the tensor that stands for it otherwise; `made` is 1 where the
    copy is made. Two values are the same storage where they are the same object.
    """

    __slots__ = ("count", "half", "made", "needs", "origin", "wide")

    def __init__(self, half: Num, wide: Num, count: float, needs: bool) -> None:
        self.half, self.wide, self.count, self.needs = half, wide, count, needs
        self.origin: Value | None = None
        self.made: Num = 1.0

    def again(self, count: float) -> Value:
        """Another tensor of the same size."""
        return Value(self.half, self.wide, count, self.needs)


class Saved(NamedTuple):
    """What one step remembers: values, and beside them elements of 16 bit, of 4 bytes, and bytes."""

    values: tuple[Value, ...] = ()
    half: Num = 0.0
    wide: Num = 0.0
    fixed: Num = 0.0
    weights: bool = False
    own: bool = False

    @property
    def anything(self) -> bool:
        """Whether the step remembers something, its weights included; `own`: something that it computes itself."""
        return bool(self.values) or self.own or self.weights


def written(op: Op) -> tuple[Num, Num]:
    """Elements of 16 bit and of 4 bytes of what an op writes, without the statistics of a norm."""
    if op.kind == "norm":
        return op.read, 0.0
    return op.write, op.write_fp32


def log_sums(op: Op) -> Num:
    """Elements of 4 bytes that fused attention keeps: the logarithm of a sum per head and query."""
    shape = op.shape
    return shape.batch * shape.heads * shape.queries if isinstance(shape, DenseAttentionShape) else 0.0
