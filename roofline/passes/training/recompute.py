"""What of a forward pass is done again in the backward pass, so that less is kept until then.

    none        nothing
    selective   the core of attention
    full        all layers, as a whole
    full-early  all layers, each until its last kept tensor is back: what only the next layer reads is not repeated

Source: Chen et al. 2016 (arXiv:1604.06174); Korthikanti et al. 2022 (arXiv:2205.05198), section 5; PyTorch,
torch.utils.checkpoint (`use_reentrant=False` stops early).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from roofline.workload.op import Op

Policy: TypeAlias = Literal["none", "selective", "full", "full-early"]
#: What stands outside of layers.
_OUTSIDE = ("embedding", "head", "pipeline", "encoder", "decoder")


def recomputed(ops: Sequence[Op], policy: Policy) -> tuple[Op, ...]:
    """The ops that are done again, in order."""
    if policy == "none":
        return ()
    inner = [op for op in ops if op.block not in _OUTSIDE]
    if policy == "selective":
        return tuple(op for op in inner if op.kind == "attention")
    return tuple(inner)
