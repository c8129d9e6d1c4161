"""What each op should take: its shape to the kernel model that serves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from roofline.machine.efficiency import ChipEfficiency
from roofline.machine.kernels.attention import (
    NO_WINDOW,
    DecodeWork,
    PrefillWork,
    decode_time,
    prefill_time,
)  # fmt: skip
from roofline.machine.kernels.collective import collective_time
from roofline.machine.kernels.common import ChipFacts, smooth_maximum
from roofline.machine.kernels.experts import ExpertsWork, experts_time
from roofline.machine.kernels.matmul import matmul_time, quantise_time, stream_time
from roofline.machine.kernels.scan import scan_time
from roofline.machine.machine import Machine
from roofline.num import Num, ceil, maximum, minimum, where
from roofline.passes.fusion.joined import join_projections
from roofline.specs.dtypes import DType
from roofline.workload.constructors import experts_touched
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import (
    AttentionShape,
    CollectiveShape,
    ConvolutionShape,
    DenseAttentionShape,
    ExpertsShape,
    MatmulShape,
    ScanShape,
    SelectedAttentionShape,
)  # fmt: skip
from roofline.workload.workload import Phase

#: Sharpness with which host and device overlap: where both take as long, a step takes a fifth longer than either.
_OVERLAP: Final = 4.0
#: Elements of state of one chain of a scan: a head of Mamba-2, 64 channels by 128.
_CHAIN_STATE: Final = 8192.0


def expected_op_time(op: Op, precision: Precision, machine: Machine, chip: ChipEfficiency) -> Num:
    """Seconds that one execution of an op should take: its kernel model, and never less than its roofline bound."""
    dtype = multiplied_in(op, precision, chip)
    moved = precision.bytes(op)
    peak = machine.tensor[dtype]
    compute = maximum(op.flops / peak, op.vector_flops / machine.vector)
    if dtype == "fp16":  # ceilings are fractions of the peak of sums in fp32
        peak = peak / machine.half_gain
    facts = ChipFacts(peak, machine.bandwidth, chip.units, machine.vectored.get(dtype, 0.0), machine.dot)
    return maximum(kernel_time(op, precision, moved, facts, chip), maximum(compute, moved / machine.bandwidth))


def multiplied_in(op: Op, precision: Precision, chip: ChipEfficiency) -> str:
    """The format in which an engine multiplies: narrow floats in their own, unless it widens them first."""
    dtype = precision.compute_dtype(op)
    return precision.activations.compute if dtype in ("fp8", "fp4") and chip.engine.widens else dtype


def expected_phase_time(phase: Phase, precision: Precision, machine: Machine, chip: ChipEfficiency, batch: Num) -> Num:
    """Seconds that one repeat of a phase should take: its ops, or the slower host, and the engine's step."""
    engine = chip.engine
    device: Num = 0.0
    kernels: Num = 0.0
    known: dict[object, Num] = {}
    for op in join_projections(phase.ops, engine.joins):
        # what ops of one kernel have in common: gate and up, k and v, the two norms
        key = (op.shape, op.read, op.write, op.read_fp32, op.write_fp32, op.weights, op.flops,
               precision.weight_dtype(op))  # fmt: skip
        try:
            time = known.get(key)
        except TypeError:  # arrays have no hash
            time = expected_op_time(op, precision, machine, chip)
        else:
            if time is None:
                time = known[key] = expected_op_time(op, precision, machine, chip)
        device = device + op.count * time
        kernels = kernels + op.count * op.kernels
    if engine.kernel_s:
        device = smooth_maximum(device, kernels * (engine.kernel_s * chip.host), _OVERLAP)
    return device + chip.host * (engine.step_s + engine.sequence_s * batch)


def kernel_time(op: Op, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency) -> Num:
    """Seconds of the kernel that serves an op of `moved` bytes, by its shape; a stream where no model serves it."""
    serve = _SERVES.get(type(op.shape), _stream_time)
    return serve(op, op.shape, precision, moved, facts, chip)


