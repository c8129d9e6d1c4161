"""Speculation as memory: what drafts tokens, with its cache, beside the model. Its speed is not counted.

A draft is sharded over tensor-parallel devices as the model is, where its heads divide, and whole on each where not; of
a pipeline the last stage holds it. Every sequence has room for the tokens of a draft beyond its last one, in the cache
of the model and of the draft, and a recurrence keeps a state for each of them.

Source: vllm-project/vllm, v1/core/sched/scheduler.py (`num_lookahead_tokens`), v1/kv_cache_interface.py
(`MambaSpec.num_speculative_blocks`), config/speculative.py (`num_speculative_tokens`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Memory, Part
from roofline.answer.phase import Warn
from roofline.architectures.text.drafting import draft_ops, draft_parameters
from roofline.architectures.text.transformer import encodes_only
from roofline.errors import UnsupportedError, UsageError
from roofline.machine.machine import Machine
from roofline.num import Num, maximum
from roofline.runs.checks import whole_number
from roofline.runs.execution import Stage
from roofline.runs.formats import resolve_precision
from roofline.runs.load import locate_model
from roofline.specs.base import Spec
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_count
from roofline.workload.allocation import allocated
from roofline.workload.draft import Draft
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.shapes import MatmulShape, Span
from roofline.workload.storage.products import Ways
from roofline.workload.workload import Phase, Workload

#: The phase of a draft in the ledger.
DRAFT: Final = "draft"
#: Tokens per step where none are given, of a head and of a model. Source: examples of vLLM's documentation.
_TOKENS: Final = {"eagle": 3.0, "model": 5.0}
_MOST: Final = 128


def resolve_draft(
    spec: TransformerSpec,
    machine: Machine,
    given: Mapping[str, Any],
    formats: tuple[Precision, Ways],
    spec_dir: str | None,
) -> Draft | None:
    """The draft that the options ask for; `formats` are those of the model, and the ways in which narrow weights are
    multiplied. Raises UsageError, UnknownNameError or SpecError.
    """
    precision, ways = formats
    named, tokens = given.get("draft"), given.get("draft_tokens")
    if spec.eagle is not None:
        raise UsageError(f"{spec.name} is a head that drafts for another model: --model MODEL --draft {spec.name}")
    if named is None:
        if tokens is not None:
            raise UsageError("--draft-tokens goes with --draft mtp|NAME|FILE")
        return None
    count = None if tokens is None else float(whole_number("draft-tokens", tokens))
    if count is not None and count > _MOST:
        raise UsageError(f"--draft-tokens must be a whole number from 1 to {_MOST}, not {tokens}")
    if named == "mtp":
        layers = float(_mtp_layers(spec))
        return Draft("mtp", spec, count or layers, precision, "mtp", count is None)
    if not isinstance(named, (str, os.PathLike, Spec)):
        raise UsageError(f"--draft must be mtp, a name or a file, not {str(named)[:40]!r}")
    other = _checked(spec, locate_model(named, spec_dir)[0])
    own = resolve_precision(other, machine, ways=ways)
    if given.get("kv_cache"):
        own = replace(own, cache=precision.cache)
    method: Any = "eagle" if other.eagle is not None else "model"
    return Draft(method, other, count or _TOKENS[method], own, other.name, count is None)


def _mtp_layers(spec: TransformerSpec) -> int:
    if spec.mtp is not None:
        return spec.mtp.layers
    raise UsageError(
        f"--draft mtp: {spec.name} has no layers of its own that predict further tokens (`mtp` in `roofline show`); "
        "name an EAGLE head or a smaller model of its vocabulary"
    )


def _checked(spec: TransformerSpec, other: Any) -> TransformerSpec:
    """Raises UsageError for a draft that cannot draft for a model."""
    if not isinstance(other, TransformerSpec) or encodes_only(other) or other.encoder:
        raise UsageError(f"--draft {other.name}: a draft must be a language model that generates, without an encoder")
    if other.eagle is not None and other.eagle.target_width != spec.width:
        raise UsageError(
            f"--draft {other.name}: this head reads hidden states of {other.eagle.target_width:,} elements, and "
            f"{spec.name} has {spec.width:,}; it was made for another model"
        )
    return other


class _Sharded(NamedTuple):
    """A draft on one device, and whether it is whole there because its heads do not divide."""

    workload: Workload
    replicated: bool


def on_device(run: TextRun, plan: Plan) -> Workload | None:
    """One step of the draft as a device runs it, the cache as it is at the end of the run; None without a draft."""
    return None if run.draft is None else _sharded(run.draft, run, plan).workload


def _sharded(draft: Draft, run: TextRun, plan: Plan) -> _Sharded:
    steps = maximum(run.steps, 1.0)
    past = maximum(run.cached - steps, 0.0)
    span = Span(run.batch, 1.0, past, steps, absorbed=run.latent == "absorbed")
    ops = tuple(draft_ops(draft.spec, span, mtp=draft.mtp))
    whole = Workload((Phase("decode", ops, draft.tokens, context=span.mean_past, tokens=span.tokens),))
    if run.layout is not None:
        whole = allocated(whole, run.layout)
    plan = plan._replace(pp=1)
    if plan.single:
        return _Sharded(_named(whole), replicated=False)
    from roofline.passes.parallel.shard import shard

    try:
        return _Sharded(_named(shard(whole, plan)), replicated=False)
    except (UsageError, UnsupportedError):
        return _Sharded(_named(whole), replicated=True)


def _named(workload: Workload) -> Workload:
    """Passes know a phase of one new token per sequence as a decode."""
    return Workload(tuple(replace(phase, name=DRAFT) for phase in workload.phases))


class Drafted(NamedTuple):
    """Bytes on a device for the sake of drafts: weights, cache and slots, activations beyond the model's own."""

    weights: Num = 0.0
    cache: Num = 0.0
    activations: Num = 0.0

    @property
    def total(self) -> Num:
        """All of it."""
        return self.weights + self.cache + self.activations


