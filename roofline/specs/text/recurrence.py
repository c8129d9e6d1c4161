"""Kinds that stand in the place of attention and carry a state of a fixed size: state spaces, linear attention, others.

Imported with `roofline.specs.text.attention`, when a file names a kind beside softmax attention.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec


def refuse_remainder(whole: int, parts: int, what: str, into: str) -> None:
    """Raise where `whole` does not divide by `parts`."""
    if whole % parts:
        context = {"whole": whole, "what": what, "parts": parts, "into": into}
        raise PydanticCustomError("heads", "{whole} {what} do not divide among {parts} {into}", context)


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
        refuse_remainder(self.heads, self.groups, "heads", "groups")
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
        refuse_remainder(self.value_heads, self.key_heads, "value_heads", "key_heads")
        return self


class KimiDelta(Spec):
    """The gated delta rule with a decay per channel (Kimi delta attention).

    Decays come through a bottleneck of `decay_rank`, the output gate through one of `gate_rank`, where these are given.
    """

    kind: Literal["kimi_delta"]
    heads: Size
    head_dim: Size
    decay_rank: Size | None = None
    gate_rank: Size | None = None
    kernel: Size


class Lightning(Spec):
    """Linear attention with a fixed decay per head (Lightning attention): a state of [head_dim, head_dim] per head.

    `activation`: queries, keys and values are activated; `qk_norm`: each head of queries and keys is normed.
    """

    kind: Literal["lightning"]
    heads: Size
    head_dim: Size
    activation: bool = True
    qk_norm: bool = False


class ShortConvolution(Spec):
    """Two gates around a short convolution over `width` channels (LFM2)."""

    kind: Literal["short_conv"]
    width: Size
    kernel: Size
    bias: bool = False


class PlainMatrix(Spec):
    """One matrix over the model width in the place of a sublayer (Nemotron 51B): no token sees another."""

    kind: Literal["linear"]
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
        refuse_remainder(self.width, self.heads, "channels", "heads")
        return self


class MatrixLSTM(Spec):
    """An LSTM whose memory is a matrix of [key_dim, value_dim] per head, with a normaliser (xLSTM)."""

    kind: Literal["mlstm"]
    heads: Size
    key_dim: Size
    value_dim: Size
    bias: bool = False


class TimeMix(Spec):
    """RWKV-4's mixing over time: decaying weighted sums of values over `width` channels, and a gate."""

    kind: Literal["time_mix"]
    width: Size


class ChannelMix(Spec):
    """RWKV-4's mixing over channels: a squared-ReLU feed-forward of `hidden`, a gate, and the token before."""

    kind: Literal["channel_mix"]
    hidden: Size
