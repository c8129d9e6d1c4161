"""What the best kernels of a chip reach of its peaks, where somebody measured them."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from roofline.machine.chips.coefficients import Measured, measured_ceilings
from roofline.machine.chips.facts import served_peaks, units_of
from roofline.machine.chips.stand_ins import hostless
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.kernels.matmul import MatmulCoefficients, matmul_time
from roofline.specs.gpu import GPUSpec

#: Sides of the square products that are tried: the best of them is what a chip reaches.
_SIDES: Final = (2048.0, 4096.0, 8192.0, 16384.0)
#: The measured formats that tell of a unit, the same width first.
_TELLING: Final = {
    "bf16": ("bf16",),
    "fp16": ("bf16",),
    "fp8": ("fp8", "fp8_block", "fp8_static"),
    "fp4": ("fp4",),
    "nvfp4": ("fp4",),
    "int8": ("int8",),
}


class Reach(NamedTuple):
    """FLOP/s and bytes/s that the best measured kernels reach; None where no such kernel was measured."""

    rate: float | None
    bandwidth: float | None


@cache
def measured_reach(spec: GPUSpec, unit: str) -> Reach:
    """What measured matrix products of a chip reach in the format of a unit, and measured reads of its memory.

    The rate is that of the quickest square product by the fit to the chip's kernels (`chip_efficiency.json`), or else
    what the chip's file gives as measured; the bandwidth, of any format, that of an endless read.
    """
    rows = measured_ceilings().rows["matmul"].get(spec.name, ())
    streams = [MatmulCoefficients(*row.values).streaming for row in rows]
    bandwidth = spec.memory.bandwidth * float(max(streams)) if streams else None
    own = [row for row in rows if row.format in _TELLING.get(unit, ())]
    rate = max((_best_rate(spec, unit, row) for row in own), default=_published(spec, unit))
    return Reach(rate, bandwidth)


def _best_rate(spec: GPUSpec, unit: str, row: Measured) -> float:
    peak = served_peaks(spec).get("fp4" if unit == "nvfp4" else unit, None) or served_peaks(spec)["bf16"]
    if unit == "int8":
        peak = spec.peak.tensor.int8 or peak
    chip = ChipFacts(peak, spec.memory.bandwidth, units_of(spec), dtype=unit)
    coefficients = hostless("matmul", MatmulCoefficients(*row.values))
    times = [float(matmul_time(side, side, side, 6.0 * side**2, chip, coefficients)) for side in _SIDES]
    return max(2.0 * side**3 / time for side, time in zip(_SIDES, times, strict=True))


def _published(spec: GPUSpec, unit: str) -> float | None:
    """The best matrix product that the chip's file tells."""
    measured = spec.measured_matmul
    return dict(measured).get(unit) if measured is not None else None
