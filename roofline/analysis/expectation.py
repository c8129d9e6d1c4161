"""What a clock should show: an engine's expected time of each phase, with its 80 % interval."""

from __future__ import annotations

from typing import NamedTuple

from roofline.analysis.result import Times
from roofline.machine.efficiency import ChipEfficiency
from roofline.machine.engine import IDEAL, load_engine
from roofline.machine.expected import expected_phase_time
from roofline.machine.machine import Machine
from roofline.num import Num, maximum
from roofline.specs.gpu import GPUSpec
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase


class Expectation(NamedTuple):
    """An engine on a chip: what it makes of a phase. `low` and `high` are multiples of the expected time."""

    chip: ChipEfficiency
    machine: Machine
    batch: Num
    low: float
    high: float

    def seconds(self, phase: Phase, precision: Precision) -> Num:
        """Expected seconds of one repeat of a phase."""
        seconds = expected_phase_time(phase, precision, self.machine, self.chip, self.batch)
        return seconds + self.chip.engine.request_s if phase.name != "decode" else seconds

    def times(self, floor: Num, bound: Num, seconds: Num) -> Times:
        """All readings; nothing is expected below the bound."""
        expected = maximum(seconds, bound)
        return Times(floor, bound, expected, maximum(expected * self.low, bound), expected * self.high)


_CHIPS: dict[tuple[int, str], tuple[GPUSpec, ChipEfficiency]] = {}


def efficiency_of(gpu: GPUSpec, engine: str) -> ChipEfficiency:
    """The coefficients of a chip as an engine reaches them, made once per spec object."""
    known = _CHIPS.get((id(gpu), engine))
    if known is None or known[0] is not gpu:
        known = _CHIPS[id(gpu), engine] = (gpu, ChipEfficiency.of(gpu, engine=load_engine(engine)))
    return known[1]


def expect(gpu: GPUSpec, engine: str, machine: Machine, batch: Num) -> Expectation | None:
    """What an engine makes of a chip; None for the ideal one, whose expected time is the bound."""
    if engine == IDEAL:
        return None
    chip = efficiency_of(gpu, engine)
    low, high = chip.engine.interval(chip.quality)
    return Expectation(chip, machine, batch, low, high)
