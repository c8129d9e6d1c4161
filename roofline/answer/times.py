"""One quantity in its readings: floor, bound, expected, and the 80 % interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

    def map(self, function: Callable[[Num], Num]) -> Times:
        """The same function of all readings."""
        return Times(*(function(value) for value in self))

    def __iter__(self) -> Iterator[Num]:
        yield from (self.floor, self.bound, self.expected, self.low, self.high)

    def __add__(self, other: Times) -> Times:
        return Times(
            self.floor + other.floor,
            self.bound + other.bound,
            self.expected + other.expected,
            self.low + other.low,
            self.high + other.high,
        )

    def __mul__(self, factor: Num) -> Times:
        return Times(
            self.floor * factor, self.bound * factor, self.expected * factor, self.low * factor, self.high * factor
        )

    def rate(self, amount: Num) -> Times:
        """Amount per second, where the slow end of the interval is the low rate."""
        return Times(
            amount / self.floor, amount / self.bound, amount / self.expected, amount / self.high, amount / self.low
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: plain(getattr(self, name)) for name in READINGS}


def column(name: str, reading: str) -> str:
    """The column of one reading of a quantity: what is expected goes by the quantity's own name."""
    return name if reading == "expected" else f"{name}_{reading}"
