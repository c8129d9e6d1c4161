"""Phases and ops as an answer states them: counts, what bounds them, and times. All values are SI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from roofline.answer.plain import plain
from roofline.answer.times import Times
from roofline.num import Num, maximum

#: Bytes below which an intensity is not divided.
_NOTHING: Final = 1e-300


class Warn(NamedTuple):
    """Something that the user should know, with a code for programs."""

    code: str
    text: str


#: Codes of what makes all expected times doubtful: an engine that does not run such a model, or not on such a chip.
_UNFIT: Final = ("engine-of-language-models", "engine-of-image-models", "engine-of-other-kind", "engine-not-there")


def unfit_engines(warnings: Iterable[Warn]) -> Iterator[str]:
    """Sentences for a verdict's beginning: each engine whose expected times are a guess, as it runs other things."""
    for text in dict.fromkeys(warn.text for warn in warnings if warn.code in _UNFIT):
        yield f"{text.replace('engine ', 'Engine ', 1) if text.startswith('engine ') else text}."


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameter counts: all, those that one token uses, those of the input embedding table; `beside`: further ones."""

    total: float
    active: float
    embedding: float
    beside: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        counts = {"total": self.total, "active": self.active, "embedding": self.embedding, **self.beside}
        return {name: plain(value) for name, value in counts.items()}


#: The kind of the rows of what no op is: waiting, the host's own work, what is hidden behind work.
OUTSIDE: Final = "outside"


class OpRow(NamedTuple):
    """One kernel of a phase, evaluated: totals over its `count` executions in one repeat.

    A kernel is an op, or the projections that the engine multiplies as one. `expected_s` are the seconds that it should
    take with the engine, `share` is their part of the phase's. Rows of the kind `outside` are what the engine adds
    beside ops (or, below zero, hides behind them).
    """

    name: str
    kind: str
    block: str
    count: float  # type: ignore[assignment]  # in place of a method of tuples
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
    expected_s: Num = 0.0
    share: Num = 0.0
    phase: str = ""

    @property
    def intensity(self) -> Num:
        """FLOPs per byte; 0 for an op that moves nothing of its own."""
        return self.flops / maximum(self.bytes, _NOTHING)

    @property
    def reached(self) -> float | None:
        """Share of its roof that it should reach: the bound over the expected time; None where it takes no time of its
        own, and for what is no op.
        """
        timed = self.kind != OUTSIDE and float(self.expected_s) > 0.0
        return float(self.bound_s) / float(self.expected_s) if timed else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: plain(getattr(self, name)) for name in _OP}


_OP: Final = (
    *("phase", "name", "kind", "block", "count", "flops", "vector_flops", "bytes"),
    *("weight_bytes", "cache_bytes", "activation_bytes", "intensity", "kernels", "params"),
    *("bound_s", "bound_by", "expected_s", "share", "reached", "dtype", "communication_bytes"),
)


class Roof(NamedTuple):
    """The peaks of one device: FLOP/s in the format of a phase's matrices, bytes/s of its memory, and that format."""

    peak: Num
    bandwidth: Num
    dtype: str


class PhaseEstimate(NamedTuple):
    """One repeat of a phase: counts, what bounds it, and its times.

    On several devices the counts are those of the busiest one. `communication_s` is what its exchanges take alone;
    `overlapped_s` and `serial_s` are the bound with all of them hidden behind work, and with none. `roof`: the peaks.
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
    communication_s: Num
    overlapped_s: Num
    serial_s: Num
    roof: Roof

    @property
    def mfu(self) -> Num:
        """Share of the peak FLOP/s that the expected time reaches (model FLOPs utilisation; PaLM, appendix B)."""
        return self.flops / (self.roof.peak * maximum(self.times.expected, _NOTHING))

    @property
    def mbu(self) -> Num:
        """Share of the bandwidth that the expected time reaches (memory bandwidth utilisation)."""
        return self.bytes / (self.roof.bandwidth * maximum(self.times.expected, _NOTHING))

    @property
    def intensity(self) -> Num:
        """FLOPs per byte; 0 for a phase that moves nothing."""
        return self.flops / maximum(self.bytes, _NOTHING)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        row = {name: plain(getattr(self, name)) for name in _PHASE}
        row |= {name: plain(value) for name, value in zip(_TIMES, self.times, strict=True)}
        row |= {"bound_overlapped_s": plain(self.overlapped_s), "bound_serial_s": plain(self.serial_s)}
        return row | {"mfu": plain(self.mfu), "mbu": plain(self.mbu)}


_PHASE: Final = (
    *("name", "repeat", "context", "flops", "vector_flops", "bytes", "intensity"),
    *("kernels", "communication_bytes", "communication_s", "bound_by"),
)
_TIMES: Final = ("floor_s", "bound_s", "expected_s", "expected_low_s", "expected_high_s")
