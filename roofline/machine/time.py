"""From counts to seconds: what each op, phase and run takes on a machine.

Three times, in this order. The *floor* is the speed of light of a phase: all its FLOPs at the peaks, or its unavoidable
bytes at full bandwidth, whichever is longer. The *bound* is the roofline, op by op: each op takes the longer of its
compute and its memory time. Neither knows any efficiency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from roofline.machine.machine import Machine
from roofline.num import Num, maximum, where
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import ConvolutionShape
from roofline.workload.workload import Phase

#: Multiplications that Winograd's F(2×2, 3×3) saves a 3×3 convolution, over those that it needs: 36 become 16.
_WINOGRAD_SAVES: Final = 36.0 / 16.0 - 1.0


@dataclass(frozen=True, slots=True)
class OpCost:
    """One execution of an op: bytes moved, and seconds that matrix units, vector units and memory need for it."""

    bytes: Num
    compute_s: Num
    vector_s: Num
    memory_s: Num

    @property
    def bound_s(self) -> Num:
        """The roofline: the longest of the three."""
        return maximum(maximum(self.compute_s, self.vector_s), self.memory_s)


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """One repeat of a phase: counts, floor and bound, and how the bound divides between compute and memory."""

    flops: Num
    vector_flops: Num
    bytes: Num
    kernels: Num
    communication_bytes: Num
    floor_s: Num
    bound_s: Num
    compute_bound_s: Num
    memory_bound_s: Num

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


#: What an op has of a phase: executions, and of each the FLOPs, other FLOPs and bytes, the format that is multiplied,
#: and whether it is a convolution that Winograd's algorithm spares multiplications.
_Share: TypeAlias = tuple[float, Num, Num, Num, str, bool]


class _Counts(NamedTuple):
    """A phase in a precision, whatever the machine: its ops, and their sums over one repeat."""

    shares: tuple[_Share, ...]
    flops: Num
    vector_flops: Num
    bytes: Num
    unavoidable: Num
    kernels: Num
    communication_bytes: Num


def phase_cost(phase: Phase, precision: Precision, machine: Machine, reference: Phase | None = None) -> PhaseCost:
    """What one repeat of a phase needs.

    `reference` is the phase at ideal fusion: the floor does not depend on how the work is cut into kernels.
    """
    counts = _counts(phase, precision)
    at_peak: Num = 0.0
    bound: Num = 0.0
    by_memory: Num = 0.0
    tensor, vector_peak, bandwidth = machine.tensor, machine.vector, machine.bandwidth
    for count, flops, vector_flops, moved, dtype, spared in counts.shares:
        tensor_s = flops / tensor[dtype]
        compute_s = maximum(tensor_s, vector_flops / vector_peak)
        memory_s = moved / bandwidth
        longest = count * maximum(compute_s, memory_s)
        at_peak = at_peak + count * (_spared_s(tensor_s, dtype, machine) if spared else tensor_s)
        bound = bound + longest
        by_memory = by_memory + where(memory_s >= compute_s, longest, 0.0)
    if reference is not None:
        floor = phase_floor(reference, precision, machine)
    else:
        floor = maximum(at_peak, counts.unavoidable / bandwidth)
    return PhaseCost(
        flops=counts.flops,
        vector_flops=counts.vector_flops,
        bytes=counts.bytes,
        kernels=counts.kernels,
        communication_bytes=counts.communication_bytes,
        floor_s=floor,
        bound_s=bound,
        compute_bound_s=bound - by_memory,
        memory_bound_s=by_memory,
    )


def phase_floor(phase: Phase, precision: Precision, machine: Machine) -> Num:
    """The speed of light of one repeat: no implementation on this machine is faster."""
    counts = _counts(phase, precision)
    at_peak: Num = 0.0
    for count, flops, _, _, dtype, spared in counts.shares:
        tensor_s = flops / machine.tensor[dtype]
        at_peak = at_peak + count * (_spared_s(tensor_s, dtype, machine) if spared else tensor_s)
    return maximum(at_peak, counts.unavoidable / machine.bandwidth)


def _spared_s(seconds: Num, dtype: str, machine: Machine) -> Num:
    """Seconds of a 3×3 convolution at the peak: libraries run it on vector units as Winograd's."""
    return seconds / (1.0 + _WINOGRAD_SAVES * machine.vectored.get(dtype, 0.0))


def _counts(phase: Phase, precision: Precision) -> _Counts:
    return phase.kept(("counts", precision), lambda: _counted(phase, precision))


def _counted(phase: Phase, precision: Precision) -> _Counts:
    flops: Num = 0.0
    vector: Num = 0.0
    moved: Num = 0.0
    streamed: Num = 0.0
    kernels: Num = 0.0
    crossing: Num = 0.0
    shares: list[_Share] = []
    for op in phase.ops:
        count, op_flops, op_vector = op.count, op.flops, op.vector_flops
        op_streamed = precision.weight_bytes(op) + precision.cache_bytes(op)
        op_bytes = op_streamed + precision.activation_bytes(op)
        flops = flops + count * op_flops
        vector = vector + count * op_vector
        moved = moved + count * op_bytes
        streamed = streamed + count * op_streamed
        kernels = kernels + count * op.kernels
        crossing = crossing + count * op.communication
        spared = op.kind == "convolution" and isinstance(op.shape, ConvolutionShape) and op.shape.kernel == 3.0
        shares.append((count, op_flops, op_vector, op_bytes, precision.compute_dtype(op), spared))
    width = precision.activations.bits / 8
    unavoidable = streamed + phase.boundary * width
    return _Counts(tuple(shares), flops, vector, moved, unavoidable, kernels, crossing * width)
