"""The dots of a roofline plot: kernels at their intensity and the rate at which they run, those that are alike as one.

Kernels of one name and size are one; what would then lie on one another is one dot, the more generously the more there
are. What has no FLOPs of matrices, and takes much of the time, stands beside the roofs; of a run that has none of them
it is a dot by its vector FLOPs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from roofline.analysis.clock import GAPS, REQUEST, SEQUENCES, STEP
from roofline.report.plots.geometry import Anchor, Point
from roofline.report.plots.roof.ledger import At, Kernel, Ledger

#: Kernels nearer than this on paper, in points, are one dot; where there are very many, up to the second distance.
_MERGED, _CROWDED, _WIDER = 3.5, 10.0, 1.4
#: A dot nearer to a larger one than this part of its radius is within it.
_COVERED: Final = 0.9
#: Dots that a picture holds before they are merged more generously.
_MANY: Final = 24
#: The share of the whole run below which one of very many kernels is left out.
_SLIGHT: Final = 0.002
#: The share of the whole run from which on kernels without FLOPs of matrices are shown.
SHOWN: Final = 0.05
#: Areas in square points: of all of the time, and of the smallest dots, which are drawn larger than they are.
_WHOLE, _SMALLEST = 320.0, 9.0
_NUMBERED: Final = re.compile(r"\d+$")
#: What kernels are called that are left out for the little time that they take.
LESSER: Final = "lesser kernels"
#: What the host adds beside ops.
_OF_HOST: Final = (GAPS, STEP, SEQUENCES, REQUEST)
#: What kernels without FLOPs of matrices are called, by kind.
KINDS: Final = {
    "norm": "norms",
    "pointwise": "element-wise ops",
    "gather": "look-ups",
    "collective": "transfers over links",
    "scan": "scans",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes: limits (SI, logarithmic), size in points, and what dots have of their usual area."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float
    scale: float = 1.0

    def point(self, intensity: float, rate: float) -> Point:
        """A place in points from the lower left corner."""
        return self.width * _part(intensity, *self.x), self.height * _part(rate, *self.y)

    def part(self, point: Point) -> Point:
        """A place in points as parts of the axes."""
        return point[0] / self.width, point[1] / self.height


def _part(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


class Unit(NamedTuple):
    """Kernels of one phase that are told as one: their name, what tells them from others of it, and the kernels."""

    name: str
    detail: str
    kernels: tuple[Kernel, ...]

    def spent(self, at: At) -> float:
        """Seconds in the whole run."""
        return sum(kernel.spent(at) for kernel in self.kernels)


@dataclass(frozen=True, slots=True)
class Dot:
    """One or several units of a phase: FLOP/byte, FLOP/s at the time that is shown and at the bound, share of the run.

    `vector`: its FLOPs are those of vector units, for it has no others.
    """

    phase: str
    units: tuple[Unit, ...]
    intensity: float
    rate: float
    bound: float
    share: float
    vector: bool = False

    @property
    def kernels(self) -> list[Kernel]:
        """All its kernels."""
        return [kernel for unit in self.units for kernel in unit.kernels]

    def anchor(self, frame: Frame) -> Anchor:
        """Where it lies on paper, as a disc."""
        return Anchor(*frame.point(self.intensity, self.rate), math.sqrt(area(self.share, frame)) / 2)


class Beside(NamedTuple):
    """Kernels of a phase that have no place under the roofs, and the part of the whole run that they take."""

    phase: str
    name: str
    kernels: tuple[Kernel, ...]
    share: float


class Found(NamedTuple):
    """What of a run is drawn: dots, what stands beside the roofs, and by kind the share of the run that is neither.

    `slight`: how many kernels, by name and size, are left out for the little time that they take.
    """

    dots: list[Dot]
    beside: list[Beside]
    left: dict[str, float]
    slight: int = 0


def area(share: float, frame: Frame) -> float:
    """The area of a dot in square points; the smallest are drawn larger than they are, to be seen."""
    return max(_WHOLE * frame.scale * share, _SMALLEST)


def find(ledger: Ledger, at: At, frame: Frame | None = None, most: int = _MANY) -> Found:
    """What of a run is drawn, the heaviest first; without a frame nothing is merged."""
    make = partial(_dot, ledger, at)
    seen = {phase: _units(k for k in ledger.of(phase) if k.is_seen and k.seconds(at) > 0) for phase in ledger.phases}
    seen, slight = _without_slight(ledger, at, seen)
    dots = _merged(make, seen, frame, most)
    beside: list[Beside] = []
    left = {LESSER: sum(ledger.share(unit.kernels, at) for unit in slight)} if slight else {}
    for (phase, name), group in _silent(ledger).items():
        share = ledger.share(group, at)
        if not dots and share > 0 and _has_vectors(group):
            dots.append(make(phase, [Unit(name, "", tuple(group))], vector=True))
        elif share > SHOWN:
            beside.append(Beside(phase, name, tuple(group), share))
        else:
            left[name] = left.get(name, 0.0) + share
    order = sorted(dots, key=lambda dot: (-dot.share, dot.phase, dot.units[0].name))
    return Found(order, sorted(beside, key=lambda one: -one.share), left, len(slight))


def _without_slight(ledger: Ledger, at: At, seen: dict[str, list[Unit]]) -> tuple[dict[str, list[Unit]], list[Unit]]:
    """The units without those that take next to nothing of the run, where there are very many; and these."""
    if sum(map(len, seen.values())) <= _MANY:
        return seen, []
    slight = [unit for units in seen.values() for unit in units if ledger.share(unit.kernels, at) < _SLIGHT]
    return {phase: [unit for unit in units if unit not in slight] for phase, units in seen.items()}, slight


def _has_vectors(group: Sequence[Kernel]) -> bool:
    """Whether kernels have a place by their vector FLOPs."""
    return sum(kernel.vector_flops for kernel in group) > 0 and sum(kernel.bytes for kernel in group) > 0


def _silent(ledger: Ledger) -> dict[tuple[str, str], list[Kernel]]:
    """The kernels without a place under the roofs, by phase and kind; of what no op is, the host's part as one."""
    found: dict[tuple[str, str], list[Kernel]] = {}
    for kernel in ledger.kernels:
        if not kernel.is_seen:
            found.setdefault((kernel.phase, _kind(kernel)), []).append(kernel)
    return found


