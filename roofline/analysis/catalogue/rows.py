"""What a listing tells of each thing."""

from __future__ import annotations

from typing import Final, NamedTuple

#: The model in which the mean bits of a mix are stated.
MIXED_IN: Final = "mistral-7b"


class ModelRow(NamedTuple):
    """A model in a listing: `kind` is language, image (a whole pipeline) or the part of one that it is."""

    name: str
    title: str
    aliases: tuple[str, ...]
    kind: str
    parameters: float | None
    active: float | None
    max_context: int | None


class GPURow(NamedTuple):
    """An accelerator in a listing: dense 16-bit peak (FLOP/s), bandwidth (B/s), capacity (B).

    `capacity` is what counts, `sold` the size by which people call it, or the sizes of machines with unified memory.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    peak_16bit: float
    bandwidth: float
    capacity: float
    sold: str
    kind: str
    vendor: str


class NodeRow(NamedTuple):
    """A node in a listing: how many of which accelerator, and its links, in B/s per direction."""

    name: str
    title: str
    aliases: tuple[str, ...]
    gpu: str
    count: int  # type: ignore[assignment]  # in place of a method of tuples
    scale_up: str
    scale_up_bandwidth: float
    scale_out: str | None
    scale_out_bandwidth: float | None


class EngineRow(NamedTuple):
    """An engine in a listing: the measured runs that it was fitted to, the median error of the fit, its version.

    `trains`: it trains models, and runs none.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    runs: int
    median_error: float | None
    version: str | None = None
    trains: bool = False


class PrecisionRow(NamedTuple):
    """A number format in a listing. `mix`: a file of several formats; `bits` is then their mean in MIXED_IN."""

    name: str
    bits: float
    compute: str
    layout: str
    mix: bool = False


class SchedulerRow(NamedTuple):
    """A scheduler in a listing: how often it calls the denoiser in 20 steps, and whether it follows flows or noise."""

    name: str
    aliases: tuple[str, ...]
    calls_of_20_steps: int
    follows: str
