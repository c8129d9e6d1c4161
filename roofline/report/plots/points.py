"""The dots of a roofline plot: ops at their intensity and the rate that the roofline lets them reach.

Ops that would lie on one another become one dot: their sum, under a joint name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from roofline.analysis.estimate import Answer
from roofline.answer.phase import OUTSIDE, OpRow
from roofline.report.plots.geometry import Point

#: Ops nearer than this on paper, in points, are one dot.
_MERGED: Final = 3.5
#: Characters of a line of a label, and names that one may hold in full.
_LINE, _MANY, _FEW = 20, 12, 4


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes: limits (SI, logarithmic) and size in points."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float

    def point(self, intensity: float, rate: float) -> Point:
        """A place in points from the lower left corner."""
        return self.width * _part(intensity, *self.x), self.height * _part(rate, *self.y)


def _part(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


@dataclass(frozen=True, slots=True)
class Dot:
    """One or several ops of a phase: names, FLOP/byte, FLOP/s at the bound, and the part of the phase's bound time."""

    phase: str
    names: tuple[str, ...]
    intensity: float
    rate: float
    share: float


def visible(rows: Sequence[OpRow]) -> list[OpRow]:
    """The ops that have a place on a roofline plot: some FLOPs of matrices, and bytes."""
    return [row for row in rows if row.flops > 0 and row.bytes > 0]


def dots(phase: str, rows: Sequence[OpRow], frame: Frame) -> list[Dot]:
    """The dots of one phase, the one that takes longest first."""
    names, whole = _names(rows), sum(float(row.bound_s) for row in rows)
    clusters: list[tuple[Point, list[int]]] = []
    shown = [i for i, row in enumerate(rows) if row.flops > 0 and row.bytes > 0]
    for index in sorted(shown, key=lambda i: (-float(rows[i].bound_s), i)):
        row = rows[index]
        place = frame.point(float(row.intensity), float(row.flops / row.bound_s))
        near = [members for centre, members in clusters if math.dist(centre, place) < _MERGED]
        if near:
            near[0].append(index)
        else:
            clusters.append((place, [index]))
    found = [_sum(phase, sorted(members), rows, names, whole) for _, members in clusters]
    return sorted(found, key=lambda dot: (-dot.share, dot.names))


def _sum(phase: str, members: Sequence[int], rows: Sequence[OpRow], names: Sequence[str], whole: float) -> Dot:
    flops, moved, time = (
        sum(float(getattr(rows[i], quantity)) for i in members) for quantity in ("flops", "bytes", "bound_s")
    )
    distinct = tuple(dict.fromkeys(names[i] for i in members))
    return Dot(phase, distinct, flops / moved, flops / time, time / whole)


def _names(rows: Sequence[OpRow]) -> list[str]:
    """A name for each op; with its group of layers where ops of one name differ in intensity."""
    intensities: dict[str, set[float]] = {}
    for row in rows:
        intensities.setdefault(row.name, set()).add(round(float(row.flops) / (float(row.bytes) or 1.0), 6))
    return [
        f"{row.name} ({row.block.partition('.attention')[0].partition('.feed_forward')[0]})"
        if len(intensities[row.name]) > 1
        else row.name
        for row in rows
    ]


def joint_name(names: Sequence[str], *, brief: bool = False) -> str:
    """Several names as one: ``q/k/v_proj, head``, in lines of about 20 characters, cut between groups if possible.

    `brief`: without the blocks, and at most four names.
    """
    by_suffix: dict[str, list[str]] = {}
    names = list(dict.fromkeys(name.partition(" (")[0] for name in names)) if brief else _without_blocks(names)
    most, kept = (_FEW, _FEW - 1) if brief else (_MANY, _MANY - 4)
    shown = names if len(names) <= most else [*names[:kept], f"{len(names) - kept} more"]
    for name in shown:
        stem, _, suffix = name.rpartition("_") if " (" not in name else ("", "", name)
        by_suffix.setdefault(f"_{suffix}" if stem else name, []).append(stem)
    groups = ["/".join(stems) + suffix if stems[0] else suffix for suffix, stems in by_suffix.items()]
    lines = [""]
    for index, group in enumerate(groups):
        text = group + ("," if index < len(groups) - 1 else "")
        longer = f"{lines[-1]} {text}".strip()
        if len(longer) <= _LINE + 4:
            lines[-1] = longer
        else:
            lines += _cut(text)
    return "\n".join(filter(None, lines))


def _without_blocks(names: Sequence[str]) -> list[str]:
    """Names with their blocks, those of one op together: ``attn2 (mid_block)``, ``attn2 (5 blocks)``."""
    blocks: dict[str, list[str]] = {}
    for name in names:
        stem, _, block = name.partition(" (")
        blocks.setdefault(stem, []).append(block.removesuffix(")"))
    return [
        stem if not found[0] else f"{stem} ({found[0]})" if len(found) == 1 else f"{stem} ({len(found)} blocks)"
        for stem, found in blocks.items()
    ]


def _cut(text: str) -> list[str]:
    """A name cut after slashes."""
    lines = [""]
    for part in text.replace("/", "/\n").split("\n"):
        if lines[-1] and len(lines[-1] + part) > _LINE:
            lines.append("")
        lines[-1] += part
    return lines


def silent_share(rows: Sequence[OpRow]) -> float:
    """The part of a phase's bound time that ops without FLOPs of matrices take."""
    silent = sum(float(row.bound_s) for row in rows if not row.flops > 0)
    return silent / sum(float(row.bound_s) for row in rows)


KINDS: Final = {
    "norm": "norms",
    "pointwise": "element-wise ops",
    "gather": "look-ups",
    "collective": "collectives",
}


def silent_kinds(rows: Sequence[OpRow]) -> list[str]:
    """What kinds of ops have no FLOPs of matrices, in words, the slowest first."""
    time: dict[str, float] = {}
    for row in rows:
        if not row.flops > 0:
            time[row.kind] = time.get(row.kind, 0.0) + float(row.bound_s)
    return [KINDS.get(kind, f"{kind} ops") for kind in sorted(time, key=lambda kind: (-time[kind], kind))]


def phase_rows(estimate: Answer) -> dict[str, list[OpRow]]:
    """The ops of every phase, in order."""
    ledgers = ((phase.name, estimate.ops(phase.name, split=True)) for phase in estimate.phases)
    return {name: [row for row in rows if row.kind != OUTSIDE] for name, rows in ledgers}
