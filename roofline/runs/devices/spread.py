"""Over which devices a run is spread: one with everything in its memory, several, or one with parts elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from roofline.errors import UsageError
from roofline.workload.plan import Plan

if TYPE_CHECKING:
    from roofline.machine.collectives import Fabric
    from roofline.machine.cores import Cores
    from roofline.runs.devices.hosts import Host
    from roofline.specs.node import NodeSpec

#: The axes of a plan that multiply to its devices.
AXES: Final = ("tp", "pp", "cp", "dp")


class Away(Protocol):
    """What is kept elsewhere than in device memory."""

    def text(self) -> str:
        """As the option takes it."""


class Reserve(NamedTuple):
    """Bytes that the runtime keeps on each device, where the number comes from, and the engine that was named."""

    bytes: float = 0.0
    source: str = ""
    engine: str = ""


_ONE: Final = Plan()
_NONE: Final = Reserve()


@dataclass(frozen=True)
class Spread:
    """Over which devices a run is spread, by which links, with what hidden behind what, and with what left elsewhere.

    A run on one device with everything in its memory is spread over that one, `alone`. `gpus_alone`: the number of
    devices was given, and no axis. `host` is known where something stays in its memory, `cores` where they compute.
    """

    plan: Plan = _ONE
    fabric: Fabric | None = None
    node: NodeSpec | None = None
    overlap: bool = False
    away: Away | None = None
    reserve: Reserve = _NONE
    microbatches: int | None = None
    notes: tuple[str, ...] = ()
    gpus_alone: bool = False
    alone: bool = False
    host: Host | None = None
    cores: Cores | None = None

    def as_asked(self, error: UsageError) -> UsageError:
        """An error about the plan in the options that were given: `--gpus` alone was taken as `--tp` or `--pp`."""
        if not self.gpus_alone:
            return error
        axis, number = ("tp", self.plan.tp) if self.plan.tp > 1 else ("pp", self.plan.pp)
        given = f"--{axis} {number}"
        return UsageError(str(error).replace(given, f"--gpus {number} (taken as {given})", 1))


#: One device, and nothing elsewhere.
ALONE: Final = Spread(alone=True)
