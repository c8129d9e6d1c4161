"""Ops as an engine runs them that cuts one into several kernels: more launches, and more that goes through memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.demand import Demand
from roofline.machine.engine import Cuts, Engine
from roofline.machine.kernels.common import ChipFacts, by_dots, smooth_maximum
from roofline.machine.kernels.matmul import matmul_time, stream_time
from roofline.machine.kernels.pieces import PiecesWork, pieces_decode_time, pieces_prefill_time
from roofline.num import Num, all_hold, any_holds, ceil, maximum, where
from roofline.workload import shapes
from roofline.workload.op import Op

#: How the kernel of an op is served where it is one.
Serve: TypeAlias = Callable[[Demand, Any, ChipFacts, ChipEfficiency], Num]
_HALVES: Final = ("fp16", "bf16")
#: Bytes of an element of 16 bit.
_HALF: Final = 2.0
#: Sharpness of the smooth maximum of a product and the unpacking of its weights.
_SOFT: Final = 4.0
#: How many times as fast as memory the last cache gives what it still holds: fitted, with all else, to 44 prefills of
#: llama.cpp on chips of 5 to 96 MB.
_NEAR: Final = 3.3
#: Matrices of an expert; rows by which its tiles grow; how often activations pass through memory, which are gathered,
#: weighed and summed by kernels of their own.
_MATRICES: Final = 3.0
_STEP: Final = 8.0
_PASSES: Final = 2.0
_ROWS: Final = ("norm", "pointwise", "gather")


def cut_of(op: Op, narrow: bool, cuts: Cuts) -> Num:
    """Kernels of one execution of an op."""
    shape = op.shape
    if isinstance(shape, shapes.MatmulShape):
        few = cuts.narrow if narrow else cuts.linear
        if not cuts.matvec:
            return op.kernels * few
        return op.kernels * where(shape.m <= cuts.matvec, few, cuts.many)
    if isinstance(shape, shapes.ExpertsShape) and cuts.experts > 1.0:
        return where(op.kernels > 0.0, cuts.experts, 0.0)
    return op.kernels * {
        "norm": cuts.norm,
        "pointwise": cuts.pointwise,
        "attention": cuts.attention,
        "scan": cuts.scan,
    }.get(op.kind, 1.0)


def _far(moved: Num, chip: ChipEfficiency) -> Num:
    """Bytes that memory could move in the time of `moved`, of which the last cache may still hold a part."""
    held = chip.near / maximum(chip.near + moved, 1.0)
    return moved * (1.0 - held * (1.0 - 1.0 / _NEAR))


def cut_time(asked: Demand, facts: ChipFacts, chip: ChipEfficiency, serve: Serve) -> Num:
    """Seconds of all kernels of an op; `serve` gives those of one that is not cut."""
    op, cuts, shape = asked.op, chip.engine.cuts, asked.op.shape
    c = chip.coefficients("stream", "bf16")
    kernels = cut_of(op, asked.stored.bits < 16.0, cuts)
    if op.kind in _ROWS and type(shape) is not shapes.MatmulShape:
        moved = asked.weight_bytes + (asked.bytes - asked.weight_bytes) * (cuts.activations / 16.0)
        moved = _far(moved, chip)
        each = stream_time(moved, op.flops, facts, c)
        return each * kernels if op.kind != "gather" else each
    further: Num = (kernels - op.kernels) * (c.fixed_s + c.latency_s)
    if type(shape) is shapes.MatmulShape and op.kind == "linear":
        return further + _product_time(asked, shape, facts, chip, serve)
    if type(shape) is shapes.ExpertsShape and cuts.matvec:
        return further + _experts_time(asked, shape, facts, chip)
    if type(shape) is shapes.AttentionShape and cuts.scores:
        return further + _attention_time(asked, shape, facts, chip)
    return further + serve(asked, shape, facts, chip)


def _product_time(
    asked: Demand, shape: shapes.MatmulShape, facts: ChipFacts, chip: ChipEfficiency, serve: Serve
) -> Num:
    """A product by few rows in a kernel of the engine's own, by many as a library's, between other formats."""
    op, cuts = asked.op, chip.engine.cuts
    few = shape.m <= cuts.matvec if cuts.matvec else shape.m < 0.0
    narrow, streaming = asked.stored.bits < 16.0, chip.coefficients("read", "bf16").streaming
    time: Num = _far(_turned(op, narrow and facts.dtype == "int8", chip.engine), chip) / (facts.bandwidth * streaming)
    if not all_hold(few):
        if narrow and _written_out(facts, chip.engine):
            written = op.weights * _HALF
            read = asked.bytes - asked.weight_bytes + written
            many = matmul_time(shape.m, shape.k, shape.n, read, facts, chip.coefficients("matmul", "bf16"))
            many = many + (asked.weight_bytes + written) / (facts.bandwidth * streaming)
        elif narrow and cuts.again and facts.dtype == "int8":
            many = serve(asked._replace(bytes=asked.bytes - asked.weight_bytes), shape, facts, chip)
            many = many + _apart(asked, shape.m, facts, chip)
        else:
            many = serve(asked, shape, facts, chip)
        time = time + where(few, 0.0, many)
    if any_holds(few):
        time = time + where(few, serve(asked, shape, facts, chip), 0.0)
    return time


def _written_out(facts: ChipFacts, engine: Engine) -> bool:
    """Whether narrow weights are written out in 16 bit for a library: by habit, or for want of units for 8 bit."""
    return facts.dtype in _HALVES and (engine.cuts.dequantises or engine.multiplies == "int8")


def _turned(op: Op, integer: bool, engine: Engine) -> Num:
    """Bytes that a product's operands and results move beyond those of a kernel that takes and leaves 16 bit."""
    wide = engine.cuts.activations / 8.0
    if engine.multiplies is not None and integer:  # operands are read and written as 8 bit
        return op.read * (wide + 1.0) + op.write * (wide - _HALF)
    if engine.multiplies is not None:  # a library multiplies: both are turned into 16 bit and back
        return (op.read + op.write) * (wide + _HALF)
    return (op.read + op.write) * (wide - _HALF)


