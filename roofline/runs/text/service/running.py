"""Users of a serving engine: how many of their requests run at once, and how many wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from roofline.answer.memory import ENDLESS
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import Num, all_hold, any_holds, ceil, floor, maximum, minimum, where
from roofline.runs.budget import default_of
from roofline.runs.execution import Stages
from roofline.runs.kind import Question
from roofline.runs.options import OPTIONS
from roofline.runs.text.memory import fullest_held
from roofline.runs.text.stages import most_needed

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


def overhead_s(question: Question) -> float | None:
    """Seconds of the server before the first token, beside all steps; None where they are not known."""
    server, spec = read_engine(question.engine).server, question.spec
    if server is None or not (server.overhead or server.overhead_layer):
        return None
    layers: int = sum(group.layers for group in (*spec.encoder, *spec.blocks))
    return server.overhead + server.overhead_layer * layers


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
    """A batch between one and all that may fit where activations grow with it, by the line between the two; one where
    that line is wrong.
    """
    most, seen = wide.run.batch, wide.execution.seen(wide.machine())
    one = _of(wide, 1.0)
    least, all_of_it = (most_needed(question, question.stages()) for question in (one, wide))
    each = maximum(all_of_it - least, _NOTHING) / maximum(most - 1.0, 1.0)
    tried = maximum(minimum(floor(1.0 + (seen - least) / each), most), 1.0)
    question = _of(wide, tried)
    return where(most_needed(question, question.stages()) <= seen, tried, 1.0)
