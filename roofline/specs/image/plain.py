"""What a file may say about a plain latent diffusion model: a UNet with attention at every level, and a VQVAE or VAE.

The models of explainingai-code/StableDiffusion-PyTorch are of this kind.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Size, Spec
from roofline.specs.image.parts import ImageSpec

Widths = Annotated[tuple[Size, ...], AsTuple, Field(min_length=2, max_length=20)]
Flags = Annotated[tuple[bool, ...], AsTuple]


class ImageCondition(Spec):
    """A picture that conditions: its channels and side in pixels, and the channels that it is brought to."""

    channels: Size
    side: Size
    out_channels: Size


class PlainSpec(ImageSpec):
    """What both parts share: widths from the outside in, which levels halve the plane, layers per block, heads."""

    channels: Widths
    mid: Widths
    downsample: Flags
    layers: Size
    heads: Size
    groups: Size = 32
    latent_channels: Size

    @model_validator(mode="after")
    def _levels_match(self) -> PlainSpec:
        if len(self.downsample) != len(self.channels) - 1:
            raise PydanticCustomError("downsample", "downsample must have one entry per step between channels")
        if self.mid[0] != self.channels[-1]:
            raise PydanticCustomError("mid", "mid must begin with the last of channels")
        return self

    @property
    def halvings(self) -> int:
        """Levels that halve the plane."""
        return sum(self.downsample)


class PlainUNetSpec(PlainSpec):
    """A UNet whose every residual layer is followed by self-attention, and by attention to a text where there is one.

    `out_width` is the width before the last convolution; `classes`, `context_width` and `image_condition` say what
    conditions the model beside the time step.
    """

    family: Literal["plain_unet"]
    time_width: Size
    out_width: Size = 128
    classes: Size | None = None
    context_width: Size | None = None
    context_tokens: Size = 77
    image_condition: ImageCondition | None = None
    sample: Size
    scale: Size


class VQVAESpec(PlainSpec):
    """An autoencoder with a codebook of `codes` vectors, or a variational one without."""

    family: Literal["vqvae"]
    pixel_channels: Size = 3
    codes: Size | None = None
    sample: Size

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2**self.halvings)
