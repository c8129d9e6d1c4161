"""What a file in `models/` may say about a transformer: block groups of layers, because layers are not uniform.

A group says how many layers it has, which attention and which feed-forward. All is shape; nothing is counted here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import (
    MOST_LAYERS,
    AsTuple,
    Layers,
    Name,
    Names,
    Published,
    Size,
    Spec,
    Text,
    Texts,
    known_dtype,
)
from roofline.specs.formats.caches import known_cache
from roofline.specs.text.feed_forward import FeedForwardSpec
from roofline.specs.text.heads import Classifier, Eagle
from roofline.specs.text.positions import Positions
from roofline.specs.text.reference import USUAL, ReferenceCode
from roofline.specs.text.stacks import EncoderInput
from roofline.specs.text.tower import Tower


class Norm(Spec):
    """A normalisation over the model width: its kind, and whether it has a bias beside its weight."""

    kind: Literal["rms", "layer"]
    bias: bool = False
    weight: bool = True


class BlockPattern(Spec):
    """Attention of blocks to some blocks (BigBird): the first and the last to all, the next two to 4 and the rest to 5
    blocks of `block` tokens, and to `random` ones besides. Up to 5 + 2 `random` blocks of tokens see all of them.
    """

    block: Size
    random: Annotated[int, Field(ge=0, le=1000)]


class SoftmaxAttention(Spec):
    """Scaled dot-product attention: multi-head (kv_heads = heads), grouped-query, or multi-query (kv_heads = 1).

    `window` limits each query to the last `window` keys, itself included, and without `causal` to as many ahead of it;
    `chunk` to the keys of its own chunk of that many positions. `head_dim` is the width of a query and key head,
    `value_dim` that of a value head where it differs. `keys_as_values`: values are the projected keys, and there is no
    value projection. `shared_cache`: the layer attends to keys and values of an earlier layer and projects and caches
    none. `sinks`: a learned score per head that takes part in the softmax. `rotary: false`: a layer without positions
    in a model that rotates. `key_bias: false`: queries and values have biases, keys none.

    `qk_norm` norms queries and keys per `head`, per head with weights of their own for all `heads`, per head without
    weights (`plain`), or over the whole `width`; `value_norm` norms values per head without weights; `output_norm`
    norms what goes into the output projection. `packed`: queries, keys and values are columns of one matrix in the
    reference code, computed by one product; `softmax_fp32`: unfused, that code widens the scores to 4 bytes for the
    softmax. `reference_cache`: that code caches keys and values once per query head (`broadcast`), or beyond the window
    (`full`); `reference_window`: it computes a window in overlapping chunks, or in blocks with their neighbours.
    `cache_heads`: key-value heads that the cache holds, where copies are kept. `global_projections`: projections of
    tokens that see all others are held beside those of the rest (Longformer).
    `rotary_dim`: elements of a head that are rotated here, where layers differ. `output_gate` multiplies the heads'
    output, with a gate for each element or head; `gate_bias: false` where its projection has no bias though those of
    queries, keys and values have. `pattern`: blocks attend to some blocks, and input is padded to whole ones.
    """

    kind: Literal["softmax"]
    heads: Size
    kv_heads: Size
    head_dim: Size
    value_dim: Size | None = None
    window: Size | None = None
    chunk: Size | None = None
    causal: bool = True
    rotary: bool = True
    rotary_dim: Size | None = None
    qkv_bias: bool = False
    key_bias: bool = True
    output_bias: bool = False
    output_gate: Literal["element", "head"] | None = None
    gate_bias: bool = True
    qk_norm: Literal["head", "heads", "plain", "width"] | None = None
    qk_norm_kind: Literal["rms", "layer"] = "rms"
    qk_norm_bias: bool = False
    value_norm: bool = False
    output_norm: bool = False
    sinks: bool = False
    keys_as_values: bool = False
    shared_cache: bool = False
    packed: bool = False
    softmax_fp32: bool = True
    reference_cache: Literal["broadcast", "full"] | None = None
    reference_window: Literal["chunks", "blocks"] | None = None
    cache_heads: Size | None = None
    pattern: BlockPattern | None = None
    global_projections: bool = False

    @model_validator(mode="after")
    def _fields_agree(self) -> SoftmaxAttention:
        if self.window is not None and self.chunk is not None:
            raise PydanticCustomError("window", "window and chunk exclude each other")
        if self.keys_as_values and self.value_dim not in (None, self.head_dim):
            raise PydanticCustomError("value_dim", "keys_as_values: values are as wide as keys")
        return self

    @model_validator(mode="after")
    def _heads_divide(self) -> SoftmaxAttention:
        if self.heads % self.kv_heads:
            raise PydanticCustomError(
                "heads", "{heads} heads do not divide among {kv} kv_heads", {"heads": self.heads, "kv": self.kv_heads}
            )
        return self


class BlockGroup(Spec):
    """A number of identical layers.

    `norms` counts the norms over the model width in each; in a parallel block attention and feed-forward stand side by
    side, and with one norm they read the same normed input. `norm_placement` says where norms stand: `pre` before
    attention and feed-forward, `post` behind the sum with the residual, as in the first transformer (Vaswani et al.
    2017) and OPT-350M, `output` on what attention and feed-forward give, before the sum, as in OLMo 2. The layers of a
    decoder behind an encoder have a `cross_attention` to the prompt, with a norm beside those counted. `scales` are
    learned factors, so many per token and layer, beside the matrices. `held: false`: the layers run once more what an
    earlier group holds (looped layers, ALBERT), with a cache of their own. `norm_gates` counts the norms before
    attention and feed-forward whose result a gate multiplies, from a bottleneck of `norm_gate_rank`. `dtypes` gives the
    weights of single ops in these layers, or of their `attention` or `feed_forward`, a format of their own.
    `gated_residuals`: what attention and feed-forward give is scaled by the tanh of a learned number each (Flamingo).
    `attention_norm: false`: attention reads the residual as it is, and `norms` counts none for it.
    """

    name: Name | None = None
    layers: Layers
    attention: SoftmaxAttention | None = None
    feed_forward: FeedForwardSpec | None = None
    norms: Annotated[int, Field(ge=0, le=8)] = 2
    norm_placement: Literal["pre", "post", "output"] = "pre"
    parallel: bool = False
    attention_norm: bool = True
    gated_residuals: bool = False
    cross_attention: SoftmaxAttention | None = None
    scales: Annotated[int, Field(ge=0, le=10**9)] = 0
    held: bool = True
    norm_gates: Annotated[int, Field(ge=0, le=2)] = 0
    norm_gate_rank: Size = 1
    dtypes: dict[str, str] = Field(default_factory=dict)

    @field_validator("dtypes")
    @classmethod
    def _dtypes_are_known(cls, value: dict[str, str]) -> dict[str, str]:
        for dtype in value.values():
            known_dtype(dtype)
        return value

    @model_validator(mode="after")
    def _post_norms_follow_a_sum(self) -> BlockGroup:
        if self.norm_placement != "pre" and (self.parallel or self.norms > 2):
            message = "norm_placement: {place} goes with blocks in sequence of at most 2 norms"
            raise PydanticCustomError("norm_placement", message, {"place": self.norm_placement})
        return self


class PerLayerInput(Spec):
    """A second embedding that gives every layer an input of its own (Gemma 3n): `width` elements per layer."""

    vocabulary: Size
    width: Size


class AlternatingUpdates(Spec):
    """Parallel streams of the residual, of which each layer computes one and predicts the rest (Gemma 3n)."""

    inputs: Annotated[int, Field(ge=2, le=64)]


class TransformerSpec(Spec):
    """A language model as shapes.

    `mtp` is a head that predicts further tokens: per layer a projection of two vectors to one, a block and three
    norms; it is reported apart and is no part of the other numbers. `head_vocabulary`: tokens that the head can give,
    where the table knows more. `dtypes` gives the weights of single ops a format of their own, `cache_dtype` and
    `activation_dtype` are what the checkpoint wants for cache and activations. `laurel` is the rank of a low-rank path
    beside attention. `residual_streams`: the residual is so many streams, mixed by every sublayer (hyper-connections),
    or only read and written by each (`streams_mix: false`). `eagle`: no model of its own but a head that drafts for
    one. `towers` are encoders of pictures and sound that are loaded beside the language model, `left_out` says which
    are loaded and not counted. Without `max_context` no longest context is known. `generates: false`: the layers only
    encode, a sequence at once, whatever their masks, and nothing is cached; a `classifier` may stand where the head
    would. `default_generate`: tokens that it generates where a question does not say how many (1: a score).
    `assumed` is what the source of the shapes left open.

    `reference` is what its reference code does that decides what training keeps.

    `embedding_width` is that of the table where it is not the model's; `embedding_projected` says what is projected:
    tokens alone, their sum with positions and types, or that normed; `embedding_bias` whether that has a bias.
    `embedding_rows` are those of the table where it has more than the vocabulary of the head.
    `encoder_input` is what an encoder has of its own. `convolution`: so many tokens are mixed by a convolution beside
    the first layer (DeBERTa). `multiple_of`: an encoder pads its input to a multiple of so many tokens.
    """

    family: Literal["transformer"]
    name: Name
    title: Text
    aliases: Names = ()
    vocabulary: Size | None
    width: Size
    embedding_width: Size | None = None
    embedding_rows: Size | None = None
    embedding_projected: Literal["tokens", "sum", "normed"] = "tokens"
    embedding_bias: bool = False
    max_context: Size | None = None
    dtype: str = "bf16"
    dtypes: dict[str, str] = Field(default_factory=dict)
    cache_dtype: str | None = None
    activation_dtype: str | None = None
    positions: Positions
    norm: Norm
    token_types: Size | None = None
    embedding_norm: bool = False
    final_norm: bool = True
    pooler: bool = False
    residual_streams: Annotated[int, Field(ge=2, le=64)] | None = None
    streams_mix: bool = True
    tied_embeddings: bool = False
    head: bool = True
    head_bias: bool = False
    generates: bool = True
    default_generate: Annotated[int, Field(ge=1, le=10**6)] | None = None
    classifier: Classifier | None = None
    head_vocabulary: Size | None = None
    per_layer_input: PerLayerInput | None = None
    altup: AlternatingUpdates | None = None
    laurel: Size | None = None
    convolution: Size | None = None
    multiple_of: Size | None = None
    encoder_input: EncoderInput | None = None
    encoder: Annotated[tuple[BlockGroup, ...], AsTuple, Field(max_length=256)] = ()
    blocks: Annotated[tuple[BlockGroup, ...], AsTuple, Field(min_length=1, max_length=256)]
    mtp: BlockGroup | None = None
    reference: ReferenceCode = USUAL
    eagle: Eagle | None = None
    towers: Annotated[tuple[Tower, ...], AsTuple, Field(max_length=8)] = ()
    left_out: Texts = ()
    published: Annotated[tuple[Published, ...], AsTuple] = ()
    sources: Annotated[Texts, Field(min_length=1)]
    unverified: Texts = ()
    assumed: Texts = ()
    notes: Text | None = None

    @model_validator(mode="after")
    def _can_be_run(self) -> TransformerSpec:
        if sum(group.layers for group in (*self.encoder, *self.blocks)) > MOST_LAYERS:
            raise PydanticCustomError("blocks", "more than {most} layers in all", {"most": MOST_LAYERS})
        if self.vocabulary is None and (self.encoder or self.eagle):
            raise PydanticCustomError("vocabulary", "vocabulary: null is for a stack of layers that draws no tokens")
        return self

    @property
    def logits(self) -> int:
        """Tokens that the head can give, 0 without a vocabulary."""
        return self.head_vocabulary or self.vocabulary or 0

    @field_validator("cache_dtype")
    @classmethod
    def _cache_is_known(cls, value: str | None) -> str | None:
        return value if value is None or known_cache(value) else known_dtype(value)

    @field_validator("dtype", "activation_dtype", "dtypes")
    @classmethod
    def _dtype_is_known(cls, value: str | dict[str, str] | None) -> str | dict[str, str] | None:
        for dtype in value.values() if isinstance(value, dict) else [value] if value else []:
            known_dtype(dtype)
        return value

    @model_validator(mode="after")
    def _encoders_have_no_head(self) -> TransformerSpec:
        if self.classifier is not None and (self.head or self.encoder):
            raise PydanticCustomError("classifier", "classifier goes with head: false, without an encoder")
        return self
