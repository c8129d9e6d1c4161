"""From counts to seconds: what each op, phase and run takes on a machine.

Three times, in this order. The *floor* is the speed of light of a phase: all its FLOPs at the peaks, or its unavoidable
bytes at full bandwidth, whichever is longer. The *bound* is the roofline, op by op: each op takes the longer of its
compute and its memory time. Neither knows any efficiency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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


def phase_cost(phase: Phase, precision: Precision, machine: Machine, reference: Phase | None = None) -> PhaseCost:
    """What one repeat of a phase needs.

    `reference` is the phase at ideal fusion: the floor does not depend on how the work is cut into kernels.
    """
    flops: Num = 0.0
    vector: Num = 0.0
    moved: Num = 0.0
    streamed: Num = 0.0
    kernels: Num = 0.0
    at_peak: Num = 0.0
    bound: Num = 0.0
    by_memory: Num = 0.0
    crossing: Num = 0.0
    tensor, vector_peak, bandwidth = machine.tensor, machine.vector, machine.bandwidth
    for op in phase.ops:
        count, op_flops, op_vector = op.count, op.flops, op.vector_flops
        op_streamed = precision.weight_bytes(op) + precision.cache_bytes(op)
        op_bytes = op_streamed + precision.activation_bytes(op)
        tensor_s = op_flops / tensor[precision.compute_dtype(op)]
        compute_s = maximum(tensor_s, op_vector / vector_peak)
        memory_s = op_bytes / bandwidth
        longest = count * maximum(compute_s, memory_s)
        flops = flops + count * op_flops
        vector = vector + count * op_vector
        moved = moved + count * op_bytes
        streamed = streamed + count * op_streamed
        kernels = kernels + count * op.kernels
        at_peak = at_peak + count * _least_s(op, tensor_s, precision, machine)
        crossing = crossing + count * op.communication
        bound = bound + longest
        by_memory = by_memory + where(memory_s >= compute_s, longest, 0.0)
    width = precision.activations.bits / 8
    unavoidable_s = (streamed + phase.boundary * width) / bandwidth
    return PhaseCost(
        flops=flops,
        vector_flops=vector,
        bytes=moved,
        kernels=kernels,
        communication_bytes=crossing * width,
        floor_s=maximum(at_peak, unavoidable_s) if reference is None else phase_floor(reference, precision, machine),
        bound_s=bound,
        compute_bound_s=bound - by_memory,
        memory_bound_s=by_memory,
    )


def phase_floor(phase: Phase, precision: Precision, machine: Machine) -> Num:
    """The speed of light of one repeat: no implementation on this machine is faster."""
    at_peak = phase.total(
        lambda op: _least_s(op, op.flops / machine.tensor[precision.compute_dtype(op)], precision, machine)
    )
    return maximum(at_peak, phase.unavoidable_bytes(precision) / machine.bandwidth)


def _least_s(op: Op, seconds: Num, precision: Precision, machine: Machine) -> Num:
    """Seconds at the peak by the quickest algorithm: libraries run 3×3 convolutions on vector units as Winograd's."""
    if op.kind != "convolution" or not isinstance(op.shape, ConvolutionShape) or op.shape.kernel != 3.0:
        return seconds
    return seconds / (1.0 + _WINOGRAD_SAVES * machine.vectored.get(precision.compute_dtype(op), 0.0))
