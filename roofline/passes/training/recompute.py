"""What of a forward pass is done again in the backward pass, so that less is kept until then.

    none        nothing
    selective   the core of attention
    full        all layers, as a whole
    full-early  all layers, each until its last kept tensor is back: a last product is not repeated where only the next
                layer reads its result

Source: Chen et al. 2016 (arXiv:1604.06174); Korthikanti et al. 2022 (arXiv:2205.05198), section 5; PyTorch,
torch.utils.checkpoint (`use_reentrant=False` stops early, before the op whose inputs are the last to be kept).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from roofline.passes.training.flow import Flow, layer_of
from roofline.passes.training.kept.layers import layer_kept
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.whole import ENDS, runs_of
from roofline.workload.op import Op

Policy: TypeAlias = Literal["none", "selective", "full", "full-early"]


def recomputed(flows: Sequence[Flow], policy: Policy, rules: Rules) -> tuple[Op, ...]:
    """The ops that are done again, in order; `rules` say what layers keep."""
    if policy == "none":
        return ()
    runs = [run for run in runs_of(flows) if layer_of(run[0].op) not in ENDS]
    if policy == "selective":
        return tuple(flow.op for run in runs for flow in run if flow.op.kind == "attention")
    if policy == "full":
        return tuple(flow.op for run in runs for flow in run)
    return tuple(op for run in runs for op in _until_back(run, rules))


def _until_back(run: Sequence[Flow], rules: Rules) -> Sequence[Op]:
    """The ops of a layer up to the one that keeps the last tensor, and it as well where that is a result of its own."""
    ops = [flow.op for flow in run]
    kept = layer_kept(run, rules)
    if not kept:
        return ops
    last = kept[-1]
    place = max(index for index, op in enumerate(ops) if (op.name, op.block) == (last.op, last.block))
    read = ops[place].kind == "linear" and not last.byte
    return ops[: place if read else place + 1]
