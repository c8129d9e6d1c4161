"""The shipped coefficients of measured kernels, and what makes one chip like another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import hypot, log2
from typing import Any, Final, NamedTuple

from roofline.machine.chips.facts import USUAL_EXPONENTIALS, exponentials_of, half_peak_of, is_stacked, units_of
from roofline.machine.kernels.attention import DecodeCoefficients, PrefillCoefficients
from roofline.machine.kernels.collective import CollectiveCoefficients
from roofline.machine.kernels.experts import ExpertsCoefficients
from roofline.machine.kernels.matmul import MatmulCoefficients
from roofline.machine.kernels.rows import RowsCoefficients
from roofline.machine.kernels.scan import ScanCoefficients
from roofline.specs.gpu import GPUSpec

COEFFICIENTS: Final[dict[str, type[Any]]] = {
    "matmul": MatmulCoefficients,
    "experts": ExpertsCoefficients,
    "rows": RowsCoefficients,
    "collective": CollectiveCoefficients,
    **dict.fromkeys(("prefill", "encoder", "mla prefill"), PrefillCoefficients),
    **dict.fromkeys(("decode", "mla decode"), DecodeCoefficients),
    **dict.fromkeys(("gated delta net", "kda", "mamba-2"), ScanCoefficients),
}
#: Coefficients at the end that are counts, by kind.
COUNTS: Final = {"decode": 2, "mla decode": 2}
#: Octaves of a rate or of a bandwidth per unit that the kind of memory counts as; a narrower format counts as one.
_OCTAVES_OF_MEMORY: Final = 3.0


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
    matrix FLOP/s per watt; `clock` and `dense` are 0 where they are not known. `exponentials` per clock and unit.
    """

    vendor: str
    narrow: int
    stacked: bool
    rate: float
    stream: float
    clock: float
    dense: float
    exponentials: float = USUAL_EXPONENTIALS

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
    tensor, units = spec.peak.tensor, units_of(spec)
    narrow = 2 if tensor.fp4 or tensor.nvfp4 else 1 if tensor.fp8 else 0
    peak, bandwidth = half_peak_of(spec), spec.memory.bandwidth
    clock, dense = spec.clock or 0.0, peak / spec.power if spec.power else 0.0
    per_unit = peak / units, bandwidth / units
    return Likeness(spec.vendor, narrow, is_stacked(spec), *per_unit, clock, dense, exponentials_of(spec))


class Ceilings(NamedTuple):
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
    text = (files("roofline.machine.chips") / "chip_efficiency.json").read_text(encoding="utf-8")
    data = json.loads(text)
    rows = {kind: _by_chip(entry["rows"]) for kind, entry in data["kinds"].items()}
    known = {chip: Likeness(*facts) for chip, facts in data["chips"].items()}
    return Ceilings(data["source"], data["fitted"], known, rows)


def _by_chip(rows: Iterable[Sequence[Any]]) -> dict[str, tuple[Measured, ...]]:
    found: dict[str, list[Measured]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Measured._make((*row[:-1], tuple(row[-1]))))
    return {chip: tuple(sorted(measured, key=lambda m: -m.rows)) for chip, measured in found.items()}
