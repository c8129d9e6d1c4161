"""Fusion: how the work of a workload is cut into kernels, and hence what goes through memory between them.

`flash` is the ledger as it is built: one kernel per operation, attention fused. `eager` is the reference code's own
sequence of kernels, `compiled` what a compiler or a serving engine makes of it; see the modules of those names. No
level changes parameters, streamed weights or the cache that is held.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roofline.workload.op import Op
from roofline.workload.workload import Fusion, Phase, Workload

if TYPE_CHECKING:
    from roofline.passes.fusion.eager import Attention


def apply_fusion(workload: Workload, level: Fusion, *, attention: Attention = "eager") -> Workload:
    """The workload, built at level `flash`, at another level.

    `attention` concerns `eager` alone: `eager` computes and stores the full rectangle of scores, `sdpa` is the same
    code with attention as one fused kernel. Raises ValueError for an unknown level.
    """
    if level == "flash":
        return workload
    if level == "compiled":
        from roofline.passes.fusion.compiled import compiled_ops

        return Workload(tuple(_with_ops(phase, compiled_ops(phase.ops)) for phase in workload.phases))
    if level == "eager":
        from roofline.passes.fusion.eager import eager_ops

        return Workload(tuple(_with_ops(phase, eager_ops(phase.ops, attention)) for phase in workload.phases))
    raise ValueError(f"no fusion level {level!r}")


def _with_ops(phase: Phase, ops: tuple[Op, ...]) -> Phase:
    return replace(phase, ops=ops, whole=(), widest=())
