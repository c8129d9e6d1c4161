"""Which kernel model serves an op: by its shape, with the coefficients of its format and of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.cut import at_unpacking, cut_time
from roofline.machine.demand import Demand, unpacked
from roofline.machine.engine import WHOLE
from roofline.machine.kernels.attention import NO_WINDOW, DecodeWork, PrefillWork, decode_time, prefill_time
from roofline.machine.kernels.collective import collective_time
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.kernels.experts import ExpertsWork, experts_time
from roofline.machine.kernels.matmul import matmul_time, quantise_time, stream_time
from roofline.machine.kernels.scan import scan_time
from roofline.machine.machine import NO_DOT
from roofline.num import Num, all_hold, any_holds, ceil, maximum, minimum, where
from roofline.specs.formats.dtypes import DType
from roofline.specs.formats.unpacking import Unpacking
from roofline.workload import shapes
from roofline.workload.constructors import experts_touched
from roofline.workload.storage.products import NARROW

#: A kernel model by what is asked, its shape, the chip's facts and its efficiency.
_Serve: TypeAlias = Callable[[Demand, Any, ChipFacts, ChipEfficiency], Num]
#: Elements of state of one chain of a scan: a head of Mamba-2, 64 channels by 128.
_CHAIN_STATE: Final = 8192.0
#: Bytes that an element of a cached key stands for where one query head after the other multiplies it: it comes out of
#: the chip's own caches and is widened to 16 bit first, so a narrow format saves nothing.
_WIDENED: Final = 2.0
#: Share of the bytes of a kernel without tiles that the one before it left in the cache of all units, where they fit.
_READ_NEAR: Final = 0.5
#: FLOP of vector units in whose time an operator of PyTorch finds its place in operands of different shapes, casts them
#: and works on one element: some 100 instructions of a kernel that loads element by element (unverified).
_STRIDED: Final = 200.0
#: Kernels of an all-reduce that start from a captured graph, as a serving engine does.
_OWN_ALL_REDUCE: Final = "graph"


def kernel_time(asked: Demand, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Seconds of the kernel that serves an op, by its shape; a stream where no model serves it."""
    shape = asked.op.shape
    serve = _SERVES.get(type(shape), _stream_time)
    if chip.engine.cuts is not WHOLE:
        return cut_time(asked, facts, chip, serve)
    return serve(asked, shape, facts, chip)


