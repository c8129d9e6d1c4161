"""What a file in `roofline/engines/` may say: measured efficiencies of one engine, shared by all models and chips."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import (
    LARGEST,
    NAME_PATTERN,
    AsTuple,
    Names,
    Size,
    Spec,
    Text,
    Texts,
    Time,
    known_dtype,
)
from roofline.specs.engine_graph import Graph, Multiplied
from roofline.specs.engine_memory import EngineMemory
from roofline.specs.engine_training import TrainingHabits
from roofline.specs.formats.caches import known_cache
from roofline.specs.formats.unpacking import Way
from roofline.specs.intervals import IntervalsSpec
from roofline.specs.server import Defaults, Server

#: A name, and the version of an engine after an `@`.
EngineName = Annotated[str, StringConstraints(pattern=NAME_PATTERN[:-1] + r"(@[A-Za-z0-9._+-]+)?$", max_length=100)]
Month = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$")]
Factor = Annotated[float, Field(ge=1e-3, le=20)]
#: A limit per clock of a unit; 0 where there is none.
Limit = Annotated[float, Field(ge=1e-3, le=1e9)] | Annotated[float, Field(ge=0, le=0)]


class Factors(Spec):
    """On the chip's own coefficients: 1 where the engine's kernels are as good as the measured libraries'."""

    compute: Factor = Field(1.0, description="on the ceiling of matrix products")
    streaming: Factor = Field(1.0, description="on the bandwidth at which weights are read")
    narrow_compute: Factor = Field(
        1.0, description="on the ceiling, further, where narrow weights are widened before they are multiplied"
    )
    narrow_streaming: Factor = Field(1.0, description="on the bandwidth, further, of such weights")
    attention: Factor = Field(1.0, description="on the ceiling of a prefill's attention")
    cache: Factor = Field(1.0, description="on the bandwidth at which the cache is read")
    launch: Factor = Field(1.0, description="on the fixed times of kernels: below 1 where a graph or fusion hides them")
    exchange: Factor = Field(
        1.0, description="on the time of collectives between devices with a link of their own (NVLink)"
    )
    exchange_pcie: Factor = Field(1.0, description="on that of collectives over PCIe")
    routing: float = Field(
        1.0,
        ge=1e-3,
        le=1,
        description="exponent by which tokens of a batch count when they choose experts; at 1 each chooses on its own",
    )
    rows: Factor = Field(
        1.0, description="on the fixed times of norms, residuals and activations: the share left after fusion"
    )
    quantisation: Factor = Field(
        1.0, description="on the time in which activations are quantised: the share left after fusion"
    )
    convolution: Factor = Field(1.0, description="on the ceiling, further, of convolutions")
    wide_attention: Factor = Field(1.0, description="on the ceiling, further, of fused attention in fp32")
    vector: Factor = Field(1.0, description="on the ceiling of fp32 products on chips without matrix units for them")


class HostTimes(Spec):
    """What the host takes beside the device: times of a host of PCIe 4.0; later ones are quicker."""

    kernel: Time = Field(
        0.0, description="per kernel, which rules where it exceeds the device's time (eager execution)"
    )
    step: Time = Field(0.0, description="per step: scheduling, sampling")
    sequence: Time = Field(0.0, description="per step and sequence: sampling, detokenising")
    request: Time = Field(0.0, description="once per request")


class HostCompute(Spec):
    """What an engine does with weights, experts or cache that stay in the host's memory: computes there, or streams."""

    computes: bool = Field(
        False, description="the host's cores run what needs them; else they are fetched over the link in every step"
    )
    streams_from: int = Field(
        0,
        ge=0,
        le=LARGEST,
        description="tokens of a step from which on weights are fetched and multiplied on the device all the same, "
        "where that is quicker; 0: never",
    )
    sockets: float = Field(
        1.0, ge=1e-3, le=1, description="share of the bandwidth of several sockets together that their cores reach"
    )
    experts_option: Text | None = Field(
        None, description="its option for so many layers, counted from the first, whose experts stay with the host"
    )
    layers_option: Text | None = Field(
        None, description="its option for so many layers, the head as one more, that the device has"
    )
    sources: Annotated[Texts, Field(min_length=1)]


