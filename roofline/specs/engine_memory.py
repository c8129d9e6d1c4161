"""How an engine uses the memory of a device."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from roofline.specs.base import NoBytes, Share, Size, Spec, Texts
from roofline.specs.server import Defaults


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
