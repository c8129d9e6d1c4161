"""What an estimate says: inputs as resolved, memory, phases, latency, throughput, and what was assumed.

All values are SI (bytes, seconds, FLOPs). `to_dict` is the JSON of `roofline estimate --json`, schema version 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from roofline.num import Num, maximum
from roofline.workload.op import Op

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Times:
    """One quantity in its readings: floor, bound, expected, and the 80 % interval. Seconds, or a rate."""

    floor: Num
    bound: Num
    expected: Num
    low: Num
    high: Num

    def map(self, function: Callable[[Num], Num]) -> Times:
        """The same function of all readings."""
        return Times(*(function(value) for value in self))

    def __iter__(self) -> Iterator[Num]:
        yield from (self.floor, self.bound, self.expected, self.low, self.high)

    def __add__(self, other: Times) -> Times:
        return Times(*(a + b for a, b in zip(self, other, strict=True)))

    def __mul__(self, factor: Num) -> Times:
        return Times(*(value * factor for value in self))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: plain(getattr(self, name)) for name in ("floor", "bound", "expected", "low", "high")}


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that the user should know, with a code for programs."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameter counts: all, those that one token uses, those of the input embedding table."""

    total: float
    active: float
    embedding: float


@dataclass(frozen=True)
class Memory:
    """Bytes per GPU. The two limits are found when they are asked for: each takes some thirty trial workloads."""

    weights_bytes: Num
    kv_cache_bytes: Num
    kv_cache_bytes_per_token: Num
    state_bytes: Num
    activation_peak_bytes: Num
    runtime_bytes: Num
    capacity_bytes: Num
    find_max_batch: Callable[[], int] = field(repr=False, compare=False)
    find_max_context: Callable[[], int] = field(repr=False, compare=False)

    @property
    def total_bytes(self) -> Num:
        """All that must be in memory at once."""
        return (
            self.weights_bytes + self.kv_cache_bytes + self.state_bytes + self.activation_peak_bytes
            + self.runtime_bytes
        )  # fmt: skip

    @property
    def fits(self) -> Any:
        """Whether all of it is within the capacity."""
        return self.total_bytes <= self.capacity_bytes

    @cached_property
    def max_batch(self) -> int:
        """The largest batch that fits at these lengths, 0 where not even one sequence does."""
        return self.find_max_batch()

    @cached_property
    def max_context(self) -> int:
        """The most tokens per sequence (prompt and generated) that fit at this batch, 0 where none does."""
        return self.find_max_context()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = (
            "weights_bytes", "kv_cache_bytes", "kv_cache_bytes_per_token", "state_bytes", "activation_peak_bytes",
            "runtime_bytes", "total_bytes", "capacity_bytes", "fits", "max_batch", "max_context",
        )  # fmt: skip
        return {name: plain(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class OpRow:
    """One op of a phase, evaluated: totals over its `count` executions in one repeat."""

    name: str
    kind: str
    block: str
    count: float
    flops: Num
    vector_flops: Num
    bytes: Num
    weight_bytes: Num
    cache_bytes: Num
    activation_bytes: Num
    kernels: Num
    params: float
    bound_s: Num
    bound_by: str
    dtype: str
    communication_bytes: Num = 0.0

    @property
    def intensity(self) -> Num:
        """FLOPs per byte; 0 for an op that moves nothing of its own."""
        return self.flops / maximum(self.bytes, 1e-300)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = (
            "name", "kind", "block", "count", "flops", "vector_flops", "bytes", "weight_bytes", "cache_bytes",
            "activation_bytes", "intensity", "kernels", "params", "bound_s", "bound_by", "dtype",
            "communication_bytes",
        )  # fmt: skip
        return {name: plain(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class PhaseEstimate:
    """One repeat of a phase: counts, what bounds it, and its times.

    On several devices the counts are those of the busiest one. `communication_s` is what its exchanges take alone;
    `overlapped_s` and `serial_s` are the bound with all of them hidden behind work, and with none.
    """

    name: str
    repeat: Num
    context: Num
    flops: Num
    vector_flops: Num
    bytes: Num
    kernels: Num
    communication_bytes: Num
    bound_by: str
    times: Times
    communication_s: Num = 0.0
    overlapped_s: Num | None = None
    serial_s: Num | None = None

    @property
    def intensity(self) -> Num:
        """FLOPs per byte."""
        return self.flops / self.bytes

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = (
            "name", "repeat", "context", "flops", "vector_flops", "bytes", "intensity", "kernels",
            "communication_bytes", "communication_s", "bound_by",
        )  # fmt: skip
        row = {name: plain(getattr(self, name)) for name in names}
        t = self.times
        return row | {
            "floor_s": plain(t.floor), "bound_s": plain(t.bound), "expected_s": plain(t.expected),
            "expected_low_s": plain(t.low), "expected_high_s": plain(t.high),
            "bound_overlapped_s": plain(t.bound if self.overlapped_s is None else self.overlapped_s),
            "bound_serial_s": plain(t.bound if self.serial_s is None else self.serial_s),
        }  # fmt: skip


def plain(value: Any) -> Any:
    """A value as JSON: whole floats as integers, arrays as lists, non-finite numbers as null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value == int(value) and abs(value) < 2**63 else value
    return value


__all__ = ["SCHEMA_VERSION", "Memory", "Op", "OpRow", "Parameters", "PhaseEstimate", "Times", "Warn", "plain"]


def counted(value: Num | int, what: str) -> str:
    """A number and what it counts, in the singular for one: `1 step`, `50 steps`, `20/50 steps`."""
    if isinstance(value, (int, float)):
        text = f"{value}" if isinstance(value, int) else f"{value:g}"
        return f"{text} {what}" + ("" if value == 1 else "s")
    return "/".join(f"{v:g}" for v in value.flat) + f" {what}s"