class EngineFit(Spec):
    """On what the coefficients rest: rows, and median errors of the fit and of what was left out of it."""

    rows: Annotated[int, Field(ge=0, le=LARGEST)]
    coefficients: Annotated[int, Field(ge=0, le=LARGEST)]
    date: Text
    gpus: Names = ()
    vendors: Names = ()
    median_error: float | None = None
    left_out_gpu: float | None = None
    left_out_model: float | None = None
    left_out_source: float | None = None


def _is_cache(name: str) -> str:
    """The name of a format that a cache may have."""
    if not known_cache(name):
        raise PydanticCustomError("cache", "{name} is no format of a cache", {"name": repr(known_dtype(name))})
    return name


Caches = Annotated[tuple[Annotated[str, AfterValidator(_is_cache)], ...], AsTuple]


class EngineFormats(Spec):
    """Formats that an engine runs: what may be tried where memory is short, wide to narrow, and what it keeps besides.

    The `cache` formats and the `further` ones may be ones that nothing computes in.
    """

    weights: Annotated[tuple[Annotated[str, AfterValidator(known_dtype)], ...], AsTuple] = Field(
        (), description="of files of its own; none: those that the chip has units for"
    )
    cache: Caches = ()
    further: Caches = Field((), description="caches that it keeps in special builds, or that are rare")
    sources: Annotated[Texts, Field(min_length=1)]


class Split(Spec):
    """By what a number of devices alone splits a model: its tensors, or its layers; `option` is the engine's word."""

    by: Literal["tensors", "layers"] = "tensors"
    option: Text | None = None
    sources: Texts = ()


class Towers(Spec):
    """Towers that are loaded with every model, or those that stand in a file of their own, only when asked for it, by
    the engine's `option`.
    """

    loaded: bool = True
    option: Text | None = None
    sources: Texts = ()


#: What a version or a backend of an engine has from that engine where its file does not say it.
INHERITED: Final = ("chunk", "chunk_sources", "memory", "formats", "split", "server", "towers", "offload", "graph")


