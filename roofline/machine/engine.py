"""The engine: what runs the kernels, and how far from the roof it stays.

Ceilings belong to the chip. An engine scales them, because its kernels are better or worse than those of the libraries
that were measured, and adds what no kernel shows: the host's work per kernel, step, sequence and request. `ideal` is
the roofline itself: the expected time is the bound.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.machine.engine_lookup import (
    GENERIC,
    IDEAL,
    bundled_engine,
    engine_names,
    engine_path,
    find_engine,
    read_engine,
    stamps_of,
)
from roofline.machine.intervals import OTHER_MAKER, TIMED, Intervals, Range, Spans, widened
from roofline.specs.formats.unpacking import Way

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec

__all__ = [
    "BARE",
    "GENERIC",
    "IDEAL",
    "WHOLE",
    "Cuts",
    "Engine",
    "bundled_engine",
    "engine_names",
    "engine_path",
    "find_engine",
    "load_engine",
    "read_engine",
    "sums_in_half",
]

#: Fields of a spec that an engine has under the same names.
_LIMITS: Final = {
    *("name", "library", "unit_rate", "unit_attention", "unit_stream", "reread"),
    *("unit_keys", "unit_unpack", "unit_feed", "per_watt"),
}
_HABITS: Final = {
    *("half_sums", "fed", "joins", "widens", "mixes", "matvec", "first_from_decode", "shares"),
    *("multiplies", "unpacks"),
}


class Cuts(NamedTuple):
    """The kernels of an op and what passes between them; see roofline.specs.engine_graph.Graph."""

    norm: float = 1.0
    pointwise: float = 1.0
    linear: float = 1.0
    narrow: float = 1.0
    many: float = 1.0
    attention: float = 1.0
    experts: float = 1.0
    scan: float = 1.0
    activations: int = 16
    scores: float = 0.0
    matvec: float = 0.0
    again: float = 0.0
    dequantises: bool = False


#: One kernel per op, as those that were measured.
WHOLE: Final = Cuts()


class Engine(NamedTuple):
    """Coefficients of one engine, shared by all models and chips.

    What each one means, and its unit, is told by the fields of EngineSpec (`roofline schema engine`): factors on the
    chip's coefficients, limits and habits of the engine, and seconds of the host (`kernel_s`, `step_s`, `sequence_s`,
    `request_s`).

    `intervals` are the 80 % intervals, as multiples of the expected time; `makers` those of the chips of its runs.
    """

    name: str
    library: str | None = None
    compute: float = 1.0
    streaming: float = 1.0
    unit_rate: float = 0.0
    unit_attention: float = 0.0
    narrow_compute: float = 1.0
    narrow_streaming: float = 1.0
    attention: float = 1.0
    cache: float = 1.0
    launch: float = 1.0
    exchange: float = 1.0
    exchange_pcie: float = 1.0
    routing: float = 1.0
    quantisation: float = 1.0
    rows: float = 1.0
    convolution: float = 1.0
    wide_attention: float = 1.0
    vector: float = 1.0
    half_sums: bool = False
    fed: bool = False
    unit_stream: float = 0.0
    joins: str = "none"
    widens: bool = False
    mixes: bool = False
    matvec: bool = False
    first_from_decode: bool = False
    unpacks: Way = "none"
    reread: float = 0.0
    multiplies: str | None = None
    cuts: Cuts = WHOLE
    unit_keys: float = 0.0
    unit_unpack: float = 0.0
    unit_feed: float = 0.0
    per_watt: float = 0.0
    shares: tuple[int, ...] = ()
    kernel_s: float = 0.0
    step_s: float = 0.0
    sequence_s: float = 0.0
    request_s: float = 0.0
    intervals: Intervals = Intervals()
    makers: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: EngineSpec) -> Engine:
        """The coefficients of a spec."""
        host = spec.host.model_dump()
        cuts = WHOLE if spec.graph is None else Cuts(**spec.graph.model_dump(exclude={"sources"}))
        return cls(
            **spec.model_dump(include=_LIMITS | _HABITS),
            **spec.factors.model_dump(),
            cuts=cuts,
            **{f"{name}_s": seconds for name, seconds in host.items()},
            intervals=Intervals(*(Spans(*spec.interval.spans(timed)) for timed in TIMED)),
            makers=spec.fit.vendors,
        )

    def interval(self, timed: str, quality: str, maker: str | None = None) -> Range:
        """Low and high end of the 80 % interval of what is timed (one of TIMED) for a chip whose coefficients are known
        in this way; wider for a `maker` none of whose chips was run.
        """
        found = self.intervals.of(timed, quality)
        return widened(found, OTHER_MAKER) if maker and self.makers and maker not in self.makers else found

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return self._asdict() | {"intervals": self.intervals.to_dict()}


#: Kernels as measured, nothing else.
BARE: Final = Engine("bare")


def sums_in_half(name: str) -> bool:
    """Whether an engine sums products in fp16 in 16 bit, where the chip lists a rate for that."""
    engine = load_engine(name) if bundled_engine(name) != IDEAL else BARE
    return engine.half_sums


def load_engine(name: str) -> Engine:
    """The coefficients of an engine by name, alias or file; `ideal` has none. Raises UnknownNameError or SpecError."""
    own = bundled_engine(name)
    return _load_engine(own, stamps_of(own))


@lru_cache(maxsize=256)
def _load_engine(name: str, stamps: tuple[int, ...]) -> Engine:
    return Engine.of(read_engine(name))
