"""What a phase counts in a precision, whatever the machine: worked out once, kept with the phase."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from roofline.machine.likeness import Places
from roofline.num import Num, is_nothing, points, span_many
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import ConvolutionShape
from roofline.workload.workload import Phase


class Counts(NamedTuple):
    """What the ops of a phase ask for, and their sums over one repeat.

    `works` are executions with the FLOPs, other FLOPs, bytes and multiplied format of each; `products` those that
    matrix units do, with their FLOPs and format, and whether Winograd's algorithm spares them multiplications.
    `unavoidable` are the bytes that any implementation must move. `halves`: what is in bf16 may as well be in fp16.
    """

    works: tuple[tuple[float, Num, Num, Num, str], ...]
    products: tuple[tuple[float, Num, str, bool], ...]
    flops: Num
    vector_flops: Num
    bytes: Num
    unavoidable: Num
    kernels: Num
    communication_bytes: Num
    halves: bool


def counts_of(phase: Phase, precision: Precision) -> Counts:
    """The counts of a phase."""
    return phase.kept(("counts", precision), lambda: _counted(phase, precision))


def _counted(phase: Phase, precision: Precision) -> Counts:
    works: list[tuple[float, Num, Num, Num, str]] = []
    products: list[tuple[float, Num, str, bool]] = []
    flops: Num = 0.0
    vector_flops: Num = 0.0
    bytes_: Num = 0.0
    unavoidable: Num = 0.0
    kernels: Num = 0.0
    crossing: Num = 0.0
    for count, op in _executions(phase, precision):
        streamed = precision.weight_bytes(op) + precision.cache_bytes(op)
        moved, dtype = streamed + precision.activation_bytes(op), precision.compute_dtype(op)
        works.append((count, op.flops, op.vector_flops, moved, dtype))
        if not is_nothing(op.flops):
            products.append((count, op.flops, dtype, _is_spared(op)))
            flops = flops + count * op.flops
        if not is_nothing(op.vector_flops):
            vector_flops = vector_flops + count * op.vector_flops
        bytes_ = bytes_ + count * moved
        unavoidable = unavoidable + count * streamed
        kernels = kernels + count * op.kernels
        crossing = crossing + count * op.communication
    width = precision.activations.bits / 8
    unavoidable = unavoidable + phase.boundary * width
    sums = flops, vector_flops, bytes_, unavoidable, kernels, crossing * width
    return Counts(tuple(works), tuple(products), *sums, precision.may_be_halves)


def _executions(phase: Phase, precision: Precision) -> Iterable[tuple[float, Op]]:
    """The ops with their executions, in order; of a phase of many points one op of each kind, of few points first.

    So a sum of floats keeps its last bit, and a sum of grids takes no pass that it can do without.
    """
    if not span_many(phase.tokens, phase.boundary, phase.context):
        return [(op.count, op) for op in phase.ops]
    found: list[tuple[float, Op]] = []
    places = Places()
    for op in phase.ops:
        place = places.of(_likeness(op, precision))
        if place == len(found):
            found.append((op.count, op))
        else:
            found[place] = (found[place][0] + op.count, found[place][1])
    return sorted(found, key=lambda execution: _points(execution[1]))


def _likeness(op: Op, precision: Precision) -> Hashable:
    """What ops have in common that ask for the same."""
    streams = op.weights, op.read, op.write, op.read_fp32, op.write_fp32, op.cache_read, op.cache_write
    work = op.flops, op.vector_flops, op.state_moved_fp32, op.kernels, op.communication
    stored = precision.weight_bits(op), precision.cache_element(op), precision.compute_dtype(op)
    return *streams, *work, *stored, _is_spared(op)


def _points(op: Op) -> int:
    return max(points(value) for value in (op.flops, op.vector_flops, op.read, op.write, op.cache_read))


def _is_spared(op: Op) -> bool:
    return op.kind == "convolution" and isinstance(op.shape, ConvolutionShape) and op.shape.kernel == 3.0
