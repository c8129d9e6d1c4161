"""How far kernels stay from the roof on a given chip: measured coefficients, and what stands in where there are none.

The coefficients are data (`chip_efficiency.json`), fitted by `roofline.analysis.kernels.fit` to measured kernels. They
are fractions of the chip's own peaks, times of launches and latencies, and counts. A chip that was not measured takes
those of the measured chip of its class; where its class was not measured, the mean of those of all classes, weighted
by likeness. Times are scaled by the clocks, losses to the power limit by the FLOP/s per watt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import exp, hypot, log, log2
from typing import Any, Final, NamedTuple

from roofline.machine import kernels_experts, kernels_matmul
from roofline.machine.engine import BARE, Engine
from roofline.machine.kernels_attention import DecodeCoefficients, PrefillCoefficients
from roofline.machine.kernels_collective import CollectiveCoefficients
from roofline.machine.kernels_common import smooth_maximum
from roofline.machine.kernels_experts import ExpertsCoefficients
from roofline.machine.kernels_image import IMAGE_KINDS, scaled_image
from roofline.machine.kernels_matmul import MatmulCoefficients
from roofline.machine.kernels_rows import RowsCoefficients
from roofline.machine.kernels_scan import ScanCoefficients
from roofline.num import Num, minimum, stack
from roofline.specs.gpu import GPUSpec

_TYPES: Final[dict[str, type[Any]]] = {
    "matmul": MatmulCoefficients, "prefill": PrefillCoefficients, "encoder": PrefillCoefficients,
    "decode": DecodeCoefficients, "experts": ExpertsCoefficients, "mla prefill": PrefillCoefficients,
    "mla decode": DecodeCoefficients, "gated delta net": ScanCoefficients, "kda": ScanCoefficients,
    "mamba-2": ScanCoefficients, "rows": RowsCoefficients, "collective": CollectiveCoefficients,
}  # fmt: skip
#: Coefficients at the end that are counts, by kind.
COUNTS: Final = {"decode": 2, "mla decode": 2}
#: Which measured formats may stand in for a format: sets of equals, in this order.
_STAND_INS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "fp8": (("fp8", "fp8_block"), ("bf16",)), "fp8_block": (("fp8_block", "fp8"), ("bf16",)),
    "fp4": (("fp4",), ("mxfp4-fp8",), ("fp8", "fp8_block"), ("bf16",)), "int8": (("int8",), ("fp8",), ("bf16",)),
    "mxfp4": (("mxfp4-fp8",), ("fp4",), ("mxfp4-weights", "int4-weights"), ("bf16",)),
    "int4-weights": (("int4-weights", "mxfp4-weights"), ("bf16",)),
    "mxfp4-weights": (("mxfp4-weights", "int4-weights"), ("bf16",)),
    "bf16/fp8": (("bf16/fp8",), ("bf16/bf16",)), "fp8/fp8": (("fp8/fp8",), ("bf16/fp8",), ("bf16/bf16",)),
    "bf16/bf16": (("bf16/bf16",),),
}  # fmt: skip
#: Formats that are widened before they are multiplied, and the one whose peak their rows are fractions of.
_MULTIPLIED_AS: Final = {"int4-weights": "bf16", "mxfp4-weights": "bf16", "mxfp4-fp8": "fp8"}
#: Coefficients that are fractions of a bandwidth.
_STREAMS: Final = ("streaming", "quantise", "routing")
#: Makes of kernels, by what their names contain.
_MAKES: Final = ("marlin", "triton", "cutlass", "trtllm", "deepgemm", "cutedsl")
#: Whose kernels stand for an engine that nobody measured: those of the most widely used library of kernels.
_COMMON: Final = "vllm"
#: Units of a chip that does not state theirs: about those of the large chips that do.
_USUAL_UNITS: Final = 128.0
_USUAL_CLOCK: Final = 1.7e9
#: Host time of one PCIe generation over that of the one before. Source: Splitwise profiles, where the host rules: a
#: decode step of Llama-2-70B over 4 and 8 devices, 29.5 ms on DGX-H100 and 44 ms on DGX-A100.
_HOST_PER_GENERATION: Final = 0.67
_USUAL_PCIE: Final = 4.0
#: Sharpness of the smooth maximum of two limits of a stream.
_SOFT: Final = 4.0
#: Bandwidth, and that of a unit of a GPU, from which on memory is in stacks: its streams and latencies are others.
_STACKED: Final = (9e11, 1.4e10)
#: Octaves of a rate or of a bandwidth per unit that the kind of memory counts as; a narrower format counts as one.
_OCTAVES_OF_MEMORY: Final = 3.0
#: How fast likeness fades, per octave.
_FADING: Final = 2.5
#: Share of a launch or latency that is cycles of the clock; the rest is wires and memory.
_CLOCKED: Final = 0.75
#: Seconds that one kernel takes at most for nothing, or is late: what was measured beyond is the host, which launched
#: it from Python. Kernels from graphs need up to 16 us, others from 125 on.
_HOSTLESS: Final = 2e-5
#: How quick a kernel is, of the kinds that engines choose kernels for; and how many times as slow as its chip's
#: quickest one may be: an engine would not run one beyond.
_TYPICAL_TIMES: Final[dict[str, Callable[[Any], float]]] = {
    "matmul": kernels_matmul.typical_time, "experts": kernels_experts.typical_time,
}  # fmt: skip
_LAGGARD: Final = 2.0
#: Matrix rate of one SM: elsewhere a unit may be a whole array, and tiles are counted per this much rate.
_RATE_PER_UNIT: Final = 7e12


class Measured(NamedTuple):
    """One row of the shipped coefficients."""

    chip: str
    engine: str
    format: str
    kernel: str
    rows: int
    below: int
    error: float
    error_p90: float
    values: tuple[float, ...]


class Likeness(NamedTuple):
    """What of a datasheet says whose kernels suit a chip.

    `narrow` is 2 where there is a 4-bit matrix peak, 1 where there is one in fp8; `stacked` says that the memory is
    HBM, as its bandwidth tells; `rate` is the matrix FLOP/s and `stream` the byte/s of memory per unit; `dense` the
    matrix FLOP/s per watt; `clock` and `dense` are 0 where they are not known.
    """

    vendor: str
    narrow: int
    stacked: bool
    rate: float
    stream: float
    clock: float
    dense: float

    @property
    def family(self) -> tuple[str, bool, int]:
        """The class: maker, kind of memory, and with stacked memory the generation, as its formats tell it."""
        return self.vendor, self.stacked, self.narrow if self.stacked else 0

    def distance(self, other: Likeness) -> float:
        """Octaves between two chips."""
        memory = _OCTAVES_OF_MEMORY * (self.stacked != other.stacked)
        return hypot(log2(self.rate / other.rate), log2(self.stream / other.stream), self.narrow - other.narrow, memory)


def likeness(spec: GPUSpec) -> Likeness:
    """What of a spec says whose kernels suit the chip."""
    tensor, units = spec.peak.tensor, _units(spec)
    narrow = 2 if tensor.fp4 or tensor.nvfp4 else 1 if tensor.fp8 else 0
    peak, bandwidth = _half_peak(spec), spec.memory.bandwidth
    per_unit = bandwidth / units if spec.kind in ("gpu", "soc") else _STACKED[1]
    stacked = bandwidth >= _STACKED[0] and per_unit >= _STACKED[1]
    return Likeness(spec.vendor, narrow, stacked, peak / units, bandwidth / units, spec.clock or 0.0,
                    peak / spec.power if spec.power else 0.0)  # fmt: skip


@dataclass(frozen=True)
class Ceilings:
    """The shipped document: provenance, the measured chips, and rows by kind and chip, most measured kernels first."""

    source: str
    fitted: str
    known: Mapping[str, Likeness]
    rows: Mapping[str, Mapping[str, tuple[Measured, ...]]]

    @property
    def chips(self) -> tuple[str, ...]:
        """The measured chips."""
        return tuple(sorted(self.known))


@cache
def measured_ceilings() -> Ceilings:
    """The shipped coefficients, read once."""
    text = (files("roofline.machine") / "chip_efficiency.json").read_text(encoding="utf-8")
    data = json.loads(text)
    rows: dict[str, dict[str, list[Measured]]] = {}
    for kind, entry in data["kinds"].items():
        by_chip = rows.setdefault(kind, {})
        for row in entry["rows"]:
            by_chip.setdefault(row[0], []).append(Measured._make((*row[:-1], tuple(row[-1]))))
    ordered = {kind: {chip: tuple(sorted(found, key=lambda m: -m.rows)) for chip, found in by_chip.items()}
               for kind, by_chip in rows.items()}  # fmt: skip
    known = {chip: Likeness._make(facts) for chip, facts in data["chips"].items()}
    return Ceilings(data["source"], data["fitted"], known, ordered)


class StandIn(NamedTuple):
    """Whose coefficients a chip takes: its own (`measured`), a chip's of its class, or first of several `other`s."""

    chip: str
    quality: str


