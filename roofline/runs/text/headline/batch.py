"""The headline quantities of a language model that generates: times and rates of a static batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from roofline.answer.phase import PhaseEstimate
from roofline.answer.quantity import Quantity
from roofline.answer.times import Times
from roofline.num import Num, any_holds
from roofline.runs.kind import Question
from roofline.runs.text.inputs.hearing import sound_of


def text_quantities(question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Quantity]:
    """Time to first token, per output token, of the whole request; tokens per second."""
    decode = next((phase for phase in phases if phase.name == "decode"), None)
    writes = decode if any_holds(question.run.steps > 0) else None
    before = [phase for phase in phases if phase is not decode]
    first = before[-1].times
    for phase in before[:-1]:
        first = phase.times * phase.repeat + first
    read, reached = first, tuple(phase.name for phase in before)
    if decode and question.run.first_apart:
        first, reached = first + decode.times, (*reached, decode.name)
    yield Quantity("ttft_s", "latency", "time to first token", "s", first, phases=reached)
    steps = writes.times if writes else None
    decodes = question.run.steps > 0 if writes else False
    yield Quantity("tpot_s", "latency", "time per output token", "s", steps, decodes, ("decode",))
    total = read + decode.times * decode.repeat if decode else read
    names = tuple(phase.name for phase in phases)
    yield Quantity("total_s", "latency", "whole request" if decode else "", "s", total, phases=names)
    run, sequences = question.run, question.run.batch * float(question.spread.plan.dp)
    amount, generates = sequences * run.generate, run.generate > 0
    written = total.rate(amount) if not isinstance(amount, float) or amount else None
    if writes:
        yield from _while_writing(writes.times, sequences, decodes)
    title = "output tokens per second"
    yield Quantity("output_tokens_per_s", "throughput", title, "tokens", written, generates)
    if written is not None:
        user = "" if isinstance(sequences, float) and sequences == 1.0 else "output tokens/s, per user"
        each = written * (1.0 / sequences)
        yield Quantity("output_tokens_per_s_per_user", "throughput", user, "tokens", each, generates)
    every = total.rate(sequences * (run.prompt + run.generate))
    yield Quantity("tokens_per_s", "throughput", "all tokens per second", "tokens", every)
    if sound_of(question.spec) is not None and run.media is not None:
        heard, title = total.rate(sequences * run.media.seconds), "real-time factor (sound/work)"
        yield Quantity("seconds_of_sound_per_s", "throughput", title, "seconds of sound", heard)


def _while_writing(step: Times, sequences: Num, decodes: Any) -> Iterator[Quantity]:
    """Tokens per second while answers are written: those of each user, 1 / time per output token, and of all."""
    alone = isinstance(sequences, float) and sequences == 1.0
    each = "" if alone else "tokens/s writing, per user"
    every = "tokens/s while it writes" if alone else "tokens/s writing, in all"
    yield Quantity("decode_tokens_per_s_per_user", "throughput", each, "tokens", step.rate(1.0), decodes)
    yield Quantity("decode_tokens_per_s", "throughput", every, "tokens", step.rate(sequences), decodes)
