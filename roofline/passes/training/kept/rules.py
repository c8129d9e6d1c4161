"""Which rules say what is kept: of unfused modules, or of fused kernels; and what a model's code adds to them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from roofline.num import Num
from roofline.specs.text.reference import USUAL, ReferenceCode

Core = Literal["flash", "eager", "again"]


class Rules(NamedTuple):
    """How tensors are kept.

    fused     one kernel for a norm, for an activation and its product, for dropout and the sum behind it
    core      attention in one kernel, through scores in memory, or done again in the backward pass (selective)
    code      what is particular to the model's reference code
    dropout   layers drop out, as far as the model's code does
    shares    devices over which what all of them would keep alike is spread (sequence parallelism)
    batch     sequences
    """

    fused: bool = False
    core: Core = "flash"
    code: ReferenceCode = USUAL
    dropout: bool = True
    shares: float = 1.0
    batch: Num = 1.0

    def drops(self, where: str) -> bool:
        """Whether there is a dropout at some place."""
        return self.dropout and where in self.code.dropout
