"""What a file in `models/` may say about a transformer: block groups of layers, because layers are not uniform.

A group says how many layers it has, which attention and which feed-forward. All is shape; nothing is counted here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Name, Names, Published, Size, Spec, Text, Texts
from roofline.specs.dtypes import ALIASES, DTYPES

#: `gelu_new` is `gelu_tanh` as GPT-2's reference code computes it: eight element-wise operations, not one.
Activation = Literal["silu", "gelu", "gelu_tanh", "gelu_new", "relu", "relu2", "quick_gelu"]


class Norm(Spec):
    """A normalisation over the model width: its kind, and whether it has a bias beside its weight."""

    kind: Literal["rms", "layer"]
    bias: bool = False
    weight: bool = True


class SoftmaxAttention(Spec):
    """Scaled dot-product attention: multi-head (kv_heads = heads), grouped-query, or multi-query (kv_heads = 1).

    `window` limits each query to the last `window` keys, itself included. `head_dim` is the width of a query and key
    head, `value_dim` that of a value head where it differs. `packed`: queries, keys and values are columns of one
    matrix in the reference code, computed by one product; `softmax_fp32`: unfused, that code widens the scores to 4
    bytes for the softmax.
    """

    kind: Literal["softmax"]
    heads: Size
    kv_heads: Size
    head_dim: Size
    value_dim: Size | None = None
    window: Size | None = None
    causal: bool = True
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: Literal["head", "width"] | None = None
    packed: bool = False
    softmax_fp32: bool = True

    @model_validator(mode="after")
    def _heads_divide(self) -> SoftmaxAttention:
        if self.heads % self.kv_heads:
            raise PydanticCustomError(
                "heads", "{heads} heads do not divide among {kv} kv_heads", {"heads": self.heads, "kv": self.kv_heads}
            )
        return self


class DenseFeedForward(Spec):
    """Two matrices with an activation between, or three when gated (SwiGLU, GeGLU)."""

    kind: Literal["dense"]
    width: Size
    gated: bool = False
    activation: Activation = "silu"
    bias: bool = False


class ExpertsFeedForward(Spec):
    """A mixture of experts: a router sends each token to `top_k` of `experts` feed-forwards of `width`."""

    kind: Literal["experts"]
    width: Size
    experts: Size
    top_k: Size
    gated: bool = True
    activation: Activation = "silu"
    bias: bool = False
    router_bias: bool = False
    shared_width: Annotated[int, Field(ge=0, le=10**9)] = 0
    shared_gate: bool = False

    @model_validator(mode="after")
    def _top_k_of_experts(self) -> ExpertsFeedForward:
        if self.top_k > self.experts:
            raise PydanticCustomError(
                "top_k", "top_k {k} is more than the {e} experts", {"k": self.top_k, "e": self.experts}
            )
        return self


FeedForwardSpec = Annotated[DenseFeedForward | ExpertsFeedForward, Field(discriminator="kind")]


class BlockGroup(Spec):
    """A number of identical layers.

    `norms` counts the norms over the model width in each; in a parallel block attention and feed-forward stand side by
    side, and with one norm they read the same normed input. `norm_placement` says where norms stand: `pre` before
    attention and feed-forward, `post` behind the sum with the residual, as in the first transformer (Vaswani et al.
    2017) and OPT-350M.
    """

    name: Name | None = None
    layers: Size
    attention: SoftmaxAttention | None = None
    feed_forward: FeedForwardSpec | None = None
    norms: Annotated[int, Field(ge=0, le=8)] = 2
    norm_placement: Literal["pre", "post"] = "pre"
    parallel: bool = False

    @model_validator(mode="after")
    def _post_norms_follow_a_sum(self) -> BlockGroup:
        if self.norm_placement == "post" and (self.parallel or self.norms > 2):
            raise PydanticCustomError(
                "norm_placement", "norm_placement: post goes with blocks in sequence of at most 2 norms"
            )
        return self


class Positions(Spec):
    """How positions enter the model.

    `rotary`: rotated into queries and keys, in the first `rotary_dim` elements of a head (by default all); `learned`:
    a table of `size` rows; `sinusoidal`: a fixed formula; `relative`: distances projected in every layer
    (Transformer-XL); `alibi`: a slope per head.
    """

    kind: Literal["rotary", "learned", "sinusoidal", "relative", "alibi", "none"]
    size: Size | None = None
    rotary_dim: Size | None = None

    @model_validator(mode="after")
    def _learned_has_a_size(self) -> Positions:
        if (self.kind == "learned") != (self.size is not None):
            raise PydanticCustomError("positions", "size goes with kind: learned, and only with it")
        return self


class TransformerSpec(Spec):
    """A language model as shapes."""

    family: Literal["transformer"]
    name: Name
    title: Text
    aliases: Names = ()
    vocabulary: Size | None
    width: Size
    embedding_width: Size | None = None
    max_context: Size
    dtype: str = "bf16"
    positions: Positions
    norm: Norm
    embedding_norm: bool = False
    final_norm: bool = True
    tied_embeddings: bool = False
    head: bool = True
    head_bias: bool = False
    blocks: Annotated[tuple[BlockGroup, ...], AsTuple, Field(min_length=1, max_length=1000)]
    published: Annotated[tuple[Published, ...], AsTuple] = ()
    sources: Annotated[Texts, Field(min_length=1)]
    unverified: Texts = ()
    notes: Text | None = None

    @model_validator(mode="after")
    def _dtype_is_known(self) -> TransformerSpec:
        if self.dtype not in DTYPES and self.dtype not in ALIASES:
            raise PydanticCustomError("dtype", "unknown dtype {dtype}", {"dtype": self.dtype})
        return self
