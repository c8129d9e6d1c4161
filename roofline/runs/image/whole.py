"""The time of a whole picture: the sum of its phases, with the interval of runs that were timed as a whole."""

from __future__ import annotations

from roofline.answer.times import Times
from roofline.runs.kind import Question


def whole_of(question: Question, times: Times) -> Times:
    """The sum of all phases of a run, in seconds, with the interval of whole pictures instead of those of steps."""
    expectation = question.expectation(question.machine(), question.run.batch)
    return times if expectation is None else expectation.times(times.floor, times.bound, times.expected, "whole")