def stand_in(spec: GPUSpec, without: str | None = None) -> StandIn:
    """The measured chip whose coefficients stand for this one; `without` leaves one chip out, for judging."""
    known = {chip: like for chip, like in measured_ceilings().known.items() if chip != without}
    if spec.name in known:
        return StandIn(spec.name, "measured")
    own = likeness(spec)
    chip = stand_in_order(own, known)[0]
    return StandIn(chip, "class" if own.family == known[chip].family else "other")


def stand_in_order(own: Likeness, known: Mapping[str, Likeness]) -> tuple[str, ...]:
    """The measured chips, from the one most like this chip to the one least like it: those of its class first."""
    return tuple(sorted(known, key=lambda chip: (own.family != known[chip].family, own.distance(known[chip]))))


def choose(rows: Sequence[Measured], formats: Sequence[str], engine: str | None, kernel: str = "") -> Measured | None:
    """The row of one of some formats: of the engine, else of the common one, else the most measured kernel.

    `kernel` asks for a kernel whose name contains it; without formats, any will do.
    """
    rows = [row for row in rows if kernel in row.kernel]
    for owners in ((engine,), (_COMMON,), None):
        of_owner = [row for row in rows if owners is None or row.engine in owners]
        for name in formats:
            for row in of_owner:
                if row.format == name:
                    return row
    return rows[0] if rows and not formats else None


