"""What a phase counts in a precision, whatever the machine: worked out once, kept with the phase."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from roofline.machine.likeness import Places
from roofline.num import Num, add_up, is_large, is_nothing
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import ConvolutionShape
from roofline.workload.workload import Phase


class Counts(NamedTuple):
    """What the ops of a phase ask for, and their sums over one repeat.

    `works` are executions with the FLOPs, other FLOPs, bytes and multiplied format of each; `products` those that
    matrix units do, with their FLOPs and format, and whether Winograd's algorithm spares them multiplications.
    `unavoidable` are the bytes that any implementation must move.
    """

    works: tuple[tuple[float, Num, Num, Num, str], ...]
    products: tuple[tuple[float, Num, str, bool], ...]
    flops: Num
    vector_flops: Num
    bytes: Num
    unavoidable: Num
    kernels: Num
    communication_bytes: Num


def counts_of(phase: Phase, precision: Precision) -> Counts:
    """The counts of a phase."""
    return phase.kept(("counts", precision), lambda: _counted(phase, precision))


def _counted(phase: Phase, precision: Precision) -> Counts:
    large = is_large(phase.tokens) or is_large(phase.boundary)
    ops = _alike(phase, precision) if large else [(op.count, op) for op in phase.ops]
    works: list[tuple[float, Num, Num, Num, str]] = []
    products: list[tuple[float, Num, str, bool]] = []
    streams: list[Num] = []
    for count, op in ops:
        streamed = precision.weight_bytes(op) + precision.cache_bytes(op)
        moved, dtype = streamed + precision.activation_bytes(op), precision.compute_dtype(op)
        works.append((count, op.flops, op.vector_flops, moved, dtype))
        streams.append(count * streamed)
        if not is_nothing(op.flops):
            products.append((count, op.flops, dtype, _is_spared(op)))
    width = precision.activations.bits / 8
    return Counts(
        works=tuple(works),
        products=tuple(products),
        flops=add_up([count * flops for count, flops, _, _ in products]),
        vector_flops=add_up([count * flops for count, _, flops, _, _ in works]),
        bytes=add_up([count * moved for count, _, _, moved, _ in works]),
        unavoidable=add_up(streams) + phase.boundary * width,
        kernels=add_up([count * op.kernels for count, op in ops]),
        communication_bytes=add_up([count * op.communication for count, op in ops]) * width,
    )


def _alike(phase: Phase, precision: Precision) -> list[tuple[float, Op]]:
    """One op of each kind with the executions of all: a pass over a large grid costs more than finding the like."""
    found: list[tuple[float, Op]] = []
    places = Places()
    for op in phase.ops:
        place = places.of(_likeness(op, precision))
        if place == len(found):
            found.append((op.count, op))
        else:
            found[place] = (found[place][0] + op.count, found[place][1])
    return found


def _likeness(op: Op, precision: Precision) -> Hashable:
    """What ops have in common that ask for the same."""
    streams = op.weights, op.read, op.write, op.read_fp32, op.write_fp32, op.cache_read, op.cache_write
    work = op.flops, op.vector_flops, op.state_moved_fp32, op.kernels, op.communication
    return *streams, *work, precision.weight_bits(op), precision.compute_dtype(op), _is_spared(op)


def _is_spared(op: Op) -> bool:
    return op.kind == "convolution" and isinstance(op.shape, ConvolutionShape) and op.shape.kernel == 3.0
