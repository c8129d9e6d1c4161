"""Expert parallelism: whole experts on different devices, and the tokens sent to them and back."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.errors import UsageError
from roofline.num import Num, power
from roofline.passes.parallel.shares import resized_experts
from roofline.workload.constructors import experts_peak
from roofline.workload.constructors_collective import collective
from roofline.workload.op import Op
from roofline.workload.plan import Plan, part
from roofline.workload.shapes import ExpertsShape


def devices_visited(devices: float, top_k: float) -> float:
    """Devices that hold at least one of the experts of a token, expected under uniform routing: e (1 - (1 - 1/e)^k).

    A token is sent once to each of them, as DeepSeek's dispatch kernels do.
    """
    return devices * (1.0 - float((1.0 - 1.0 / devices) ** top_k))


def split_experts(ops: Sequence[Op], plan: Plan, rank: int) -> list[Op]:
    """The ops of one device of an expert-parallel group.

    Where the group is no larger than that of tensors, every device has all tokens already and its share of the sum is
    joined with the others' by the block's own collective. A larger group spans replicas (or context ranks): each sends
    its tokens to the experts' devices and gets the results back, two all-to-alls.

    Raises UsageError where there are more devices than experts, or none.
    """
    if plan.ep == 1:
        return list(ops)
    out: list[Op] = []
    found = False
    for op in ops:
        shape = op.shape
        if not isinstance(shape, ExpertsShape):
            out.append(op)
            continue
        found = True
        if plan.ep > shape.experts:
            raise UsageError(f"--ep {plan.ep} is more than the {shape.experts:.0f} experts of {op.block}")
        out += _spread(op, shape, plan, rank)
    if not found:
        raise UsageError(f"--ep {plan.ep}: the model has no routed experts")
    return out


def _spread(op: Op, shape: ExpertsShape, plan: Plan, rank: int) -> list[Op]:
    if plan.spread == 1:
        return [_own_experts(op, shape, plan, rank, shape.tokens)]
    own = _own_experts(op, shape, plan, rank, shape.tokens * float(plan.spread))
    sent = shape.tokens / plan.tp * devices_visited(float(plan.ep), shape.top_k) * shape.width
    ends = [
        collective(f"{op.name}.{name}", op.block, "all_to_all", sent, float(plan.ep), count=op.count, live=op.live)
        for name in ("dispatch", "combine")
    ]
    return [ends[0], own, ends[1]]


def _own_experts(op: Op, shape: ExpertsShape, plan: Plan, rank: int, tokens: Num) -> Op:
    """The experts of one device, and the share of the group's tokens that visits them: no more than arrive.

    Where tokens are not sent, because every device of the group of tensors has them all, those that do not visit stay
    in memory. Such a group may be larger than that of experts and then shares the width of each.
    """
    number = part(shape.experts, plan.ep, rank % plan.ep)
    top_k = shape.top_k * number / shape.experts
    sharing = max(1, plan.tp // plan.ep)
    hidden = part(shape.hidden, sharing, rank % sharing)
    sizes = shape._replace(tokens=tokens, experts=number, top_k=top_k, hidden=hidden)
    own = resized_experts(op, sizes, op.live)
    absent = tokens * power(1.0 - number / shape.experts, shape.top_k) * shape.width
    read, write, rows = own.read - absent, own.write - absent, tokens * top_k
    here = tokens * shape.width - (absent if plan.spread > 1 else 0.0)
    peak = experts_peak(here, rows * hidden, rows * shape.width, gated=shape.gated)
    return own._replace(read=read, write=write, reused=read + write - peak)
