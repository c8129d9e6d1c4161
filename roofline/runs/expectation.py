"""What a clock should show: an engine's expected time of each phase, with its 80 % interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from roofline.answer.phase import Warn
from roofline.answer.times import Times
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.chips.facts import unstated_facts
from roofline.machine.collectives import Fabric, collective_s
from roofline.machine.cores import CEILING, CORES_INTERVAL, CROSSING_S, REACHED, Cores, expected_core_time
from roofline.machine.engine import IDEAL, load_engine, read_engine
from roofline.machine.engine_lookup import engine_told, measured_as, other_versions
from roofline.machine.expected import expected_op_time, expected_phase_time
from roofline.machine.machine import Machine
from roofline.num import Num, is_nothing, maximum, minimum
from roofline.runs.devices.spread import Spread
from roofline.specs.gpu import GPUSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape
from roofline.workload.workload import Phase


class Expectation(NamedTuple):
    """An engine on a chip: what it makes of a phase. `low` and `high` are multiples of the expected time.

    `fabric` are the links over which it fetches what is elsewhere, `overlap` whether behind work; `cores` run what the
    host holds.
    """

    chip: ChipEfficiency
    machine: Machine
    batch: Num
    low: Num
    high: Num
    fabric: Fabric | None = None
    overlap: bool = False
    cores: Cores | None = None

    @classmethod
    def of(cls, chip: ChipEfficiency, machine: Machine, batch: Num) -> Expectation:
        """An engine on one chip, or on several stacked as one."""
        return cls(chip, machine, batch, *chip.interval)

    def seconds(self, phase: Phase, precision: Precision, requests: Num) -> Num:
        """Expected seconds of one repeat of a phase, in which so many requests begin."""
        seconds = expected_phase_time(phase.on_device, precision, self.machine, self.chip, self.batch)
        fetching: Num = self._fetching(phase, precision)
        for op in phase.on_host if self.cores is not None else ():
            own, link = self.on_cores(op, precision)
            seconds, fetching = seconds + op.count * own, fetching + op.count * link
        if not is_nothing(fetching):
            seconds = maximum(seconds, fetching) if self.overlap else seconds + fetching
        return seconds if is_nothing(requests) else seconds + requests * (self.chip.host * self.chip.engine.request_s)

    def on_cores(self, op: Op, precision: Precision) -> tuple[Num, Num]:
        """Expected seconds of one execution of an op that the host holds, beside the link and on it."""
        assert self.cores is not None
        there = expected_op_time(op, precision, self.machine, self.chip) if self.cores.fetches else 0.0
        return expected_core_time(op, precision, self.cores, there)

    def _fetching(self, phase: Phase, precision: Precision) -> Num:
        """Seconds in which a phase fetches what is in host memory or on disk, at the link's nominal rate."""
        seconds: Num = 0.0
        for op in phase.ops:
            if self.fabric is not None and isinstance(op.shape, CollectiveShape) and op.shape.operation == "load":
                waits = CROSSING_S if op.source is None else 0.0
                seconds = seconds + op.count * (collective_s(op, precision, self.fabric) + waits)
        return seconds

    def beside(self, spread: Spread) -> Expectation:
        """The same with what a spread keeps elsewhere; the interval widens where the host's cores compute."""
        if spread.away is None:
            return self
        low, high = CORES_INTERVAL if spread.cores is not None else (1.0, 1.0)
        return self._replace(
            low=minimum(self.low, low),
            high=maximum(self.high, high),
            fabric=spread.fabric,
            overlap=spread.overlap,
            cores=spread.cores,
        )

    def times(self, floor: Num, bound: Num, seconds: Num) -> Times:
        """All readings; nothing is expected below the bound."""
        expected = maximum(seconds, bound)
        return Times(floor, bound, expected, maximum(expected * self.low, bound), expected * self.high)


_CHIPS: dict[tuple[int, str], tuple[GPUSpec, ChipEfficiency]] = {}
_MOST_CHIPS: Final = 4096
#: So many other versions of an engine are named.
_VERSIONS: Final = 6


