"""What a file may say about the convolutional parts of an image model: UNet, ControlNet, autoencoders.

All is shape; nothing is counted here. Sizes of images are not part of a spec but of the question.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Name, Names, Published, Size, Spec, Text, Texts, known_dtype
from roofline.specs.image.unet_parts import (
    AddedConditions,
    ClassCondition,
    ContextInput,
    EmbeddedCondition,
    Few,
    MidBlock,
    UNetBlock,
)


class ImageSpec(Spec):
    """What the specs of all image models and their parts share.

    `dtype` is the format in which the weights are usually run, `assumed` what the source of the shapes left open.
    """

    name: Name
    title: Text
    aliases: Names = ()
    dtype: str = "fp16"
    published: Annotated[tuple[Published, ...], AsTuple] = ()
    sources: Annotated[Texts, Field(min_length=1)]
    unverified: Texts = ()
    assumed: Texts = ()
    notes: Text | None = None

    @field_validator("dtype")
    @classmethod
    def _dtype_is_known(cls, dtype: str) -> str:
        return known_dtype(dtype)


class UNetTrunk(ImageSpec):
    """What a UNet and its ControlNet share: the way down and the middle.

    `sample` is the usual latent height and width, `scale` how many pixels one latent element stands for in each
    direction. `linear_projection`: the tokens enter the transformer through a dense layer, not through a convolution.
    `context_width` is null where no text conditions the model, `time_width` the width of the time embedding (default:
    four times the first channels), `scale_shift`: the time step scales and shifts a residual layer's norm, else it is
    added. `gated`: every transformer layer holds a gated attention to boxes with a text, or with text and picture
    (GLIGEN), which a forward pass without boxes does not run. `text_norm`: groups of a norm over the text before added
    attention reads it.
    """

    in_channels: Size = 4
    context_width: Size | None
    sample: Size = 64
    scale: Size = 8
    groups: Size = 32
    linear_projection: bool = False
    time_width: Size | None = None
    scale_shift: bool = False
    gated: Literal["text", "text-image"] | None = None
    text_norm: Size | None = None
    kernel_in: Annotated[int, Field(ge=1, le=31)] = 3
    down: Annotated[tuple[UNetBlock, ...], AsTuple, Field(min_length=1, max_length=20)]
    mid: MidBlock | None = None
    added_conditions: AddedConditions | None = None
    guidance_width: Size | None = None
    embedded_condition: EmbeddedCondition | None = None
    class_condition: ClassCondition | None = None
    context_input: ContextInput | None = None

    @model_validator(mode="after")
    def _text_has_a_width(self) -> UNetTrunk:
        blocks = (*self.down, *getattr(self, "up", ()), *((self.mid,) if self.mid else ()))
        reads = any(block.heads is not None and block.attention != "self" for block in blocks)
        if reads and self.context_width is None:
            raise PydanticCustomError("context", "context_width is missing: attention to a text needs it")
        return self


class UNetSpec(UNetTrunk):
    """A denoising UNet, most of them conditioned on text by cross-attention: Stable Diffusion and its kin.

    `guidance_width` is the width of an embedding of the guidance scale (latent consistency models).
    """

    family: Literal["unet"]
    out_channels: Size = 4
    kernel_out: Annotated[int, Field(ge=1, le=31)] = 3
    up: Annotated[tuple[UNetBlock, ...], AsTuple, Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _up_mirrors_down(self) -> UNetSpec:
        skips = 1 + sum(block.resnets + (1 if block.resample else 0) for block in self.down)
        taken = sum(block.resnets for block in self.up)
        if skips != taken:
            raise PydanticCustomError(
                "up", "the way up takes {taken} skips, the way down leaves {skips}", {"taken": taken, "skips": skips}
            )
        return self


class ControlNetSpec(UNetTrunk):
    """A ControlNet: a copy of a UNet's way down that reads a picture and adds its features to the UNet's skips.

    `hint_channels` are the widths of the convolutions that bring the picture (in pixels) to the latent size.
    """

    family: Literal["controlnet"]
    hint_channels: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=20)] = (16, 32, 96, 256)
    picture_channels: Size = 3


class AutoencoderSpec(ImageSpec):
    """A variational autoencoder: pixels to latents and back, `channels` per level from the pixels inward.

    `quant` and `post_quant`: a 1×1 convolution behind the encoder and before the decoder. `decoder_channels` and
    `decoder_layers`, where the decoder has others than the encoder; `masked`: it holds convolutions over a masked
    picture, which run where one is given. `codes`: a codebook of so many vectors of `code_width` instead of a variance.
    """

    family: Literal["autoencoder"]
    channels: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=10)]
    layers: Few = 2
    latent_channels: Size = 4
    pixel_channels: Size = 3
    groups: Size = 32
    quant: bool = True
    post_quant: bool = True
    mid_attention: bool = True
    decoder_channels: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=10)] | None = None
    decoder_layers: Few | None = None
    masked: bool = False
    codes: Size | None = None
    code_width: Size | None = None
    sample: Size = 512

    @model_validator(mode="after")
    def _ways_fit(self) -> AutoencoderSpec:
        if self.decoder_channels is not None and len(self.decoder_channels) != len(self.channels):
            raise PydanticCustomError("channels", "channels and decoder_channels must have as many levels")
        if self.code_width is not None and self.codes is None:
            raise PydanticCustomError("codes", "code_width goes with codes")
        return self

    @property
    def widths_out(self) -> tuple[int, ...]:
        """Channels of the decoder's levels, from the pixels inward."""
        return self.decoder_channels or self.channels

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2 ** (len(self.channels) - 1))


class TinyAutoencoderSpec(ImageSpec):
    """A small convolutional autoencoder without attention or norms (TAESD): and so many blocks per level."""

    family: Literal["tiny_autoencoder"]
    channels: Size = 64
    encoder: Annotated[tuple[Few, ...], AsTuple, Field(min_length=1, max_length=10)] = (1, 3, 3, 3)
    decoder: Annotated[tuple[Few, ...], AsTuple, Field(min_length=1, max_length=10)] = (3, 3, 3, 1)
    latent_channels: Size = 4
    pixel_channels: Size = 3
    sample: Size = 512

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2 ** (len(self.decoder) - 1))
