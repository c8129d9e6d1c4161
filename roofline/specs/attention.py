"""Kinds of attention beside softmax attention, and what stands in its place: one class for each `kind:`.

This module is imported, and of its classes those are built, that a file names (`roofline.specs.transformer`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec
from roofline.specs.transformer import SoftmaxAttention


def _refuse_remainder(whole: int, parts: int, what: str, into: str) -> None:
    if whole % parts:
        raise PydanticCustomError(
            "heads", "{whole} {what} do not divide among {parts} {into}",
            {"whole": whole, "what": what, "parts": parts, "into": into},
        )  # fmt: skip


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
    `value_dim`. `bias` concerns the projections into the latents and out of the attention.
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
    output_gate: bool = False
    indexer: Indexer | None = None


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
        _refuse_remainder(self.heads, self.kv_heads, "heads", "kv_heads")
        return self


class CompressedAttention(Spec):
    """One key head that is also the value, in a window, and beyond it one entry for every `rate` tokens (DeepSeek V4).

    Without `rate` there is the window alone. `overlap`: an entry is a mean over its own tokens and those of the entry
    before, which doubles its projections. An `indexer`, with compressed keys of its own, chooses among the entries. The
    output goes through `output_groups` projections to `output_rank` each.
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

    @model_validator(mode="after")
    def _groups_divide(self) -> CompressedAttention:
        _refuse_remainder(self.heads * self.head_dim, self.output_groups, "elements of the heads", "output_groups")
        if self.indexer is not None and self.rate is None:
            raise PydanticCustomError("indexer", "an indexer chooses among compressed entries: rate is missing")
        return self


class Mamba(Spec):
    """A selective state space (Mamba): per channel a state of `state` elements, changed by step, input and output
    vectors that depend on the token.

    `inner` channels, steps through a bottleneck of `rank`, a convolution of `kernel` taps. `norms` says whether step,
    input and output vectors are normed, and with weights (Jamba) or without (Falcon Mamba).
    """

    kind: Literal["mamba"]
    inner: Size
    state: Size
    rank: Size
    kernel: Size
    bias: bool = False
    conv_bias: bool = True
    norms: Literal["weighted", "plain"] | None = None


class Mamba2(Spec):
    """A state space with one decay per head (Mamba-2): a state of [head_dim, state] for each of `heads`.

    Input and output vectors are shared by the heads of each of `groups`. The output is normed where `norm`, and
    multiplied with the activation of a gate.
    """

    kind: Literal["mamba2"]
    heads: Size
    head_dim: Size
    state: Size
    groups: Size = 1
    kernel: Size
    bias: bool = False
    conv_bias: bool = True
    norm: bool = True

    @model_validator(mode="after")
    def _groups_divide(self) -> Mamba2:
        _refuse_remainder(self.heads, self.groups, "heads", "groups")
        return self


class GatedDelta(Spec):
    """Linear attention with the gated delta rule (Gated DeltaNet): a state of [key_dim, value_dim] per value head.

    Queries and keys have `key_heads`, each shared by as many value heads. A convolution of `kernel` taps runs over
    queries, keys and values.
    """

    kind: Literal["gated_delta"]
    key_heads: Size
    value_heads: Size
    key_dim: Size
    value_dim: Size
    kernel: Size

    @model_validator(mode="after")
    def _heads_divide(self) -> GatedDelta:
        _refuse_remainder(self.value_heads, self.key_heads, "value_heads", "key_heads")
        return self


class KimiDelta(Spec):
    """The gated delta rule with a decay per channel (Kimi delta attention).

    Decays come through a bottleneck of `decay_rank`, the output gate through one of `gate_rank` where that is given.
    """

    kind: Literal["kimi_delta"]
    heads: Size
    head_dim: Size
    decay_rank: Size
    gate_rank: Size | None = None
    kernel: Size


class Lightning(Spec):
    """Linear attention with a fixed decay per head (Lightning attention): a state of [head_dim, head_dim] per head."""

    kind: Literal["lightning"]
    heads: Size
    head_dim: Size


class ShortConvolution(Spec):
    """Two gates around a short convolution over `width` channels (LFM2)."""

    kind: Literal["short_conv"]
    width: Size
    kernel: Size
    bias: bool = False


class GatedRecurrence(Spec):
    """A real-gated linear recurrent unit (Griffin) over `width` channels behind a convolution, beside a gate.

    Its input and recurrence gates are block-diagonal with a block per head.
    """

    kind: Literal["gated_recurrence"]
    width: Size
    heads: Size
    kernel: Size

    @model_validator(mode="after")
    def _heads_divide(self) -> GatedRecurrence:
        _refuse_remainder(self.width, self.heads, "channels", "heads")
        return self


#: Every kind by its name.
KINDS: Final[dict[str, type[Spec]]] = {
    "softmax": SoftmaxAttention,
    "latent": LatentAttention,
    "block_sparse": BlockSparseAttention,
    "compressed": CompressedAttention,
    "mamba": Mamba,
    "mamba2": Mamba2,
    "gated_delta": GatedDelta,
    "kimi_delta": KimiDelta,
    "lightning": Lightning,
    "short_conv": ShortConvolution,
    "gated_recurrence": GatedRecurrence,
}

AttentionKind: TypeAlias = (
    SoftmaxAttention | LatentAttention | BlockSparseAttention | CompressedAttention | Mamba | Mamba2 | GatedDelta
    | KimiDelta | Lightning | ShortConvolution | GatedRecurrence
)  # fmt: skip


def union_of(kinds: list[str]) -> Any:
    """The annotation of a field that takes any of these kinds, told apart by `kind:`."""
    classes = [KINDS[kind] for kind in kinds]
    union: Any = classes[0]
    for other in classes[1:]:
        union = union | other
    return union if len(classes) == 1 else Annotated[union, Field(discriminator="kind")]
