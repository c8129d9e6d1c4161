"""Sizes of a training run: of a step and of all of it. A batch that does not divide is refused with the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.errors import UsageError
from roofline.runs.checks import number, whole_number
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.plan import Plan

_SEQUENCE: Final = 4096.0
#: Micro-batches that a pipeline takes per stage where nothing is said: a bubble of a quarter at most.
_PER_STAGE: Final = 4.0
_MOST: Final = 1e18


class Batches(NamedTuple):
    """Sequences or pictures at once on a replica, and of a step over all replicas; what was assumed of them."""

    micro: float
    whole: float
    notes: tuple[str, ...] = ()


def batches(given: Mapping[str, Any], plan: Plan) -> Batches:
    """The batches. Raises UsageError where a step is no whole number of micro-batches of all replicas."""
    micro = float(whole_number("micro-batch", given.get("micro_batch", 1)))
    if given.get("global_batch") is None:
        rounds = _PER_STAGE * plan.pp if plan.pp > 1 else 1.0
        whole = micro * plan.dp * rounds
        return Batches(micro, whole, (f"a step is {whole:,.0f} of them, as no --global-batch was given",))
    whole = float(whole_number("global-batch", given["global_batch"]))
    each = micro * plan.dp
    if whole % each:
        below, above = whole // each * each, (whole // each + 1.0) * each
        near = f"{above:,.0f}" if not below else f"{below:,.0f} or {above:,.0f}"
        raise UsageError(
            f"--global-batch {whole:,.0f} is no multiple of {each:,.0f} (--micro-batch {micro:,.0f} on {plan.dp:,} "
            f"replicas); the nearest are {near}"
        )
    return Batches(micro, whole)


def sequence_of(spec: TransformerSpec, asked: Any) -> tuple[float, tuple[str, ...]]:
    """Tokens of a sequence, and what was assumed."""
    if asked is not None:
        return float(whole_number("sequence", asked)), ()
    most = longest(spec)
    found = min(_SEQUENCE, most) if most else _SEQUENCE
    return found, (f"sequences of {found:,.0f} tokens, as no --sequence was given",)


def longest(spec: TransformerSpec) -> float | None:
    """The longest sequence that a model has positions for, where its table of positions ends."""
    size = spec.positions.size
    return float(size) if size is not None else None


def decoder_of(spec: TransformerSpec, sequence: float, asked: Any) -> tuple[float, tuple[str, ...]]:
    """Tokens of the decoder behind an encoder. Raises UsageError where there is none."""
    if not spec.encoder:
        if asked is not None:
            raise UsageError(f"--decoder: {spec.name} has no encoder before its decoder")
        return 0.0, ()
    if asked is not None:
        return float(whole_number("decoder", asked)), ()
    found = max(1.0, sequence // 4.0)
    return found, (f"the decoder reads {found:,.0f} tokens, as no --decoder was given",)


def side_of(spec: Any, name: str, asked: Any) -> float:
    """Pixels of a side of a picture: as asked, or what the model is made for."""
    if asked is not None:
        return float(whole_number(name, asked, least=8))
    from roofline.runs.image.options import usual_side
    from roofline.specs.image.pipeline import PipelineSpec

    if isinstance(spec, PipelineSpec):
        return float(spec.height if name == "height" else spec.width)
    return float(usual_side(spec))


def length_of(given: Mapping[str, Any], step: Batches, sequence: float) -> tuple[float | None, float | None]:
    """Steps, and tokens, of the whole run; None where nothing is said. Raises UsageError for two that disagree."""
    asked = [name for name in ("tokens", "steps", "samples") if given.get(name) is not None]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]}: both say how long it trains; give one of the two")
    if not asked:
        return None, None
    if asked == ["tokens"] and not sequence:
        raise UsageError("--tokens: pictures have none; --samples says how many pictures are seen, --steps how often")
    amount = number(asked[0], given[asked[0]], 1.0, _MOST)
    per_step = step.whole * (sequence or 1.0)
    if asked == ["steps"]:
        steps = amount
    elif asked == ["samples"]:
        steps = amount / step.whole
    else:
        steps = amount / per_step
    return steps, steps * per_step
