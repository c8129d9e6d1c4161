"""What of a run a row timed: one of its phases, or the whole of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from roofline.evidence.runs.rows import MeasuredRun
from roofline.evidence.runs.runs import Part, PreparedRun
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import Engine
from roofline.machine.expected import expected_phase_time
from roofline.machine.intervals import Range, timed_as
from roofline.workload.workload import Phase

#: What is timed where it is neither a phase nor a picture: a request, from its prompt to its last token.
REQUEST: Final = "request"
#: The share of the time from which on a phase tells of a whole request.
MAIN: Final = 0.75
#: What each metric times, by the names of `machine.intervals`.
_TIMED: Final = {
    "ttft_ms": "prefill",
    "prefill_tokens_per_s": "prefill",
    "tpot_ms": "decode",
    "served_ttft_ms": "first",
    "served_tpot_ms": "served",
    "step_ms": "step",
}


def timed_of(run: MeasuredRun) -> str:
    """What a row times: a name of `machine.intervals`, or a whole request."""
    return _TIMED.get(run.metric, "whole" if run.of_image else REQUEST)


def prefill_share(row: PreparedRun, engine: Engine) -> float:
    """The part of the expected time that prompts take where a whole request was timed, or a token behind a server: what
    a decode step of all leaves; 0 elsewhere.
    """
    timed = timed_of(row.run)
    if timed not in (REQUEST, "served"):
        return 0.0
    chip = ChipEfficiency.of(row.question.gpu, engine=engine)
    times: dict[str, float] = defaultdict(float)
    for part in row.parts_of(engine):

        def of(phase: Phase, part: Part = part) -> float:
            return float(expected_phase_time(phase, part.precision, row.machine, chip, part.batch))

        seconds = part.seconds(of)
        times[timed_as(part.phase.name)] += part.repeat * seconds
        times["step"] = times["step"] or seconds
    if timed == REQUEST:
        return times["prefill"] / (times["prefill"] + times["decode"])
    return 1.0 - min(times["step"] / row.expected(engine), 1.0)


def told_by(timed: str, prefill: float) -> tuple[str, ...]:
    """What a row tells of: of a whole request the phase that it mostly is; of nothing where that is none."""
    if timed != REQUEST:
        return (timed,)
    return ("prefill",) if prefill >= MAIN else ("decode",) if prefill <= 1.0 - MAIN else ()


def span_of(interval: Callable[[str], Range], timed: str, prefill: float) -> Range:
    """The interval of what was timed, of an engine's `interval` of each and of the `prefill_share`.

    That of a whole request is the sum of those of its phases; a token behind a server takes a decode step at least.
    """
    if timed == REQUEST:
        both = zip(interval("prefill"), interval("decode"), strict=True)
        low, high = (prefill * read + (1.0 - prefill) * written for read, written in both)
        return low, high
    if timed == "served":
        both = zip(interval("served"), interval("decode"), strict=True)
        low, high = (max(seen, (1.0 - prefill) * written) for seen, written in both)
        return low, high
    return interval(timed)
