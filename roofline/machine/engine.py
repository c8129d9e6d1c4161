"""The engine: what runs the kernels, and how far from the roof it stays.

Ceilings belong to the chip. An engine scales them, because its kernels are better or worse than those of the libraries
that were measured, and adds what no kernel shows: the host's work per kernel, step, sequence and request. `ideal` is
the roofline itself: the expected time is the bound.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.errors import UnknownNameError

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec

IDEAL: Final = "ideal"
_FOLDER: Final = Path(__file__).resolve().parent.parent / "engines"
Range = tuple[float, float]


class Engine(NamedTuple):
    """Coefficients of one engine, shared by all models and chips.

    Factors on the chip's coefficients, 1 where the engine's kernels are as good as the measured libraries':

    compute            on the ceiling of matrix products
    streaming          on the bandwidth at which weights are read
    unit_rate          FLOP per clock of one unit beyond which the kernels cannot feed its matrix core; 0: no limit
    unit_stream        bytes per clock of one unit beyond which the kernels cannot read weights; 0: no limit
    narrow_compute     on the ceiling, further, where integer weights are widened before they are multiplied
    narrow_streaming   on the bandwidth, further, of such weights
    attention          on the ceiling of a prefill's attention
    cache              on the bandwidth at which the cache is read
    launch             on the fixed times of kernels: below 1 where a graph or fusion hides them
    exchange           on the time of collectives between devices with a link of their own (NVLink)
    exchange_pcie      on that of collectives over PCIe
    rows               on the fixed times of norms, residuals and activations, and on the quantisation of activations:
                       the share that is left after fusion

    convolution        on the ceiling, further, of convolutions
    wide_attention     on the ceiling, further, of fused attention in fp32
    vector             on the ceiling of fp32 products on chips without matrix units for them

    routing            exponent by which tokens of a batch count when they choose experts: at 1 each chooses on its own
    half_sums          whether products are summed in 16 bit, at twice the rate on the chips that list such a peak
    fed                whether the ceilings count from the rate that the units would have if they summed in 16 bit,
                       which is what their loads must feed (engines of image models)
    joins              projections that run as one matrix: none, attention (q, k and v), all (gate and up as well)
    widens             whether weights in fp8 and fp4 are widened, where others multiply them as they are
    mixes              whether a server prefills prompts within decode steps
    chunk              tokens of a prompt that go through the layers at once; 0: all of them
    reread             share of a cached key that each further query head of its group reads again; 0: none

    Seconds:

    kernel_s           host time per kernel, which rules where it exceeds the device's (eager execution)
    step_s             host time per step: scheduling, sampling
    sequence_s         host time per step and sequence: sampling, detokenising
    request_s          once per run

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
    chunk: float = 0.0
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
        return cls(
            spec.name, spec.library, **spec.factors.model_dump(), unit_rate=spec.unit_rate,
            half_sums=spec.half_sums, fed=spec.fed, unit_stream=spec.unit_stream, joins=spec.joins, widens=spec.widens,
            mixes=spec.mixes,
            chunk=float(spec.chunk), reread=spec.reread,
            kernel_s=spec.host.kernel, step_s=spec.host.step, sequence_s=spec.host.sequence,
            request_s=spec.host.request, measured_interval=spec.interval.measured,
            class_interval=spec.interval.sibling, other_interval=spec.interval.other,
        )  # fmt: skip

    def interval(self, quality: str) -> Range:
        """Low and high end of the 80 % interval for a chip whose coefficients are known in this way."""
        return {"measured": self.measured_interval, "class": self.class_interval}.get(quality, self.other_interval)


#: Kernels as measured, nothing else.
BARE: Final = Engine("bare")


def engine_names() -> list[str]:
    """Names of all engines, `ideal` first."""
    return [IDEAL, *sorted(path.stem for path in _FOLDER.glob("*.yaml"))]


@cache
def read_engine(name: str) -> EngineSpec:
    """The spec of a bundled engine by its exact name, or of a file of one's own. Raises SpecError."""
    from roofline.specs.document import read_document
    from roofline.specs.engine import EngineSpec
    from roofline.specs.reader import validate

    return validate(read_document(engine_path(name)), EngineSpec)


def engine_path(name: str) -> Path:
    """The file of an engine by its exact name, or the file itself."""
    return Path(name) if _is_file(name) else _FOLDER / f"{name}.yaml"


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def find_engine(name: str, spec_dir: str | None = None) -> str:
    """The engine of that name or alias, or a file: one in the user's own folders comes before a bundled engine.

    Raises UnknownNameError with the nearest names.
    """
    from roofline.specs.library import own_engines

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


@cache
def sums_in_half(name: str) -> bool:
    """Whether an engine's products may run at the rate of 16-bit sums, beyond the peak of those in fp32."""
    engine = load_engine(name) if bundled_engine(name) != IDEAL else BARE
    return engine.half_sums and engine.fed


@cache
def load_engine(name: str) -> Engine:
    """The coefficients of an engine by name, alias or file; `ideal` has none. Raises UnknownNameError or SpecError."""
    return Engine.of(read_engine(bundled_engine(name)))
