"""The cross-entropy of logits [rows, V]: its ops, forward and backward.

    unfused   logits of 16 bit are widened; log-softmax and its backward are kernels of their own (transformers)
    in-place  one copy in fp32, which is overwritten by each step (Megatron's, over a vocabulary that is split)
    fused     one kernel that writes the gradient of the logits over them
    chunked   the same, so many rows at a time

Source: torch's `log_softmax` and `nll_loss`; Megatron Core, vocab_parallel_cross_entropy; Hsu et al. 2024 (Liger
Kernel, arXiv:2410.10989), sections 3.2 and 3.3.
"""

from __future__ import annotations

from typing import Literal

from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape

Loss = Literal["unfused", "in-place", "fused", "chunked"]


def loss_ops(rows: Num, vocabulary: Num, loss: Loss = "unfused") -> tuple[tuple[Op, ...], tuple[Op, ...]]:
    """The ops of the loss in the forward pass, and in the backward pass, whose results are gradients of the logits."""
    x = rows * vocabulary
    shape = RowShape(rows, vocabulary, "other", "loss")
    if loss in ("fused", "chunked"):
        both = Op("loss", "pointwise", "head", 1.0, 0.0, 8.0 * x, read=2.0 * x, write=x, shape=shape)
        return (both,), ()
    base = Op("loss", "pointwise", "head", shape=shape)
    if loss == "in-place":
        widened = base._replace(read=x, read_fp32=2.0 * x, write_fp32=2.0 * x, vector_flops=5.0 * x, kernels=3.0)
        return (widened,), (base._replace(name="loss.grad", read_fp32=x, write=x, vector_flops=3.0 * x),)
    forward = (
        base._replace(name="loss.widen", read=x, write_fp32=x),
        base._replace(name="loss.softmax", vector_flops=5.0 * x, read_fp32=2.0 * x, write_fp32=x, kernels=1.0),
        base._replace(name="loss.choose", vector_flops=rows, read_fp32=rows, write_fp32=0.0 * rows + 1.0, kernels=2.0),
    )
    backward = (
        base._replace(name="loss.choose.grad", write_fp32=x, kernels=2.0),
        base._replace(name="loss.softmax.grad", vector_flops=3.0 * x, read_fp32=2.0 * x, write_fp32=x),
        base._replace(name="loss.widen.grad", read_fp32=x, write=x),
    )
    return forward, backward