def counterpart(rows: Sequence[Measured], like: Measured) -> Measured | None:
    """The row of another chip that is most like a row: of the same kernel, else make, format, engine."""
    equals = _equals(like.format)
    found = [row for row in rows if row.format in equals and _part_of(row) == _part_of(like)]
    return max(found, default=None, key=lambda row: (
        row.kernel == like.kernel, _make_of(row) == _make_of(like), row.format == like.format,
        row.engine == like.engine, row.rows,
    ))  # fmt: skip


def _part_of(row: Measured) -> tuple[str, bool]:
    """Of a kind with parts (operations, phases, convolutions beside scans), which it is."""
    first, _, rest = row.kernel.partition(" ")
    return first if rest else "", "conv" in row.kernel


def _make_of(row: Measured) -> str:
    name = row.kernel.lower()
    return next((make for make in _MAKES if make in name), "")


def borrow(
    kind: str, like: Measured, own: Likeness, by_chip: Mapping[str, Sequence[Measured]], known: Mapping[str, Likeness]
) -> tuple[float, ...] | None:
    """Coefficients for a chip without measurements, from rows like one: of its class, else a mean over all classes.

    Each class counts once, by its chip that is nearest; None where no chip has such a row.
    """
    found: list[tuple[str, Measured]] = []
    for chip in stand_in_order(own, known):
        if (row := counterpart(by_chip.get(chip, ()), like)) is not None:
            found.append((chip, row))
    if not found:
        return None
    if own.family == known[found[0][0]].family:
        found = found[:1]
    nearest = {known[chip].family: (chip, row) for chip, row in reversed(found)}
    taken = [(chip, row) for chip, row in nearest.values() if len(row.values) == len(found[0][1].values)]
    shares = [exp(-_FADING * own.distance(known[chip])) for chip, _ in taken]
    scaled = [_adapted(kind, row.values, known[chip], own) for chip, row in taken]
    mean = [_mean(name, column, shares, kind)
            for name, column in zip(_TYPES[kind]._fields, zip(*scaled, strict=True), strict=False)]  # fmt: skip
    counts = COUNTS.get(kind, 0)  # of queries that share a key, of parts: not to be averaged
    return (*mean[: len(mean) - counts], *found[0][1].values[len(mean) - counts :])


def _mean(name: str, values: Sequence[float], shares: Sequence[float], kind: str) -> float:
    """Of times that add up the arithmetic mean, else the geometric one; of fractions of a bandwidth, of all alike."""
    weights = [1.0] * len(shares) if name in _STREAMS else shares
    if name.endswith("_s") and kind != "collective":
        return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
    return exp(sum(weight * log(value) for weight, value in zip(weights, values, strict=True)) / sum(weights))


