"""What mapping functions give: parts of a spec, and the decoder of equal or alternating layers that most families are.

Of that, the mapping function says how its family differs.
"""

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
    `rotary_keys` as older spellings.
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
    head_dim = parts.head_dim_of(config, width, heads)
    attention = softmax(heads, kv_heads, head_dim)
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
    positions = parts.rotary(config, head_dim, style.rotary_fraction, *style.rotary_keys)
    return body_of(config, width, positions, parts.merged(blocks), norm=norm_of(style))


def body_of(
    config: Config,
    width: int,
    positions: dict[str, Any],
    blocks: list[dict[str, Any]],
    *,
    norm: dict[str, Any] | None = None,
    context: Sequence[str] = (),
    tied: bool | None = None,
) -> dict[str, Any]:
    """The body of a spec with these groups of layers; an RMS norm where `norm` says no other.

    `context` are the keys of the longest context and `tied` says whether the head is the embedding, where these are not
    read as usual.
    """
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config, *context),
        "positions": positions,
        "norm": norm or {"kind": "rms"},
        "tied_embeddings": parts.tied(config) if tied is None else tied,
        "blocks": blocks,
    }


def softmax(heads: int, kv_heads: int, head_dim: int, **more: Any) -> dict[str, Any]:
    """Softmax attention as a block of a spec."""
    return {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, **more}


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
    config: Config,
    *,
    gated: bool = True,
    bias: bool = False,
    activation: Sequence[str] = ("hidden_act",),
    default: str | None = None,
) -> FeedForward:
    """The same dense feed-forward in every layer."""
    width = config.whole("intermediate_size")
    block = dense_block(width, parts.activation(config, *activation, default=default), gated, bias)
    return lambda index: block


def dense_block(width: int, activation: str, gated: bool = True, bias: bool = False) -> dict[str, Any]:
    """A dense feed-forward as a block of a spec."""
    block: dict[str, Any] = {"kind": "dense", "width": width, "gated": gated, "activation": activation}
    if bias:
        block["bias"] = True
    return block


def experts_block(
    config: Config, width: int, experts: int, top_k: int, activation: str, *, gated: bool = True, **more: Any
) -> dict[str, Any]:
    """Routed experts as a block of a spec, with `more` of its fields where they are not zero or false.

    `shared_width` among them is the width of what every token visits.
    """
    if top_k > experts:
        config.refuse("num_experts_per_tok", f"{top_k} of {experts} experts cannot be chosen")
    block: dict[str, Any] = {
        "kind": "experts",
        "width": width,
        "experts": experts,
        "top_k": top_k,
        "gated": gated,
        "activation": activation,
    }
    return block | {key: value for key, value in more.items() if value}


def routed(
    config: Config,
    activation: str | None = None,
    *,
    width: str = "moe_intermediate_size",
    experts: str = "num_local_experts",
    top_k: str = "num_experts_per_tok",
    **more: Any,
) -> dict[str, Any]:
    """`experts_block` of the sizes that stand under these keys; without `activation`, that of `hidden_act`."""
    sizes = config.whole(width), config.whole(experts), config.whole(top_k)
    return experts_block(config, *sizes, activation or parts.activation(config, "hidden_act"), **more)


def with_shared(experts: dict[str, Any], number: int) -> dict[str, Any]:
    """Experts with `number` shared ones beside them, each as wide as a routed one."""
    return experts | ({"shared_width": number * experts["width"]} if number else {})


def mixed(dense_block: dict[str, Any], experts_block: dict[str, Any], sparse: Sequence[bool]) -> FeedForward:
    """Experts in the layers that `sparse` marks, else a dense feed-forward."""
    return lambda index: experts_block if sparse[index] else dense_block


def window_pattern(
    config: Config, layers: int, *, every: int | None = None, keys: Sequence[str] = ()
) -> list[int | None]:
    """A window per layer: from `layer_types`, else sliding but for each `every`-th layer, else none.

    `keys` name a key that holds `every`.
    """
    window = config.whole_or_none("sliding_window")
    period = config.whole_or_none(*keys, default=every) if keys else every
    otherwise = ["full_attention"] * layers
    if period is not None and window is not None:
        otherwise = ["sliding_attention" if (index + 1) % period else "full_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    if "sliding_attention" in kinds and window is None:
        config.refuse("layer_types", "has sliding_attention, but sliding_window is null")
    return [window if kind == "sliding_attention" else None for kind in kinds]


def windows_of(config: Config, window: int | None, sliding: Sequence[bool]) -> list[int | None]:
    """The window in the layers that `layer_types` calls sliding, or, where the file has none, that `sliding` marks."""
    otherwise = ["sliding_attention" if slides else "full_attention" for slides in sliding]
    kinds = parts.layer_kinds(config, len(sliding), ("full_attention", "sliding_attention"), otherwise)
    return [window if kind == "sliding_attention" else None for kind in kinds]
