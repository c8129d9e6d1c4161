"""What a language model's run holds in memory: weights, KV-cache, state, activations, and how far it can grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from roofline.answer.memory import ENDLESS, Limit, Memory, Part, Pool
from roofline.answer.phase import Parameters
from roofline.answer.plain import counted_whole
from roofline.num import Num, first_value, floor, is_nothing, maximum, where
from roofline.runs.budget import Held
from roofline.runs.devices.words import per_replica
from roofline.runs.execution import Stage, Stages
from roofline.runs.kind import Needs, Question
from roofline.runs.limits import largest, one_value
from roofline.runs.text.draft import Drafted, drafted_parts
from roofline.runs.text.elsewhere import host_room
from roofline.runs.text.inputs.hearing import sound_of
from roofline.runs.text.stages import held_by
from roofline.units import format_count, format_si
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun


def fullest(question: Question, stages: Stages) -> Stage:
    """The stage whose devices need most memory, at the first point of a grid."""
    if len(stages.each) == 1:
        return stages.each[0]
    return max(stages.each, key=lambda stage: first_value(held_by(question, stage, stages.microbatches).total))


def fullest_held(question: Question, stages: Stages) -> Held:
    """Bytes on the device that needs most, at every point of a grid."""
    found, *others = [held_by(question, stage, stages.microbatches) for stage in stages.each]
    for held in others:
        more = held.total > found.total
        found = Held(*(where(more, own, known) for own, known in zip(held, found, strict=True)))
    return found


def text_memory(question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
    """Bytes on the device that needs most."""
    stage, machine, budget = fullest(question, stages), question.machine(), question.execution.budget
    seen = question.execution.seen(machine)
    held = fullest_held(question, stages)
    return Memory(
        tuple(_parts(question, stage, held, parameters)),
        machine.capacity,
        tuple(_limits(question, needs, float(first_value(seen)))),
        usable=budget.usable(held, seen),
        pool=_pool(question, held, budget.pool(held, seen)) if budget.whole_chunk else None,
        host=host_room(question, stage, stages),
    )


def _pool(question: Question, held: Held, room: Num) -> Pool | None:
    """What is left for sequences, in tokens and in sequences of the lengths that were asked; None where a sequence
    leaves nothing in memory.
    """
    if is_nothing(held.sequences):
        return None
    run, room = question.run, maximum(room, 0.0)
    each = held.sequences / run.batch
    at_once = room / maximum(each, 1e-9)
    return Pool(room, floor(at_once * run.cached), at_once, run.prompt + run.generate)


def _parts(question: Question, stage: Stage, held: Held, parameters: Parameters) -> Iterator[Part]:
    each, first = growth(stage, question.precision)
    note = f"{format_count(parameters.total)} parameters"
    if stage.beside:
        note += f" and {format_count(parameters.beside['towers'])} of towers"
    towers: tuple[tuple[str, Num], ...] = (("towers_bytes", stage.beside),) if question.spec.towers else ()
    yield Part("weights_bytes", "weights", held.weights, note, towers)
    per_token = (("kv_cache_bytes_per_token", each), ("kv_cache_bytes_per_token_below_windows", first))
    yield Part("kv_cache_bytes", "KV-cache", held.cache, _growth_text(each, first), per_token)
    yield Part("state_bytes", "state", held.state, "fixed size")
    yield Part("activation_peak_bytes", "activations", held.activations, "peak")
    if (draft := question.run.draft) is not None:
        yield from drafted_parts(draft, Drafted(held.draft_weights, held.draft_cache, held.draft_activations))
    yield Part("runtime_bytes", "runtime", held.runtime, "reserved")


def growth(stage: Stage, precision: Precision) -> tuple[Num, Num]:
    """Bytes by which a token more of a sequence makes the cache of a stage larger: at the end of the run, where windows
    may be full, and below every window.
    """
    last = stage.ideal.phases[-1]
    grows = last.total(lambda op: op.cache_grows * precision.cache_element(op))
    written = last.total(lambda op: _written(op) * precision.cache_element(op))
    return grows, written / maximum(last.tokens, 1.0)


def _written(op: Op) -> Num:
    """Elements that an attention caches of the tokens that it reads; those of a prompt behind an encoder are no part of
    what grows.
    """
    return op.cache_write if op.kind == "attention" and op.row is not None and op.row.kind != "cross" else 0.0


def _growth_text(each: Num, first: Num) -> str:
    """The growth, and the rate below every window where that is another one."""
    now, below = format_si(first_value(each), "B"), format_si(first_value(first), "B")
    return f"{now} per token" if now == below else f"{now} per token, {below} below windows"


def _limits(question: Question, needs: Needs, capacity: float) -> Iterator[Limit]:
    replica = per_replica(question.spread)
    yield Limit(
        "max_batch",
        partial(_max_batch, question.run, needs, capacity),
        partial(_batch_words, question, replica),
        "batch {:,} at these lengths".format,
    )
    yield Limit(
        "max_context",
        partial(_max_context, question.run, needs, capacity),
        partial(_context_words, question),
        "{:,} tokens per sequence".format,
    )


def _max_batch(run: TextRun, needs: Needs, capacity: float) -> int:
    """The largest batch that fits at the question's lengths."""
    return largest(lambda n: one_value(needs(replace(run, batch=float(n)))), capacity)


def _max_context(run: TextRun, needs: Needs, capacity: float) -> int:
    """The most tokens per sequence, prompt and generated together, that fit at the question's batch.

    The number of generated tokens stays as asked; the prompt grows.
    """
    prompt = largest(lambda n: one_value(needs(replace(run, prompt=float(n)))), capacity)
    return min(prompt + int(one_value(run.generate)), ENDLESS) if prompt else 0


def _batch_words(question: Question, replica: str, held: int) -> str:
    """The largest batch, of a model that hears with the sound that each of it is."""
    if sound_of(question.spec) is None or (media := question.run.media) is None:
        return f"largest batch {held:,}{replica}"
    return f"largest batch {counted_whole(held, 'window')} of {first_value(media.seconds):,.4g} s{replica}"


def _context_words(question: Question, held: int) -> str:
    """The longest context that memory holds, and the model's own limit where that comes first; that alone where it is
    what the model writes of a sound.
    """
    own = question.spec.max_context
    if own is not None and held > own and sound_of(question.spec) is not None:
        return f"largest context {own:,} tokens, the model's own limit"
    if held >= ENDLESS:
        return "any context" + (f"; the model's own limit is {own:,}" if own is not None else "")
    if own is None or held <= own:
        return f"largest context {held:,} tokens"
    return f"largest context {held:,} tokens by memory; the model's own limit is {own:,}"
