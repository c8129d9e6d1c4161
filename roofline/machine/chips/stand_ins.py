"""Whose coefficients a chip takes for a kernel: its own, or a mean over measured chips by likeness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import exp, log
from typing import Any, Final, NamedTuple

from roofline.machine.chips.coefficients import COEFFICIENTS, COUNTS, Likeness, Measured, measured_ceilings
from roofline.machine.chips.library import known_as
from roofline.machine.chips.transfer import transferred
from roofline.machine.kernels import experts, matmul
from roofline.specs.gpu import GPUSpec

#: Which measured formats may stand in for a format: sets of equals, in this order.
STAND_INS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "fp8": (("fp8", "fp8_block"), ("bf16",)),
    "fp8_block": (("fp8_block", "fp8"), ("bf16",)),
    "fp4": (("fp4",), ("mxfp4-fp8",), ("fp8", "fp8_block"), ("bf16",)),
    "int8": (("int8",), ("fp8",), ("bf16",)),
    "mxfp4-fp8": (("mxfp4-fp8",), ("fp8_block", "fp8"), ("bf16",)),
    "int4-weights": (("int4-weights", "mxfp4-weights"), ("bf16",)),
    "mxfp4-weights": (("mxfp4-weights", "int4-weights"), ("bf16",)),
    "bf16/fp8": (("bf16/fp8",), ("bf16/bf16",)),
    "fp8/fp8": (("fp8/fp8",), ("bf16/fp8",), ("bf16/bf16",)),
    "bf16/bf16": (("bf16/bf16",),),
}
#: Attention multiplies in 16 bit whatever its cache is kept in: formats whose rows stand in for those of narrow ones.
_WIDER_CACHE: Final = {
    ("decode", "fp8"): "bf16",
    ("mla decode", "fp8"): "bf16",
    ("prefill", "bf16/fp8"): "bf16/bf16",
}
#: Makes of kernels, by what their names contain.
_MAKES: Final = ("marlin", "triton", "cutlass", "trtllm", "deepgemm", "cutedsl")
#: Whose kernels stand for an engine that nobody measured: those of the most widely used library of kernels.
_COMMON: Final = "vllm"
#: How fast likeness fades, per octave.
_FADING: Final = 2.5
_FAR: Final = 100.0
#: Seconds that one kernel takes at most for nothing, or is late: what was measured beyond is the host, which launched
#: it from Python. Kernels from graphs need up to 16 us, others from 125 on; single products up to 6.
_HOSTLESS: Final = 2e-5
_HOSTLESS_PRODUCT: Final = 6e-6
#: How quick a kernel is, of the kinds that engines choose kernels for; and how many times as slow as its chip's
#: quickest one may be: an engine would not run one beyond.
_TYPICAL_TIMES: Final[dict[str, Callable[[Any], float]]] = {
    "matmul": matmul.typical_time,
    "experts": experts.typical_time,
}
_LAGGARD: Final = 2.0
#: Octaves beyond which a chip of the same family is none of the same class: another die, and other kernels.
_CLASS: Final = 1.0


class StandIn(NamedTuple):
    """Whose coefficients a chip takes: its own (`measured`), a chip's of its class, or first of several `other`s."""

    chip: str
    quality: str


