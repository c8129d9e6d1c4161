"""What the expected time wants to know of a chip: units, clocks, links and rates, and what stands for unstated ones."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.chips.feed import feed_gain
from roofline.machine.engine import Engine
from roofline.specs.gpu import GPUSpec

#: Units of a chip that states neither theirs nor a 16-bit rate: about those of the large chips that do.
_USUAL_UNITS: Final = 128.0
#: Host time of one PCIe generation over that of the one before. Source: Splitwise profiles, where the host rules: a
#: decode step of Llama-2-70B over 4 and 8 devices, 29.5 ms on DGX-H100 and 44 ms on DGX-A100.
_HOST_PER_GENERATION: Final = 0.67
_USUAL_PCIE: Final = 4.0
#: Kinds of chips whose units are those that kernels are dealt to.
_HAS_UNITS: Final = ("gpu", "soc")
_BESIDE: Final = 5.0
#: Exponentials per clock of a unit that does not state them. Source: throughput of native arithmetic instructions, CUDA
#: C++ Programming Guide: 16 base-2 exponentials per clock and SM up to compute capability 10.0.
USUAL_EXPONENTIALS: Final = 16.0
#: Bandwidth, and that of a unit of a GPU, from which on memory is in stacks: its streams and latencies are others.
_STACKED: Final = (9e11, 1.4e10)
#: Rows of a matrix instruction of a group of four warps.
_WARPGROUP_ROWS: Final = 64.0
#: Matrix rate of one SM: elsewhere a unit may be a whole array, and tiles are counted per this much rate.
_RATE_PER_UNIT: Final = 7e12


class UnitFacts(NamedTuple):
    """What of a chip an engine's factors and limits depend on.

    `peak` FLOP/s and `stream` byte/s of memory per unit and clock, 0 where units or clock are not stated: what is per
    unit then limits nothing. `half_gain` how much faster products are that sum in 16 bit; `base_clock` that clock over
    the boost clock where the power limit is low, else 1; `feed_gain` the rate that loads are built for over the peak;
    `integers` are operations in int8 per unit and clock, `dense` FLOP/s of 16-bit products per watt, 0 where the power
    is not stated.
    """

    peak: float
    stream: float
    half_gain: float
    base_clock: float
    feed_gain: float = 1.0
    integers: float = 0.0
    dense: float = 0.0


def unit_facts(spec: GPUSpec, stacked: bool = False, narrow: int = 0) -> UnitFacts:
    """The facts of one unit of a chip, whose memory is `stacked` or not and whose formats are so `narrow`."""
    known = spec.units is not None and spec.clock is not None and spec.kind in _HAS_UNITS
    per_clock = 1.0 / (units_of(spec) * spec.clock) if known and spec.clock else 0.0
    peak, stream = half_peak_of(spec) * per_clock, spec.memory.bandwidth * per_clock
    half = half_gain_of(spec)
    dense = half_peak_of(spec) / spec.power if spec.power else 0.0
    integers = (spec.peak.tensor.int8 or half_peak_of(spec)) * per_clock
    fed = feed_gain(spec, peak, half, stacked, narrow)
    return UnitFacts(peak, stream, half, base_clock_of(spec), fed, integers, dense)


def unstated_facts(spec: GPUSpec) -> tuple[str, ...]:
    """The fields that a GPU's file leaves out and an expected time would gain from; none where its units and their
    clock are stated, on which the limits per unit rest. Units of processors and tensor accelerators limit nothing.
    """
    if spec.kind not in _HAS_UNITS or (spec.units is not None and spec.clock is not None):
        return ()
    vector = spec.peak.vector.fp32 if spec.peak.vector is not None else None
    pcie = spec.links.pcie if spec.links is not None else None
    beside = {"power": spec.power, "peak.vector.fp32": vector} | ({"links.pcie": pcie} if spec.kind == "gpu" else {})
    stated = {"units": spec.units, "clock": spec.clock} | beside
    return tuple(name for name, value in stated.items() if value is None)


def units_of(spec: GPUSpec) -> float:
    """Units that tiles are dealt to; of an accelerator of few large units, as many as its matrix rate would feed."""
    if spec.units is not None and spec.kind in _HAS_UNITS:
        return float(spec.units.count)
    peak = spec.peak.tensor.bf16 or spec.peak.tensor.fp16
    return max(1.0, float(round(peak / _RATE_PER_UNIT))) if peak else _USUAL_UNITS


def exponentials_of(spec: GPUSpec) -> float:
    """Exponentials per clock of one unit, those of most chips where none are stated."""
    stated = spec.units.exponentials if spec.units is not None else None
    return float(stated) if stated else USUAL_EXPONENTIALS


def host_of(spec: GPUSpec) -> float:
    """Host time over that of a host of PCIe 4.0: chips come with processors of their years.

    One without PCIe of its own has its host beside it (Grace, Apple): as quick as those of PCIe 5.0.
    """
    pcie = spec.links.pcie if spec.links is not None else None
    generation = float(pcie.generation.split()[0]) if pcie is not None else _BESIDE
    return float(_HOST_PER_GENERATION ** (generation - _USUAL_PCIE))


def is_stacked(spec: GPUSpec) -> bool:
    """Whether the memory is HBM, as its bandwidth tells."""
    whole, per_unit = _STACKED
    bandwidth = spec.memory.bandwidth
    return bandwidth >= whole and (spec.kind not in _HAS_UNITS or bandwidth / units_of(spec) >= per_unit)


def least_rows(spec: GPUSpec, stacked: bool) -> float:
    """Rows that a product of few rows costs where it runs on matrix units: those of the instruction of a warp group.

    `stacked` says that the chip, at whatever rates, has HBM. Kernels of single warps (16 rows or fewer at a time) wait
    for memory with so few. Sources: PTX ISA, wgmma.mma_async (m64, from Hopper's data-centre chips on) and tcgen05.mma
    (m64, m128).
    """
    grouped = spec.vendor == "nvidia" and stacked and bool(spec.peak.tensor.fp8)
    return _WARPGROUP_ROWS if grouped else 1.0


def exchange_of(spec: GPUSpec, engine: Engine) -> float:
    """The engine's factor on collectives over the link that a chip has."""
    own = spec.links is not None and spec.links.scale_up is not None
    return engine.exchange if own else engine.exchange_pcie


def link_of(spec: GPUSpec) -> float:
    """Bandwidth of the link to the neighbours, per direction; 0 where there is none."""
    link = (spec.links.scale_up or spec.links.pcie) if spec.links is not None else None
    return link.bandwidth if link is not None else 0.0


def half_gain_of(spec: GPUSpec) -> float:
    """How much faster matrix products are when they sum in 16 bit."""
    tensor = spec.peak.tensor
    return tensor.fp16_acc16 / tensor.fp16 if tensor.fp16_acc16 and tensor.fp16 else 1.0


def base_clock_of(spec: GPUSpec) -> float:
    """The base clock over the boost clock, where a board's power limit is low enough to list it; else 1."""
    return spec.base_clock / spec.clock if spec.base_clock and spec.clock else 1.0


def half_peak_of(spec: GPUSpec) -> float:
    """The matrix rate in 16 bit, or the best of floats that there is: dot products of integers are no matrix rate."""
    tensor, vector = spec.peak.tensor, spec.peak.vector
    listed = {name: value for name, value in (*tensor, *(vector or ())) if value}
    floats = [value for name, value in listed.items() if not name.startswith("int")]
    return tensor.fp16 or tensor.bf16 or max(floats or listed.values())


def served_peaks(spec: GPUSpec) -> dict[str, float]:
    """Matrix peaks by format, those of the next wider one where there is none."""
    tensor, half = spec.peak.tensor, half_peak_of(spec)
    return {"bf16": half, "fp8": tensor.fp8 or half, "fp4": tensor.fp4 or tensor.nvfp4 or tensor.fp8 or half}


def known_ceiling(spec: GPUSpec) -> float | None:
    """The best measured matrix product over the peak, where somebody measured one."""
    measured, peak = spec.measured_matmul, spec.peak.tensor
    if measured is None or spec.vendor == "nvidia":  # NVIDIA's chips are met better by a sibling's coefficients
        return None
    for best, most in ((measured.bf16, peak.bf16), (measured.fp16, peak.fp16)):
        if best and most:
            return min(1.0, best / most)
    return None
