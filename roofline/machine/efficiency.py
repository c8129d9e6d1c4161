"""How far kernels stay from the roof on a given chip: measured coefficients, and what stands in where there are none.

The coefficients are data (`chip_efficiency.json`), fitted by `roofline.analysis.kernels.fit` to measured kernels.
A chip that was not measured takes those of the measured chip of its class: they are fractions of the chip's own peaks,
and times of launches and latencies, which chips of one generation share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from roofline.machine.engine import BARE, Engine
from roofline.machine.kernels_attention import DecodeCoefficients, PrefillCoefficients
from roofline.machine.kernels_collective import CollectiveCoefficients
from roofline.machine.kernels_common import smooth_maximum
from roofline.machine.kernels_experts import ExpertsCoefficients
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
#: Which measured formats may stand in for a format, in this order.
_STAND_INS: Final[dict[str, tuple[str, ...]]] = {
    "fp8": ("fp8", "fp8_block", "bf16"), "fp4": ("fp4", "mxfp4-fp8", "fp8", "bf16"), "int8": ("int8", "fp8", "bf16"),
    "bf16/fp8": ("bf16/fp8", "bf16/bf16"), "fp8/fp8": ("fp8/fp8", "bf16/fp8", "bf16/bf16"),
    "bf16/bf16": ("bf16/bf16",),
}  # fmt: skip
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


@dataclass(frozen=True)
class Ceilings:
    """The shipped document: provenance, and rows by kind and chip, those of the most measured kernels first."""

    source: str
    fitted: str
    rows: Mapping[str, Mapping[str, tuple[Measured, ...]]]

    @property
    def chips(self) -> tuple[str, ...]:
        """The measured chips."""
        return tuple(sorted({chip for kinds in self.rows.values() for chip in kinds}))


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
    return Ceilings(data["source"], data["fitted"], ordered)


class StandIn(NamedTuple):
    """Whose coefficients a chip takes: its own (`measured`), a chip's of its class, or those of another maker's."""

    chip: str
    quality: str


def stand_in(spec: GPUSpec, without: str | None = None) -> StandIn:
    """The measured chip whose coefficients stand for this one; `without` leaves one chip out, for judging."""
    known = [chip for chip in measured_ceilings().chips if chip != without]
    if spec.name in known:
        return StandIn(spec.name, "measured")
    order = stand_in_order(spec)
    chip = next(name for name in order if name in known)
    return StandIn(chip, "class" if spec.vendor == "nvidia" and chip == order[0] else "other")


def stand_in_order(spec: GPUSpec) -> tuple[str, ...]:
    """The measured chips, from the one most like this chip to the one least like it."""
    tensor, nvidia = spec.peak.tensor, spec.vendor == "nvidia"
    stacked = spec.memory.bandwidth >= 1.2e12  # HBM, whose streams and latencies differ from those of GDDR
    if not stacked:
        return ("l40s", "a100-sxm-80gb", "h100-sxm", "b200-sxm", "gb200")
    if nvidia and (tensor.fp4 or tensor.nvfp4):
        return ("b200-sxm", "gb200", "h100-sxm", "a100-sxm-80gb", "l40s")
    if nvidia and not tensor.fp8:
        return ("a100-sxm-80gb", "h100-sxm", "l40s", "b200-sxm", "gb200")
    return ("h100-sxm", "a100-sxm-80gb", "b200-sxm", "gb200", "l40s")


def choose(rows: Sequence[Measured], formats: Sequence[str], engine: str | None, kernel: str = "") -> Measured | None:
    """The row of the first format that has one: of the engine, else of the common one, else the most measured kernel.

    `kernel` asks for a kernel whose name contains it.
    """
    rows = [row for row in rows if kernel in row.kernel]
    for name in formats:
        of_format = [row for row in rows if row.format == name]
        of_engine = [row for row in of_format if row.engine == engine]
        of_common = [row for row in of_format if row.engine == _COMMON]
        if of_format:
            return (of_engine or of_common or of_format)[0]
    return rows[0] if rows else None


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
    unit_peaks: Num
    unit_streams: Num
    half_gain: Num = 1.0
    link: Num = 0.0
    host: Num = 1.0
    linked: bool = False  # whether every chip has a link to its neighbours
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
            unit_peaks=stack(rates, shape),
            unit_streams=stack(streams, shape),
            half_gain=stack([_half_gain(spec) for spec in specs], shape),
            link=stack(links, shape),
            host=stack([_host(spec) for spec in specs], shape),
            linked=min(links) > 0.0,
            shape=None if single else (shape or (len(specs),)),
        )

    @property
    def quality(self) -> str:
        """How the coefficients are known: measured, class or other; the poorest where several chips are stacked."""
        return max((known.quality for known in self.stand_ins), key=("measured", "class", "other").index)

    def coefficients(self, kind: str, dtype: str, kernel: str = "") -> Any:
        """The named tuple of coefficients of a kind of kernel in a format, as the engine scales them; made once.

        Two kinds more than were measured: `narrow` is the matrix product of weights that must be widened, `stream` the
        kernels without tiles. Both start from the matrix product.
        """
        key = (kind, dtype + kernel)
        found = self._known.get(key)
        if found is None:
            measured = "matmul" if kind in ("narrow", "stream") else kind
            each = [self._of_chip(i, measured, dtype, kernel) for i in range(len(self.names))]
            if self.shape is None:
                found = each[0]
            else:
                columns = zip(*each, strict=True)
                found = _TYPES[measured](*(stack(column, self.shape) for column in columns))
            found = self._known[key] = _scaled(kind, found, self)
        return found

    def _of_chip(self, index: int, kind: str, dtype: str, kernel: str) -> Any:
        by_chip = measured_ceilings().rows[kind]
        chip, quality = self.stand_ins[index]
        formats = _STAND_INS.get(dtype, (dtype, "bf16"))
        row = choose(by_chip.get(chip, ()), formats, self.engine.library, kernel)
        if row is None:  # a kind that was not measured on this chip
            others = [row for rows in by_chip.values() for row in rows]
            row = choose(sorted(others, key=lambda m: -m.rows), formats, self.engine.library, kernel) or others[0]
        result = _TYPES[kind](*row.values)
        ceiling = self.ceilings[index]
        if kind == "matmul" and quality != "measured" and ceiling is not None:
            result = result._replace(ceiling=ceiling)
        return result


def _scaled(kind: str, c: Any, chip: ChipEfficiency) -> Any:
    """Coefficients as an engine's kernels reach them; no fraction of a peak goes above 1."""
    engine = chip.engine
    if engine is BARE or not hasattr(c, "fixed_s"):
        return c
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
        if kind != "experts":
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


