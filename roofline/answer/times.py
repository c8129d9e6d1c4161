"""One quantity in its readings: floor, bound, expected, and the 80 % interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from roofline.answer.plain import plain
from roofline.num import Num

READINGS: Final = ("floor", "bound", "expected", "low", "high")


@dataclass(frozen=True, slots=True)
class Times:
    """One quantity in its readings. Seconds, or a rate in 1/s."""

    floor: Num
    bound: Num
    expected: Num
    low: Num
    high: Num

    @classmethod
    def certain(cls, seconds: Num) -> Times:
        """The same in every reading."""
        return cls(seconds, seconds, seconds, seconds, seconds)

    @property
    def bound_alone(self) -> bool:
        """Whether nothing is expected beside the bound, so that it need not be worked out four times."""
        return self.expected is self.bound and self.low is self.bound and self.high is self.bound

    def __iter__(self) -> Iterator[Num]:
        yield from (self.floor, self.bound, self.expected, self.low, self.high)

    def __add__(self, other: Times) -> Times:
        floor, bound = self.floor + other.floor, self.bound + other.bound
        if self.bound_alone and other.bound_alone:
            return Times(floor, bound, bound, bound, bound)
        return Times(
            floor,
            bound,
            self.expected + other.expected,
            self.low + other.low,
            self.high + other.high,
        )

    def __mul__(self, factor: Num) -> Times:
        floor, bound = self.floor * factor, self.bound * factor
        if self.bound_alone:
            return Times(floor, bound, bound, bound, bound)
        return Times(floor, bound, self.expected * factor, self.low * factor, self.high * factor)

    def rate(self, amount: Num) -> Times:
        """Amount per second, where the slow end of the interval is the low rate."""
        floor, bound = amount / self.floor, amount / self.bound
        if self.bound_alone:
            return Times(floor, bound, bound, bound, bound)
        return Times(floor, bound, amount / self.expected, amount / self.high, amount / self.low)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: plain(getattr(self, name)) for name in READINGS}


def column(name: str, reading: str) -> str:
    """The column of one reading of a quantity: what is expected goes by the quantity's own name."""
    return name if reading == "expected" else f"{name}_{reading}"
