"""What is held beside the tensors: the buffers of convolutions, and what an allocator keeps of freed memory.

A convolution of PyTorch goes to cuDNN. Its tensor-core kernels want the channels of a pixel side by side, and PyTorch's
tensors are pictures side by side: in 16 bit both operand and result pass through a copy in the other order, in fp32
(TF32) the operand alone does. Indices have 32 bits: a batch of more elements runs in pieces, and a single picture of
more is unfolded into columns (kernel² × channels) by the fallback.

Freed blocks stay with the allocator. A block serves a request of its size or less, so that in a decoder, whose tensors
grow, the blocks of each size are of no use to the next: what stays reserved is the sum of the peaks of these sizes,
where there is room; before it fails, the allocator gives it back.

Sources: PyTorch, aten/src/ATen/native/cudnn/Conv_v7.cpp (pieces of 2²⁹ elements), native/Convolution.cpp (which go to
cuDNN), native/cuda/ConvolutionMM2d.cu (columns), c10/cuda/CUDACachingAllocator.cpp. That copies are of operand and
result in 16 bit and of the operand alone in fp32 is found from measured peaks (docs/memory_pictures.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.num import Num, floor, maximum, where
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import ConvolutionShape
from roofline.workload.workload import Phase

#: Elements that indices of 32 bits reach, and those of a piece where a batch has more.
INDEXED: Final = 2.0**31 - 1.0
_PIECE: Final = 2.0**29


def workspace_bytes(op: Op, precision: Precision) -> Num:
    """Bytes of the buffer that a convolution takes beside its tensors; 0 for every other op."""
    shape = op.shape
    if not isinstance(shape, ConvolutionShape):
        return 0.0
    largest = maximum(op.read, op.write)
    each = largest / shape.batch
    at_once = where(largest > INDEXED, maximum(floor(_PIECE / maximum(each, 1.0)), 1.0), shape.batch)
    copied = op.read + op.write if precision.activations.bits <= 16 else op.read
    columns = shape.kernel**2 * shape.channels_in * shape.pixels if shape.kernel > 1 else 0.0 * largest
    elements = where(each > INDEXED, columns, copied * at_once) / shape.batch
    return elements * (precision.activations.bits / 8)


def peak_with_workspace(phase: Phase, precision: Precision) -> Num:
    """The most that any op of a phase needs: activations in place, and the buffer of a convolution."""

    def needed(op: Op) -> Num:
        return precision.live_bytes(op) + workspace_bytes(op, precision)

    return phase.kept(("workspace", precision), lambda: phase.peak(needed))


def reserved_bytes(phases: Iterable[tuple[Phase, Precision]]) -> Num:
    """Bytes that an allocator keeps after these phases where there is room: the sum of peaks of tensors that grow."""
    total: Num = 0.0
    record: Num = 0.0
    peak: Num = 0.0
    for phase, precision in phases:
        for op in phase.ops:
            size = op.write * (precision.activations.bits / 8) + op.write_fp32 * 4.0
            needed = precision.live_bytes(op) + workspace_bytes(op, precision)
            # twice as large as all before: a size of its own; less fits into what is left over of larger blocks
            grown = size >= 2.0 * record
            total = total + where(grown, peak, 0.0)
            peak = where(grown, needed, maximum(peak, needed))
            record = where(grown, size, record)
    return total + peak
