"""Seconds in which weights come from host memory, and what of them no work hides."""

from __future__ import annotations

from typing import Final

from roofline.answer.memory import Memory
from roofline.answer.phase import PhaseEstimate
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.num import Num, maximum
from roofline.passes.image.offload import copied_bytes, rate
from roofline.runs.image.options import away_of
from roofline.runs.kind import Question

#: Times that a part of pageable memory crosses the link per run: there, and back when the next one comes.
_BOTH_WAYS: Final = 2.0
#: By how much another host may be slower than the one whose copies were measured, at the upper end of the interval:
#: half of the lanes or of the channels of memory. Assumed; no second host is known (unverified).
SLOWER: Final = 2.0


def host_link(question: Question) -> float | None:
    """Bytes per second of the link to host memory; None where no link is described."""
    from roofline.runs.devices.resolve import links_of

    fabric = question.spread.fabric or question.faster.fabric(links_of(question.gpu, None, None)[1])
    return None if fabric is None or fabric.host is None else float(fabric.host.bandwidth)


def moved_bytes(question: Question, memory: Memory) -> Num:
    """Bytes of weights that come from host memory per run: of all parts once, or of what every call uses."""
    away = away_of(question.spread)
    if away is None or away.mode == "model":
        return sum(part.weights for part in memory.by_component)
    moved: Num = 0.0
    for phase in question.workload().phases:
        moved = moved + phase.repeat * copied_bytes(away, phase, question.precision_of(phase))
    return moved


def transfer(question: Question, memory: Memory) -> Times | None:
    """Seconds of all copies of a run, hidden behind work or not; None without offload or link.

    At the bound, at the rate of the link; expected, at the rate of the copies. That of pageable memory is known of one
    host: the interval reaches from the link's to half of it.
    """
    away, link = away_of(question.spread), host_link(question) if question.spread.away else None
    if away is None or link is None:
        return None
    moved = moved_bytes(question, memory)
    bound, slow = moved / link, moved / rate(away, link, question.faster.host)
    if away.copies == "pinned" or question.engine == IDEAL:
        return Times.certain(bound)
    expected = slow * (_BOTH_WAYS if away.mode == "model" else 1.0)
    return Times(bound, bound, expected, bound, expected * SLOWER)


def beyond_work(question: Question, phases: tuple[PhaseEstimate, ...], copies: Times) -> Times:
    """What copies add to the time of a run: all of it, or where a stream of its own fetches them, what they take longer
    than the work of each phase, whose blocks are alike; less where work is slower.
    """
    away, link = away_of(question.spread), host_link(question)
    if away is None or link is None or not away.hidden:
        return copies
    total = Times.certain(0.0)
    for phase in phases:
        ledger = question.workload()[phase.name]
        copied = copied_bytes(away, ledger, question.precision_of(ledger)) / link
        late = Times(*(maximum(copied - seconds, 0.0) for seconds in phase.times))
        total = total + late * phase.repeat
    return total
