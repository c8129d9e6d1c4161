"""What a file may say about an image pipeline: which parts it runs, in which order and format.

A part is the name of another model file, or its content written in place.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from roofline.specs.base import AsTuple, Name, Names, Size, Spec
from roofline.specs.image.codecs import AdapterSpec, DeepAutoencoderSpec
from roofline.specs.image.parts import AutoencoderSpec, ControlNetSpec, ImageSpec, TinyAutoencoderSpec, UNetSpec
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.specs.image.transformers import (
    DiTSpec,
    FluxControlSpec,
    FluxSpec,
    MMDiTControlSpec,
    MMDiTSpec,
    PixArtSpec,
)

DenoiserPart: TypeAlias = Annotated[
    UNetSpec | PlainUNetSpec | DiTSpec | PixArtSpec | MMDiTSpec | FluxSpec, Field(discriminator="family")
]
AutoencoderPart: TypeAlias = Annotated[
    AutoencoderSpec | TinyAutoencoderSpec | VQVAESpec | DeepAutoencoderSpec, Field(discriminator="family")
]
ControlPart: TypeAlias = Annotated[ControlNetSpec | MMDiTControlSpec | FluxControlSpec, Field(discriminator="family")]


def _to_named(value: Any) -> Any:
    """A bare name of a text encoder is an encoder without options."""
    return {"encoder": value} if isinstance(value, str) else value


class TextPart(Spec):
    """A text encoder of a pipeline: `tokens` per prompt (default: the encoder's own)."""

    encoder: Name | TextEncoderSpec
    tokens: Size | None = None


class RefinerPart(Spec):
    """A second denoiser that takes over for the last `share` of the steps, with its own text encoders."""

    denoiser: Name | DenoiserPart
    text_encoders: Annotated[Names, Field(max_length=8)] = ()
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2


class PipelineSpec(ImageSpec):
    """An image model as a whole: text encoders, denoiser, autoencoder, and how they are run by default.

    `guidance` is the default scale; above 1 every step sees `passes` copies of the batch (2: with and without the
    prompt; 3: InstructPix2Pix), unless `embedded_guidance` says that the denoiser takes the scale as an input.
    `upcast_autoencoder`: in fp16 the autoencoder runs in fp32. `keep_fp32` names ops that stay in fp32 in fp16.
    `task`: what the pipeline starts from: nothing, a picture, or a picture and a mask. `context_tokens`: text tokens
    that the denoiser sees (default: those of its last text encoder). `safety_checker`: it loads one. Without an
    autoencoder the denoiser works on pixels; an `adapter` runs once, before the steps.
    """

    family: Literal["pipeline"]
    denoiser: Name | DenoiserPart
    autoencoder: Name | AutoencoderPart | None = None
    text_encoders: Annotated[
        tuple[Annotated[TextPart, BeforeValidator(_to_named)], ...], AsTuple, Field(max_length=8)
    ] = ()
    controlnet: Name | ControlPart | None = None
    adapter: Name | AdapterSpec | None = None
    refiner: RefinerPart | None = None
    scheduler: Name
    steps: Size
    guidance: Annotated[float, Field(ge=0, le=100)]
    passes: Annotated[int, Field(ge=1, le=4)] = 2
    embedded_guidance: bool = False
    context_tokens: Size | None = None
    height: Size
    width: Size
    upcast_autoencoder: bool = False
    keep_fp32: Names = ()
    task: Literal["text-to-image", "image-to-image", "inpaint", "edit"] = "text-to-image"
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    safety_checker: bool = False
