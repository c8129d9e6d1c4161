"""A decoder of equal or alternating layers, as most families are: the mapping function says how its family differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config

FeedForward = Callable[[int], dict[str, Any]]


class Style(NamedTuple):
    """What a family fixes in its code rather than in its config.

    `norm` and `norm_bias`: of the norms over the width; `norms` per layer, at `placement`. `attention`: further fields
    of every layer's attention. `rotary_fraction`: how much of a head is rotated where the config does not say, with
    `rotary_keys` as older spellings. `rotary=False`: positions are given by the mapping function.
    """

    norm: str = "rms"
    norm_bias: bool = False
    norm_weight: bool = True
    norms: int = 2
    placement: str = "pre"
    parallel: bool = False
    qkv_bias: bool = False
    output_bias: bool = False
    rotary_fraction: float = 1.0
    rotary_keys: tuple[str, ...] = ()
    attention: Mapping[str, Any] = MappingProxyType({})
    own_head_dim: bool = True


def decoder(
    config: Config,
    style: Style,
    feed_forward: FeedForward,
    *,
    windows: Sequence[int | None] | None = None,
    unrotated: Sequence[bool] | None = None,
) -> dict[str, Any]:
    """The body of a spec: `num_hidden_layers` layers with softmax attention and what `feed_forward` gives for each.

    `windows` limits the keys of each layer; `unrotated` says which layers have no positions.
    """
    width, layers = config.whole("hidden_size"), config.whole("num_hidden_layers")
    heads, kv_heads = parts.heads_of(config)
    head_dim = (
        parts.head_dim_of(config, width, heads)
        if style.own_head_dim or config.given("head_dim")
        else config.divides("hidden_size", width, "of width", heads)
    )
    attention: dict[str, Any] = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}
    if style.qkv_bias:
        attention["qkv_bias"] = True
    if style.output_bias:
        attention["output_bias"] = True
    attention.update(style.attention)
    blocks = []
    for index in range(layers):
        own = dict(attention)
        if windows is not None and windows[index] is not None:
            own["window"] = windows[index]
        if unrotated is not None and unrotated[index]:
            own["rotary"] = False
        blocks.append(layer(own, feed_forward(index), style))
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config),
        "positions": parts.rotary(config, head_dim, style.rotary_fraction, *style.rotary_keys),
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(blocks),
    }


def layer(attention: dict[str, Any], feed_forward: dict[str, Any], style: Style) -> dict[str, Any]:
    """One layer as a block of a spec, without what is the default."""
    block: dict[str, Any] = {"attention": attention, "feed_forward": feed_forward}
    if style.norms != 2:
        block["norms"] = style.norms
    if style.placement != "pre":
        block["norm_placement"] = style.placement
    if style.parallel:
        block["parallel"] = True
    return block


def norm_of(style: Style) -> dict[str, Any]:
    """The norm over the width."""
    norm: dict[str, Any] = {"kind": style.norm}
    if style.norm_bias:
        norm["bias"] = True
    if not style.norm_weight:
        norm["weight"] = False
    return norm


def dense(
    config: Config, *, width: str = "intermediate_size", gated: bool = True, bias: bool = False,
    activation: Sequence[str] = ("hidden_act",), default: str | None = None,
) -> FeedForward:  # fmt: skip
    """The same dense feed-forward in every layer."""
    block = dense_block(config.whole(width), parts.activation(config, *activation, default=default), gated, bias)
    return lambda index: block


def dense_block(width: int, activation: str, gated: bool = True, bias: bool = False) -> dict[str, Any]:
    """A dense feed-forward as a block of a spec."""
    block: dict[str, Any] = {"kind": "dense", "width": width, "gated": gated, "activation": activation}
    if bias:
        block["bias"] = True
    return block


def experts_block(
    config: Config, width: int, experts: int, top_k: int, activation: str, *, gated: bool = True, shared: int = 0,
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Routed experts as a block of a spec; `shared` is the width of what every token visits."""
    if top_k > experts:
        config.refuse("num_experts_per_tok", f"{top_k} of {experts} experts cannot be chosen")
    block: dict[str, Any] = {
        "kind": "experts", "width": width, "experts": experts, "top_k": top_k, "gated": gated, "activation": activation,
    }  # fmt: skip
    if shared:
        block["shared_width"] = shared
    block.update({key: value for key, value in more.items() if value})
    return block


def mixed(dense_block: dict[str, Any], experts_block: dict[str, Any], sparse: Sequence[bool]) -> FeedForward:
    """Experts in the layers that `sparse` marks, else a dense feed-forward."""
    return lambda index: experts_block if sparse[index] else dense_block


def window_pattern(
    config: Config, layers: int, *, every: int | None = None, keys: Sequence[str] = (), window: int | None = None,
) -> list[int | None]:  # fmt: skip
    """A window per layer: from `layer_types`, else sliding but for each `every`-th layer, else none.

    `keys` name a key that holds `every`.
    """
    window = window if window is not None else config.whole_or_none("sliding_window")
    period = config.whole_or_none(*keys, default=every) if keys else every
    otherwise = ["full_attention"] * layers
    if period is not None and window is not None:
        otherwise = ["sliding_attention" if (index + 1) % period else "full_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    if "sliding_attention" in kinds and window is None:
        config.refuse("layer_types", "has sliding_attention, but sliding_window is null")
    return [window if kind == "sliding_attention" else None for kind in kinds]
