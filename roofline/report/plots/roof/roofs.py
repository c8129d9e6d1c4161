"""The roofs of an accelerator: its memory slope, a flat roof for each peak that matters, and what else limits a rate.

Beside the datasheet's: what the best measured kernels of the chip reach, and the slopes of the cache and of the links.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.machine.chips.reach import measured_reach
from roofline.machine.machine import Machine
from roofline.report.plots.style import amount
from roofline.specs.gpu import GPUSpec
from roofline.units import format_si

#: The formats whose peaks a reader looks for, narrowest last; others are drawn where the workload uses them.
_USUAL: Final = ("vector.fp32", "vector.fp16", "tf32", "bf16", "fp16", "fp8")


@dataclass(frozen=True, slots=True)
class Roof:
    """A flat roof: its units (named as in Machine.served_by), FLOP/s, bytes/s, and whether ops run there.

    `reached`: the FLOP/s of the best kernels that were measured; None where none were.
    """

    units: tuple[str, ...]
    peak: float
    bandwidth: float
    used: bool
    reached: float | None = None

    @property
    def ridge(self) -> float:
        """FLOPs per byte where it meets the slope."""
        return self.peak / self.bandwidth

    @property
    def name(self) -> str:
        """Its formats: ``bf16/fp16``, ``fp32 vector``."""
        tensor = "/".join(unit for unit in self.units if not unit.startswith("vector."))
        vector = "/".join(unit.removeprefix("vector.") for unit in self.units if unit.startswith("vector."))
        return ", ".join([tensor] * bool(tensor) + [f"{vector} vector"] * bool(vector))

    @property
    def unit(self) -> str:
        """What it is counted in: operations rather than FLOPs where all its formats are integers."""
        return "OP/s" if all(unit.startswith("int") for unit in self.units) else "FLOP/s"

    @property
    def height(self) -> str:
        """The peak with its unit."""
        return amount(self.peak, self.unit)


class Slope(NamedTuple):
    """A further slope: bytes/s of a cache or of a link, by its name."""

    name: str
    bandwidth: float

    @property
    def text(self) -> str:
        """Its name and bytes/s."""
        return f"{self.name} {format_si(self.bandwidth, 'B/s')}"


@dataclass(frozen=True)
class Skyline:
    """All roofs of one accelerator, and their looks; the name is empty where there is only one accelerator.

    `reached`: the bytes/s of memory that its best measured kernels reach; `slopes`: of its cache and links.
    """

    name: str
    colour: str
    dash: Any
    roofs: list[Roof]
    reached: float | None = None
    slopes: tuple[Slope, ...] = ()

    @property
    def bandwidth(self) -> float:
        """Bytes/s: the slope that all its roofs share."""
        return self.roofs[0].bandwidth

    @property
    def highest(self) -> Roof:
        """The roof at which the slope ends."""
        return self.roofs[0]

    @property
    def main(self) -> Roof:
        """The highest roof under which an op computes."""
        return next((roof for roof in self.roofs if roof.used), self.roofs[0])

    @property
    def lower(self) -> list[Roof]:
        """The roofs in use under which measured kernels end."""
        return [roof for roof in self.roofs if roof.used and roof.reached is not None]


def roofs(spec: GPUSpec, machine: Machine, dtypes: Iterable[str], *, used_only: bool = False) -> list[Roof]:
    """The roofs of one accelerator, the highest first; formats of equal peak share one.

    `dtypes` are the formats in which the ops compute; the unit that serves each is a roof in use. `used_only` leaves
    the others out.
    """
    used = {machine.served_by[dtype][0] for dtype in dtypes}
    table = {name: value for name, value in spec.peak.tensor if value is not None}
    if spec.peak.vector is not None:
        table |= {f"vector.{name}": value for name, value in spec.peak.vector if value is not None}
    wanted = [unit for unit in (*_USUAL, *sorted(used.difference(_USUAL))) if unit in table]
    by_peak: dict[float, list[str]] = {}
    for unit in wanted or table:
        if unit in used or not used_only or not used:
            by_peak.setdefault(table[unit], []).append(unit)
    bandwidth = float(machine.bandwidth)
    return [
        Roof(tuple(units), peak, bandwidth, not used.isdisjoint(units), _reached(spec, used.intersection(units)))
        for peak, units in sorted(by_peak.items(), reverse=True)
    ]


def _reached(spec: GPUSpec, units: Iterable[str]) -> float | None:
    """FLOP/s of the best kernels that were measured in one of some units."""
    found = (measured_reach(spec, unit).rate for unit in units)
    return max((rate for rate in found if rate is not None), default=None)


def slopes(estimate: Answer) -> tuple[Slope, ...]:
    """The cache's bandwidth, and those of the links that a run over several devices uses, where they are known."""
    spec, spread = estimate.question.gpu, estimate.question.spread
    found = []
    if spec.cache is not None and spec.cache.bandwidth is not None:
        found.append(Slope("L2 cache", spec.cache.bandwidth))
    fabric = spread.fabric
    if fabric is not None and not spread.plan.single:
        if fabric.scale_up is not None:
            found.append(_link(fabric.scale_up.name, fabric.scale_up.bandwidth))
        if fabric.scale_out is not None and spread.plan.devices > fabric.node:
            found.append(_link(fabric.scale_out.name, fabric.scale_out.bandwidth))
    if fabric is not None and fabric.host is not None and spread.away is not None:
        found.append(_link(fabric.host.name, fabric.host.bandwidth))
    return tuple(found)


def _link(name: str, bandwidth: Any) -> Slope:
    return Slope(name.partition(",")[0].partition(" with ")[0], float(bandwidth))
