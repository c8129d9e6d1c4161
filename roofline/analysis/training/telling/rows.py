"""A training run as flat rows for a data frame: one per phase of a step, and one for the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from roofline.answer.plain import plain

if TYPE_CHECKING:
    from roofline.analysis.training.figures import TrainFigures

#: Counts of one run of a phase, which a step has as often as it runs the phase.
_COUNTS: Final = ("flops", "vector_flops", "bytes", "kernels", "communication_bytes", "communication_s")
_READINGS: Final = ("floor_s", "bound_s", "expected_s", "expected_low_s", "expected_high_s")


def rows_of_step(answer: TrainFigures, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was asked, then a phase's counts and times of one run, then what the fullest device holds.

    The last row, `step`, has the sum of all counts and the time of the whole step, with its bubbles and overheads.
    """
    asked = {name: ",".join(value) if isinstance(value, list) else value for name, value in inputs.items()}
    held = {f"memory_{name}": value for name, value in answer.memory.held_dict().items()}
    phases = [_named(phase.to_dict()) for phase in answer.phases]
    return [asked | row | held for row in (*phases, _step(answer, phases))]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"phase" if name == "name" else name: value for name, value in row.items()}


def _step(answer: TrainFigures, phases: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of the whole step, of the columns of a phase; None where a step has no such figure."""
    longest = max(phases, key=lambda row: float(row["repeat"] * row["expected_s"]))
    row: dict[str, Any] = dict.fromkeys(phases[0])
    row |= {name: plain(sum(float(each["repeat"]) * float(each[name]) for each in phases)) for name in _COUNTS}
    row |= {name: plain(value) for name, value in zip(_READINGS, answer.times, strict=True)}
    return row | {"phase": "step", "repeat": 1, "bound_by": longest["bound_by"], "mfu": plain(answer.mfu)}