def _adapted(kind: str, values: Sequence[float], of: Likeness, own: Likeness) -> list[float]:
    """Coefficients of one chip for another of its maker.

    Times shrink with the clock. What the power limit costs products grows with the FLOP/s that a watt must feed.
    """
    factors: dict[str, float] = {}
    if of.vendor == own.vendor:
        if of.clock and own.clock:
            times = (of.clock / own.clock) ** _CLOCKED
            factors = {name: times for name in _TYPES[kind]._fields if name.endswith("_s")}
        if kind == "matmul" and of.dense and own.dense:
            factors["droop"] = own.dense / of.dense
    return [v * factors.get(name, 1.0) for name, v in zip(_TYPES[kind]._fields, values, strict=False)]


@cache
def _rows_without(kind: str, without: str | None) -> tuple[Mapping[str, Sequence[Measured]], Mapping[str, Likeness]]:
    """The rows of a kind by chip, and the chips that have some; `without` one of them."""
    ceilings = measured_ceilings()
    by_chip = {chip: without_laggards(kind, rows) for chip, rows in ceilings.rows[kind].items() if chip != without}
    return by_chip, {chip: ceilings.known[chip] for chip in by_chip}


def without_laggards(kind: str, rows: Sequence[Measured]) -> Sequence[Measured]:
    """Rows without the kernels of products and of experts that no engine would run: its chip has one twice as quick."""
    typical = _TYPICAL_TIMES.get(kind)
    if typical is None:
        return rows
    times = {row: typical(_hostless(kind, _TYPES[kind](*row.values))) for row in rows}
    equals = {row: _equals(row.format) for row in rows}
    return [row for row in rows
            if times[row] <= _LAGGARD * min(times[other] for other in rows if other.format in equals[row])]  # fmt: skip


def _hostless(kind: str, c: Any) -> Any:
    """Coefficients without the host's time: an engine has its own. Experts and collectives are several kernels."""
    if kind in ("experts", "collective"):
        return c
    late = [name for name in ("fixed_s", "latency_s") if getattr(c, name, 0.0) > _HOSTLESS]
    return c._replace(**dict.fromkeys(late, _HOSTLESS)) if late else c


def _equals(name: str) -> tuple[str, ...]:
    """The formats that are as good as one, itself among them."""
    return next((equals for equals in _STAND_INS.get(name, ()) if name in equals), (name,))


