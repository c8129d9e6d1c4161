"""What is said beside the numbers of a steady load."""

from __future__ import annotations

from collections.abc import Iterator

from roofline.answer.phase import Warn
from roofline.answer.plain import counted_whole
from roofline.machine.engine import load_engine, read_engine
from roofline.num import first_value
from roofline.runs.kind import Question
from roofline.runs.text.service.running import (
    engine_takes,
    is_load,
    memory_takes,
    overhead_of,
    per_replica,
    serves,
    users_of,
)
from roofline.units import format_time


def service_notes(question: Question) -> Iterator[str]:
    """What a steady load assumes, where there is one to tell."""
    if not (serves(question) and is_load(question)):
        return
    mixes = load_engine(question.engine).mixes and question.spread.away is None
    how = "prompts ride in the decode steps of others" if mixes else "prompts run between the decode steps of others"
    yield (
        f"steady load: {counted_whole(int(first_value(users_of(question))), 'user')} without pauses, no two prompts "
        f"alike, long after the start; {how}; room for whole requests, none is thrown out"
    )
    own, server = overhead_of(question), read_engine(question.engine).server
    if own is not None and server is not None:
        versions = f" (as seen with {server.versions})" if server.versions else ""
        seconds = format_time(first_value(own.expected))
        yield f"steady load: the server's own {seconds} before a first token{versions} stand apart"


def service_warnings(question: Question) -> Iterator[Warn]:
    """That users wait, because memory or the engine has no room for all of them."""
    if question.run.users is None:
        return
    each, memory = first_value(per_replica(question)), first_value(memory_takes(question, question.stages()))
    takes, engine = min(memory, engine_takes(question)), engine_takes(question)
    if each > takes:
        replica = " of each replica" if question.spread.plan.dp > 1 else ""
        why = "memory has room for" if memory <= engine else "the engine runs"
        text = f"{why} {counted_whole(int(takes), 'request')} at once; of {each:,.0f} users{replica} the rest waits"
        yield Warn("users-wait", text)
