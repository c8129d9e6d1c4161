"""What a clock should show: an engine's expected time of each phase, with its 80 % interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.answer.phase import Warn
from roofline.answer.times import Times
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.chips.facts import unstated_facts
from roofline.machine.collectives import Fabric, collective_s
from roofline.machine.cores import CEILING, CORES_INTERVAL, CROSSING_S, REACHED, Cores, expected_core_time
from roofline.machine.engine import IDEAL, load_engine, read_engine
from roofline.machine.engine_lookup import engine_told, measured_as, other_versions
from roofline.machine.expected import expected_op_time, expected_phase_time
from roofline.machine.intervals import QUALITIES, TIMED
from roofline.machine.machine import Machine
from roofline.num import Num, is_nothing, maximum, minimum
from roofline.runs.devices.spread import Spread
from roofline.specs.gpu import GPUSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape
from roofline.workload.workload import Phase

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec


class Expectation(NamedTuple):
    """An engine on a chip: what it makes of a phase, and between which multiples of that 80 % of runs lie.

    `fabric` are the links over which it fetches what is elsewhere, `overlap` whether behind work; `cores` run what the
    host holds.
    """

    chip: ChipEfficiency
    machine: Machine
    batch: Num
    fabric: Fabric | None = None
    overlap: bool = False
    cores: Cores | None = None

    @classmethod
    def of(cls, chip: ChipEfficiency, machine: Machine, batch: Num) -> Expectation:
        """An engine on one chip, or on several stacked as one."""
        return cls(chip, machine, batch)

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
        """Seconds in which a phase fetches what is in host memory or on disk."""
        seconds: Num = 0.0
        for op in phase.ops if self.fabric is not None else ():
            if op.kind == "collective":
                seconds = seconds + op.count * self.fetched(op, precision)
        return seconds

    def fetched(self, op: Op, precision: Precision) -> Num:
        """Seconds in which one execution of an op fetches what is elsewhere, at the nominal rate; 0 of others."""
        if self.fabric is None or not isinstance(op.shape, CollectiveShape) or op.shape.operation != "load":
            return 0.0
        return collective_s(op, precision, self.fabric) + (CROSSING_S if op.source is None else 0.0)

    def beside(self, spread: Spread) -> Expectation:
        """The same with what a spread keeps elsewhere."""
        if spread.away is None:
            return self
        return self._replace(fabric=spread.fabric, overlap=spread.overlap, cores=spread.cores)

    def interval(self, timed: str) -> tuple[Num, Num]:
        """The 80 % interval of what is timed, as multiples of the expected time; wider where the host computes."""
        low, high = self.chip.interval(timed)
        if self.cores is None:
            return low, high
        return minimum(low, CORES_INTERVAL[0]), maximum(high, CORES_INTERVAL[1])

    def times(self, floor: Num, bound: Num, seconds: Num, timed: str) -> Times:
        """All readings of what is timed (one of `machine.intervals.TIMED`); nothing is expected below the bound."""
        expected = maximum(seconds, bound)
        low, high = self.interval(timed)
        return Times(floor, bound, expected, maximum(expected * low, bound), expected * high)


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


def expectation_notes(gpu: GPUSpec, engine: str, timed: Mapping[str, str]) -> list[str]:
    """What an expected time rests on, for the list of assumptions; `timed` names what has an interval, in words."""
    if engine == IDEAL:
        return ["engine ideal: the expected time is the roofline bound"]
    spec, chip = read_engine(engine), efficiency_of(gpu, engine)
    rests = f"fitted to {spec.fit.rows} measured runs" if spec.fit.rows else "not fitted, for no run of it was at hand"
    error = f", median error {100 * spec.fit.median_error:.0f} %" if spec.fit.median_error is not None else ""
    kernels = "kernels as measured on " + ", ".join(dict.fromkeys(known.chip for known in chip.stand_ins))
    if chip.cores:
        kernels = f"of its cores {100 * REACHED:.0f} % of the bandwidth and {100 * CEILING:.0f} % of the peak"
    return [
        f"engine {engine_told(engine)}: {rests}{error}; {kernels}; {_intervals_told(chip, timed)}",
        *_version_notes(engine),
        *_habit_notes(spec),
    ]


def _habit_notes(spec: EngineSpec) -> Iterator[str]:
    """That an engine is the backend of another, and what it makes of ops and of narrow weights."""
    if spec.vendors:
        yield f"engine {spec.name} is what {spec.of} runs on chips of {' and '.join(spec.vendors)}, of whatever version"
    graph = spec.graph
    if graph is not None and graph.scores:
        yield f"attention of {spec.name} runs in pieces: {graph.scores:g} bytes of memory traffic per score"
    if graph is not None and graph.dequantises:
        yield f"{spec.name} writes narrow weights out in 16 bit for more than {graph.matvec:g} rows, once per chunk"


def _intervals_told(chip: ChipEfficiency, timed: Mapping[str, str]) -> str:
    """The intervals in words: one, or one for each thing that is timed."""
    spans = {words: chip.interval(name) for name, words in timed.items()}
    told = {words: f"{low:.3g} and {high:.3g}" for words, (low, high) in spans.items()}
    if len(set(told.values())) == 1:
        return f"80 % of runs between {next(iter(told.values()))} times the expected time"
    each = ", ".join(f"of {words} {span}" for words, span in told.items())
    return f"80 % of runs between these multiples of the expected time: {each}"


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
    known, spec = efficiency_of(gpu, engine).stand_ins[0], read_engine(engine)
    fit = spec.fit
    if gpu.kind == "cpu":
        text = f"no run on a processor was at hand: of {gpu.name} fixed shares of bandwidth and peak are expected"
        return [Warn("efficiency-of-cores", text)]
    if known.quality != "measured":
        like = "a chip of its class" if known.quality == "class" else "the measured chip most like it"
        text = f"no kernels of {gpu.name} were measured: those of {known.chip}, {like}, stand in"
        found.append(Warn("efficiency-of-class", text + _wider(gpu, engine)))
    found += _facts_warnings(gpu)
    if spec.runs_on and gpu.vendor not in spec.runs_on:
        text = f"{engine} does not run on chips of {gpu.vendor}, only of {', '.join(spec.runs_on)}: "
        found.append(Warn("engine-not-there", text + "the time is that of an engine as good as it, if there were one"))
    elif fit.rows and fit.vendors and gpu.vendor not in fit.vendors:
        others = ", ".join(fit.vendors)
        text = f"no run of {engine} on chips of {gpu.vendor} was at hand, only of {others}; the interval is wider"
        found.append(Warn("engine-of-other-vendor", text))
    other = measured_as(engine)
    if other is not None:
        text = f"no run of {engine} was at hand: {other} stands in; the interval is wider, as versions differ"
        found.append(Warn("engine-version-not-measured", text))
    if len(fit.gpus) == 1 and gpu.name not in fit.gpus and spec.vendors:
        text = f"all {fit.rows} runs of {engine} that were at hand were on {fit.gpus[0]}: other chips may differ more"
        found.append(Warn("engine-of-one-chip", text))
    if not fit.rows:
        text = f"no run of {engine} was at hand: its host times are borrowed, as its file tells"
        found.append(Warn("engine-not-measured", text))
    return found


def _wider(gpu: GPUSpec, engine: str) -> str:
    """That the interval is wider than that of measured chips, where rows that were left out say so."""
    chip, own = efficiency_of(gpu, engine), load_engine(engine)
    wider = any(chip.interval(timed) != own.interval(timed, QUALITIES[0]) for timed in TIMED)
    return "; the interval is wider" if wider else ""


def _facts_warnings(gpu: GPUSpec) -> list[Warn]:
    """That a chip's file leaves out what limits per unit rest on; these limits are then left out as well."""
    missing = unstated_facts(gpu)
    if not missing:
        return []
    text = f"{gpu.name}: its file does not state {', '.join(missing)}; what they limit is left out, and stating them "
    return [Warn("gpu-facts-missing", text + "sharpens the time")]
