"""What a language model's run holds in memory: weights, KV-cache, state, activations, and how far it can grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from roofline.answer.memory import Limit, Memory, Part, Pool
from roofline.answer.phase import Parameters
from roofline.num import Num, first_value, is_nothing, maximum
from roofline.runs.devices.words import per_replica
from roofline.runs.kind import Needs, Question, Stage, Stages
from roofline.runs.limits import largest
from roofline.runs.text.stages import stage_bytes, stage_parts
from roofline.units import format_count, format_si
from roofline.workload.op import Op
from roofline.workload.run import TextRun


def fullest(question: Question, stages: Stages) -> Stage:
    """The stage whose devices need most memory, at the first point of a grid."""
    if len(stages.each) == 1:
        return stages.each[0]
    return max(stages.each, key=lambda stage: first_value(stage_bytes(question, stage, stages.microbatches)))


def text_memory(question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
    """Bytes on the device that needs most."""
    stage = fullest(question, stages)
    capacity = question.machine().capacity
    parts = tuple(_parts(question, stage, stages.microbatches, parameters))
    limits = tuple(_limits(question, needs, float(first_value(capacity))))
    return Memory(parts, capacity, limits, pool=_pool(question.run, parts, capacity))


def _pool(run: TextRun, parts: Sequence[Part], usable: Num) -> Pool | None:
    """What is left for the cache of all requests, beside their activations and state; None where nothing is cached."""
    weights, cache, state, activations, reserve = parts
    if is_nothing(cache.bytes):
        return None
    room = maximum(usable - weights.bytes - activations.bytes - reserve.bytes, 0.0)
    left = maximum(room - state.bytes, 0.0)
    [(_, per_token)] = cache.beside
    requests = room * run.batch / (cache.bytes + state.bytes)
    return Pool(left, left / maximum(per_token, 1.0), requests, run.prompt + run.generate)


def _parts(question: Question, stage: Stage, micro: Num, parameters: Parameters) -> Iterator[Part]:
    precision = question.precision
    weights, cache, state, activations, reserve = stage_parts(stage, precision, micro, question.spread.reserve.bytes)
    last = stage.ideal.phases[-1]
    each = last.total(_cached) * precision.cache.bytes / maximum(last.tokens, 1.0)
    yield Part("weights_bytes", "weights", weights, f"{format_count(parameters.total)} parameters")
    per_token = (("kv_cache_bytes_per_token", each),)
    yield Part("kv_cache_bytes", "KV-cache", cache, f"{format_si(first_value(each), 'B')} per token", per_token)
    yield Part("state_bytes", "state", state, "fixed size")
    yield Part("activation_peak_bytes", "activations", activations, "peak")
    yield Part("runtime_bytes", "runtime", reserve, "reserved")


def _cached(op: Op) -> Num:
    return op.cache_write if op.kind == "attention" else 0.0


def _limits(question: Question, needs: Needs, capacity: float) -> Iterator[Limit]:
    replica = per_replica(question.spread)
    yield Limit(
        "max_batch",
        partial(_max_batch, question.run, needs, capacity),
        f"largest batch {{:,}}{replica}".format,
        "batch {:,} at these lengths".format,
    )
    yield Limit(
        "max_context",
        partial(_max_context, question.run, needs, capacity),
        partial(_context_words, question.spec.max_context),
        "{:,} tokens per sequence".format,
    )


def _max_batch(run: TextRun, needs: Needs, capacity: float) -> int:
    """The largest batch that fits at the question's lengths."""
    return largest(lambda n: float(needs(replace(run, batch=float(n)))), capacity)


def _max_context(run: TextRun, needs: Needs, capacity: float) -> int:
    """The most tokens per sequence, prompt and generated together, that fit at the question's batch.

    The number of generated tokens stays as asked; the prompt grows.
    """
    prompt = largest(lambda n: float(needs(replace(run, prompt=float(n)))), capacity)
    return prompt + int(float(run.generate)) if prompt else 0


def _context_words(own: int | None, held: int) -> str:
    """The longest context that memory holds, and the model's own limit where that comes first."""
    if own is None or held <= own:
        return f"largest context {held:,} tokens"
    return f"largest context {held:,} tokens by memory; the model's own limit is {own:,}"
