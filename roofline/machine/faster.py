"""A machine whose figures are so many times better, each kind on its own: what elasticities are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.collectives import Fabric, Link
from roofline.machine.cores import Cores
from roofline.machine.engine import Engine
from roofline.machine.machine import Machine

#: Seconds of an engine that are overhead: the host's work, and what kernels take to start.
_OVERHEAD = ("launch", "rows", "kernel_s", "step_s", "sequence_s", "request_s")


class Figure(NamedTuple):
    """A kind of figure of the hardware: what is said to limit a run that depends on it, as a code in JSON and in words,
    and the figure itself in words.
    """

    code: str
    limit: str
    title: str


#: The figures of the hardware, by the names of their factors.
FIGURES: Final = {
    "bandwidth": Figure("memory", "memory", "memory bandwidth"),
    "compute": Figure("compute", "compute", "FLOP/s"),
    "links": Figure("communication", "the links", "rate of the links"),
    "overhead": Figure("overhead", "overhead (starting kernels, host work)", "shorter starts of kernels and host work"),
    "host": Figure("host", "the host (its cores and memory)", "the host's cores and memory"),
}


def limit_words(code: str) -> str:
    """What limits a run, for people, by its code: those of phases are among them."""
    return next(figure.limit for figure in FIGURES.values() if figure.code == code)


class Faster(NamedTuple):
    """Factors on the figures of the hardware, all else the same: 1.01 is one per cent better.

    bandwidth  of the device's memory
    compute    FLOP/s of matrix and vector units
    links      between devices, to further nodes, to host memory and disk: rate, and latency the other way
    overhead   by which starts of kernels and the engine's work on the host become shorter
    host       cores and memory of the host, where they compute or copy what is pageable
    """

    bandwidth: float = 1.0
    compute: float = 1.0
    links: float = 1.0
    overhead: float = 1.0
    host: float = 1.0

    @property
    def changes(self) -> bool:
        """Whether anything differs."""
        return self != AS_IT_IS

    def machine(self, machine: Machine) -> Machine:
        """The machine with these figures."""
        if self.bandwidth == 1.0 and self.compute == 1.0:
            return machine
        return replace(
            machine,
            tensor={dtype: peak * self.compute for dtype, peak in machine.tensor.items()},
            vector=machine.vector * self.compute,
            dot=machine.dot * self.compute,
            bandwidth=machine.bandwidth * self.bandwidth,
        )

    def chip(self, chip: ChipEfficiency) -> ChipEfficiency:
        """The chip's links, and the engine's overhead."""
        if self.links == 1.0 and self.overhead == 1.0:
            return chip
        return replace(chip, engine=self._engine(chip.engine), link=chip.link * self.links, _known={})

    def _engine(self, engine: Engine) -> Engine:
        return engine._replace(**{name: getattr(engine, name) / self.overhead for name in _OVERHEAD})

    def fabric(self, fabric: Fabric | None) -> Fabric | None:
        """The links of a node."""
        if fabric is None or self.links == 1.0:
            return fabric
        up, out, host, disk = map(self._link, (fabric.scale_up, fabric.scale_out, fabric.host, fabric.disk))
        return fabric._replace(scale_up=up, scale_out=out, host=host, disk=disk)

    def cores(self, cores: Cores | None) -> Cores | None:
        """The cores of the host, and the link to them."""
        if cores is None:
            return None
        own = Faster(bandwidth=self.host, compute=self.host)
        return cores._replace(machine=own.machine(cores.machine), link=self._link(cores.link))

    def _link(self, link: Link | None) -> Link | None:
        if link is None:
            return None
        return link._replace(bandwidth=link.bandwidth * self.links, latency=link.latency / self.links)


#: The hardware as its files describe it.
AS_IT_IS = Faster()
