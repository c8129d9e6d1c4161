"""What an engine takes where nothing is said, by the memory of a device; and what is known of it as a server."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from roofline.specs.base import AsTuple, Names, NoBytes, Share, Size, Spec, Text, Texts, Time


class Default(Spec):
    """A number that an engine takes on devices of at least so much memory, but for those of some names."""

    value: Size
    memory: NoBytes = 0.0
    tp: Size = Field(1, description="from so many tensor-parallel devices on")
    but: Names = Field((), description="chips for which this entry does not count, as their names begin")


def _defaults(value: Any) -> Any:
    """A number alone stands for itself on every device."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = [{"value": value}] if value else []
    return tuple(value) if isinstance(value, list) else value


#: By the memory of a device: the last entry that counts has the word.
Defaults = Annotated[tuple[Default, ...], BeforeValidator(_defaults), Field(max_length=16)]


class Server(Spec):
    """What is known of an engine as a server, whose requests join and leave a running batch between its steps."""

    sequences: Defaults = Field(
        (), description="requests that it runs at once where nothing is said and `memory` says no number"
    )
    overhead: Time = Field(
        0.0, description="before the first token, beside all steps: HTTP, tokeniser, scheduler, detokeniser"
    )
    overhead_layer: Time = Field(0.0, description="further, per layer of the model")
    overhead_experts: Time = Field(
        0.0, description="further, per layer of experts: a prompt's tokens are sorted by kernels that no graph replays"
    )
    overhead_spread: Time = Field(
        0.0, description="further, per layer of experts and doubling of the devices that its tensors are split over"
    )
    overhead_token: Time = Field(0.0, description="further, per token of the prompt: HTTP, tokeniser, hashes of pages")
    overhead_interval: Annotated[tuple[Share, Annotated[float, Field(ge=1, le=100)]], AsTuple] = Field(
        (0.5, 2.0), description="80 % of these times lie between these multiples of what is said"
    )
    versions: Text | None = Field(None, description="those that these times were seen with")
    sources: Annotated[Texts, Field(min_length=1)]
