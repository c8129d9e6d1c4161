"""The plan of a parallel run: along which axes the work is split, and over how many devices."""

from __future__ import annotations

from typing import NamedTuple

from roofline.errors import UsageError


class Plan(NamedTuple):
    """Devices along each axis.

    tp    tensor: heads, columns and rows of matrices, vocabulary
    pp    pipeline: layers, in `pp` stages
    cp    context: tokens of the prompt, and the cache along its length
    dp    data: replicas of all of it, each with a batch of its own
    ep    experts: laid over the devices of tp, cp and dp, so that it adds none
    pad_heads   where tp does not divide the heads: give the last device empty ones instead of refusing

    One replica takes tp · pp · cp devices. Neighbours in tp are next to each other, then those in cp, in dp where
    experts are spread over it, in pp, and replicas last.
    """

    tp: int = 1
    pp: int = 1
    cp: int = 1
    dp: int = 1
    ep: int = 1
    pad_heads: bool = False

    @property
    def devices(self) -> int:
        """All devices."""
        return self.tp * self.pp * self.cp * self.dp

    @property
    def single(self) -> bool:
        """Whether there is but one device, which runs the workload as it is."""
        return self.devices == 1

    @property
    def spread(self) -> int:
        """Replicas (or context ranks) whose tokens meet in one group of experts."""
        return max(1, self.ep // self.tp)

    @property
    def stage_stride(self) -> int:
        """Devices between a device and its neighbour in the pipeline."""
        return self.tp * self.cp * (self.dp if self.spread > self.cp else 1)

    def text(self) -> str:
        """For people: `tp 4 · pp 2`."""
        named = (("tp", self.tp), ("pp", self.pp), ("cp", self.cp), ("dp", self.dp), ("ep", self.ep))
        return " · ".join(f"{name} {size}" for name, size in named if size > 1) or "one device"


def check_plan(plan: Plan) -> None:
    """Raise UsageError where experts cannot be laid over the devices as asked."""
    tp, ep = plan.tp, plan.ep
    if ep > 1 and tp % ep and ep % tp:
        raise UsageError(f"--ep {ep} with --tp {tp}: one must divide the other")
    if ep > 1 and (plan.cp * plan.dp) % plan.spread:
        raise UsageError(
            f"--ep {ep} does not fit on --tp {tp} × --cp {plan.cp} × --dp {plan.dp}: experts are laid over these "
            f"devices, so ep must divide {tp * plan.cp * plan.dp}"
        )


def part(total: float, parts: int, rank: int) -> float:
    """What rank gets of `total` whole things: they differ by one at most, and the first ranks have the more."""
    each, rest = divmod(int(total), parts)
    return float(each + (1 if rank < rest else 0))
