"""What autograd keeps between the forward and the backward pass, each storage once.

Source of the rule: unique storages given to torch.autograd.graph.saved_tensors_hooks, parameters excluded; of a
checkpoint (torch.utils.checkpoint, not re-entrant) its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.num import Num, maximum
from roofline.passes.training.image.trace import Tracer
from roofline.passes.training.image.values import Value
from roofline.passes.training.kept.storage import Kept

#: The block to which the arguments of checkpoints are counted.
ARGUMENTS: Final = "checkpoint input"


def kept_of(tracer: Tracer, *, checkpointed: bool) -> tuple[Kept, ...]:
    """What a traced pass keeps; `checkpointed`: of each region its arguments alone, where it needs gradients."""
    shares: dict[Value, Num] = {}
    out: list[Kept] = []
    opened: set[int] = set()
    for step in tracer.steps:
        saved, op = step.saved, step.flow.op
        if checkpointed and step.region:
            if saved.anything and step.region not in opened:
                opened.add(step.region)
                out += _stored("checkpoint", ARGUMENTS, tracer.arguments[step.region], shares)
            continue
        out += _stored(op.name, op.block, saved.values, shares)
        if saved.own:
            out.append(Kept(op.name, op.block, step.count, saved.half, saved.wide, 0.0, saved.fixed))
    return tuple(out)


def _stored(op: str, block: str, values: Iterable[Value], shares: dict[Value, Num]) -> list[Kept]:
    """Values that nothing before keeps, or the share of them that it does not."""
    out: list[Kept] = []
    for value in values:
        _store(op, block, value, 1.0, shares, out)
    return out


def _store(op: str, block: str, value: Value, share: Num, shares: dict[Value, Num], out: list[Kept]) -> None:
    if value.origin is not None:
        _store(op, block, value.origin, share * (1.0 - value.made), shares, out)
        share = share * value.made
    known = shares.get(value, 0.0)
    shares[value] = maximum(known, share)
    more = shares[value] - known
    out.append(Kept(op, block, value.count, more * value.half, more * value.wide))