class EngineSpec(Spec):
    """One engine: whose kernels it runs, how they fare, and what the host adds.

    A version or a backend of another is an engine of its own, and has from that one what it leaves out of INHERITED.
    """

    kind: Literal["engine"]
    name: EngineName
    title: Text
    aliases: Names = ()
    of: EngineName | None = Field(
        None,
        description="the engine of which it is a version or a backend; what it does not say of chunk, memory, formats, "
        "split, server, towers, offload and graph is that one's",
    )
    version: Text | None = Field(
        None, description="its versions, as people read them; the numbers in it are those that may be asked for"
    )
    since: Month | None = Field(None, description="the month since which it was current, as 2023-10")
    until: Month | None = Field(None, description="the last month in which it was; left out for what still is")
    vendors: Names = Field((), description="makers of chips on which this backend runs in place of what it is `of`")
    runs_on: Names = Field((), description="makers of chips that it runs on at all; none: any may be meant")
    fusion: Literal["classic", "flash", "compiled"] = Field(
        "flash", description="how it cuts image models into kernels where nothing is said"
    )
    library: Literal["trtllm", "vllm", "sglang"] | None = Field(
        None, description="whose measured kernels it runs; by default those of the most widely used library"
    )
    factors: Factors = Factors()
    unit_rate: Limit = Field(
        0.0,
        description="FLOP per clock of one unit beyond which the kernels cannot feed its matrix core; 0: no limit",
    )
    unit_stream: Limit = Field(
        0.0, description="bytes per clock of one unit beyond which the kernels cannot read weights; 0: no limit"
    )
    unit_attention: Limit = Field(
        0.0, description="the same of fused attention: kernels written for an older generation; 0: no limit"
    )
    half_sums: bool = Field(
        False,
        description="products in fp16, and of weights that are widened, are summed in 16 bit, at twice the rate on the "
        "chips that list such a peak",
    )
    fed: bool = Field(
        False,
        description="ceilings count from the rate that the units would have if they summed in 16 bit, "
        "which is what their loads must feed (engines of image models)",
    )
    joins: Literal["none", "attention", "all"] = Field(
        "none",
        description="projections that run as one matrix: none, attention (q, k and v), all (gate and up as well)",
    )
    widens: bool = Field(
        False,
        description="weights in fp8 and fp4 are widened to the activations' format where nothing else is asked, where "
        "others quantise activations and multiply in fp8 and fp4",
    )
    multiplies: Multiplied | None = Field(
        None, description="format in which weights narrower than 16 bit are multiplied; by default their own habit"
    )
    graph: Graph | None = Field(None, description="kernels of an op; where nothing is said one, as measured")
    unit_keys: Limit = Field(
        0.0, description="cached keys of a query head per clock of the chip where attention runs in pieces; 0: no limit"
    )
    unit_unpack: Limit = Field(
        0.0, description="weights per clock of one unit beyond which narrow ones are not unpacked; 0: no limit"
    )
    unit_feed: Limit = Field(
        0.0,
        description="FLOP per clock of one unit in whose time products load what they multiply, beside that; 0: none",
    )
    per_watt: Limit = Field(0.0, description="GFLOP/s of products in 16 bit per watt of a chip; 0: no limit")
    unpacks: Way = Field(
        "none",
        description="how it widens weights of fewer bits: within the kernel that multiplies them (none), once for each "
        "matrix and use by a kernel that writes 16 bit (once), or operator by operator (eager)",
    )
    matvec: bool = Field(
        False,
        description="kernels of its own multiply a few rows on vector units; else these fill up a whole tile of the "
        "matrix units",
    )
    mixes: bool = Field(False, description="a server prefills prompts within decode steps")
    first_from_decode: bool = Field(
        False,
        description="a prefill leaves out the prompt's last token: a decode step reads it and gives the first one",
    )
    habit_sources: Texts = Field((), description="where habits of the engine are told: its code or documentation")
    chunk: Defaults = Field(
        (), description="tokens of prompts that go through the layers at once where nothing is said; none: all of them"
    )
    chunk_sources: Texts = ()
    formats: EngineFormats | None = Field(
        None, description="formats that it runs; where nothing is said, those of the generic engine"
    )
    memory: EngineMemory = Field(EngineMemory(), description="how the memory of a device is used")
    split: Split = Field(Split(), description="by what a model is laid over several devices where nothing is said")
    server: Server | None = Field(None, description="where it serves requests as they come")
    towers: Towers = Field(Towers(), description="whether encoders of pictures and sound are loaded with a model")
    reread: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of a cached key, in 16 bit at least, that each further query head of its group reads again",
    )
    shares: Annotated[tuple[Size, ...], AsTuple, Field(max_length=16)] = Field(
        (), description="query heads of a group for which its kernels read a cached key once all the same"
    )
    host: HostTimes = HostTimes()
    offload: HostCompute | None = Field(None, description="what it does with what stays in the host's memory")
    training: TrainingHabits | None = Field(None, description="where it trains models")
    interval: IntervalsSpec
    fit: EngineFit
    sources: Annotated[Texts, Field(min_length=1)]
    notes: Text | None = None

    @model_validator(mode="after")
    def _in_time(self) -> EngineSpec:
        if self.since and self.until and self.until < self.since:
            text = "until {until} ends before it begins, since {since}"
            raise PydanticCustomError("months", text, {"until": self.until, "since": self.since})
        return self

    def inheriting(self, base: EngineSpec) -> EngineSpec:
        """The same with what it does not state of INHERITED from the engine that it is of."""
        said = self.model_fields_set | ({"chunk_sources"} if "chunk" in self.model_fields_set else set())
        return self.model_copy(update={name: getattr(base, name) for name in INHERITED if name not in said})
