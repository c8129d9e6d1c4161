"""Parallelism: a workload to what one device of a plan runs, with the collectives between devices in the ledger.

A pure function, like every pass. What is split adds up over the devices to the whole; what is replicated (norms,
routers, key-value heads beyond their number, weights under context and data parallelism, a tied head on the last
stage) is what a single device would do, on each.
"""

from __future__ import annotations

from dataclasses import replace

from roofline.errors import UsageError
from roofline.num import Num
from roofline.passes.parallel.context import split_context
from roofline.passes.parallel.experts import split_experts
from roofline.passes.parallel.pipeline import stage_ops
from roofline.passes.parallel.tensor import split_tensors
from roofline.workload.op import Op
from roofline.workload.plan import Plan, check_plan
from roofline.workload.shapes import MatmulShape
from roofline.workload.workload import Phase, Workload


def shard(workload: Workload, plan: Plan, *, stage: int = 0, rank: int = 0) -> Workload:
    """What a device runs: that of pipeline stage `stage` and of rank `rank` in its groups of tensors and experts.

    Rank 0 has the most where shares are uneven. The workload is one at fusion level `flash`; other levels come after.
    Raises UsageError where the plan does not fit the model, UnsupportedError where an op cannot be split.
    """
    if plan.single:
        return workload
    check_plan(plan)
    return Workload(tuple(_device_phase(phase, plan, stage, rank) for phase in workload.phases))


def _device_phase(phase: Phase, plan: Plan, stage: int, rank: int) -> Phase:
    if phase.beside:
        return _tower_phase(phase, plan, rank)
    prefill = phase.name != "decode"
    ops = split_context(phase.ops, plan, prefill=prefill)
    ops = split_experts(ops, plan, rank)
    ops = split_tensors(ops, plan, rank % plan.tp)
    ops = stage_ops(ops, plan, stage, _stream(phase, plan, prefill))
    boundary = phase.boundary / plan.tp if stage == plan.pp - 1 else _stream(phase, plan, prefill)
    return replace(phase, ops=tuple(ops), boundary=boundary)


def _tower_phase(phase: Phase, plan: Plan, rank: int) -> Phase:
    """A tower: its tensors split where its heads divide, else the whole of it on every device."""
    try:
        ops = split_tensors(phase.ops, plan._replace(pp=1, cp=1, ep=1), rank % plan.tp)
    except UsageError:
        return phase
    return replace(phase, ops=tuple(ops))


def _stream(phase: Phase, plan: Plan, prefill: bool) -> Num:
    """Elements of the residual stream that goes from stage to stage: tokens times the model's width."""
    tokens = phase.tokens / plan.cp if prefill else phase.tokens
    return tokens * _width(phase.ops)


def _width(ops: tuple[Op, ...]) -> float:
    for op in ops:
        if isinstance(op.shape, MatmulShape) and op.block not in ("embedding", "head"):
            return float(op.shape.k)
    return 0.0
