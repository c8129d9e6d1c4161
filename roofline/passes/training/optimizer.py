"""The optimizer's step: every state is read and written once, beside gradients and weights."""

from __future__ import annotations

from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape

#: Vector FLOPs per parameter: two running means, their corrections, a root, a division, decay and the step (AdamW).
ADAM_FLOPS = 14.0


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