def stand_in(spec: GPUSpec, without: str | None = None) -> StandIn:
    """The measured chip whose coefficients stand for this one; `without` leaves one chip out, for judging."""
    known = {chip: like for chip, like in measured_ceilings().known.items() if chip != without}
    if spec.name in known:
        return StandIn(spec.name, "measured")
    own = known_as(spec).likeness
    chip = stand_in_order(own, known)[0]
    near = own.family == known[chip].family and own.distance(known[chip]) <= _CLASS
    return StandIn(chip, "class" if near else "other")


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
    equals = equals_of(like.format)

    def likeness_of(row: Measured) -> tuple[float, ...]:
        kernel, make = row.kernel == like.kernel, _make_of(row) == _make_of(like)
        return kernel, make, row.format == like.format, row.engine == like.engine, row.rows

    found = [row for row in rows if row.format in equals and _part_of(row) == _part_of(like)]
    return max(found, default=None, key=likeness_of)


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
    """Coefficients for a chip without measurements: the mean of rows like one, each as this chip would have it.

    Each class counts once, by its chip that is nearest, and the less the less it is like this chip; None where no chip
    has such a row.
    """
    found: list[tuple[str, Measured]] = []
    for chip in stand_in_order(own, known):
        if (row := _counterpart_of_kind(kind, by_chip.get(chip, ()), like)) is not None:
            found.append((chip, row))
    if not found:
        return None
    nearest = {known[chip].family: (chip, row) for chip, row in reversed(found)}
    taken = [(chip, row) for chip, row in nearest.values() if len(row.values) == len(found[0][1].values)]
    distances = [own.distance(known[chip]) for chip, _ in taken]
    beyond = max(0.0, min(distances) - _FAR)  # of a chip unlike all others the nearest still counts for something
    shares = [exp(-_FADING * (distance - beyond)) for distance in distances]
    names = COEFFICIENTS[kind]._fields
    grown = [transferred(kind, names, row.values, known[chip], own, row.kernel) for chip, row in taken]
    columns = zip(names, zip(*grown, strict=True), strict=False)
    mean = [_mean(name, column, shares, kind) for name, column in columns]
    counts = COUNTS.get(kind, 0)  # of queries that share a key, of parts: not to be averaged
    return (*mean[: len(mean) - counts], *found[0][1].values[len(mean) - counts :])


def _counterpart_of_kind(kind: str, rows: Sequence[Measured], like: Measured) -> Measured | None:
    """The counterpart of a row; of attention to a narrow cache, that to a wide one where the chip has no other."""
    found = counterpart(rows, like)
    wider = _WIDER_CACHE.get((kind, like.format))
    return counterpart(rows, like._replace(format=wider)) if found is None and wider is not None else found


def _mean(name: str, values: Sequence[float], shares: Sequence[float], kind: str) -> float:
    """Of times that add up the arithmetic mean, else the geometric one."""
    total = sum(shares)
    if name.endswith("_s") and kind != "collective":
        return sum(share * value for share, value in zip(shares, values, strict=True)) / total
    return exp(sum(share * log(value) for share, value in zip(shares, values, strict=True)) / total)


@cache
def rows_without(kind: str, without: str | None) -> tuple[Mapping[str, Sequence[Measured]], Mapping[str, Likeness]]:
    """The rows of a kind by chip, and the chips that have some; `without` one of them."""
    ceilings = measured_ceilings()
    by_chip = {chip: without_laggards(kind, rows) for chip, rows in ceilings.rows[kind].items() if chip != without}
    return by_chip, {chip: ceilings.known[chip] for chip in by_chip}


def without_laggards(kind: str, rows: Sequence[Measured]) -> Sequence[Measured]:
    """Rows without the kernels of products and of experts that no engine would run: its chip has one twice as quick."""
    typical = _TYPICAL_TIMES.get(kind)
    if typical is None:
        return rows
    times = {row: typical(hostless(kind, COEFFICIENTS[kind](*row.values))) for row in rows}

    def quickest(equals: Sequence[str]) -> float:
        return min(time for row, time in times.items() if row.format in equals)

    return [row for row in rows if times[row] <= _LAGGARD * quickest(equals_of(row.format))]


def hostless(kind: str, c: Any) -> Any:
    """Coefficients without the host's time: an engine has its own. Experts and collectives are several kernels."""
    if kind in ("experts", "collective"):
        return c
    most = _HOSTLESS_PRODUCT if kind == "matmul" else _HOSTLESS
    late = [name for name in ("fixed_s", "latency_s") if getattr(c, name, 0.0) > most]
    return c._replace(**dict.fromkeys(late, most)) if late else c


def equals_of(name: str) -> tuple[str, ...]:
    """The formats that are as good as one, itself among them."""
    return next((equals for equals in STAND_INS.get(name, ()) if name in equals), (name,))