@dataclass(frozen=True)
class ChipEfficiency:
    """Coefficients of one chip, or of several on an axis, as an engine's kernels reach them.

    `quality` says of each chip how it is known: measured, class or other.
    """

    names: tuple[str, ...]
    stand_ins: tuple[StandIn, ...]
    engine: Engine
    units: Num
    ceilings: tuple[float | None, ...]
    likenesses: tuple[Likeness, ...]
    peaks: tuple[Mapping[str, float], ...]
    unit_peaks: Num
    unit_streams: Num
    half_gain: Num = 1.0
    base_clock: Num = 1.0  # over the boost clock, of a board whose power limit is low; else 1
    link: Num = 0.0
    host: Num = 1.0
    exchange: Num = 1.0
    linked: bool = False  # whether every chip has a link to its neighbours
    without: str | None = None
    shape: tuple[int, ...] | None = None
    _known: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls, *specs: GPUSpec, engine: Engine = BARE, shape: tuple[int, ...] | None = None,
        without: str | None = None,
    ) -> ChipEfficiency:  # fmt: skip
        """The coefficients for one spec (scalars), or several stacked along the first axis (reshaped to `shape`)."""
        single = len(specs) == 1 and shape is None
        units = [_units(spec) for spec in specs]
        links = [_link(spec) for spec in specs]
        clocked = [number * _clock(spec) for spec, number in zip(specs, units, strict=True)]
        rates = [_half_peak(spec) / clocks for spec, clocks in zip(specs, clocked, strict=True)]
        streams = [spec.memory.bandwidth / clocks for spec, clocks in zip(specs, clocked, strict=True)]

        return cls(
            names=tuple(spec.name for spec in specs),
            stand_ins=tuple(stand_in(spec, without) for spec in specs),
            engine=engine,
            units=stack(units, shape),
            ceilings=tuple(_known_ceiling(spec) for spec in specs),
            likenesses=tuple(likeness(spec) for spec in specs),
            peaks=tuple(_served(spec) for spec in specs),
            unit_peaks=stack(rates, shape),
            unit_streams=stack(streams, shape),
            half_gain=stack([_half_gain(spec) for spec in specs], shape),
            base_clock=stack([_base_clock(spec) for spec in specs], shape),
            link=stack(links, shape),
            host=stack([_host(spec) for spec in specs], shape),
            exchange=stack([_exchange(spec, engine) for spec in specs], shape),
            linked=min(links) > 0.0,
            without=without,
            shape=None if single else (shape or (len(specs),)),
        )

    @property
    def quality(self) -> str:
        """How the coefficients are known: measured, class or other; the poorest where several chips are stacked."""
        return max((known.quality for known in self.stand_ins), key=("measured", "class", "other").index)

    def coefficients(self, kind: str, dtype: str, kernel: str = "") -> Any:
        """The named tuple of coefficients of a kind of kernel in a format, as the engine scales them; made once.

        More kinds than were measured: `narrow` is the matrix product of weights that must be widened, `stream` the
        kernels without tiles. Both start from the matrix product. For those of image models see `kernels_image`.
        """
        if not self.engine.fed and not kind.startswith("vector"):
            kind = IMAGE_KINDS.get(kind, kind)
        key = (kind, dtype + kernel)
        found = self._known.get(key)
        if found is None:
            measured = "matmul" if kind in ("narrow", "stream") else IMAGE_KINDS.get(kind, kind)
            each = [self._of_chip(i, measured, dtype, kernel) for i in range(len(self.names))]
            if self.shape is None:
                found = each[0]
            else:
                columns = zip(*each, strict=True)
                found = _TYPES[measured](*(stack(column, self.shape) for column in columns))
            found = self._known[key] = _scaled(kind, found, self)
        return found

    def _of_chip(self, index: int, kind: str, dtype: str, kernel: str) -> Any:
        own, peaks = self.likenesses[index], self.peaks[index]
        by_chip, known = _rows_without(kind, self.without)
        formats = _STAND_INS.get(dtype, ((dtype,), ("bf16",)))
        if dtype == "mxfp4" and peaks["fp4"] <= peaks["fp8"]:
            formats = _STAND_INS["mxfp4-weights"]
        order = stand_in_order(own, known)
        if self.names[index] in known:
            order = (self.names[index], *order)
        apart = 1 if self.names[index] in known or own.family == known[order[0]].family else len(order)
        row = next(
            found for chips in (order[:apart], order[apart:]) for equals in (*formats, ()) for chip in chips
            if (found := choose(by_chip[chip], equals, self.engine.library, kernel)) is not None
        )  # fmt: skip
        values: Sequence[float] | None = row.values
        if row.chip != self.names[index]:
            values = borrow(kind, row, own, by_chip, known)
        assert values is not None
        result = _hostless(kind, _TYPES[kind](*values))
        ceiling = self.ceilings[index]
        if kind == "matmul" and self.stand_ins[index].quality != "measured" and ceiling is not None:
            result = result._replace(ceiling=ceiling)
        if dtype == "mxfp4" and row.format in _MULTIPLIED_AS:
            result = result._replace(ceiling=result.ceiling * peaks[_MULTIPLIED_AS[row.format]] / peaks["fp4"])
        return result


