"""What is said about chunks of the prompt and about the memory that an engine takes."""

from __future__ import annotations

from collections.abc import Iterator

from roofline.answer.plain import counted_whole
from roofline.runs.devices.words import reserve_note
from roofline.runs.kind import Question
from roofline.units import format_si

_OF = {
    "all": "weights, activations, runtime and cache stand within it",
    "static": "weights and cache stand within it, activations beside it",
    "free": "of what is left beside weights, activations and runtime, for the cache",
}


def chunk_note(q: Question) -> str:
    """How the prompt goes through the layers."""
    chunk = q.execution.chunk
    if not chunk:
        return "the whole prompt is one prefill"
    return f"prompts go through the layers {chunk:,.0f} tokens at a time, each time with all weights read"


def budget_notes(q: Question) -> Iterator[str]:
    """What the engine takes of the memory, and what it keeps."""
    budget, machine = q.execution.budget, q.machine()
    if budget.share is not None:
        whose = "as asked" if budget.given else f"the default of {q.engine}"
        yield f"the engine takes {100 * budget.share:g} % of the memory ({whose}): {_OF[budget.of]}"
    if budget.all_seen and not budget.reserved:
        yield "no memory reserved for the runtime"
        return
    if budget.reserved:
        kept = reserve_note(q.spread)
    else:
        kept = f"{format_si(budget.runtime, 'B')} for the runtime" if budget.runtime else "nothing for the runtime"
    if budget.logits:
        kept += f", room to draw tokens for {counted_whole(budget.sequences, 'sequence')}"
    unseen = 0.0 if budget.all_seen else machine.unseen
    hidden = f"; the driver keeps {unseen / 1e9:.2f} GB of its own" if isinstance(unseen, float) and unseen else ""
    yield f"memory kept: {kept}{hidden}"