def drafted(draft: Draft | None, stage: Stage, precision: Precision, micro: Num, peak: Num) -> Drafted:
    """What a device of a stage holds for a draft; `peak` are the bytes of the model's own activations."""
    if draft is None:
        return Drafted()
    last, tokens = stage.ideal.phases[-1], draft.tokens
    cache: Num = tokens * micro * (_slot_bytes(last, precision) + stage.workload.state_bytes(precision))
    weights: Num = 0.0
    if stage.aside is not None:
        own, p = stage.aside, draft.precision
        weights = own.weight_bytes(p)
        held = own.cache_bytes(p) + own.state_bytes(p)
        cache = cache + held + tokens * (_slot_bytes(own.phases[-1], p) + own.state_bytes(p))
    return Drafted(weights, cache, maximum(_logits_bytes(last, precision, tokens) - peak, 0.0))


def draft_derivations(draft: Draft | None, memory: Memory) -> Iterator[Derivation]:
    """Where the parts of memory that a draft takes come from."""
    if draft is None:
        return
    count, source = draft_parameters(draft.spec, mtp=draft.mtp), "sum over the op ledger (`roofline ops --phase draft`)"
    weights, cache = float(memory.draft_weights_bytes), float(memory.draft_cache_bytes)
    values = f"{count:,.0f} parameters of {draft.named}, {draft.precision.weights.layout}"
    formula = "sum over the draft's ops of parameters × bits / 8, on the device"
    yield Derivation("memory.draft_weights_bytes", "B", weights, formula, values, source)
    formula = "the draft's cache at the run's end + tokens × batch × (bytes per token + state), of draft and model"
    yield Derivation("memory.draft_cache_bytes", "B", cache, formula, f"tokens {draft.tokens:,.0f}", source)


def _slot_bytes(phase: Phase, precision: Precision) -> Num:
    """Bytes of cache of one token more of every sequence."""
    return _batch(phase) * phase.total(lambda op: op.cache_grows * precision.cache_element(op))


def _batch(phase: Phase) -> Num:
    """Sequences of a phase: those of an op that has a span."""
    spans: Iterator[Any] = (getattr(op.shape, "span", None) for op in phase.ops)
    return next((span.batch for span in spans if isinstance(span, Span)), 0.0)


def _logits_bytes(phase: Phase, precision: Precision, tokens: float) -> Num:
    """Bytes in memory while the head verifies: of each sequence the drafted tokens and one more."""
    head: Op | None = next((op for op in phase.ops if op.name == "head"), None)
    if head is None or not isinstance(head.shape, MatmulShape):
        return 0.0
    return precision.live_bytes(head) * (_batch(phase) * (tokens + 1.0) / head.shape.m)


def draft_notes(run: TextRun, plan: Plan) -> Iterator[str]:
    """What was assumed about a draft."""
    draft = run.draft
    if draft is None:
        return
    p, count = draft.precision, f"tokens per step {draft.tokens:,.0f}"
    count += " (assumed: --draft-tokens)" if draft.assumed else ""
    what = {"mtp": "layers of the model's own", "eagle": "an EAGLE head", "model": "a model"}[draft.method]
    formats = "" if draft.mtp else f"; weights {p.label}, KV-cache {p.cache.name}"
    yield f"draft {draft.named}, {what}, {count}{formats}: held in memory; no time counts it"
    yield "a draft reads a prompt in no larger pieces than its model, whose activations then cover its own"
    if not plan.single:
        whole = _sharded(draft, run, plan).replicated
        place = "on the last stage, " if plan.pp > 1 else ""
        yield f"draft: {place}{'whole on each device: its heads do not divide' if whole else 'split as its model is'}"


def draft_warnings(spec: TransformerSpec, run: TextRun, parameters: Mapping[str, float], own: float) -> Iterator[Warn]:
    """A draft that cannot be of use: larger than its model, or of other tokens."""
    draft = run.draft
    if draft is None or draft.mtp:
        return
    if parameters["draft"] > own:
        text = f"draft {draft.named} has {parameters['draft']:,.0f} parameters, more than the {own:,.0f} of {spec.name}"
        yield Warn("draft-larger", text)
    if draft.spec.vocabulary != spec.vocabulary:
        theirs, ours = draft.spec.vocabulary or 0, spec.vocabulary or 0
        text = f"draft {draft.named} knows {theirs:,} tokens, {spec.name} {ours:,}: most engines want the same ones"
        yield Warn("draft-vocabulary", text)


def drafted_parts(draft: Draft, held: Drafted) -> Iterator[Part]:
    """The parts of memory."""
    count = format_count(draft_parameters(draft.spec, mtp=draft.mtp))
    slots = f"with room for {draft.tokens:,.0f} more per sequence"
    yield Part("draft_weights_bytes", "draft weights", held.weights, f"{count} parameters of {draft.named}")
    yield Part("draft_cache_bytes", "draft cache", held.cache, slots)
    yield Part("draft_activation_bytes", "draft activations", held.activations, "beyond those of the model")
