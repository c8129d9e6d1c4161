"""How far kernels stay from the roof on a given chip: measured coefficients, and what stands in where there are none.

The coefficients are data (`chip_efficiency.json`), fitted by `roofline.analysis.calibrate_kernels` to measured kernels.
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

import numpy as np

from roofline.machine.kernels_attention import DecodeCoefficients, PrefillCoefficients
from roofline.machine.kernels_collective import CollectiveCoefficients
from roofline.machine.kernels_experts import ExpertsCoefficients
from roofline.machine.kernels_matmul import MatmulCoefficients
from roofline.machine.kernels_rows import RowsCoefficients
from roofline.machine.kernels_scan import ScanCoefficients
from roofline.num import Num
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
#: A unit of other makers is a smaller or larger thing than an SM: tiles are counted per this much matrix rate.
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
    tensor, bandwidth = spec.peak.tensor, spec.memory.bandwidth
    nvidia = spec.vendor == "nvidia"
    stacked = bandwidth >= 1.2e12  # HBM, whose streams and latencies differ from those of GDDR
    if nvidia and (tensor.fp4 or tensor.nvfp4) and stacked:
        order = ("b200-sxm", "gb200", "h100-sxm", "a100-sxm-80gb", "l40s")
    elif stacked and (not nvidia or tensor.fp8):
        order = ("h100-sxm", "a100-sxm-80gb", "b200-sxm", "gb200", "l40s")
    elif stacked:
        order = ("a100-sxm-80gb", "h100-sxm", "l40s", "b200-sxm", "gb200")
    else:
        order = ("l40s", "a100-sxm-80gb", "h100-sxm", "b200-sxm", "gb200")
    chip = next(name for name in order if name in known)
    return StandIn(chip, "class" if nvidia and chip == order[0] else "other")


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
    engine: str | None
    units: Num
    ceilings: tuple[float | None, ...]
    shape: tuple[int, ...] | None = None
    _known: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls, *specs: GPUSpec, engine: str | None = None, shape: tuple[int, ...] | None = None,
        without: str | None = None,
    ) -> ChipEfficiency:  # fmt: skip
        """The coefficients for one spec (scalars), or several stacked along the first axis (reshaped to `shape`)."""
        single = len(specs) == 1 and shape is None
        units = [_units(spec) for spec in specs]
        return cls(
            names=tuple(spec.name for spec in specs),
            stand_ins=tuple(stand_in(spec, without) for spec in specs),
            engine=engine,
            units=units[0] if single else np.asarray(units, dtype=np.float64).reshape(shape or (-1,)),
            ceilings=tuple(_known_ceiling(spec) for spec in specs),
            shape=None if single else (shape or (len(specs),)),
        )

    def coefficients(self, kind: str, dtype: str, kernel: str = "") -> Any:
        """The named tuple of coefficients of a kind of kernel in a format; looked up once."""
        key = (kind, dtype + kernel)
        found = self._known.get(key)
        if found is None:
            each = [self._of_chip(i, kind, dtype, kernel) for i in range(len(self.names))]
            if self.shape is None:
                found = each[0]
            else:
                columns = zip(*each, strict=True)
                found = _TYPES[kind](*(np.asarray(column).reshape(self.shape) for column in columns))
            self._known[key] = found
        return found

    def _of_chip(self, index: int, kind: str, dtype: str, kernel: str) -> Any:
        by_chip = measured_ceilings().rows[kind]
        chip, quality = self.stand_ins[index]
        formats = _STAND_INS.get(dtype, (dtype, "bf16"))
        row = choose(by_chip.get(chip, ()), formats, self.engine, kernel)
        if row is None:  # a kind that was not measured on this chip
            others = [row for rows in by_chip.values() for row in rows]
            row = choose(sorted(others, key=lambda m: -m.rows), formats, self.engine, kernel) or others[0]
        result = _TYPES[kind](*row.values)
        ceiling = self.ceilings[index]
        if kind == "matmul" and quality != "measured" and ceiling is not None:
            result = result._replace(ceiling=ceiling)
        return result


def _units(spec: GPUSpec) -> float:
    if spec.vendor != "nvidia":
        peaks = [peak for peak in (spec.peak.tensor.bf16, spec.peak.tensor.fp16) if peak]
        return max(1.0, round(peaks[0] / _RATE_PER_UNIT)) if peaks else _USUAL_UNITS
    return float(spec.units.count) if spec.units is not None else _USUAL_UNITS


def _known_ceiling(spec: GPUSpec) -> float | None:
    """The best measured matrix product over the peak, where somebody measured one."""
    measured, peak = spec.measured_matmul, spec.peak.tensor
    if measured is None:
        return None
    for best, most in ((measured.bf16, peak.bf16), (measured.fp16, peak.fp16)):
        if best and most:
            return min(1.0, best / most)
    return None