def _stream_time(
    op: Op, shape: object, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    return stream_time(moved, op.flops, facts, chip.coefficients("stream", "bf16"))


def _linear_time(
    op: Op, shape: MatmulShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    """A matrix product, after the quantisation of its activations where narrow weights multiply wider ones."""
    dtype = multiplied_in(op, precision, chip)
    stored = precision.weight_dtype(op)
    widened = stored.bits < 16.0 and _family(dtype) == "bf16" and op.kind != "attention"
    c = _of_units(("narrow" if widened else "matmul", "vector"), _family(dtype), facts, chip)
    passes, moved = _passes(shape.m, moved, op, precision, chip)
    time = passes * matmul_time(shape.m / passes, shape.k, shape.n, moved, facts, c)
    if dtype in ("fp8", "fp4") and precision.activations.bits > 8:
        quantised = op.read * (precision.activations.bits + stored.bits) / 8
        time = time + chip.engine.quantisation * quantise_time(quantised, facts, c)
    return time


def _passes(tokens: Num, moved: Num, op: Op, precision: Precision, chip: ChipEfficiency) -> tuple[Num, Num]:
    """How often an engine that takes tokens in chunks runs an op, and what each run moves: the weights every time."""
    if not chip.engine.chunk:
        return 1.0, moved
    passes = maximum(ceil(tokens / chip.engine.chunk), 1.0)
    weights = precision.weight_bytes(op)
    return passes, weights + (moved - weights) / passes


def _experts_time(
    op: Op, shape: ExpertsShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    weights = precision.weight_bytes(op)
    into = 2.0 if shape.gated else 1.0
    passes, moved = _passes(shape.tokens, moved, op, precision, chip)
    touched, other = shape.touched, moved - weights
    if chip.engine.routing < 1.0:  # tokens of a batch choose alike
        alike = experts_touched(shape.tokens**chip.engine.routing, shape.experts, shape.top_k)
        share = alike / experts_touched(shape.tokens, shape.experts, shape.top_k)
        touched, weights = touched * share, weights * share
    work = ExpertsWork(shape.tokens * shape.top_k / passes, touched, shape.width, shape.hidden, into, weights, other)
    c = chip.coefficients("experts", _experts_format(multiplied_in(op, precision, chip), precision.weight_dtype(op)))
    return passes * experts_time(work, facts, c)


def _experts_format(dtype: str, stored: DType) -> str:
    """The format under which coefficients of experts are kept, which tells more ways to store weights than others."""
    family = _family(dtype)
    if family == "bf16":
        return "int4-weights" if stored.bits < 16.0 else family
    if family == "fp8":
        return "fp8_block" if stored.bits > 8.0 else family
    return stored.name if stored.name == "mxfp4" else family


def _attention_time(
    op: Op, shape: AttentionShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    """A decode where each sequence has one new token, else a prefill."""
    span, new = shape.span, shape.span.new
    width = shape.key_dim + shape.value_dim
    cache = "fp8" if precision.cache.bits <= 8 else "bf16"
    decode: Num = 0.0
    if not isinstance(new, float) or new == 1.0:
        old = span.chunk_keys(shape.window) if shape.chunked and shape.window else span.cached_keys(shape.window)
        other = (op.read + op.write) * (precision.activations.bits / 8)
        again = 1.0 + chip.engine.reread * maximum(shape.heads / shape.kv_heads - 1.0, 0.0)
        work = DecodeWork(span.batch, shape.heads, shape.kv_heads, old + 1.0, NO_WINDOW, width,
                          width * again * (precision.cache.bits / 8), other)  # fmt: skip
        decode = decode_time(work, facts, chip.coefficients("decode", cache))
        if isinstance(new, float):
            return decode
    window = NO_WINDOW if shape.window is None else shape.window
    heads = span.batch * shape.heads
    whole = PrefillWork(heads, new, span.mean_past, window, float(shape.causal), width, moved)
    if shape.causal:
        pair = f"{'fp8' if _family(precision.compute_dtype(op)) == 'fp8' else 'bf16'}/{cache}"
        c = chip.coefficients("prefill", pair)
    else:
        c = chip.coefficients("encoder", "bf16")
    return where(new == 1.0, decode, prefill_time(whole, facts, c))


def _selected_time(
    op: Op, shape: SelectedAttentionShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    """Latent, selected or compressed keys: a decode of few wide rows, or a prefill of as many pairs as are computed."""
    span, new = shape.span, shape.span.new
    cache = "fp8" if precision.cache.bits <= 8 else "bf16"
    decode: Num = 0.0
    if not isinstance(new, float) or new == 1.0:
        seen = maximum(shape.pairs / new, 1.0)
        per_key = precision.cache_bytes(op) / (span.batch * shape.groups * seen)
        other = (op.read + op.write) * (precision.activations.bits / 8)
        work = DecodeWork(span.batch, shape.heads, shape.groups, seen, NO_WINDOW,
                          shape.key_dim + shape.value_dim, per_key, other)  # fmt: skip
        decode = decode_time(work, facts, chip.coefficients("mla decode", cache))
        if isinstance(new, float):
            return decode
    c = chip.coefficients("mla prefill", cache)
    softmax = span.batch * shape.heads * shape.pairs * c.softmax
    memory = moved / (facts.bandwidth * c.streaming) + c.latency_s
    prefill = c.fixed_s + (op.flops + softmax) / (facts.peak * c.ceiling) + memory
    return where(new == 1.0, decode, prefill)


def _convolution_time(
    op: Op, shape: ConvolutionShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    """An implicit matrix product: pixels by (channels in times the kernel's area) by channels out."""
    depth = shape.channels_in * shape.kernel * shape.kernel
    c = _of_units(("convolution", "vector"), _family(precision.compute_dtype(op)), facts, chip)
    return matmul_time(shape.pixels, depth, shape.channels_out, moved, facts, c)


def _dense_attention_time(
    op: Op, shape: DenseAttentionShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    beside = shape.keys - shape.queries
    work = PrefillWork(shape.batch * shape.heads, shape.queries, beside, NO_WINDOW, 0.0, 2.0 * shape.dim, moved)
    fused = "wide encoder" if precision.activations.bits >= 32 else "encoder"
    return prefill_time(work, facts, _of_units((fused, "vector encoder"), "bf16", facts, chip))


def _of_units(kinds: tuple[str, str], dtype: str, facts: ChipFacts, chip: ChipEfficiency) -> Any:
    """The coefficients of the first kind, or where vector units multiply of the second."""
    first, second = kinds
    if isinstance(facts.vector, float):
        return chip.coefficients(second if facts.vector else first, dtype)
    each = zip(chip.coefficients(first, dtype), chip.coefficients(second, dtype), strict=True)
    return type(chip.coefficients(first, dtype))(*(where(facts.vector > 0.0, vector, own) for own, vector in each))


def _scan_op_time(
    op: Op, shape: ScanShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    kind, part = ("gated delta net", "gated_delta") if shape.rule == "delta" else ("mamba-2", "scan")
    heads: Num = shape.heads
    if shape.rule in ("selective", "gated", "rwkv"):  # a recurrence per channel: a kernel takes many channels together
        heads = ceil(shape.heads * shape.key_dim * shape.value_dim / _CHAIN_STATE)
    chains = shape.span.batch * heads
    return scan_time(chains, shape.span.new, op.flops, moved, facts, chip.coefficients(kind, "bf16", part))


def _collective_time(
    op: Op, shape: CollectiveShape, precision: Precision, moved: Num, facts: ChipFacts, chip: ChipEfficiency
) -> Num:
    """A collective within a node, in the measured protocols: the engine's own kernels, or NCCL where that is faster."""
    if shape.operation in ("send", "load") or not chip.linked:
        return moved / facts.bandwidth
    message = shape.elements * (precision.activations.bits / 8)
    operation = {"all_to_all": "alltoall"}.get(shape.operation, shape.operation)
    c = chip.coefficients("collective", "bf16", f"{operation} NCCL")
    time = collective_time(shape.operation, message, shape.devices, chip.link, c)
    if shape.operation == "all_reduce":
        own = chip.coefficients("collective", "bf16", _OWN_ALL_REDUCE)
        time = minimum(time, collective_time(shape.operation, message, shape.devices, chip.link, own))
    return time * chip.exchange


def _family(dtype: str) -> str:
    """The format under which coefficients are kept."""
    return dtype if dtype in ("fp8", "fp4", "int8") else "bf16"


#: Kernels of an all-reduce that start from a captured graph, as a serving engine does.
_OWN_ALL_REDUCE: Final = "graph"
_Serve: TypeAlias = Callable[[Op, Any, Precision, Num, ChipFacts, ChipEfficiency], Num]
_SERVES: Final[dict[type[object], _Serve]] = {
    MatmulShape: _linear_time, AttentionShape: _attention_time, ExpertsShape: _experts_time,
    SelectedAttentionShape: _selected_time, ConvolutionShape: _convolution_time,
    DenseAttentionShape: _dense_attention_time, ScanShape: _scan_op_time, CollectiveShape: _collective_time,
}  # fmt: skip
