"""The number formats of a run: what the options say, else what the model's file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

from roofline.architectures.text.layers import group_labels, stack_labels
from roofline.errors import UsageError
from roofline.machine.engine import GENERIC, IDEAL, load_engine
from roofline.machine.machine import Machine
from roofline.num import first_value
from roofline.specs.formats.caches import refuse_cache
from roofline.specs.formats.mixes import ModelFacts
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.storage.products import NARROW, Ways
from roofline.workload.workload import Workload

_AS_THEY_ARE: Final = Ways()
_SIXTEEN: Final = 16.0


def ways_of(engine: str, machine: Machine, usual: str) -> Ways:
    """How an engine multiplies narrow weights on a chip; the ideal one as the `usual` engine does."""
    habits = load_engine(usual if engine == IDEAL else engine)
    half = "fp16" if habits.half_sums and first_value(machine.half_sums.get("fp16", 1.0)) > 1.0 else ""
    units = frozenset(dtype for dtype in NARROW if machine.multiplies(dtype))
    return Ways(widens=habits.widens, blocks=_blocks(habits.multiplies or "", machine), half=half, units=units)


def _blocks(habit: str, machine: Machine) -> str:
    """The format in which an engine multiplies blocks of a GGUF file: by its habit, where the chip has units for it.

    Without units for 8 bit it multiplies in 16; without matrix units for 16 bit in 8, where there are any. Source:
    ggml-org/llama.cpp, ggml-cuda/mmq.cu @027ef876, ggml_cuda_should_use_mmq and ggml_cuda_mul_mat_q.
    """
    if habit == "int8" and not machine.multiplies("int8"):
        return "fp16"
    vectors = all(unit.startswith("vector.") for unit in machine.served_by["fp16"])
    return "int8" if habit == "fp16" and vectors and machine.multiplies("int8") else habit


def text_precision(
    spec: TransformerSpec, engine: str, machine: Machine, given: Mapping[str, Any]
) -> tuple[Precision, Ways]:
    """The formats that the options of a language model ask for, and how the engine multiplies narrow weights."""
    ways, asked = ways_of(engine, machine, GENERIC), (given.get("weights"), given.get("activations"))
    return resolve_precision(spec, machine, (*asked, given.get("kv_cache")), ways), ways


def resolve_precision(
    spec: TransformerSpec,
    machine: Machine,
    asked: tuple[str | None, str | None, str | None] = (None, None, None),
    ways: Ways = _AS_THEY_ARE,
) -> Precision:
    """The formats of a run, multiplied in such ways: `asked` are those of weights, activations and cache.

    A model's own formats of single ops hold where none is asked for the weights.
    """
    weights, activations, kv_cache = asked
    overrides = () if weights else own_overrides(spec)
    cache = kv_cache or (None if weights else spec.cache_dtype)
    if not weights:
        activations = activations or spec.activation_dtype
    named = weights or own_dtype(spec.dtype, machine), activations, cache
    found = _precision(named, overrides, facts_of(spec), ways, own=activations is not asked[1])
    refuse_cache(found.cache, tuple(getattr(group.attention, "kind", "") for group in spec.blocks), spec.name)
    return found


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
    named: tuple[str, str | None, str | None],
    overrides: tuple[tuple[str, str], ...],
    facts: ModelFacts,
    ways: Ways,
    own: bool,
) -> Precision:
    """`own`: a model's file names the activations; of 16 bits, that says of which 16, not that no other is wanted."""
    found = Precision.of(*named, overrides=dict(overrides), facts=facts)
    if own and found.activations.bits >= _SIXTEEN:
        found = replace(found, ways=_AS_THEY_ARE)
    return found.multiplied(ways)


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
