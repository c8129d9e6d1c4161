"""The engine: what runs the kernels, and how far from the roof it stays.

Ceilings belong to the chip. An engine scales them, because its kernels are better or worse than those of the libraries
that were measured, and adds what no kernel shows: the host's work per kernel, step, sequence and request. `ideal` is
the roofline itself: the expected time is the bound.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

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

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec

__all__ = [
    "BARE",
    "GENERIC",
    "IDEAL",
    "Engine",
    "bundled_engine",
    "engine_names",
    "engine_path",
    "find_engine",
    "load_engine",
    "read_engine",
    "sums_in_half",
]

Range = tuple[float, float]
#: Fields of a spec that an engine has under the same names.
_LIMITS: Final = {"name", "library", "unit_rate", "unit_stream", "reread"}
_HABITS: Final = {"half_sums", "fed", "joins", "widens", "mixes", "matvec", "first_from_decode", "shares"}


class Engine(NamedTuple):
    """Coefficients of one engine, shared by all models and chips.

    What each one means, and its unit, is told by the fields of EngineSpec (`roofline schema engine`): factors on the
    chip's coefficients, limits and habits of the engine, and seconds of the host (`kernel_s`, `step_s`, `sequence_s`,
    `request_s`).

    `intervals` are the 80 % intervals by quality of the chip's coefficients, as multiples of the expected time.
    """

    name: str
    library: str | None = None
    compute: float = 1.0
    streaming: float = 1.0
    unit_rate: float = 0.0
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
    reread: float = 0.0
    shares: tuple[int, ...] = ()
    kernel_s: float = 0.0
    step_s: float = 0.0
    sequence_s: float = 0.0
    request_s: float = 0.0
    measured_interval: Range = (1.0, 1.0)
    class_interval: Range = (1.0, 1.0)
    other_interval: Range = (1.0, 1.0)

    @classmethod
    def of(cls, spec: EngineSpec) -> Engine:
        """The coefficients of a spec."""
        host, interval = spec.host.model_dump(), spec.interval
        return cls(
            **spec.model_dump(include=_LIMITS | _HABITS),
            **spec.factors.model_dump(),
            **{f"{name}_s": seconds for name, seconds in host.items()},
            measured_interval=interval.measured,
            class_interval=interval.sibling,
            other_interval=interval.other,
        )

    def interval(self, quality: str) -> Range:
        """Low and high end of the 80 % interval for a chip whose coefficients are known in this way."""
        return {"measured": self.measured_interval, "class": self.class_interval}.get(quality, self.other_interval)


#: Kernels as measured, nothing else.
BARE: Final = Engine("bare")


def sums_in_half(name: str) -> bool:
    """Whether an engine's products may run at the rate of 16-bit sums, beyond the peak of those in fp32."""
    engine = load_engine(name) if bundled_engine(name) != IDEAL else BARE
    return engine.half_sums and engine.fed


def load_engine(name: str) -> Engine:
    """The coefficients of an engine by name, alias or file; `ideal` has none. Raises UnknownNameError or SpecError."""
    own = bundled_engine(name)
    return _load_engine(own, stamps_of(own))


@lru_cache(maxsize=256)
def _load_engine(name: str, stamps: tuple[int, ...]) -> Engine:
    return Engine.of(read_engine(name))
