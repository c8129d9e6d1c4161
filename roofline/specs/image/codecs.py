"""What a file may say about autoencoders beyond that of Stable Diffusion: deep compression; and of T2I adapters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Size, Spec
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.unet_parts import Depth, Few

Kernels = Annotated[tuple[Annotated[int, Field(ge=1, le=31)], ...], AsTuple, Field(max_length=8)]


class DeepLevel(Spec):
    """A level of such an autoencoder: blocks of convolutions, or of linear attention and a gated convolution.

    `kernels`: sizes of the depthwise convolutions that give attention further queries, keys and values.
    """

    channels: Size
    layers: Depth
    kind: Literal["residual", "attention"] = "residual"
    kernels: Kernels = ()


Levels = Annotated[tuple[DeepLevel, ...], AsTuple, Field(min_length=2, max_length=12)]


class DeepAutoencoderSpec(ImageSpec):
    """A deep-compression autoencoder (DC-AE): levels from the pixels inward for either way.

    `unshuffle`: a level halves the plane by a convolution and moving pixels into channels, else by a stride;
    `interpolate`: a level doubles it by repeating pixels before a convolution, else by moving channels into pixels.
    """

    family: Literal["deep_autoencoder"]
    encoder: Levels
    decoder: Levels
    latent_channels: Size = 32
    pixel_channels: Size = 3
    head_dim: Size = 32
    unshuffle: bool = True
    interpolate: bool = False
    sample: Size = 1024

    @model_validator(mode="after")
    def _levels_fit(self) -> DeepAutoencoderSpec:
        if len(self.encoder) != len(self.decoder):
            raise PydanticCustomError("levels", "encoder and decoder must have as many levels")
        for level in (*self.encoder[1:], *self.decoder[1:]):
            if not level.layers:
                raise PydanticCustomError("levels", "only the level of the pixels may have no layers")
        if self.unshuffle and any(level.channels % 4 for level in self.encoder[1:]):
            raise PydanticCustomError("levels", "with unshuffle the encoder's channels must divide by 4")
        for level in (*self.encoder, *self.decoder):
            if level.kind == "attention" and level.channels % self.head_dim:
                raise PydanticCustomError("levels", "channels of a level with attention must divide by head_dim")
        return self

    @property
    def scale(self) -> int:
        """Pixels per latent element, in each direction."""
        return int(2 ** (len(self.decoder) - 1))


class AdapterSpec(ImageSpec):
    """A T2I adapter: a picture, `unshuffle` × `unshuffle` pixels moved into channels, to a feature per level of a UNet.

    `full` halves the plane before every level but the first, `full_xl` before the third alone, `light` as `full` with
    blocks of a quarter of the channels and one level more.
    """

    family: Literal["adapter"]
    kind: Literal["full", "full_xl", "light"] = "full"
    channels: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=10)] = (320, 640, 1280, 1280)
    layers: Few = 2
    unshuffle: Annotated[int, Field(ge=1, le=256)] = 8
    pixel_channels: Size = 3
    sample: Size = 512

    @model_validator(mode="after")
    def _channels_have_quarters(self) -> AdapterSpec:
        if self.kind == "light" and min(self.channels) < 4:
            raise PydanticCustomError("channels", "a light adapter works in a quarter of its channels: at least 4")
        return self

    @property
    def scale(self) -> int:
        """Pixels that height and width must be multiples of."""
        halvings = {"full": len(self.channels) - 1, "full_xl": 1, "light": len(self.channels)}[self.kind]
        return int(self.unshuffle * 2**halvings)
