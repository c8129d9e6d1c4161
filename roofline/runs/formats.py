"""The number formats of a run: what the options say, else what the model's file says."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, Final

from roofline.architectures.text.layers import group_labels, stack_labels
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, load_engine
from roofline.machine.machine import Machine
from roofline.specs.formats.caches import refuse_cache
from roofline.specs.formats.mixes import ModelFacts
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.workload import Workload


def resolve_precision(
    spec: TransformerSpec, machine: Machine, weights: str | None, activations: str | None, kv_cache: str | None
) -> Precision:
    """The formats of a run. A model's own formats of single ops hold where `weights` is not given."""
    overrides = () if weights else own_overrides(spec)
    cache = kv_cache or (None if weights else spec.cache_dtype)
    if not weights:
        activations = activations or spec.activation_dtype
    found = _precision(weights or own_dtype(spec.dtype, machine), activations, cache, overrides, facts_of(spec))
    refuse_cache(found.cache, tuple(getattr(group.attention, "kind", "") for group in spec.blocks), spec.name)
    return found


def multiplied_in(precision: Precision, engine: str, gpu: GPUSpec) -> Precision:
    """Formats as an engine multiplies them that has a habit of its own.

    Without units for 8 bit it multiplies in 16, without matrix units for 16 bit in 8 where there are any; formats in
    4-bit floats run on units for such where it multiplies in 8 bit. Source: ggml-org/llama.cpp, ggml-cuda/mmq.cu
    @027ef876, ggml_cuda_should_use_mmq and ggml_cuda_mul_mat_q.
    """
    own = load_engine(engine).multiplies if engine != IDEAL else None
    if own is None:
        return precision
    tensor = gpu.peak.tensor
    if own == "int8" and not tensor.int8:
        own = "fp16"
    elif own == "fp16" and tensor.int8 and not (tensor.fp16 or tensor.bf16):
        own = "int8"
    fours = {"fp4": "fp4"} if own == "int8" and (tensor.fp4 or tensor.nvfp4) else {}
    return precision.multiplied_in({"": own, **fours})


def own_overrides(spec: TransformerSpec) -> tuple[tuple[str, str], ...]:
    """The formats that a model gives single ops: in all layers, and in groups of layers by the names of these."""
    stacks = (("decoder.", spec.blocks), ("encoder.", spec.encoder)) if spec.encoder else (("", spec.blocks),)
    found = list(spec.dtypes.items())
    if spec.mtp is not None:
        found += [(f"mtp.{op}", dtype) for op, dtype in spec.mtp.dtypes.items()]
    if not any(group.dtypes for _, groups in stacks for group in groups):
        return tuple(found)
    for prefix, groups in stacks:
        labels = stack_labels(groups) if prefix else group_labels(groups)
        for label, group in zip(labels, groups, strict=True):
            found += [(f"{prefix}{label}.{op}", dtype) for op, dtype in group.dtypes.items()]
    return tuple(found)


@lru_cache(maxsize=256)
def _precision(
    weights: str, activations: str | None, cache: str | None, overrides: tuple[tuple[str, str], ...], facts: ModelFacts
) -> Precision:
    return Precision.of(weights, activations, cache, overrides=dict(overrides), facts=facts)


def own_dtype(dtype: str, machine: Machine) -> str:
    """A model's own format; fp16 for a bf16 model on a GPU that multiplies fp16 but not bf16."""
    return "fp16" if dtype == "bf16" and machine.served_by["bf16"][0] in ("fp16", "vector.fp16") else dtype


_FACTS: dict[int, tuple[TransformerSpec, ModelFacts]] = {}
_MOST_FACTS: Final = 4096


def facts_of(spec: TransformerSpec) -> ModelFacts:
    """What a mix of formats depends on, found once per spec object."""
    known = _FACTS.get(id(spec))
    if known is None or known[0] is not spec:
        if len(_FACTS) >= _MOST_FACTS:
            del _FACTS[next(iter(_FACTS))]
        known = _FACTS[id(spec)] = (spec, _facts(spec))
    return known[1]


def _facts(spec: TransformerSpec) -> ModelFacts:
    group, experts, packed = 1.0, 0, False
    for block in spec.blocks:
        attention: Any = block.attention
        if attention is not None and getattr(attention, "kv_heads", None):
            heads = getattr(attention, "heads", None) or attention.top_k * attention.kv_heads
            group = max(group, heads / attention.kv_heads)
            packed = packed or bool(getattr(attention, "packed", False))
        experts = max(experts, getattr(block.feed_forward, "experts", 0))
    layers = sum(block.layers for block in spec.blocks)
    native = spec.dtypes.get("experts", spec.dtype) if experts else ""
    kept = native if native == "mxfp4" else ""
    return ModelFacts(layers, group, experts, spec.tied_embeddings, packed, kept)


def check_overrides(precision: Precision, workload: Workload) -> None:
    """Raise UsageError where an override names nothing in the model."""
    phases = workload.phases if precision.overrides else ()
    each = [phase.kept(("unmatched", precision), partial(precision.unmatched, phase.ops)) for phase in phases]
    unmatched = [name for name in precision.overrides if all(name in missing for missing in each)]
    unmatched = [name for name in unmatched if not name.startswith("mtp")]  # of a head that runs as a draft alone
    if unmatched:
        names = dict.fromkeys(op.name for op in workload.holders() if op.params)
        raise UsageError(
            f"--weights: no op or role named {unmatched[0]!r}. Roles: embedding, head, router, attention, "
            f"feed_forward, experts, norm; ops: {', '.join(names)}"
        )
