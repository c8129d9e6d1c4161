"""The phases of a whole picture, with the interval of runs that were timed as a whole."""

from __future__ import annotations

from roofline.answer.phase import PhaseEstimate
from roofline.runs.kind import Question


def as_a_whole(question: Question, phases: tuple[PhaseEstimate, ...]) -> tuple[PhaseEstimate, ...]:
    """The phases of a run as its sum has them: with the interval of whole pictures instead of that of steps."""
    expectation = question.expectation(question.machine(), question.run.batch)
    if expectation is None:
        return phases

    def whole(phase: PhaseEstimate) -> PhaseEstimate:
        times = phase.times
        return phase._replace(times=expectation.times(times.floor, times.bound, times.expected, "whole"))

    return tuple(map(whole, phases))
