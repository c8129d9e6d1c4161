"""From counts to seconds: what each op, phase and run takes on a machine.

Three times, in this order. The *floor* is the speed of light of a phase: all its FLOPs at the peaks, or its unavoidable
bytes at full bandwidth, whichever is longer. The *bound* is the roofline, op by op: each op takes the longer of its
compute and its memory time. Neither knows any efficiency.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from roofline.machine.counts import Counts, counts_of
from roofline.machine.machine import Machine
from roofline.num import Num, first_value, is_nothing, maximum, minimum, where_holds
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

#: Multiplications that Winograd's F(2×2, 3×3) saves a 3×3 convolution, over those that it needs: 36 become 16.
_WINOGRAD_SAVES: Final = 36.0 / 16.0 - 1.0


class OpCost(NamedTuple):
    """One execution of an op: bytes moved, and seconds that matrix units, vector units and memory need for it."""

    bytes: Num
    compute_s: Num
    vector_s: Num
    memory_s: Num

    @property
    def bound_s(self) -> Num:
        """The roofline: the longest of the three."""
        return maximum(maximum(self.compute_s, self.vector_s), self.memory_s)


class Longest(NamedTuple):
    """The bound of one kind of op, all its executions together, and the two times of one of which it is the longer."""

    bound_s: Num
    compute_s: Num
    memory_s: Num


class PhaseCost(NamedTuple):
    """One repeat of a phase: counts, floor and bound; `parts`: those of each kind of op that the bound is the sum of.

    How the bound divides between compute and memory is worked out when it is asked for: it takes as many passes over a
    grid as the bound itself.
    """

    flops: Num
    vector_flops: Num
    bytes: Num
    kernels: Num
    communication_bytes: Num
    floor_s: Num
    bound_s: Num
    parts: tuple[Longest, ...]

    @property
    def memory_bound_s(self) -> Num:
        """The part of the bound in which the memory is what takes longer."""
        total: Num = 0.0
        for part in self.parts:
            total = total + where_holds(part.memory_s >= part.compute_s, part.bound_s)
        return total

    @property
    def compute_bound_s(self) -> Num:
        """The part in which compute takes longer."""
        return self.bound_s - self.memory_bound_s

    @property
    def first_bounds(self) -> tuple[float, float]:
        """Both, memory first, at the first point of a grid."""
        by_memory, single = 0.0, type(self.bound_s) is float
        for part in self.parts:
            numbers: Any = part if single else map(first_value, part)
            bound, compute, memory = numbers
            if memory >= compute:
                by_memory += bound
        return by_memory, first_value(self.bound_s) - by_memory

    @property
    def intensity(self) -> Num:
        """FLOPs per byte."""
        return self.flops / self.bytes


def op_cost(op: Op, precision: Precision, machine: Machine) -> OpCost:
    """What one execution of an op needs."""
    moved = precision.bytes(op)
    return OpCost(
        bytes=moved,
        compute_s=op.flops / machine.tensor[precision.compute_dtype(op)],
        vector_s=op.vector_flops / machine.vector,
        memory_s=moved / machine.bandwidth,
    )


def phase_cost(phase: Phase, precision: Precision, machine: Machine, reference: Phase | None = None) -> PhaseCost:
    """What one repeat of a phase needs.

    `reference` is the phase at ideal fusion: the floor does not depend on how the work is cut into kernels, nor on the
    number of passes.
    """
    counts = counts_of(phase, precision)
    bound: Num = 0.0
    parts: list[Longest] = []
    for count, flops, vector_flops, moved, dtype in counts.works:
        compute_s = compute_time(flops, vector_flops, dtype, machine)
        memory_s = moved / machine.bandwidth
        longest = count * maximum(compute_s, memory_s)
        bound = bound + longest
        parts.append(Longest(longest, compute_s, memory_s))
    least = _least(phase, precision, reference)
    return PhaseCost(
        flops=counts.flops,
        vector_flops=counts.vector_flops,
        bytes=counts.bytes,
        kernels=counts.kernels,
        communication_bytes=counts.communication_bytes,
        floor_s=maximum(
            minimum(_at_peak(least, machine), _at_peak(counts, machine)), least.unavoidable / machine.bandwidth
        ),
        bound_s=bound,
        parts=tuple(parts),
    )


def _least(phase: Phase, precision: Precision, reference: Phase | None) -> Counts:
    """The counts of a phase at ideal fusion, in one pass."""
    if reference is None and phase.whole:
        reference = phase.kept("one pass", lambda: replace(phase, ops=phase.whole, whole=(), widest=()))
    return counts_of(phase if reference is None else reference, precision)


class AtPeak(NamedTuple):
    """The products of a phase in one format: FLOPs, the rate at which they count in FLOP/s, the unit of that rate;
    `spared`: convolutions that need fewer multiplications than are counted, whose rate is higher by as much.
    """

    flops: float
    rate: float
    unit: str
    spared: bool

    @property
    def seconds(self) -> float:
        """Seconds at that rate."""
        return self.flops / self.rate


class Floor(NamedTuple):
    """What the floor of a phase is the larger of: its products at the peak, and bytes at the bandwidth (B/s)."""

    products: tuple[AtPeak, ...]
    bytes: float
    bandwidth: float

    @property
    def compute_s(self) -> float:
        """Seconds of all products, one format after the other."""
        return sum(part.seconds for part in self.products)

    @property
    def memory_s(self) -> float:
        """Seconds of the bytes."""
        return self.bytes / self.bandwidth


def floor_parts(phase: Phase, precision: Precision, machine: Machine, reference: Phase | None = None) -> Floor:
    """The floor of `phase_cost` in its parts, of one accelerator and one run; the products that take longest first."""
    counts, least = counts_of(phase, precision), _least(phase, precision, reference)
    chosen = min(least, counts, key=lambda each: float(_at_peak(each, machine)))
    sums: dict[tuple[str, bool], float] = {}
    for count, flops, dtype, spared in chosen.products:
        key = dtype, spared and float(machine.vectored.get(dtype, 0.0)) > 0.0
        sums[key] = sums.get(key, 0.0) + float(count * flops)
    parts = [_part_at_peak(flops, *key, chosen.halves, machine) for key, flops in sums.items()]
    ordered = tuple(sorted(parts, key=lambda part: -part.seconds))
    return Floor(ordered, float(least.unavoidable), float(machine.bandwidth))


def _part_at_peak(flops: float, dtype: str, spared: bool, halves: bool, machine: Machine) -> AtPeak:
    rate, unit = float(machine.fastest(dtype, halves)), machine.served_by[dtype][0]
    if rate > float(machine.tensor[dtype]):
        unit = "fp8_acc16" if dtype == "fp8" else "fp16_acc16" if float(machine.half_sums["fp16"]) > 1.0 else "fp16"
    return AtPeak(flops, 1.0 / float(_spared(1.0 / rate, dtype, machine)) if spared else rate, unit, spared)


def compute_time(flops: Num, vector_flops: Num, dtype: str, machine: Machine) -> Num:
    """Seconds of the matrix units or of the vector units, which work side by side."""
    if is_nothing(flops):
        return vector_flops / machine.vector
    tensor_s = flops / machine.tensor[dtype]
    return tensor_s if is_nothing(vector_flops) else maximum(tensor_s, vector_flops / machine.vector)


def _at_peak(counts: Counts, machine: Machine) -> Num:
    """Seconds of all products at the peak, with sums in 16 bit where the chip has them.

    Of the work in one pass and in chunks the less counts: scores of every distance are fewer in chunks, which see none
    of the tokens behind them.
    """
    at_peak: Num = 0.0
    for count, flops, dtype, spared in counts.products:
        seconds = flops / machine.fastest(dtype, counts.halves)
        at_peak = at_peak + count * (_spared(seconds, dtype, machine) if spared else seconds)
    return at_peak


def _spared(seconds: Num, dtype: str, machine: Machine) -> Num:
    """Seconds of a 3×3 convolution at the peak: libraries run it on vector units as Winograd's."""
    return seconds / (1.0 + _WINOGRAD_SAVES * machine.vectored.get(dtype, 0.0))
