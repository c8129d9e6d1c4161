"""What all kernel models share: the chip's facts, the smooth maximum, the memory ramp and the power droop.

Powers are written `**`: plain Python for a scalar, numpy for a grid, without a call. Rounding is not: numpy divides and
rounds six times as fast as it divides with a floor.
A kernel takes `fixed + smooth_maximum(compute, memory)` seconds. Every model takes coefficients that are fractions of
the chip's own peaks, or seconds, or counts, so that those of one chip can stand in for those of another of its class.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.num import Num, any_holds, is_nothing, maximum, minimum, where

#: Share of the rate of vector units that dot products reach.
_DOTS: Final = 0.5
#: Seconds of matrix work after which a chip's power limit, not its clock, sets the rate.
POWER_TIME: Final = 1e-3


class ChipFacts(NamedTuple):
    """Datasheet values of one chip: matrix peak [FLOP/s] of the format, bandwidth [byte/s], number of units.

    `vector` is 1 where vector units multiply fp32, for want of matrix units that do. `dot` is the rate [FLOP/s] of
    vector units, which multiply a few rows where tiles would be nearly empty; 0 to leave that out, next to nothing
    where it is not known. `rows` is how many rows a product takes at least: above 1 on matrix units alone. `dtype`
    names the format.
    """

    peak: Num
    bandwidth: Num
    units: Num
    vector: Num = 0.0
    dot: Num = 0.0
    dtype: str = "bf16"
    rows: Num = 1.0


#: A chip on which kernels are compared with each other.
USUAL_CHIP: Final = ChipFacts(1e15, 3e12, 132.0)


#: Seconds between which a power of any sharpness (20 at most) is a float.
_SHORT: Final = 1e-15
_LONG: Final = 1e15
_LEAST: Final = 1e-300


def smooth_maximum(a: Num, b: Num, sharpness: Num) -> Num:
    """(a^p + b^p)^(1/p): at least the larger, at most their sum (p = 1), and the larger itself as p grows."""
    if is_nothing(a) and not isinstance(b, float):  # the same but for the last bit, which a float keeps
        return b
    larger = maximum(a, b)
    if any_holds((larger > _LONG) | (larger < _SHORT)):
        part = minimum(a, b) / maximum(larger, _LEAST)
        return larger * (1.0 + part**sharpness) ** (1.0 / sharpness)
    time: Num = (a**sharpness + b**sharpness) ** (1.0 / sharpness)
    return time


def droop(seconds: Num, share: Num) -> Num:
    """Matrix time that runs into the power limit: `share` slower where it lasts longer than POWER_TIME."""
    return seconds * (1.0 + share * seconds / (seconds + POWER_TIME))


def by_dots(compute: Num, flops: Num, chip: ChipFacts) -> Num:
    """Matrix time, or that of dot products on vector units where these are quicker: a few rows, no large tiles."""
    if isinstance(chip.dot, float) and not chip.dot:
        return compute
    dots = minimum(compute, flops / (_DOTS * chip.dot))
    return where(chip.rows > 1.0, compute, dots) if any_holds(chip.rows > 1.0) else dots