def efficiency_of(gpu: GPUSpec, engine: str) -> ChipEfficiency:
    """The coefficients of a chip as an engine reaches them, made once per spec object."""
    known, own = _CHIPS.get((id(gpu), engine)), load_engine(engine)
    if known is None or known[0] is not gpu or known[1].engine is not own:
        if len(_CHIPS) >= _MOST_CHIPS:
            del _CHIPS[next(iter(_CHIPS))]
        known = _CHIPS[id(gpu), engine] = (gpu, ChipEfficiency.of(gpu, engine=own))
    return known[1]


def expect(gpu: GPUSpec, engine: str, machine: Machine, batch: Num) -> Expectation | None:
    """What an engine makes of a chip; None for the ideal one, whose expected time is the bound."""
    if engine == IDEAL:
        return None
    return Expectation.of(efficiency_of(gpu, engine), machine, batch)


def expect_all(gpus: Sequence[GPUSpec], engine: str, machine: Machine, batch: Num, axes: int) -> Expectation | None:
    """The same of several chips stacked on an axis that `axes` more follow."""
    if engine == IDEAL:
        return None
    chips = [efficiency_of(gpu, engine) for gpu in gpus]
    return Expectation.of(ChipEfficiency.stacked(chips, axes), machine, batch)


def expectation_notes(gpu: GPUSpec, engine: str) -> list[str]:
    """What an expected time rests on, for the list of assumptions."""
    if engine == IDEAL:
        return ["engine ideal: the expected time is the roofline bound"]
    spec, chip = read_engine(engine), efficiency_of(gpu, engine)
    low, high = chip.interval
    rests = f"fitted to {spec.fit.rows} measured runs" if spec.fit.rows else "not fitted, for no run of it was at hand"
    error = f", median error {100 * spec.fit.median_error:.0f} %" if spec.fit.median_error is not None else ""
    kernels = "kernels as measured on " + ", ".join(dict.fromkeys(known.chip for known in chip.stand_ins))
    if chip.cores:
        kernels = f"of its cores {100 * REACHED:.0f} % of the bandwidth and {100 * CEILING:.0f} % of the peak"
    span = f"80 % of runs between {low:g} and {high:g} times the expected time"
    return [f"engine {engine_told(engine)}: {rests}{error}; {kernels}; {span}", *_version_notes(engine)]


def _version_notes(engine: str) -> Iterator[str]:
    """Which version an answer is of, and which others there are."""
    others = [each.told(each.engine) for each in other_versions(engine)]
    if others:
        more = f" and {len(others) - _VERSIONS} more" if len(others) > _VERSIONS else ""
        which = "the newest version" if "@" not in engine else "a version that was asked for"
        yield f"engine {engine_told(engine)} is {which}; others: {', '.join(others[:_VERSIONS])}{more}"


def expectation_warnings(gpu: GPUSpec, engine: str) -> list[Warn]:
    """Where the expected time stands on less than measurements of this chip and this engine."""
    if engine == IDEAL:
        return []
    found = []
    known, fit = efficiency_of(gpu, engine).stand_ins[0], read_engine(engine).fit
    if gpu.kind == "cpu":
        text = f"no run on a processor was at hand: of {gpu.name} fixed shares of bandwidth and peak are expected"
        return [Warn("efficiency-of-cores", text)]
    if known.quality != "measured":
        like = "a chip of its class" if known.quality == "class" else "the measured chip most like it"
        text = f"no kernels of {gpu.name} were measured: those of {known.chip}, {like}, stand in; the interval is wider"
        found.append(Warn("efficiency-of-class", text))
    found += _facts_warnings(gpu)
    if fit.vendors and gpu.vendor not in fit.vendors:
        text = f"no run of {engine} on chips of {gpu.vendor} was at hand, only of {', '.join(fit.vendors)}"
        found.append(Warn("engine-of-other-vendor", text))
    other = measured_as(engine)
    if other is not None:
        text = f"no run of {engine} was at hand: {other} stands in; the interval is wider, as versions differ"
        found.append(Warn("engine-version-not-measured", text))
    if not fit.rows:
        found.append(Warn("engine-not-measured", f"no run of {engine} was at hand: host times are the generic ones"))
    return found


def _facts_warnings(gpu: GPUSpec) -> list[Warn]:
    """That a chip's file leaves out what limits per unit rest on; these limits are then left out as well."""
    missing = unstated_facts(gpu)
    if not missing:
        return []
    text = f"{gpu.name}: its file does not state {', '.join(missing)}; what they limit is left out, and stating them "
    return [Warn("gpu-facts-missing", text + "sharpens the time")]
