"""Kinds of attention beside softmax attention, and what stands in its place: one class for each `kind:`.

This module is imported, and of its classes those are built, that a file names (`roofline.specs.text.transformer`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec
from roofline.specs.text.feed_forward import Activation
from roofline.specs.text.recurrence import (
    ChannelMix,
    GatedDelta,
    GatedRecurrence,
    KimiDelta,
    Lightning,
    Mamba,
    Mamba2,
    MatrixLSTM,
    PlainMatrix,
    ShortConvolution,
    TimeMix,
    refuse_remainder,
)
from roofline.specs.text.transformer import SoftmaxAttention


class Indexer(Spec):
    """A small attention without values whose scores choose the `top_k` keys that the attention proper sees.

    Its keys of `dim` are cached beside the others. `own: false`: the layer takes the choice of an earlier one.
    """

    heads: Size
    dim: Size
    top_k: Size
    own: bool = True


class LatentAttention(Spec):
    """Multi-head latent attention: keys and values of all heads are projections of one latent vector, which is cached.

    The latent has `kv_rank` elements; queries go through one of `query_rank` where that is given. A head's query and
    key have `key_dim` elements made from the latent and `rope_dim` rotated ones that all heads share; its value has
    `value_dim`. `bias` concerns the projections into the latents and out of the attention. `output_gate` multiplies the
    heads' output with a gate per element, or per `head`; `joint_gate`: queries and a gate per element are one
    projection of the query latent before and behind its norm (A.X K2). `sinks`: a learned score per head that takes
    part in the softmax.
    """

    kind: Literal["latent"]
    heads: Size
    kv_rank: Size
    query_rank: Size | None = None
    key_dim: Size
    rope_dim: Size
    value_dim: Size
    bias: bool = False
    latent_norm: bool = True
    output_gate: bool | Literal["head"] = False
    joint_gate: bool = False
    sinks: bool = False
    indexer: Indexer | None = None


class RoutedHeads(Spec):
    """Softmax attention whose query and output projections are routed experts (mixture of attention heads, JetMoE).

    Each token visits `top_k` of `experts`, each of which makes `kv_heads` queries of `head_dim`; keys and values are
    projected once and shared by the experts. `output_bias` is a vector added to the sum of the experts' outputs.
    """

    kind: Literal["routed_heads"]
    kv_heads: Size
    head_dim: Size
    experts: Size
    top_k: Size
    output_bias: bool = True

    @model_validator(mode="after")
    def _top_k_of_experts(self) -> RoutedHeads:
        if self.top_k > self.experts:
            context = {"k": self.top_k, "e": self.experts}
            raise PydanticCustomError("top_k", "top_k {k} is more than the {e} experts", context)
        return self


class BlockSparseAttention(Spec):
    """Grouped-query attention in which an indexer chooses, for each group, `top_blocks` blocks of `block` keys.

    The indexer has a head of `index_dim` per choice and one key head; its keys are cached beside the others.
    """

    kind: Literal["block_sparse"]
    heads: Size
    kv_heads: Size
    head_dim: Size
    rotary_dim: Size | None = None
    qk_norm: bool = True
    block: Size
    top_blocks: Size
    index_heads: Size
    index_dim: Size

    @model_validator(mode="after")
    def _heads_divide(self) -> BlockSparseAttention:
        refuse_remainder(self.heads, self.kv_heads, "heads", "kv_heads")
        return self


class CompressedAttention(Spec):
    """One key head that is also the value, in a window, and beyond it one entry for every `rate` tokens (DeepSeek V4).

    Without `rate` there is the window alone. `overlap`: an entry is a mean over its own tokens and those of the entry
    before, which doubles its projections. An `indexer`, with compressed keys of its own, chooses among the entries. The
    output goes through `output_groups` projections to `output_rank` each. `values_cached`: the window is cached twice,
    as keys and as values, as the reference code does where there is no `rate`.
    """

    kind: Literal["compressed"]
    heads: Size
    head_dim: Size
    rope_dim: Size
    query_rank: Size
    window: Size
    rate: Size | None = None
    overlap: bool = False
    indexer: Indexer | None = None
    output_groups: Size
    output_rank: Size
    values_cached: bool = False

    @model_validator(mode="after")
    def _groups_divide(self) -> CompressedAttention:
        refuse_remainder(self.heads * self.head_dim, self.output_groups, "elements of the heads", "output_groups")
        if self.indexer is not None and self.rate is None:
            raise PydanticCustomError("indexer", "an indexer chooses among compressed entries: rate is missing")
        return self


class CrossAttention(Spec):
    """Attention to the pictures of a prompt, in a layer that is run only where there are some (Llama 3.2 Vision).

    Their tokens are `source_width` wide, by default as the model; keys and values of them are cached and do not grow.
    """

    kind: Literal["cross"]
    heads: Size
    kv_heads: Size
    head_dim: Size
    source_width: Size | None = None
    qk_norm: Literal["head"] | None = None
    output_bias: bool = False

    @model_validator(mode="after")
    def _heads_divide(self) -> CrossAttention:
        refuse_remainder(self.heads, self.kv_heads, "heads", "kv_heads")
        return self


class SharedBlock(Spec):
    """A transformer block of twice the width that several layers share, and a projection back (Zamba).

    It reads the residual beside the embedding. Each layer may have adapters of `adapter_rank` to the feed-forward, with
    `attention_adapters` also to queries, keys and values, and the projection. `held: false`: its other matrices are
    those of an earlier group.
    """

    kind: Literal["shared_block"]
    heads: Size
    kv_heads: Size
    head_dim: Size
    hidden: Size
    adapter_rank: Size | None = None
    attention_adapters: bool = False
    activation: Activation = "gelu"
    bias: bool = False
    held: bool = True

    @model_validator(mode="after")
    def _heads_divide(self) -> SharedBlock:
        refuse_remainder(self.heads, self.kv_heads, "heads", "kv_heads")
        return self


#: Every kind by its name.
KINDS: Final[dict[str, type[Spec]]] = {
    "softmax": SoftmaxAttention,
    "latent": LatentAttention,
    "routed_heads": RoutedHeads,
    "block_sparse": BlockSparseAttention,
    "cross": CrossAttention,
    "compressed": CompressedAttention,
    "mamba": Mamba,
    "mamba2": Mamba2,
    "gated_delta": GatedDelta,
    "kimi_delta": KimiDelta,
    "lightning": Lightning,
    "short_conv": ShortConvolution,
    "gated_recurrence": GatedRecurrence,
    "mlstm": MatrixLSTM,
    "time_mix": TimeMix,
    "channel_mix": ChannelMix,
    "shared_block": SharedBlock,
    "linear": PlainMatrix,
}


def union_of(kinds: list[str]) -> Any:
    """The annotation of a field that takes any of these kinds, told apart by `kind:`."""
    classes = [KINDS[kind] for kind in kinds]
    union: Any = classes[0]
    for other in classes[1:]:
        union = union | other
    return union if len(classes) == 1 else Annotated[union, Field(discriminator="kind")]
