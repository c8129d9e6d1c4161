"""What a file may say about the text encoders of image models: CLIP and T5."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.unet_parts import Few


class TextEncoderSpec(ImageSpec):
    """A text encoder: prompt tokens to one vector each.

    `clip`: layers with biases and learned positions, `tokens` of them in every prompt; `projection` is the width of the
    pooled embedding where the model has that layer. `t5`: no biases, a feed-forward gated by gelu or with relu,
    `buckets` of relative positions shared by all layers; `umt5`: with those of each layer.
    """

    family: Literal["text_encoder"]
    kind: Literal["clip", "t5", "umt5"]
    vocabulary: Size
    width: Size
    layers: Few
    heads: Size
    head_dim: Size
    feed_forward: Size
    activation: Literal["quick_gelu", "gelu", "gated_gelu", "relu"]
    tokens: Size = 77
    projection: Size | None = None
    buckets: Size | None = None

    @model_validator(mode="after")
    def _kind_fits(self) -> TextEncoderSpec:
        t5 = self.kind != "clip"
        if t5 != (self.buckets is not None) or t5 != (self.activation in ("gated_gelu", "relu")):
            raise PydanticCustomError(
                "kind", "buckets and activation: gated_gelu or relu go with kind: t5 and umt5 alone"
            )
        if t5 and self.projection is not None:
            raise PydanticCustomError("kind", "projection goes with kind: clip")
        return self