def _apart(asked: Demand, rows: Num, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Seconds in which weights are read that no multiplication hides, as tiles are loaded and then multiplied: once,
    and once more for each so many rows, but for what the last cache holds of them.
    """
    weights = asked.weight_bytes
    missed = 1.0 - chip.near / maximum(chip.near + weights, 1.0)
    read = weights * (1.0 + missed * maximum(ceil(rows / chip.engine.cuts.again) - 1.0, 0.0))
    seconds: Num = read / (facts.bandwidth * chip.coefficients("integer", "bf16").streaming)
    return seconds


def at_unpacking(time: Num, asked: Demand, chip: ChipEfficiency) -> Num:
    """A product's time where its weights are unpacked at no more than so many per clock and unit."""
    limit = chip.engine.unit_unpack
    if not limit or asked.stored.bits >= 16.0:
        return time
    rate = limit * chip.units * chip.clock
    unpacking = asked.op.weights / where(rate > 0.0, rate, 1.0)
    return smooth_maximum(time, where(rate > 0.0, unpacking, 0.0), _SOFT)


def _experts_time(asked: Demand, shape: shapes.ExpertsShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Routed experts: of one token in the kernels for few rows, of more a product per expert, one after the other where
    a library multiplies.
    """
    cuts, c = chip.engine.cuts, chip.coefficients("stream", "bf16")
    narrow, streaming = asked.stored.bits < 16.0, chip.coefficients("read", "bf16").streaming
    kind = ("integer" if facts.dtype == "int8" else "narrow") if narrow else "matmul"
    written = narrow and _written_out(facts, chip.engine)
    own = chip.coefficients("matmul" if written else kind, "bf16")
    single = shape.tokens <= 1.0
    each = maximum(shape.tokens * shape.top_k / shape.touched, 1.0)
    padded = narrow and not written and cuts.again > 0.0
    tiles = maximum(each / cuts.again + 0.5, 1.0) * cuts.again if padded else each + _STEP / 2.0
    flops = asked.op.flops * (tiles / each)
    other = asked.bytes - asked.weight_bytes
    moved = _far(other * (_PASSES * cuts.activations / 16.0), chip) / (facts.bandwidth * streaming)
    read = asked.weight_bytes / (facts.bandwidth * chip.coefficients(kind, "bf16").streaming)
    time: Num = c.fixed_s + moved + where(single, read, 0.0)
    if all_hold(single):
        return time
    compute = by_dots(flops / (facts.peak * own.ceiling), asked.op.flops, facts)
    if written:
        turned = asked.weight_bytes + 2.0 * _HALF * asked.op.weights
        late = _MATRICES * shape.touched * cuts.many * (c.fixed_s + c.latency_s)
        many: Num = compute + turned / (facts.bandwidth * streaming) + late
    elif padded:
        many = compute + _apart(asked, each, facts, chip)
    else:
        many = smooth_maximum(compute, read, _SOFT)
    return time + where(single, 0.0, many)


def _attention_time(asked: Demand, shape: shapes.AttentionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Every query with every key of its sequence, whatever its mask lets through."""
    span, engine, cuts = shape.span, chip.engine, chip.engine.cuts
    c, streaming = chip.coefficients("matmul", "bf16"), chip.coefficients("read", "bf16").streaming
    keys = span.mean_past + span.new
    scores = span.batch * shape.heads * span.new * keys
    moved = asked.bytes + (asked.op.read + asked.op.write) * (cuts.activations / 8.0 - _HALF)
    work = PiecesWork(scores, shape.key_dim + shape.value_dim, moved, cuts.scores)
    single = (span.new == 1.0) & ((span.past > 0.0) | (span.steps > 1.0))
    time: Num = 0.0
    if not all_hold(single):
        many = pieces_prefill_time(work, facts, c, c.ceiling * engine.attention, streaming)
        time = time + where(single, 0.0, many)
    if any_holds(single):
        rate = engine.unit_keys * chip.clock
        few = pieces_decode_time(work, facts, c, rate, streaming * engine.cache)
        time = time + where(single, few, 0.0)
    return time
