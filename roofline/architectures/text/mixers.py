"""What mixes the tokens of a layer: attention of any kind, or what stands in its place, by its `kind`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, TypeAlias

from roofline.architectures.text.attention import attention_ops
from roofline.architectures.text.sublayer import Sublayer
from roofline.errors import UnsupportedError
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op

Builder: TypeAlias = Callable[[TransformerSpec, Any, Sublayer], list[Op]]

#: kind -> "module:function" in this package.
BUILDERS: Final[dict[str, str]] = {
    "softmax": "attention:attention_ops",
    "latent": "latent:latent_ops",
    "routed_heads": "shared_block:routed_heads_ops",
    "block_sparse": "sparse:block_sparse_ops",
    "compressed": "sparse:compressed_ops",
    "cross": "stacks.cross:media_ops",
    "mamba": "recurrent.state_space:mamba_ops",
    "mamba2": "recurrent.state_space:mamba2_ops",
    "short_conv": "recurrent.state_space:short_conv_ops",
    "gated_recurrence": "recurrent.state_space:gated_recurrence_ops",
    "gated_delta": "recurrent.linear_attention:gated_delta_ops",
    "kimi_delta": "recurrent.linear_attention:kimi_delta_ops",
    "lightning": "recurrent.linear_attention:lightning_ops",
    "mlstm": "recurrent.rwkv:mlstm_ops",
    "time_mix": "recurrent.rwkv:time_mix_ops",
    "channel_mix": "recurrent.rwkv:channel_mix_ops",
    "shared_block": "shared_block:shared_block_ops",
    "linear": "recurrent.state_space:plain_matrix_ops",
}


def mixer_ops(spec: TransformerSpec, attention: Any, layer: Sublayer) -> list[Op]:
    """The ops between the norm and the residual."""
    if attention.kind == "softmax":
        return attention_ops(spec, attention, layer)
    return _builder(attention.kind)(spec, attention, layer)


@lru_cache(maxsize=64)
def _builder(kind: str) -> Builder:
    """The function that builds the ops of a kind; its module is imported when a model uses it."""
    if kind not in BUILDERS:
        raise UnsupportedError(f"no ops for attention of kind {kind!r}")
    module, _, name = BUILDERS[kind].partition(":")
    function: Builder = getattr(import_module(f"roofline.architectures.text.{module}"), name)
    return function
