"""What a file may say about denoisers that are transformers: DiT, PixArt, the MMDiT of Stable Diffusion 3, FLUX."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Size
from roofline.specs.image.parts import ImageSpec

LayerIndices = Annotated[tuple[Annotated[int, Field(ge=0, le=1000)], ...], AsTuple, Field(max_length=1000)]


class DenoiserSpec(ImageSpec):
    """What these share: latents cut into patches, layers of `heads` heads of `head_dim`.

    `sample` is the usual latent height and width, `scale` how many pixels one latent element stands for in each
    direction, `frequencies` the width of the sinusoid that encodes a time step.
    """

    in_channels: Size
    out_channels: Size
    patch: Size = 2
    layers: Annotated[int, Field(ge=0, le=1000)]
    heads: Size
    head_dim: Size
    sample: Size
    scale: Size = 8
    frequencies: Size = 256

    @property
    def width(self) -> int:
        """Width of a token."""
        return self.heads * self.head_dim


class DiTSpec(DenoiserSpec):
    """A transformer over patches, steered by scales and shifts made from the time step and a class label.

    Every layer embeds the time step and the label anew, as diffusers does. `attention_bias`: queries, keys and values
    have biases; `affine`: the norm before the feed-forward has weights of its own.
    """

    family: Literal["dit"]
    layers: Annotated[int, Field(ge=1, le=1000)]
    classes: Size = 1000
    attention_bias: bool = True
    affine: bool = False


class PixArtSpec(DenoiserSpec):
    """A DiT that reads text by cross-attention and whose layers share one embedding of the time step.

    `size_conditions`: the resolution and the aspect ratio are embedded too. `text_projection`: the text is brought to
    the width of the tokens first. `attention_bias`: queries, keys and values have biases; `affine`: both norms of a
    layer have weights of their own.
    """

    family: Literal["pixart"]
    text_width: Size = 4096
    text_projection: bool = True
    attention_bias: bool = True
    affine: bool = False
    text_tokens: Size = 120
    size_conditions: bool = False


class MMDiTShape(DenoiserSpec):
    """Stable Diffusion 3: image and text tokens in two streams that attend jointly.

    `dual_attention` lists the layers in which the image tokens also attend to themselves alone; `qk_norm`: queries and
    keys pass an RMS norm per head. The last layer leaves its text tokens unused. `positions`: patches per side that the
    table of positions has.
    """

    text_width: Size = 4096
    pooled_width: Size = 2048
    text_tokens: Size = 333
    positions: Size = 192
    qk_norm: bool = False
    dual_attention: LayerIndices = ()

    @model_validator(mode="after")
    def _layers_are_named_once(self) -> MMDiTShape:
        if len(set(self.dual_attention)) < len(self.dual_attention):
            raise PydanticCustomError("dual", "dual_attention names a layer twice")
        return self


class MMDiTSpec(MMDiTShape):
    """The denoiser of Stable Diffusion 3."""

    family: Literal["mmdit"]

    @model_validator(mode="after")
    def _layers_exist(self) -> MMDiTSpec:
        if any(index >= self.layers - 1 for index in self.dual_attention):
            raise PydanticCustomError("dual", "dual_attention names a layer that is the last or does not exist")
        return self


class MMDiTControlSpec(MMDiTShape):
    """A ControlNet of Stable Diffusion 3: layers that read a picture's latents too, and a dense layer behind each.

    `extra_channels` are those of the picture's latents beyond the denoiser's; `joint`: its layers attend to the text as
    well; `embeds`: it cuts the latents into patches itself, else it takes the denoiser's tokens.
    """

    family: Literal["mmdit_controlnet"]
    extra_channels: Annotated[int, Field(ge=0, le=10**4)] = 0
    joint: bool = True
    embeds: bool = True

    @model_validator(mode="after")
    def _layers_exist(self) -> MMDiTControlSpec:
        if any(index >= self.layers for index in self.dual_attention) or (self.dual_attention and not self.joint):
            raise PydanticCustomError("dual", "dual_attention names a layer that does not exist or sees no text")
        return self


class FluxShape(DenoiserSpec):
    """FLUX: `layers` of two streams as in MMDiT, then `single_layers` of one stream; rotary positions.

    `in_channels` counts a token's elements: 16 latent channels of a 2×2 patch are 64. `guidance`: the guidance scale
    is embedded, so that one forward pass serves both prompts.
    """

    single_layers: Annotated[int, Field(ge=0, le=1000)]
    text_width: Size = 4096
    pooled_width: Size = 768
    text_tokens: Size = 512
    guidance: bool = True
    rotary: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=16)] = (16, 56, 56)

    @model_validator(mode="after")
    def _rotary_fills_a_head(self) -> FluxShape:
        if sum(self.rotary) != self.head_dim:
            raise PydanticCustomError("rotary", "the rotary widths must sum to head_dim {d}", {"d": self.head_dim})
        return self


class FluxSpec(FluxShape):
    """The denoiser of FLUX."""

    family: Literal["flux"]


class FluxControlSpec(FluxShape):
    """A ControlNet of FLUX: layers that read a picture's latents too, and a dense layer behind each.

    `modes`: kinds of pictures that it tells apart by an embedding (a union). `hint`: the picture comes in pixels and
    passes convolutions to so many channels first.
    """

    family: Literal["flux_controlnet"]
    modes: Size | None = None
    hint: Size | None = None
