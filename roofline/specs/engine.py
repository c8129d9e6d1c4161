"""What a file in `roofline/engines/` may say: measured efficiencies of one engine, shared by all models and chips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import AsTuple, Name, Names, Spec, Text, Texts, Time

Factor = Annotated[float, Field(gt=0, le=20)]
#: Low and high end of an 80 % interval, as multiples of the expected time.
Interval = Annotated[tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(ge=1, le=100)]], AsTuple]


class Factors(Spec):
    """On the chip's own coefficients: 1 where the engine's kernels are as good as the measured libraries'."""

    compute: Factor = 1.0
    streaming: Factor = 1.0
    narrow_compute: Factor = 1.0
    narrow_streaming: Factor = 1.0
    attention: Factor = 1.0
    cache: Factor = 1.0
    launch: Factor = 1.0
    exchange: Factor = 1.0
    exchange_pcie: Factor = 1.0
    routing: Annotated[float, Field(gt=0, le=1)] = 1.0
    rows: Factor = 1.0
    convolution: Factor = 1.0
    wide_attention: Factor = 1.0
    vector: Factor = 1.0


class HostTimes(Spec):
    """What the host takes beside the device."""

    kernel: Time = 0.0
    step: Time = 0.0
    sequence: Time = 0.0
    request: Time = 0.0


class Intervals(Spec):
    """80 % of runs lie between these multiples of the expected time, by how the chip is known.

    `measured`: its kernels were measured; `class`: those of a chip of its generation were; `other`: neither.
    """

    measured: Interval
    sibling: Interval
    other: Interval


class EngineFit(Spec):
    """On what the coefficients rest: rows, and median errors of the fit and of what was left out of it."""

    rows: Annotated[int, Field(ge=0)]
    coefficients: Annotated[int, Field(ge=0)]
    date: Text
    gpus: Names = ()
    median_error: float | None = None
    left_out_gpu: float | None = None
    left_out_model: float | None = None
    left_out_source: float | None = None


class EngineSpec(Spec):
    """One engine: whose kernels it runs, how they fare, and what the host adds."""

    kind: Literal["engine"]
    name: Name
    title: Text
    aliases: Names = ()
    library: Literal["trtllm", "vllm", "sglang"] | None = None
    factors: Factors = Factors()
    unit_rate: Annotated[float, Field(ge=0)] = 0.0
    unit_stream: Annotated[float, Field(ge=0)] = 0.0
    half_sums: bool = False
    fed: bool = False
    joins: Literal["none", "attention", "all"] = "none"
    widens: bool = False
    mixes: bool = False
    chunk: Annotated[int, Field(ge=0)] = 0
    reread: Annotated[float, Field(ge=0, le=1)] = 0.0
    host: HostTimes = HostTimes()
    interval: Intervals
    fit: EngineFit
    sources: Annotated[Texts, Field(min_length=1)]
    notes: Text | None = None
