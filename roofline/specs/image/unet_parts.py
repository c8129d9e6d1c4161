"""What a file may say about the pieces of a UNet: its blocks, its middle, and what conditions it beside the text."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec

#: Layers of a block, and of a stack in it: more than any model has, and few enough to be listed one by one.
Few = Annotated[int, Field(ge=1, le=1000)]
Depth = Annotated[int, Field(ge=0, le=1000)]
#: What attends behind a residual layer: a stack of transformer layers; plain attention of the pixels among themselves;
#: or attention of the pixels to themselves and a text in one softmax, with keys and values of the text added.
Attending: TypeAlias = Literal["transformer", "self", "added"]


def _to_layers(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class UNetBlock(Spec):
    """One block of a UNet: residual layers, each followed by attention where the block has heads.

    `transformer_layers` is the depth of every stack, or a list with one depth per residual layer; a stack of no layers
    keeps its norm and its two projections. `only_cross`: the first attention of a layer reads the text as well, or the
    text alone where it is added. `resample` says whether a convolution halves the plane behind the block (going down)
    or doubles it (going up); `residual_resample`: a residual layer does.
    """

    channels: Size
    resnets: Few
    transformer_layers: Annotated[
        Depth | Annotated[tuple[Depth, ...], Field(max_length=1000)], BeforeValidator(_to_layers)
    ] = 0
    heads: Size | None = None
    attention: Attending = "transformer"
    only_cross: bool = False
    context_width: Size | None = None
    resample: bool = False
    residual_resample: bool = False

    @model_validator(mode="after")
    def _heads_go_with_attention(self) -> UNetBlock:
        if isinstance(self.transformer_layers, tuple) and len(self.transformer_layers) != self.resnets:
            raise PydanticCustomError("layers", "transformer_layers must have one depth per residual layer")
        if any(self.depths) and self.heads is None:
            raise PydanticCustomError("heads", "heads is missing: transformer layers need it")
        if self.heads is not None and self.channels % self.heads:
            raise PydanticCustomError("heads", "heads must divide the channels")
        if self.attention != "transformer" and any(self.depths):
            raise PydanticCustomError("attention", "transformer_layers goes with attention: transformer")
        if self.residual_resample and not self.resample:
            raise PydanticCustomError("resample", "residual_resample goes with resample: true")
        return self

    @property
    def depths(self) -> tuple[int, ...]:
        """Transformer layers behind each residual layer."""
        layers = self.transformer_layers
        return layers if isinstance(layers, tuple) else (layers,) * self.resnets


class MidBlock(Spec):
    """The middle of a UNet: two residual layers with attention between, or one or two without, as `heads` is null.

    `normed`: plain attention begins with a norm of its own. `context_width`: that of its text, where it is not the
    model's (default: that of the last block on the way down).
    """

    resnets: Annotated[int, Field(ge=1, le=2)] = 2
    transformer_layers: Depth = 1
    heads: Size | None = None
    attention: Attending = "transformer"
    only_cross: bool = False
    context_width: Size | None = None
    normed: bool = True

    @model_validator(mode="after")
    def _attention_lies_between(self) -> MidBlock:
        if self.heads is not None and self.resnets != 2:
            raise PydanticCustomError("resnets", "attention stands between two residual layers: resnets must be 2")
        return self


class AddedConditions(Spec):
    """SDXL's second condition: a pooled text embedding beside `numbers` sizes, each at `number_width` frequencies."""

    pooled_width: Size
    numbers: Size
    number_width: Size = 256

    @property
    def width(self) -> int:
        """Width of the concatenation."""
        return self.pooled_width + self.numbers * self.number_width


class EmbeddedCondition(Spec):
    """An embedding that is added to that of the time step.

    `text`: the whole text pooled by attention of `heads` heads. `text_image`: a pooled text and a picture's embedding.
    `image`: a picture's embedding. All of a width.
    """

    kind: Literal["text", "text_image", "image"]
    width: Size
    heads: Size = 64


class ClassCondition(Spec):
    """A class, a noise level or a picture's embedding beside the time step.

    `table`: one of `width` classes by a look-up. `timestep`: a number as time steps are embedded. `projection` and
    `simple_projection`: an embedding of a width through two dense layers or one. `identity`: as it comes.
    `concatenated`: it stands beside the time embedding instead of being added.
    """

    kind: Literal["table", "timestep", "projection", "simple_projection", "identity"]
    width: Size | None = None
    concatenated: bool = False

    @model_validator(mode="after")
    def _width_goes_with_the_kind(self) -> ClassCondition:
        if (self.kind in ("table", "projection", "simple_projection")) != (self.width is not None):
            raise PydanticCustomError(
                "width", "width goes with table, projection and simple_projection, and only there"
            )
        return self


class ContextInput(Spec):
    """How a context of another width is brought to that of cross-attention.

    `text`: a dense layer per token. `image`: a picture's embedding becomes `tokens` tokens. `text_image`: both.
    """

    kind: Literal["text", "image", "text_image"]
    width: Size
    tokens: Few = 32
