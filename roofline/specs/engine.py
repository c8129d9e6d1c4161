"""What a file in `roofline/engines/` may say: measured efficiencies of one engine, shared by all models and chips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from roofline.specs.base import (
    LARGEST,
    AsTuple,
    Name,
    Names,
    NoBytes,
    Share,
    Size,
    Spec,
    Text,
    Texts,
    Time,
    known_dtype,
)
from roofline.specs.formats.caches import known_cache
from roofline.specs.server import Defaults, Server

Factor = Annotated[float, Field(ge=1e-3, le=20)]
#: A limit per clock of a unit; 0 where there is none.
Limit = Annotated[float, Field(ge=1e-3, le=1e9)] | Annotated[float, Field(ge=0, le=0)]
#: Low and high end of an 80 % interval, as multiples of the expected time.
Interval = Annotated[tuple[Share, Annotated[float, Field(ge=1, le=100)]], AsTuple]


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


class Intervals(Spec):
    """80 % of runs lie between these multiples of the expected time, by how the chip is known.

    `measured`: its kernels were measured; `class`: those of a chip of its generation were; `other`: neither.
    """

    measured: Interval
    sibling: Interval
    other: Interval


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


class SetAside(Spec):
    """Bytes of a device that an engine leaves for all but weights and cache, where its share follows from them."""

    fixed: NoBytes = 0.0
    token: NoBytes = Field(0.0, description="per token of a chunk of prompts")
    tokens: Size = Field(1, description="at least so many tokens count")
    sequence: NoBytes = Field(0.0, description="per sequence of the largest step that is recorded as a graph")
    graph: Defaults = Field((), description="sequences of that step")
    device: NoBytes = Field(0.0, description="per device of a replica")


class EngineMemory(Spec):
    """How an engine uses the memory of a device: which part is its own, and what stands in it beside weights and cache.

    `share`: of the memory that programs can have, this much is the engine's; `of` says of what: `all`, weights,
    activations and cache must stand within it (vLLM); `static`, weights and cache must, activations stand beside it
    (SGLang); `free`, the cache gets this share of what is left beside all else (TensorRT-LLM). Instead of a share
    there may be bytes that are set `aside`. Without either the cache is made as asked, and everything must find room.
    """

    share: Share | None = None
    aside: SetAside | None = None
    of: Literal["all", "static", "free"] = "all"
    runtime: NoBytes = Field(0.0, description="context, libraries and work buffers of one device")
    linked: NoBytes = Field(0.0, description="further, where devices exchange")
    sampling: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="bytes per logit of all sequences that the engine may hold, while tokens are drawn",
    )
    sequences: Defaults = Field((), description="sequences that the engine holds at once where nothing is said")
    whole_chunk: bool = Field(
        False, description="the activations of a whole chunk are reserved, whatever the prompts are"
    )
    page: Size = Field(1, description="tokens of a sequence that the cache takes room for at a time")
    windows: Literal["window", "full"] = Field(
        "window", description="layers with a window cache that window, or every token of the sequence"
    )
    chunks: Literal["chunk", "full"] = Field(
        "chunk", description="layers that see a chunk of the sequence cache that chunk, or every token"
    )
    states: Literal["own", "padded"] = Field(
        "own",
        description="states of recurrent layers have room of their own, or pages of the cache, which are made as large",
    )
    sources: Texts = ()


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


class EngineSpec(Spec):
    """One engine: whose kernels it runs, how they fare, and what the host adds."""

    kind: Literal["engine"]
    name: Name
    title: Text
    aliases: Names = ()
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
    half_sums: bool = Field(
        False, description="products are summed in 16 bit, at twice the rate on the chips that list such a peak"
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
        False, description="weights in fp8 and fp4 are widened, where others multiply them as they are"
    )
    matvec: bool = Field(
        False,
        description="kernels of its own multiply a few rows on vector units; else these fill up a whole tile of the "
        "matrix units",
    )
    mixes: bool = Field(False, description="a server prefills prompts within decode steps")
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
        description="share of a cached key that each further query head of its group reads again; 0: none",
    )
    host: HostTimes = HostTimes()
    offload: HostCompute | None = Field(None, description="what it does with what stays in the host's memory")
    interval: Intervals
    fit: EngineFit
    sources: Annotated[Texts, Field(min_length=1)]
    notes: Text | None = None
