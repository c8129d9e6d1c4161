"""What a file may say about the convolutional parts of an image model: UNet, ControlNet, autoencoders.

All is shape; nothing is counted here. Sizes of images are not part of a spec but of the question.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Name, Names, Published, Size, Spec, Text, Texts, known_dtype


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


def _to_layers(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class UNetBlock(Spec):
    """One block of a UNet: residual layers, each followed by a stack of transformer layers where there are any.

    `transformer_layers` is the depth of every stack, or a list with one depth per residual layer. `resample` says
    whether a convolution halves the plane behind the block (going down) or doubles it (going up).
    """

    channels: Size
    resnets: Size
    transformer_layers: Annotated[
        Annotated[int, Field(ge=0, le=1000)] | tuple[Annotated[int, Field(ge=0, le=1000)], ...],
        BeforeValidator(_to_layers),
    ] = 0
    heads: Size | None = None
    resample: bool = False

    @model_validator(mode="after")
    def _heads_go_with_attention(self) -> UNetBlock:
        if any(self.depths) and self.heads is None:
            raise PydanticCustomError("heads", "heads is missing: transformer layers need it")
        if isinstance(self.transformer_layers, tuple) and len(self.transformer_layers) != self.resnets:
            raise PydanticCustomError("layers", "transformer_layers must have one depth per residual layer")
        return self

    @property
    def depths(self) -> tuple[int, ...]:
        """Transformer layers behind each residual layer."""
        layers = self.transformer_layers
        return layers if isinstance(layers, tuple) else (layers,) * self.resnets


class MidBlock(Spec):
    """The middle of a UNet: two residual layers with a stack of transformer layers between."""

    transformer_layers: Annotated[int, Field(ge=0, le=1000)] = 1
    heads: Size


class AddedConditions(Spec):
    """SDXL's second condition: a pooled text embedding beside `numbers` sizes, each at `number_width` frequencies."""

    pooled_width: Size
    numbers: Size
    number_width: Size = 256

    @property
    def width(self) -> int:
        """Width of the concatenation."""
        return self.pooled_width + self.numbers * self.number_width


class UNetTrunk(ImageSpec):
    """What a UNet and its ControlNet share: the way down and the middle.

    `sample` is the usual latent height and width, `scale` how many pixels one latent element stands for in each
    direction. `linear_projection`: the tokens enter the transformer through a dense layer, not through a convolution.
    """

    in_channels: Size = 4
    context_width: Size
    sample: Size = 64
    scale: Size = 8
    groups: Size = 32
    linear_projection: bool = False
    down: Annotated[tuple[UNetBlock, ...], AsTuple, Field(min_length=1, max_length=20)]
    mid: MidBlock | None = None
    added_conditions: AddedConditions | None = None
    guidance_width: Size | None = None


class UNetSpec(UNetTrunk):
    """A denoising UNet conditioned on text by cross-attention: Stable Diffusion 1.x, 2.x, XL and their kin.

    `guidance_width` is the width of an embedding of the guidance scale (latent consistency models).
    """

    family: Literal["unet"]
    out_channels: Size = 4
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

    `hint_channels` are the widths of the convolutions that bring the picture (3 channels, pixels) to the latent size.
    """

    family: Literal["controlnet"]
    hint_channels: Annotated[tuple[Size, ...], AsTuple] = (16, 32, 96, 256)


class AutoencoderSpec(ImageSpec):
    """A variational autoencoder: pixels to latents and back, `channels` per level from the pixels inward.

    `quant` and `post_quant`: a 1×1 convolution behind the encoder and before the decoder.
    """

    family: Literal["autoencoder"]
    channels: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=10)]
    layers: Size = 2
    latent_channels: Size = 4
    pixel_channels: Size = 3
    groups: Size = 32
    quant: bool = True
    post_quant: bool = True
    mid_attention: bool = True
    sample: Size = 512

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2 ** (len(self.channels) - 1))


class TinyAutoencoderSpec(ImageSpec):
    """A small convolutional autoencoder without attention or norms (TAESD): and so many blocks per level."""

    family: Literal["tiny_autoencoder"]
    channels: Size = 64
    encoder: Annotated[tuple[Size, ...], AsTuple] = (1, 3, 3, 3)
    decoder: Annotated[tuple[Size, ...], AsTuple] = (3, 3, 3, 1)
    latent_channels: Size = 4
    pixel_channels: Size = 3
    sample: Size = 512

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2 ** (len(self.decoder) - 1))
