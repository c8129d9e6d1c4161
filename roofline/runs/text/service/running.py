"""Users of a serving engine: how many of their requests run at once, and how many wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2
from typing import Any, Final

from roofline.answer.memory import ENDLESS
from roofline.answer.times import Times
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import Num, all_hold, any_holds, ceil, floor, maximum, minimum, where
from roofline.runs.budget import default_of
from roofline.runs.execution import Stages
from roofline.runs.kind import Question
from roofline.runs.options import OPTIONS
from roofline.runs.text.memory import fullest_held
from roofline.runs.text.stages import most_needed
from roofline.specs.text.feed_forward import ExpertsFeedForward

#: Steps in which a batch is found between one and a billion, by its logarithm.
_HALVINGS: Final = 16
#: What an engine's file says of a server's own time before the first token.
OVERHEADS: Final = ("overhead", "overhead_layer", "overhead_experts", "overhead_spread", "overhead_token")
#: Bytes of a sequence below which it is taken to hold nothing.
_NOTHING: Final = 1e-9


def serves(question: Question) -> bool:
    """Whether a question has a steady load: a model that generates, and an engine that is a server."""
    if question.engine == IDEAL or question.kind.name not in OPTIONS["users"].kinds:
        return False
    return read_engine(question.engine).server is not None


def is_load(question: Question) -> bool:
    """Whether users were asked for, or there are several: one alone is the static answer."""
    return question.run.users is not None or any_holds(users_of(question) > 1.0)


def users_of(question: Question) -> Num:
    """Users of all replicas: as asked, else as many as there are sequences."""
    run, replicas = question.run, float(question.spread.plan.dp)
    users: Num = run.batch * replicas if run.users is None else run.users
    return users


def per_replica(question: Question) -> Num:
    """Users of the replica that has most."""
    return ceil(users_of(question) / float(question.spread.plan.dp))


def engine_takes(question: Question) -> float:
    """Requests that the engine runs at once, whatever the memory."""
    server = read_engine(question.engine).server
    known = question.execution.budget.sequences or (default_of(server.sequences, question.gpu) if server else 0)
    return float(known or ENDLESS)


def overhead_of(question: Question) -> Times | None:
    """Seconds of the server before the first token, beside all steps, none of which physics asks for; None where they
    are not known.
    """
    server = read_engine(question.engine).server
    if server is None:
        return None
    each = dict(zip(OVERHEADS, overhead_counts(question), strict=True))
    known = {name: getattr(server, name) for name in OVERHEADS}
    if not any(known.values()):
        return None
    seconds: Num = 0.0
    for name, count in each.items():
        seconds = seconds + known[name] * count
    low, high = server.overhead_interval
    return Times(0.0 * seconds, 0.0 * seconds, seconds, low * seconds, high * seconds)


def overhead_counts(question: Question) -> tuple[Num, ...]:
    """How often a request pays for each of OVERHEADS."""
    groups = (*question.spec.encoder, *question.spec.blocks)
    layers = sum(group.layers for group in groups)
    experts = sum(group.layers for group in groups if isinstance(group.feed_forward, ExpertsFeedForward))
    return 1.0, float(layers), float(experts), experts * log2(question.spread.plan.tp), question.run.prompt


def memory_takes(question: Question, stages: Stages) -> Num:
    """Requests for which the fullest device has room, each with all of its tokens."""
    budget, held = question.execution.budget, fullest_held(question, stages)
    room = maximum(budget.pool(held, question.execution.seen(question.machine())), 0.0)
    return minimum(floor(room / maximum(held.sequences / question.run.batch, _NOTHING)), float(ENDLESS))


def settled(question: Question, given: Mapping[str, Any]) -> Question:
    """The question with the batch that its users make, where none was given. Raises UsageError for users of an engine
    that is no server.
    """
    if question.run.users is None:
        return question
    if not serves(question):
        raise UsageError(f"--users: {question.engine} is not known to serve requests as they come; --engine vllm does")
    if "batch" in given:
        return replace(question, for_users=True)
    wide = _of(replace(question, for_users=True), per_replica(question))
    takes = memory_takes(wide, wide.stages())
    if any_holds(takes < wide.run.batch):
        takes = maximum(takes, _more(wide))
    running = maximum(minimum(wide.run.batch, minimum(takes, engine_takes(question))), 1.0)
    return wide if all_hold(running == wide.run.batch) else _of(wide, running)


def _of(question: Question, batch: Num) -> Question:
    return replace(question, run=replace(question.run, batch=batch))


def _more(wide: Question) -> Num:
    """A batch between one and all that fits where activations grow with it: by the line between the two, and by halving
    where that line is wrong.
    """
    most, seen = wide.run.batch, wide.execution.seen(wide.machine())
    one = _of(wide, 1.0)
    least, all_of_it = (most_needed(question, question.stages()) for question in (one, wide))
    each = maximum(all_of_it - least, _NOTHING) / maximum(most - 1.0, 1.0)
    tried = maximum(minimum(floor(1.0 + (seen - least) / each), most), 1.0)
    fits = _fits(wide, tried, seen)
    return tried if all_hold(fits) else where(fits, tried, _halved(wide, tried, seen))


def _fits(wide: Question, batch: Num, seen: Num) -> Any:
    question = _of(wide, batch)
    return most_needed(question, question.stages()) <= seen


def _halved(wide: Question, most: Num, seen: Num) -> Num:
    """The largest batch below one that does not fit, to a thousandth; at least one."""
    low: Num = most * 0.0 + 1.0
    high = most
    for _ in range(_HALVINGS):
        middle = maximum(floor((low * high) ** 0.5), 1.0)
        fits = _fits(wide, middle, seen)
        low, high = where(fits, middle, low), where(fits, high, middle)
    return low