def _scaled(kind: str, c: Any, chip: ChipEfficiency) -> Any:
    """Coefficients as an engine's kernels reach them; no fraction of a peak goes above 1."""
    engine = chip.engine
    if engine is BARE or not hasattr(c, "fixed_s"):
        return c
    if kind in IMAGE_KINDS or (engine.fed and kind in ("matmul", "narrow", "stream", "encoder")):
        return scaled_image(kind, c, chip)
    launch = engine.rows if kind == "stream" else engine.launch
    changes = {"fixed_s": c.fixed_s * launch}
    if kind in ("matmul", "narrow", "stream", "experts"):
        compute, streaming = engine.compute, engine.streaming
        if kind == "narrow":
            compute, streaming = compute * engine.narrow_compute, streaming * engine.narrow_streaming
        gain = chip.half_gain if engine.half_sums else 1.0
        ceiling = minimum(c.ceiling * (compute * gain), 1.0)
        if engine.unit_rate:
            most = engine.unit_rate * (engine.narrow_compute if kind == "narrow" else 1.0)
            ceiling = minimum(ceiling, most / chip.unit_peaks)
        reached = minimum(c.streaming * streaming, 1.0)
        if engine.unit_stream:  # both limits are soft: where they are the same, either costs a fifth more
            widest = engine.unit_stream / chip.unit_streams
            reached = reached * widest / smooth_maximum(reached, widest, _SOFT)
        changes |= {"ceiling": ceiling, "streaming": reached}
        if kind == "experts":
            changes["sort_s"] = c.sort_s * launch
        else:
            changes["latency_s"] = c.latency_s * launch
    elif kind in ("prefill", "encoder", "mla prefill"):
        changes |= {"ceiling": minimum(c.ceiling * engine.attention, 1.0), "latency_s": c.latency_s * launch}
    elif kind in ("decode", "mla decode"):
        changes |= {"streaming": minimum(c.streaming * engine.cache, 1.0), "merge_s": c.merge_s * launch,
                    "stream_s": c.stream_s / engine.cache, "tile_s": c.tile_s / engine.cache}  # fmt: skip
    return c._replace(**changes)


def _units(spec: GPUSpec) -> float:
    """Units that tiles are dealt to; of an accelerator of few large units, as many as its matrix rate would feed."""
    if spec.units is not None and spec.kind in ("gpu", "soc"):
        return float(spec.units.count)
    peak = spec.peak.tensor.bf16 or spec.peak.tensor.fp16
    return max(1.0, round(peak / _RATE_PER_UNIT)) if peak else _USUAL_UNITS


def _clock(spec: GPUSpec) -> float:
    """Clock of the units; that of most chips where it is not stated."""
    return spec.clock or _USUAL_CLOCK


def _host(spec: GPUSpec) -> float:
    """Host time over that of a host of PCIe 4.0: chips come with processors of their years."""
    pcie = spec.links.pcie if spec.links is not None else None
    return 1.0 if pcie is None else _HOST_PER_GENERATION ** (float(pcie.generation.split()[0]) - _USUAL_PCIE)


def _exchange(spec: GPUSpec, engine: Engine) -> float:
    """The engine's factor on collectives over the link that a chip has."""
    own = spec.links is not None and spec.links.scale_up is not None
    return engine.exchange if own else engine.exchange_pcie


def _link(spec: GPUSpec) -> float:
    """Bandwidth of the link to the neighbours, per direction; 0 where there is none."""
    link = (spec.links.scale_up or spec.links.pcie) if spec.links is not None else None
    return link.bandwidth if link is not None else 0.0


def _half_gain(spec: GPUSpec) -> float:
    """How much faster matrix products are when they sum in 16 bit."""
    tensor = spec.peak.tensor
    return tensor.fp16_acc16 / tensor.fp16 if tensor.fp16_acc16 and tensor.fp16 else 1.0


def _base_clock(spec: GPUSpec) -> float:
    return spec.base_clock / spec.clock if spec.base_clock and spec.clock else 1.0


def _half_peak(spec: GPUSpec) -> float:
    """The matrix rate in 16 bit, or the best that there is."""
    tensor, vector = spec.peak.tensor, spec.peak.vector
    listed = [value for _, value in (*tensor, *(vector or ())) if value]
    return tensor.fp16 or tensor.bf16 or max(listed)


def _served(spec: GPUSpec) -> dict[str, float]:
    """Matrix peaks by format, those of the next wider one where there is none."""
    tensor, half = spec.peak.tensor, _half_peak(spec)
    return {"bf16": half, "fp8": tensor.fp8 or half, "fp4": tensor.fp4 or tensor.nvfp4 or tensor.fp8 or half}


def _known_ceiling(spec: GPUSpec) -> float | None:
    """The best measured matrix product over the peak, where somebody measured one."""
    measured, peak = spec.measured_matmul, spec.peak.tensor
    if measured is None or spec.vendor == "nvidia":  # NVIDIA's chips are met better by a sibling's coefficients
        return None
    for best, most in ((measured.bf16, peak.bf16), (measured.fp16, peak.fp16)):
        if best and most:
            return min(1.0, best / most)
    return None
