"""What a file may say about the encoder before a decoder, where it is not as the decoder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import AsTuple, Size, Spec
from roofline.specs.text.positions import Positions


class SoundConvolution(Spec):
    """A convolution over time, with `kernel` taps at every `stride`-th step; `padded`: it keeps length / stride steps.

    `gated`: half of the outputs scale the other half (GLU). `norm`: a norm of what comes out, with weight and bias.
    """

    outputs: Size
    kernel: Size
    stride: Size = 1
    bias: bool = True
    padded: bool = True
    gated: bool = False
    norm: bool = False
    activation: Literal["gelu", "relu", "silu", "tanh", "none"] = "gelu"


class SoundInput(Spec):
    """An encoder that hears: `bands` values at each of `rate` steps a second, convolutions over them, then its layers.

    A sound is filled up to `window` seconds, and no longer one is heard at once; without `window` it is as long as it
    is.
    """

    bands: Size
    rate: Size
    window: Size | None = None
    convolutions: Annotated[tuple[SoundConvolution, ...], AsTuple, Field(min_length=1, max_length=8)]


class EncoderInput(Spec):
    """What an encoder has of its own: its width, a table of its own vocabulary, its positions; or it hears.

    What is left out is as the decoder has it; without `vocabulary` both read one table.
    """

    width: Size | None = None
    vocabulary: Size | None = None
    positions: Positions | None = None
    sound: SoundInput | None = None
