"""What a file may say about a tower: the encoder of pictures or sound that stands beside a language model.

All is shape; nothing is counted here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Layers, Name, Size, Spec, Text
from roofline.specs.text.reading import Reading, SoundReading

#: The rows over which a piece runs: patches, what the layers see (with tokens of a class), what is left when patches
#: are merged, what the language model reads, one row per picture or tile; `none`: what is held and never run.
Rows = Literal["patches", "layers", "merged", "tokens", "views", "none"]
Activation = Literal["silu", "gelu", "gelu_tanh", "quick_gelu", "relu"]
#: So many times these rows: convolutions over a spectrum have more outputs than the layers have rows.
Times = Annotated[float, Field(gt=0, le=10**4)]


class TablePiece(Spec):
    """A learned table of `rows` vectors: positions, tokens of a class or of tiles, the end of a line.

    `product`: each row that it is added to is weighed from all of them, as a product.
    """

    kind: Literal["table"]
    name: Name
    rows: Size
    width: Size
    product: bool = False
    over: Rows | None = None


class LinearPiece(Spec):
    """A product with a matrix [inputs, outputs], in `number` copies, over each of the rows; then an activation."""

    kind: Literal["linear"]
    name: Name
    inputs: Size
    outputs: Size
    bias: bool = False
    number: Size = 1
    activation: Activation | None = None
    over: Rows | None = None
    times: Times = 1.0


class ConvolutionPiece(Spec):
    """A convolution over `kernel` elements, such as [2, 14, 14] of two frames in patches of 14 pixels.

    `inputs` are those of one output: 1 where each channel has a kernel of its own.
    """

    kind: Literal["convolution"]
    name: Name
    inputs: Size
    outputs: Size
    kernel: Annotated[tuple[Size, ...], AsTuple, Field(min_length=1, max_length=3)]
    bias: bool = False
    number: Size = 1
    activation: Activation | None = None
    over: Rows | None = None
    times: Times = 1.0


class NormPiece(Spec):
    """A normalisation of vectors of `width`, in `number` copies."""

    kind: Literal["norm"]
    name: Name
    width: Size
    bias: bool = False
    number: Size = 1
    over: Rows | None = None


class PoolPiece(Spec):
    """Merged rows as a product of all rows of a view with what says to which of them each belongs; holds nothing."""

    kind: Literal["pool"]
    name: Name
    width: Size
    over: Literal["merged"] = "merged"


class QueriesPiece(Spec):
    """Attention of `number` queries of each view to all that its layers see; holds nothing, for the projections and the
    queries are pieces of their own.
    """

    kind: Literal["queries"]
    name: Name
    number: Size = 1
    width: Size
    over: Literal["views"] = "views"


class ScalePiece(Spec):
    """Learned factors, `elements` in all: gates."""

    kind: Literal["scale"]
    name: Name
    elements: Size
    over: Rows | None = None


Piece = Annotated[
    TablePiece | LinearPiece | ConvolutionPiece | NormPiece | PoolPiece | QueriesPiece | ScalePiece,
    Field(discriminator="kind"),
]
Pieces = Annotated[tuple[Piece, ...], AsTuple, Field(max_length=100)]


class TowerLayers(Spec):
    """A number of equal layers of a tower: attention of all to all, and a dense feed-forward of width `mlp`.

    `key_bias` false: queries and values have biases, keys none (Whisper). `qk_norm` norms each head of queries and
    keys, or all of them together. `norms` are those over the width of the tower in each layer; `scales` are learned
    factors in each.
    """

    layers: Layers
    heads: Size
    kv_heads: Size | None = None
    head_dim: Size
    qkv_bias: bool = False
    key_bias: bool = True
    output_bias: bool = False
    qk_norm: Literal["head", "width"] | None = None
    window: Size | None = None
    mlp: Size
    gated: bool = False
    mlp_bias: bool = False
    activation: Activation = "gelu"
    norms: Annotated[int, Field(ge=0, le=4)] = 2
    scales: Annotated[int, Field(ge=0, le=10**6)] = 0

    @model_validator(mode="after")
    def _heads_divide(self) -> TowerLayers:
        if self.heads % (self.kv_heads or self.heads):
            told = {"heads": self.heads, "kv": self.kv_heads}
            raise PydanticCustomError("heads", "{heads} heads do not divide among {kv} kv_heads", told)
        return self


class Tower(Spec):
    """An encoder beside a language model: what stands before its layers, its layers, and what stands behind them.

    `name` is what it reads, `kind` how its class is called. `before` embeds patches or frames, `after` brings what the
    layers give to the width of the language model. `image` is the side of a picture in pixels where it is fixed,
    `patch` that of a patch, `merge` how many patches a side become one token of the language model; `prefix` tokens
    stand before the patches in the layers (a class). `tokens` says how a picture, `frames` how a frame of a video,
    `sound` how seconds become rows and tokens; without them the tower is counted and not run. `bits` are those of a
    parameter as a file stores them, in the mean; without them it is in 16 bit, or as wide as the language model.
    `attended`: its tokens are no part of the prompt, layers of cross-attention see them. `assumed`: the file says
    nothing of it, and its class makes one; it is held only when asked for.

    A piece runs over the rows that it says (`over`), else over patches before the layers and merged ones behind them;
    tables are added to what the layers see, and scales are held alone.
    """

    name: Name
    kind: Name
    width: Size
    norm: Literal["rms", "layer"] = "layer"
    norm_bias: bool = True
    rotary: bool = False
    image: Size | None = None
    patch: Size | None = None
    merge: Size | None = None
    prefix: Annotated[int, Field(ge=0, le=10**4)] = 0
    tokens: Reading | None = None
    frames: Reading | None = None
    sound: SoundReading | None = None
    attended: bool = False
    assumed: bool = False
    before: Pieces = ()
    blocks: Annotated[tuple[TowerLayers, ...], AsTuple, Field(min_length=1, max_length=256)]
    after: Pieces = ()
    bits: Annotated[float, Field(ge=0.5, le=64)] | None = None
    source: Text | None = None
