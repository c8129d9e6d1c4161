"""What the ops of a phase ask of a machine in a precision, whatever the machine: worked out once, kept with the phase.

Ops that are alike (gate and up, the two norms of a layer, the blocks of a denoiser) ask for the same, so that a kernel
model is evaluated once for all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from roofline.machine.likeness import Places
from roofline.num import Num, is_nothing, points, span_many
from roofline.passes.fusion.joined import joined, products_of
from roofline.specs.formats.dtypes import DType
from roofline.specs.formats.unpacking import Unpacking, Way, unpacking
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.storage.products import NARROW
from roofline.workload.workload import Phase


class Demand(NamedTuple):
    """One execution of an op in a precision.

    `dtype` is the format whose peak multiplies it, `stored` that of its weights; `weight_bytes` of its `bytes` are
    weights.
    """

    op: Op
    precision: Precision
    dtype: str
    stored: DType
    weight_bytes: Num
    bytes: Num


class Demands(NamedTuple):
    """The ops of a phase: each kind of them once, and of every op in order its count and its kind.

    `dtypes` are the formats that are multiplied, `kernels` the launches; `products` the ops that each op in order is
    made of, several where the engine joins them. Of a grid of sizes the order is another, and `products` say nothing.
    """

    kinds: tuple[Demand, ...]
    order: tuple[tuple[float, int], ...]
    dtypes: tuple[str, ...]
    kernels: Num
    products: tuple[Sequence[Op], ...]


def demand(op: Op, precision: Precision) -> Demand:
    """What one execution of an op asks for."""
    weights = precision.weight_bytes(op)
    moved = weights + precision.cache_bytes(op) + precision.activation_bytes(op)
    return Demand(op, precision, precision.compute_dtype(op), precision.weight_dtype(op), weights, moved)


def unpacked(asked: Demand, unpacks: Way) -> Unpacking | None:
    """What widening the weights of an op takes beside its product; None where that multiplies them as they are."""
    if unpacks == "none" or asked.op.kind != "linear" or asked.stored.bits >= 16.0 or asked.dtype in NARROW:
        return None
    return unpacking(asked.stored, unpacks, asked.precision.weights.name)


def demands(phase: Phase, precision: Precision, joins: str, unpacks: Way = "none") -> Demands:
    """What the ops of a phase ask for where an engine joins projections and widens weights in such a way; kept with the
    phase.
    """
    return phase.kept(("demands", joins, unpacks, precision), lambda: _demands(phase, precision, joins, unpacks))


def _is_held(op: Op) -> bool:
    """Whether an op is there for what it holds alone, and not run."""
    return op.shape is None and is_nothing(op.kernels)


def _demands(phase: Phase, precision: Precision, joins: str, unpacks: Way) -> Demands:
    kinds: list[Demand] = []
    order: list[tuple[float, int]] = []
    places = Places()
    kernels: Num = 0.0
    products = [product for product in products_of(phase.ops, joins) if not _is_held(product[0])]
    for op in map(joined, products):
        place = places.of(_likeness(op, precision))
        if place == len(kinds):
            kinds.append(demand(op, precision))
        order.append((op.count, place))
        own = unpacked(kinds[place], unpacks)
        kernels = kernels + op.count * (op.kernels + (own.kernels if own is not None else 0.0))
    if span_many(phase.tokens, phase.boundary, phase.context):
        order = _few_points_first(kinds, order)
    return Demands(tuple(kinds), tuple(order), tuple({kind.dtype for kind in kinds}), kernels, tuple(products))


def _few_points_first(kinds: Sequence[Demand], order: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Every kind once with the count of all its ops, so that a sum of grids takes no pass that it can do without."""
    counts = [0.0] * len(kinds)
    for count, place in order:
        counts[place] += count
    return sorted(zip(counts, range(len(kinds)), strict=True), key=lambda item: points(kinds[item[1]].bytes))


def _likeness(op: Op, precision: Precision) -> Hashable:
    """All that a kernel model is told of an op. Shapes of two kinds may have the same numbers, so kinds count."""
    streams = op.weights, op.read, op.write, op.read_fp32, op.write_fp32, op.cache_read, op.cache_write
    work = op.flops, op.vector_flops, op.state_moved_fp32
    stored = precision.weight_dtype(op).name, precision.weight_bits(op), precision.cache_element(op)
    return op.kind, type(op.shape), op.shape, *streams, *work, *stored