def _link(spec: GPUSpec) -> float:
    """Bandwidth of the link to the neighbours, per direction; 0 where there is none."""
    link = (spec.links.scale_up or spec.links.pcie) if spec.links is not None else None
    return link.bandwidth if link is not None else 0.0


def _half_gain(spec: GPUSpec) -> float:
    """How much faster matrix products are when they sum in 16 bit."""
    tensor = spec.peak.tensor
    return tensor.fp16_acc16 / tensor.fp16 if tensor.fp16_acc16 and tensor.fp16 else 1.0


def _half_peak(spec: GPUSpec) -> float:
    """The matrix rate in 16 bit, or the best that there is."""
    tensor, vector = spec.peak.tensor, spec.peak.vector
    listed = [value for _, value in (*tensor, *(vector or ())) if value]
    return tensor.fp16 or tensor.bf16 or max(listed)


def _known_ceiling(spec: GPUSpec) -> float | None:
    """The best measured matrix product over the peak, where somebody measured one."""
    measured, peak = spec.measured_matmul, spec.peak.tensor
    if measured is None or spec.vendor == "nvidia":  # NVIDIA's chips are met better by a sibling's coefficients
        return None
    for best, most in ((measured.bf16, peak.bf16), (measured.fp16, peak.fp16)):
        if best and most:
            return min(1.0, best / most)
    return None
