"""What an estimate has not: why, and where what is meant stands."""

from __future__ import annotations

from typing import Final

from roofline.analysis.estimate import Answer
from roofline.answer.names import unknown, without_unit
from roofline.answer.plain import listed
from roofline.errors import UnknownPartError

#: Times that people ask an answer for.
_TIMES: Final = {
    "ttft": "time to first token",
    "tpot": "time per output token",
    "step": "time of a step of denoising",
    "total": "time in all",
}


def lacking(est: Answer, name: str) -> UnknownPartError:
    """That an answer has no such time, or no such attribute; and where it is, or what there is."""
    if name in _TIMES:
        there = [each for each in _TIMES if est.latency[f"{each}_s"] is not None]
        kind = f"{est.question.spec.title} is {est.question.kind.noun}"
        return UnknownPartError(
            f"{kind}: this run has no {name} ({_TIMES[name]}); it has {listed(there) or 'no times'}"
        )
    if place := _place(est, name):
        return UnknownPartError(f"no attribute {name!r}; it is {place}")
    known = [each for each in dir(type(est)) if not each.startswith("_")]
    return unknown("attribute", name, dict.fromkeys([*_TIMES, *known, *vars(est)]))


def _place(est: Answer, name: str) -> str:
    """Where something of that name stands: `memory.weights_bytes`, `phases['decode']`."""
    for group, part in (("latency", est.latency), ("throughput", est.throughput), ("memory", est.memory)):
        if {name, without_unit(name)} & set(dir(part)):
            return f"{group}.{name}"
    return f"phases[{name!r}]" if name in [phase.name for phase in est.phases] else ""
