"""The engine: what runs the kernels, and how far from the roof it stays.

Ceilings belong to the chip. An engine scales them, because its kernels are better or worse than those of the libraries
that were measured, and adds what no kernel shows: the host's work per kernel, step, sequence and request. `ideal` is
the roofline itself: the expected time is the bound.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.errors import UnknownNameError
from roofline.specs.files.engines import ENGINES

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec

IDEAL: Final = "ideal"
#: The engine that stands for whichever serves a model well.
GENERIC: Final = "generic"
Range = tuple[float, float]
#: Fields of a spec that an engine has under the same names.
_LIMITS: Final = {"name", "library", "unit_rate", "unit_stream", "reread"}
_HABITS: Final = {"half_sums", "fed", "joins", "widens", "mixes", "matvec"}


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
    reread: float = 0.0
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


def engine_names() -> list[str]:
    """Names of all engines, `ideal` first."""
    return [IDEAL, *sorted(path.stem for path in ENGINES.glob("*.yaml"))]


def read_engine(name: str) -> EngineSpec:
    """The spec of a bundled engine by its exact name, or of a file of one's own. Raises SpecError.

    What was read is kept while a file stays as it is.
    """
    return _read_engine(name, _stamp(name))


@lru_cache(maxsize=256)
def _read_engine(name: str, stamp: tuple[int, int]) -> EngineSpec:
    from roofline.specs.engine import EngineSpec
    from roofline.specs.files.document import read_document
    from roofline.specs.files.reader import validate

    return validate(read_document(engine_path(name)), EngineSpec)


def engine_path(name: str) -> Path:
    """The file of an engine by its exact name, or the file itself."""
    return Path(name) if _is_file(name) else ENGINES / f"{name}.yaml"


def _stamp(name: str) -> tuple[int, int]:
    """When a file of one's own was written and how long it is: another text is another engine."""
    if not _is_file(name):
        return 0, 0
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def find_engine(name: str, spec_dir: str | None = None) -> str:
    """The engine of that name or alias, or a file: one in the user's own folders comes before a bundled engine.

    Raises UnknownNameError with the nearest names.
    """
    from roofline.specs.files.library import own_engines

    own = {} if _is_file(name) else own_engines(spec_dir)
    found = own.get(name.strip().lower())
    return bundled_engine(name, tuple(own)) if found is None or found.stem == IDEAL else str(found)


@cache
def bundled_engine(name: str, beside: tuple[str, ...] = ()) -> str:
    """The bundled engine of that name or alias, or the file. Raises UnknownNameError with the nearest names.

    `beside` are further names that may have been meant.
    """
    if _is_file(name):
        return name
    wanted = name.strip().lower()
    known = engine_names()
    if wanted in known:
        return wanted
    aliases = {alias: spec.name for spec in map(read_engine, known[1:]) for alias in spec.aliases}
    if wanted not in aliases:
        meant = {each: each for each in (*known, *beside)} | aliases
        raise UnknownNameError("engine", name, meant, "roofline list engines")
    return aliases[wanted]


def sums_in_half(name: str) -> bool:
    """Whether an engine's products may run at the rate of 16-bit sums, beyond the peak of those in fp32."""
    engine = load_engine(name) if bundled_engine(name) != IDEAL else BARE
    return engine.half_sums and engine.fed


def load_engine(name: str) -> Engine:
    """The coefficients of an engine by name, alias or file; `ideal` has none. Raises UnknownNameError or SpecError."""
    own = bundled_engine(name)
    return _load_engine(own, _stamp(own))


@lru_cache(maxsize=256)
def _load_engine(name: str, stamp: tuple[int, int]) -> Engine:
    return Engine.of(read_engine(name))
