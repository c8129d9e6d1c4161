"""The optimizer's step: every state is read and written once, beside gradients and weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.num import Num
from roofline.workload.constructors import linear
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape
from roofline.workload.storage.tensors import INNER, Tensor

#: Vector FLOPs per parameter: two running means, their corrections, a root, a division, decay and the step (AdamW).
ADAM_FLOPS: Final = 14.0
#: Iterations of Newton and Schulz by which Muon makes a momentum orthogonal.
ITERATIONS: Final = 5
#: The name of its products, which are in 16 bit however narrow those of the layers are.
ORTHOGONAL: Final = "newton_schulz"


def optimizer_ops(parameters: Num, read: float, written: float, kernels: float = 1.0) -> tuple[Op, ...]:
    """The step of an optimizer over so many parameters: bytes that it reads and writes for each.

    The norm of all gradients, by which they are cut, reads them once more; it is counted with `read`.
    """
    return (
        Op(
            "optimizer",
            "pointwise",
            "optimizer",
            vector_flops=ADAM_FLOPS * parameters,
            read_fp32=parameters * (read / 4.0),
            write_fp32=parameters * (written / 4.0),
            kernels=kernels,
            shape=RowShape(parameters, 1.0, "other", "optimizer"),
        ),
    )


def orthogonal_ops(tensors: Iterable[Tensor], share: float) -> tuple[Op, ...]:
    """The products of Muon's step over a `share` of these tensors: for each matrix X [m, n] of the layers, m <= n, five
    times A = X X^T, A A and B X, 4 m^2 n + 2 m^3 FLOPs.

    A matrix that tensor parallelism splits is taken as the slice that a device holds: no exchange makes it whole.

    Source: Jordan 2024, Muon, section "runtime analysis".
    """
    ops: list[Op] = []
    for tensor in tensors:
        if tensor.role in INNER and len(tensor.sides) > 1:
            m, n = sorted((tensor.rows, tensor.columns))
            times = ITERATIONS * tensor.count * share
            sizes = ((m, n, m), (m, m, m), (m, m, n))
            ops += [linear(ORTHOGONAL, "optimizer", *size, held=False, count=times) for size in sizes]
    return tuple(ops)
