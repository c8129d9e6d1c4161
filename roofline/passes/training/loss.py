"""The cross-entropy of logits [rows, V]: its ops, forward and backward, what it keeps, and the most that it needs.

`unfused`, as transformers has it: logits of 16 bits are widened, log-softmax and its backward are kernels of their own.
`fused`: one kernel that writes the gradient of the logits over them. `chunked`: fused with the head, so many rows at a
time, so that logits of all rows never are in memory at once.

Source: torch's `log_softmax` and `nll_loss`, counted as in tests/oracle/training_kept.json; Hsu et al. 2024 (Liger
Kernel, arXiv:2410.10989), sections 3.2 and 3.3.
"""

from __future__ import annotations

from typing import Final, Literal

from roofline.num import Num, minimum, where
from roofline.passes.training.habits import LLAMA, Habits
from roofline.passes.training.kept.tensors import Kept
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape

Loss = Literal["unfused", "fused", "chunked"]
LOSSES: Final[tuple[Loss, ...]] = ("unfused", "fused", "chunked")
#: Rows that a chunk of a loss has which is fused with the head.
CHUNK: Final = 1024.0


def loss_ops(rows: Num, vocabulary: Num, loss: Loss = "unfused") -> tuple[tuple[Op, ...], tuple[Op, ...]]:
    """The ops of the loss in the forward pass, and in the backward pass, whose results are gradients of the logits."""
    x = rows * vocabulary
    shape = RowShape(rows, vocabulary, "other", "loss")
    if loss != "unfused":
        both = Op("loss", "pointwise", "head", 1.0, 0.0, 8.0 * x, read=2.0 * x, write=x, shape=shape)
        return (both,), ()
    base = Op("loss", "pointwise", "head", shape=shape)
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


def loss_kept(
    rows: Num, vocabulary: Num, loss: Loss = "unfused", habits: Habits = LLAMA, *, labels: bool = True, batch: Num = 2.0
) -> Kept:
    """What the loss keeps: logarithms of the probabilities, in 4 bytes but where the code is narrow; fused, gradients.

    `labels` were made anew (shifted by one), so that they are kept: 8 bytes each, and of a single sequence one more.
    """
    x, own = rows * vocabulary, 8.0 * rows if labels else 0.0
    if loss == "chunked":
        return Kept("loss", "head", 1.0, fixed=own)
    if loss == "fused":
        return Kept("loss", "head", 1.0, half=x, fixed=own)
    capped = x if habits.head_softcap else 0.0
    if habits.narrow_loss:
        return Kept("loss", "head", 1.0, half=x + capped, fixed=own + 2.0)
    return Kept("loss", "head", 1.0, half=capped, wide=x, fixed=own + 4.0 + where(batch == 1.0, 8.0, 0.0))


def loss_peak(rows: Num, vocabulary: Num, loss: Loss = "unfused", chunk: float = CHUNK) -> Num:
    """Bytes of logits and their gradients when most of them are in memory.

    Unfused, as its backward begins: logits 2, log-probabilities 4, their gradient 4 and that of the widened logits 4,
    less the logits themselves, which are freed when the forward ends: 12 a logit. Fused: 2, in place. Chunked: one
    chunk's logits, 4 and 2 bytes.
    """
    if loss == "unfused":
        return 12.0 * rows * vocabulary
    if loss == "fused":
        return 2.0 * rows * vocabulary
    return 6.0 * minimum(rows, chunk) * vocabulary