def _kind(kernel: Kernel) -> str:
    if kernel.outside:
        return "host and launch gaps" if kernel.name in _OF_HOST else kernel.name
    return KINDS.get(kernel.kind, f"{kernel.kind} ops")


def _units(kernels: Iterable[Kernel]) -> list[Unit]:
    """The kernels of a phase by name and size; convolutions that are numbered are one."""
    groups: dict[tuple[str, str], list[Kernel]] = {}
    for kernel in kernels:
        name = _NUMBERED.sub("", kernel.name) if kernel.kind == "convolution" else kernel.name
        groups.setdefault((name, kernel.detail), []).append(kernel)
    return [Unit(name, detail, tuple(group)) for (name, detail), group in groups.items()]


def _merged(make: partial[Dot], seen: dict[str, list[Unit]], frame: Frame | None, most: int) -> list[Dot]:
    """The dots of all phases, merged the more generously the more there are."""
    if frame is None:
        return [make(phase, [unit]) for phase, units in seen.items() for unit in units]
    near = _MERGED
    while True:
        dots = [dot for phase, units in seen.items() for dot in _clusters(make, phase, units, frame, near)]
        if len(dots) <= most or near >= _CROWDED:
            return dots
        near *= _WIDER


def _clusters(make: partial[Dot], phase: str, units: Sequence[Unit], frame: Frame, near: float) -> list[Dot]:
    alone = [make(phase, [unit]) for unit in units]
    clusters: list[tuple[Point, float, list[Unit]]] = []
    for dot in sorted(alone, key=lambda dot: (-dot.share, dot.units[0].name, dot.units[0].detail)):
        place = frame.point(dot.intensity, dot.rate)
        joined = next((members for at, reach, members in clusters if math.dist(at, place) < reach), None)
        if joined is None:
            clusters.append((place, max(near, _COVERED * dot.anchor(frame).radius), [*dot.units]))
        else:
            joined.extend(dot.units)
    return [make(phase, members) for _, _, members in clusters]


def _dot(ledger: Ledger, at: At, phase: str, units: Sequence[Unit], vector: bool = False) -> Dot:
    """Units as one: their sums, the unit that takes longest first."""
    kernels = [kernel for unit in units for kernel in unit.kernels]
    flops = sum(kernel.vector_flops if vector else kernel.flops for kernel in kernels)
    seconds, bound = (sum(kernel.seconds(which) for kernel in kernels) for which in (at, "bound"))
    order = tuple(sorted(units, key=lambda unit: (-unit.spent(at), unit.name, unit.detail)))
    intensity = flops / sum(kernel.bytes for kernel in kernels)
    return Dot(phase, order, intensity, flops / seconds, flops / bound, ledger.share(kernels, at), vector)