def _stream_time(asked: Demand, shape: object, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    moved = asked.bytes
    if chip.engine.fed:  # one tensor after the other: what the kernel before wrote is near where it is small
        moved = moved * (1.0 - _READ_NEAR * minimum(chip.near / maximum(moved, 1.0), 1.0))
    return stream_time(moved, asked.op.flops, facts, chip.coefficients("stream", "bf16"))


def _linear_time(asked: Demand, shape: shapes.MatmulShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """A matrix product, after the quantisation of its activations where narrow weights multiply wider ones."""
    family, stored = _family(facts.dtype), asked.stored
    own = chip.engine.multiplies is not None and stored.bits < 16.0
    widened = stored.bits < 16.0 and (family == "bf16" or own) and asked.op.kind != "attention"
    if own and family == "int8":
        c = chip.coefficients("integer", "bf16")
    else:
        c = _of_units(("narrow" if widened else "matmul", "vector"), family, facts, chip)
    units = facts._replace(rows=1.0) if widened else facts  # such kernels have the instructions of single warps
    time = at_unpacking(matmul_time(shape.m, shape.k, shape.n, asked.bytes, units, c), asked, chip)
    wide = unpacked(asked, chip.engine.unpacks)
    if wide is not None:
        time = time + _unpacking_time(wide, shape, facts, chip)
    width = asked.precision.activations.bits
    if facts.dtype in NARROW and width > 8 and not own:  # an engine's own graph counts its kernels that quantise
        quantised = asked.op.read * (width + stored.bits) / 8
        time = time + chip.engine.quantisation * quantise_time(quantised, facts, c)
    return time


def _unpacking_time(own: Unpacking, shape: shapes.MatmulShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Seconds of the operators that widen a matrix: their streams, or their instructions on vector units."""
    c = chip.coefficients("stream", "bf16")
    weights, results = shape.k * shape.n, shape.m * shape.n
    moved = own.bytes * weights + own.of_result * results
    memory = moved / (facts.bandwidth * c.streaming)
    known = facts.dot > NO_DOT  # else nothing is told of the rate of vector units
    loads = where(known, own.passes * weights * _STRIDED / maximum(facts.dot, NO_DOT), 0.0)
    time: Num = own.kernels * c.fixed_s + maximum(memory, loads)
    return time


def _experts_time(asked: Demand, shape: shapes.ExpertsShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    into = 2.0 if shape.gated else 1.0
    c = chip.coefficients("experts", _experts_format(facts.dtype, asked.stored))
    touched, weights = shape.touched, asked.weight_bytes
    if chip.engine.routing < 1.0:  # tokens of a batch choose alike
        alike = experts_touched(shape.tokens**chip.engine.routing, shape.experts, shape.top_k)
        share = alike / experts_touched(shape.tokens, shape.experts, shape.top_k)
        touched, weights = touched * share, weights * share

    rows, other = shape.tokens * shape.top_k, asked.bytes - asked.weight_bytes
    work = ExpertsWork(rows, touched, shape.width, shape.hidden, into, weights, other)
    return experts_time(work, facts, c)


def _experts_format(dtype: str, stored: DType) -> str:
    """The format under which coefficients of experts are kept, which tells more ways to store weights than others."""
    family, mixed = _family(dtype), stored.name.startswith("mxfp4")
    if family == "bf16":
        return family if stored.bits >= 16.0 else "mxfp4-weights" if mixed else "int4-weights"
    if family == "fp8":
        return "mxfp4-fp8" if mixed else "fp8_block" if stored.bits > 8.0 else family
    return family


def _attention_time(asked: Demand, shape: shapes.AttentionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """A decode where each sequence has one new token, else a prefill."""
    return _by_phase(_decode_time, _prefill_time, asked, facts, chip)


def _by_phase(decode: _Serve, prefill: _Serve, asked: Demand, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """What a decode takes where each sequence has one new token, else what a prefill takes: a prompt of one token is
    one too, so that one of two does not take less.
    """
    shape: Any = asked.op.shape
    span = shape.span
    single = (span.new == 1.0) & ((span.past > 0.0) | (span.steps > 1.0))
    if all_hold(single):
        return decode(asked, shape, facts, chip)
    others = prefill(asked, shape, facts, chip)
    return where(single, decode(asked, shape, facts, chip), others) if any_holds(single) else others


def _decode_time(asked: Demand, shape: shapes.AttentionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    span, precision, width = shape.span, asked.precision, shape.key_dim + shape.value_dim
    old = span.chunk_keys(shape.window) if shape.chunked and shape.window else span.cached_keys(shape.window)
    other = (asked.op.read + asked.op.write) * (precision.activations.bits / 8)
    element = precision.cache_element(asked.op)
    per_key = width * (element + _reread(shape, chip) * maximum(element, _WIDENED))
    work = DecodeWork(span.batch, shape.heads, shape.kv_heads, old + 1.0, NO_WINDOW, width, per_key, other)
    return decode_time(work, facts, chip.coefficients("decode", _cache_format(asked)))


def _reread(shape: shapes.AttentionShape, chip: ChipEfficiency) -> Num:
    """How often a cached key is read again for further query heads of its group, where the engine's kernels do so."""
    group = shape.heads / shape.kv_heads
    further = maximum(group - 1.0, 0.0)
    for served in chip.engine.shares:
        further = where(group == served, 0.0, further)
    return chip.engine.reread * further


def _prefill_time(asked: Demand, shape: shapes.AttentionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    span, heads = shape.span, shape.span.batch * shape.heads
    window: Num = NO_WINDOW if shape.window is None else shape.window if shape.causal else 2.0 * shape.window - 1.0
    if shape.pairs is not None:
        window = shape.pairs / span.new
    width, causal = shape.key_dim + shape.value_dim, float(shape.causal)
    work = PrefillWork(heads, span.new, span.mean_past, window, causal, width, asked.bytes)
    multiplied = "fp8" if _family(asked.dtype) == "fp8" else "bf16"
    kind, formats = ("prefill", f"{multiplied}/{_cache_format(asked)}") if shape.causal else ("encoder", "bf16")
    return prefill_time(work, facts, chip.coefficients(kind, formats))


def _selected_time(asked: Demand, shape: shapes.SelectedAttentionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Latent, selected or compressed keys: a decode of few wide rows, or a prefill of as many pairs as are computed."""
    return _by_phase(_selected_decode_time, _selected_prefill_time, asked, facts, chip)


def _selected_decode_time(
    asked: Demand, shape: shapes.SelectedAttentionShape, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    batch, op, precision = shape.span.batch, asked.op, asked.precision
    seen = maximum(shape.pairs / shape.span.new, 1.0)
    per_key = precision.cache_bytes(op) / (batch * shape.groups * seen)
    other = (op.read + op.write) * (precision.activations.bits / 8)
    width = shape.key_dim + shape.value_dim
    work = DecodeWork(batch, shape.heads, shape.groups, seen, NO_WINDOW, width, per_key, other)
    return decode_time(work, facts, chip.coefficients("mla decode", _cache_format(asked)))


def _selected_prefill_time(
    asked: Demand, shape: shapes.SelectedAttentionShape, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    c = chip.coefficients("mla prefill", _cache_format(asked))
    softmax = shape.span.batch * shape.heads * shape.pairs * c.softmax
    memory = asked.bytes / (facts.bandwidth * c.streaming) + c.latency_s
    time: Num = c.fixed_s + (asked.op.flops + softmax) / (facts.peak * c.ceiling) + memory
    return time


def _cache_format(asked: Demand) -> str:
    return "fp8" if asked.precision.cache.bits <= 8 else "bf16"


def _convolution_time(asked: Demand, shape: shapes.ConvolutionShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """An implicit matrix product: pixels by (channels in times the kernel's area) by channels out."""
    depth = shape.channels_in * shape.kernel * shape.kernel
    c = _of_units(("convolution", "vector"), _family(asked.dtype), facts, chip)
    return matmul_time(shape.pixels, depth, shape.channels_out, asked.bytes, facts, c)


def _dense_attention_time(
    asked: Demand, shape: shapes.DenseAttentionShape, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    beside, heads = shape.keys - shape.queries, shape.batch * shape.heads
    work = PrefillWork(heads, shape.queries, beside, NO_WINDOW, 0.0, 2.0 * shape.dim, asked.bytes)
    fused = "wide encoder" if asked.precision.activations.bits >= 32 else "encoder"
    return prefill_time(work, facts, _of_units((fused, "vector encoder"), "bf16", facts, chip))


def _of_units(kinds: tuple[str, str], dtype: str, facts: ChipFacts, chip: ChipEfficiency) -> Any:
    """The coefficients of the first kind, or where vector units multiply of the second."""
    first, second = kinds
    if isinstance(facts.vector, float):
        return chip.coefficients(second if facts.vector else first, dtype)
    each = zip(chip.coefficients(first, dtype), chip.coefficients(second, dtype), strict=True)
    return type(chip.coefficients(first, dtype))(*(where(facts.vector > 0.0, vector, own) for own, vector in each))


def _scan_op_time(asked: Demand, shape: shapes.ScanShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    kind, part = ("gated delta net", "gated_delta") if shape.rule == "delta" else ("mamba-2", "scan")
    heads: Num = shape.heads
    if shape.rule in ("selective", "gated", "rwkv"):  # a recurrence per channel: a kernel takes many channels together
        heads = ceil(shape.heads * shape.key_dim * shape.value_dim / _CHAIN_STATE)
    chains, c = shape.span.batch * heads, chip.coefficients(kind, "bf16", part)
    return scan_time(chains, shape.span.new, asked.op.flops, asked.bytes, facts, c)


def _collective_time(asked: Demand, shape: shapes.CollectiveShape, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """A collective within a node, in the measured protocols: the engine's own kernels, or NCCL where that is faster."""
    alone, linked = asked.bytes / facts.bandwidth, chip.link > 0.0
    if shape.operation in ("send", "load") or not any_holds(linked):
        return alone
    link, message = where(linked, chip.link, 1.0), shape.elements * (asked.precision.activations.bits / 8)
    operation = {"all_to_all": "alltoall"}.get(shape.operation, shape.operation)
    c = chip.coefficients("collective", "bf16", f"{operation} NCCL")
    time = collective_time(shape.operation, message, shape.devices, link, c)
    if shape.operation == "all_reduce":
        own = chip.coefficients("collective", "bf16", _OWN_ALL_REDUCE)
        time = minimum(time, collective_time(shape.operation, message, shape.devices, link, own))
    return where(linked, time * chip.exchange, alone)


def _family(dtype: str) -> str:
    """The format under which coefficients are kept."""
    if dtype == "int4":
        return "int8"
    return dtype if dtype in ("fp8", "fp4", "int8") else "bf16"


_SERVES: Final[dict[type[object], _Serve]] = {
    shapes.MatmulShape: _linear_time,
    shapes.AttentionShape: _attention_time,
    shapes.ExpertsShape: _experts_time,
    shapes.SelectedAttentionShape: _selected_time,
    shapes.ConvolutionShape: _convolution_time,
    shapes.DenseAttentionShape: _dense_attention_time,
    shapes.ScanShape: _scan_op_time,
    shapes.CollectiveShape: _collective_time,
}
