"""The machine's own figures, as an answer states them."""

from __future__ import annotations

from typing import Any

from roofline.answer.plain import largest_value, plain
from roofline.runs.devices.words import links
from roofline.runs.kind import Outcome, Question
from roofline.workload.precision import Precision


def machine_figures(question: Question, precision: Precision) -> dict[str, Any]:
    """Peak, ridge and bandwidth of the machine for the format in which matrices are multiplied."""
    machine, dtype = question.machine(), precision.matrix_dtype()
    return {
        "ridge_flops_per_byte": plain(machine.ridge(dtype)),
        "peak_flops": plain(machine.tensor[dtype]),
        "peak_dtype": dtype,
        "served_by": machine.served_by[dtype][0],
        "vector_peak_flops": plain(machine.vector),
        "bandwidth_bytes_per_s": plain(machine.bandwidth),
        **links(question.spread),
    }


def slowest_precision(outcome: Outcome) -> Precision:
    """The number formats of the phase that takes longest, all its repeats together."""
    slowest = max(outcome.phases, key=lambda phase: largest_value(phase.repeat * phase.times.bound))
    return outcome.question.precision_of(outcome.workload[slowest.name])
