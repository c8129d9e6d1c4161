"""The roofs of an accelerator: its memory slope, and a flat roof for each peak that matters to a workload."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from roofline.machine.machine import Machine
from roofline.report.plots.style import amount
from roofline.specs.gpu import GPUSpec

#: The formats whose peaks a reader looks for, narrowest last; others are drawn where the workload uses them.
_USUAL: Final = ("vector.fp32", "vector.fp16", "tf32", "bf16", "fp16", "fp8")


@dataclass(frozen=True, slots=True)
class Roof:
    """A flat roof: its units (named as in Machine.served_by), FLOP/s, bytes/s, and whether ops run there."""

    units: tuple[str, ...]
    peak: float
    bandwidth: float
    used: bool

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
    def height(self) -> str:
        """The peak with its unit; operations rather than FLOPs where all its formats are integers."""
        integers = all(unit.startswith("int") for unit in self.units)
        return amount(self.peak, "OP/s" if integers else "FLOP/s")


@dataclass(frozen=True)
class Skyline:
    """All roofs of one accelerator, and their looks; the name is empty where there is only one accelerator."""

    name: str
    colour: str
    dash: Any
    roofs: list[Roof]

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
        if unit in used or not used_only:
            by_peak.setdefault(table[unit], []).append(unit)
    bandwidth = float(machine.bandwidth)
    return [
        Roof(tuple(units), peak, bandwidth, not used.isdisjoint(units))
        for peak, units in sorted(by_peak.items(), reverse=True)
    ]
