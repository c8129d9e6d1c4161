"""The chips of the library, told by what no rate changes: what suits a chip suits it at other rates too.

A what-if on a chip (half as much bandwidth again, twice the FLOP/s) is the same chip: it keeps its units and the
kernels that stand in for its own, so that more of a rate never takes longer. A chip is known by its name, or, where it
is called otherwise, by all that its file says but rates: maker, units, clocks, power, memory and formats.

`library.json` is written by `python -m roofline.analysis.catalogue.index`.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.machine.chips.coefficients import Likeness, likeness
from roofline.machine.chips.facts import units_of
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_gpu
from roofline.specs.gpu import GPUSpec

LIBRARY: Final = Path(__file__).with_name("library.json")


class Known(NamedTuple):
    """What suits a chip of the library: its likeness to others, and the units that tiles are dealt to."""

    likeness: Likeness
    units: float


class _Chips(NamedTuple):
    """The chips of the library by name and maker, and by what their files say but rates."""

    by_name: Mapping[tuple[str, str], Known]
    by_body: Mapping[Hashable, Known]


def known_as(spec: GPUSpec) -> Known:
    """What suits a chip: as the library has it, at whatever rates; of one that it does not have, as its file says."""
    chips = _chips()
    found = chips.by_name.get((spec.name, spec.vendor)) or chips.by_body.get(_body(spec))
    return found or Known(likeness(spec), units_of(spec))


def class_of(name: str) -> tuple[str, bool, int] | None:
    """The class of a chip of the library, as `Likeness.family` tells it; None of one that it does not have."""
    return next((known.likeness.family for (own, _), known in _chips().by_name.items() if own == name), None)


def _body(spec: GPUSpec) -> Hashable:
    """All that a file says of a chip but its name and rates."""
    tensor, vector = spec.peak.tensor, spec.peak.vector
    formats = [name for name, value in (*tensor, *(vector or ())) if value is not None]
    units = spec.units.count if spec.units is not None else None
    return spec.vendor, spec.kind, units, spec.clock, spec.base_clock, spec.power, spec.memory.size, *formats


@cache
def _chips() -> _Chips:
    rows: dict[str, Any] = json.loads(LIBRARY.read_text(encoding="utf-8"))
    by_name: dict[tuple[str, str], Known] = {}
    by_body: dict[Hashable, Known] = {}
    for name, (body, facts, units) in rows.items():
        known = Known(Likeness(*facts), units)
        by_name[name, known.likeness.vendor] = known
        by_body.setdefault(tuple(body), known)
    return _Chips(by_name, by_body)


def text() -> str:
    """The table as the bundled files have it: a line per chip."""
    specs = [read_gpu(path) for path in sorted(bundled("hardware").glob("*.yaml"))]
    rows = [f"{json.dumps(spec.name)}: {json.dumps([_body(spec), likeness(spec), units_of(spec)])}" for spec in specs]
    return "{\n" + ",\n".join(rows) + "\n}\n"
