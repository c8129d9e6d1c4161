"""What a file may say about the text encoders of image models: CLIP and T5."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size
from roofline.specs.image.parts import ImageSpec


class TextEncoderSpec(ImageSpec):
    """A text encoder: prompt tokens to one vector each.

    `clip`: layers with biases and learned positions, `tokens` of them in every prompt; `projection` is the width of the
    pooled embedding where the model has that layer. `t5`: gated feed-forward, no biases, `buckets` of relative
    positions shared by all layers.
    """

    family: Literal["text_encoder"]
    kind: Literal["clip", "t5"]
    vocabulary: Size
    width: Size
    layers: Size
    heads: Size
    head_dim: Size
    feed_forward: Size
    activation: Literal["quick_gelu", "gelu", "gated_gelu"]
    tokens: Size = 77
    projection: Size | None = None
    buckets: Size | None = None

    @model_validator(mode="after")
    def _kind_fits(self) -> TextEncoderSpec:
        t5 = self.kind == "t5"
        if t5 != (self.buckets is not None) or t5 != (self.activation == "gated_gelu"):
            raise PydanticCustomError("kind", "buckets and activation: gated_gelu go with kind: t5, and only with it")
        if t5 and self.projection is not None:
            raise PydanticCustomError("kind", "projection goes with kind: clip")
        return self
