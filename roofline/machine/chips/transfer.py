"""How the coefficients of a kernel change from one chip to another: what limits it, per clock and unit.

A coefficient that is a share of a peak says the same of two chips only where the peak is what limits. Other limits
belong to one unit and one clock, whatever the peak: launches and waits are cycles; a kernel written for the matrix
instructions of an older generation is fed at so many FLOPs per clock and unit; rows are gathered at so many bytes per
clock and unit; a read in flight must last as long as the memory is late (Little's law); scores are exponentiated at so
many per clock and unit. And what the power limit costs grows with the power that the full rate would draw: FLOPs per
watt at the voltage that the clock needs, which rises with it, so by the square of the clock.

The exponents are those of these limits, whole where a limit is one alone, halves where it is one of two. They were
chosen with the errors of measured chips, left out, in view, together with all of their class: docs/kernel_transfer.md.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.chips.coefficients import Likeness

#: How far a fact of a chip is followed beyond that of the measured one: a fourfold rate is another machine.
_FURTHEST: Final = 4.0
#: What of the time of a softmax is exponentials, at 16 per clock and unit; the rest is some 3.5 operations per score
#: on the vector units, at 128. Source: throughput of native arithmetic instructions, CUDA C++ Programming Guide.
_EXPONENTIALS: Final = (1.0 / 16.0) / (1.0 / 16.0 + 3.5 / 128.0)
#: Bytes per clock that a unit takes from memory whatever it does, and the clock where none is stated.
_TAKEN: Final = 5.0
_USUAL_CLOCK: Final = 1.7e9
#: Most that the power limit adds to long kernels; see `roofline.evidence.kernels.ranges`.
_MOST_DROOP: Final = 2.0
#: Kernels whose makers write them for the matrix instructions of all generations: these feed newer units no better.
_GENERATION_FREE: Final = ("triton", "marlin", "fused_moe")
#: Coefficients that are shares: of a peak, of a bandwidth, of keys.
_SHARES: Final = ("ceiling", "streaming", "quantise", "routing", "skipping", "quick", "broad", "reread")


class Powers(NamedTuple):
    """The powers of a chip's facts with which a coefficient grows.

    `clock`; `rate`, the matrix FLOPs, and `stream`, the bytes of memory, per clock and unit; `heat`, the power that the
    full rate would draw over the limit.
    """

    clock: float = 0.0
    rate: float = 0.0
    stream: float = 0.0
    heat: float = 0.0


_CYCLES: Final = Powers(clock=-1.0)
_WIRES: Final = Powers(clock=-0.75)
_PREFILL: Final = {
    "softmax": Powers(rate=1.0),
    "ceiling": Powers(rate=0.25),
    "streaming": Powers(stream=-0.5),
    "droop": Powers(heat=0.5),
}
_ENCODER: Final = {name: power for name, power in _PREFILL.items() if name != "ceiling"}
_SCAN: Final = {"streaming": Powers(stream=-0.5), "ceiling": Powers(rate=-0.75)}
_DECODE: Final = {"occupancy": Powers(stream=1.0), "ceiling": Powers(rate=-1.0)}
#: How coefficients grow, by kind of kernel; those in seconds that are not here are cycles, others stay as they are.
GROWTH: Final[dict[str, dict[str, Powers]]] = {
    "matmul": {
        "split_k": Powers(rate=1.0),
        "k_offset": Powers(rate=0.5),
        "tile_loss": Powers(rate=0.5),
        "droop": Powers(heat=1.0),
    },
    "experts": {
        "routing": Powers(stream=-1.0),
        "k_offset": Powers(rate=0.5),
        "tile_loss": Powers(rate=0.5),
    },
    "prefill": _PREFILL,
    **dict.fromkeys(("encoder", "mla prefill"), _ENCODER),
    "decode": _DECODE,
    **dict.fromkeys(("gated delta net", "kda", "mamba-2"), _SCAN),
    "collective": dict.fromkeys(("quick_s", "quick_hop_s", "broad_s", "broad_hop_s"), _WIRES),
}
#: The same for kernels that are written for all generations.
_FREE: Final = {kind: {"ceiling": Powers(rate=-0.75)} for kind in ("experts", "prefill", "encoder", "mla prefill")}


def growth(kind: str, name: str, of: Likeness, own: Likeness, kernel: str = "") -> float:
    """By what a coefficient of a kind of kernel, as measured on one chip, is multiplied for another chip."""
    free = _FREE.get(kind, {}) if any(make in kernel.lower() for make in _GENERATION_FREE) else {}
    powers = free.get(name) or GROWTH.get(kind, {}).get(name) or (_CYCLES if name.endswith("_s") else Powers())
    clock = own.clock / of.clock if own.clock and of.clock else 1.0
    heat = clock * clock * own.dense / of.dense if own.dense and of.dense else 1.0
    stream = own.stream / of.stream / clock
    if name in _SHARES:  # where memory brings less than units take in any case, its share says all
        usual = of.clock or own.clock or _USUAL_CLOCK
        taken = _TAKEN * usual
        stream = max(own.stream / clock, taken) / max(of.stream, taken)
    facts = Powers(clock, own.rate / of.rate / clock, stream, heat)
    factor = 1.0
    for fact, power in zip(facts, powers, strict=True):
        factor *= min(max(fact, 1.0 / _FURTHEST), _FURTHEST) ** power
    if name == "softmax":
        factor *= 1.0 - _EXPONENTIALS + _EXPONENTIALS * of.exponentials / own.exponentials
    return factor


def transferred(
    kind: str, names: tuple[str, ...], values: tuple[float, ...], of: Likeness, own: Likeness, kernel: str = ""
) -> list[float]:
    """Coefficients of a chip as another chip would have them; no share goes above 1."""
    grown = [value * growth(kind, name, of, own, kernel) for name, value in zip(names, values, strict=False)]
    return [min(v, _most(name, was)) for name, v, was in zip(names, grown, values, strict=False)]


def _most(name: str, was: float) -> float:
    if name == "droop":
        return max(_MOST_DROOP, was)
    return max(1.0, was) if name in _SHARES else float("inf")
