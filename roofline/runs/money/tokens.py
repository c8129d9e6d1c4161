"""What a run of a language model makes that is paid for: tokens, each kind under a name of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.answer.sold import Sold
from roofline.runs.text.inputs.hearing import sound_of

if TYPE_CHECKING:
    from roofline.answer.phase import PhaseEstimate
    from roofline.num import Num
    from roofline.runs.kind import Question

_MILLION: Final = 1e6


def text_sold(question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Sold]:
    """Tokens that come out, at the cost of the whole run; tokens in and out; then each side by its own time alone."""
    run, sequences = question.run, _sequences(question)
    decode = next((phase for phase in phases if phase.name == "decode"), None)
    before = tuple(phase.name for phase in phases if phase is not decode)
    written = sequences * run.generate
    joules = ("joules_per_output_token", "an output token")
    tokens = (sequences * run.prompt, written)
    yield Sold("cost_per_million_output_tokens", "a million output tokens", _MILLION, written, (), *joules, tokens)
    every = sequences * (run.prompt + run.generate)
    yield Sold("cost_per_million_tokens", "a million tokens in and out", _MILLION, every)
    reads = "a million prompt tokens read"
    yield Sold("cost_per_million_prompt_tokens_read", reads, _MILLION, sequences * run.prompt, before)
    if decode is not None:
        writes, steps = "a million tokens written", sequences * decode.repeat
        yield Sold("cost_per_million_tokens_written", writes, _MILLION, steps, ("decode",))
    if sound_of(question.spec) is not None and run.media is not None:
        yield Sold("cost_per_hour_of_sound", "an hour of sound", 3600.0, sequences * run.media.seconds)


def encoder_sold(question: Question) -> Iterator[Sold]:
    """Tokens that are embedded."""
    amount, joules = _sequences(question) * question.run.prompt, ("joules_per_token_embedded", "a token embedded")
    yield Sold("cost_per_million_tokens_embedded", "a million tokens embedded", _MILLION, amount, (), *joules)


def _sequences(question: Question) -> Num:
    """Sequences of all replicas."""
    sequences: Num = question.run.batch * float(question.spread.plan.dp)
    return sequences
