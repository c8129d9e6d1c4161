"""What a user asks of a language model, checked: sizes, and options about parts that the model must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from roofline.errors import UsageError
from roofline.num import any_holds, least
from roofline.runs.checks import one_of, whole_number
from roofline.runs.devices.spread import Spread
from roofline.runs.options import asked
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.allocation import read_layout
from roofline.workload.run import Latent, Logits, TextRun, Work

if TYPE_CHECKING:
    from roofline.passes.offload import Offload
    from roofline.workload.allocation import CacheLayout


#: Tokens of the prompt, and tokens generated, where neither the question nor the model's file says how many.
PROMPT: Final = 512
GENERATE: Final = 128


def text_run(spec: TransformerSpec, given: Mapping[str, Any], layout: CacheLayout | None = None) -> TextRun:
    """The run of a model, its cache in `layout` where nothing is said.

    Raises UsageError for a size out of range and for an unknown word.
    """
    return TextRun(
        whole_number("batch", given.get("batch", 1)),
        whole_number("prompt", given.get("prompt", PROMPT)),
        whole_number("generate", given.get("generate", _usual(spec)), least=0),
        cast("Logits", one_of("logits", asked(given, "logits"), ("last", "all"))),
        cast("Latent", one_of("latent", asked(given, "latent"), ("absorbed", "naive"))),
        cast("Work", one_of("work", asked(given, "work"), ("ideal", "reference"))),
        read_layout(given["kv_layout"]) if "kv_layout" in given else layout,
        users=whole_number("users", given["users"]) if "users" in given else None,
    )


def _usual(spec: TransformerSpec) -> int:
    """Tokens that a model generates where nothing is said."""
    return GENERATE if spec.default_generate is None else spec.default_generate


def refuse_idle(spec: TransformerSpec, run: TextRun, spread: Spread) -> None:
    """Refuse options about parts that the model does not have: they would change nothing."""
    cp = spread.plan.cp
    if any_holds(run.prompt < cp):
        raise UsageError(f"--cp {cp}: a prompt of {least(run.prompt):,.0f} tokens cannot be dealt to more devices")
    if run.latent == "naive" and not any(getattr(block.attention, "kind", "") == "latent" for block in spec.blocks):
        raise UsageError(f"--latent naive: {spec.name} has no latent attention")
    away = cast("Offload | None", spread.away)
    routed = away is not None and away.experts.share
    if routed and not any(getattr(block.feed_forward, "experts", 0) for block in spec.blocks):
        raise UsageError(f"--offload experts: {spec.name} has no experts; --offload weights keeps all of it elsewhere")
