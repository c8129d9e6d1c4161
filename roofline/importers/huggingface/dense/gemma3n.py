"""Gemma 3n and Gemma 4: layers that share a cache, an input per layer, heads of two widths.

Source: the config and model classes of transformers 5.23.0 that each function names.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, experts_block, layer, softmax

_STYLE = Style(norms=4)
#: The dense feed-forward of the MoE models is what every token visits, and their experts stand beside it.
_MODULES = {
    "experts_gate": ("experts.{e}.gate_proj", "experts.gate_up_proj", "moe.experts.{e}.gate_proj", "moe.gate_up_proj"),
    "experts_up": ("experts.{e}.up_proj", "experts.gate_up_proj", "moe.experts.{e}.up_proj", "moe.gate_up_proj"),
    "experts_down": ("experts.{e}.down_proj", "experts.down_proj", "moe.experts.{e}.down_proj", "moe.down_proj"),
    "shared_gate_proj": ("mlp.gate_proj",),
    "shared_up_proj": ("mlp.up_proj",),
    "shared_down_proj": ("mlp.down_proj",),
}


def gemma3n(config: Config) -> dict[str, Any]:
    """Gemma 3n: the last `num_kv_shared_layers` layers attend to the cache of an earlier one; streams alternate."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = _kinds(config, layers, 5)
    shared = _shared(config, layers)
    attention = _attention(config, width) | {"qk_norm": "head", "value_norm": True}
    window, activation = config.whole("sliding_window"), _activation(config)
    widths = _widths(config, layers)
    blocks = []
    for index in range(layers):
        own = dict(attention)
        if kinds[index] == "sliding_attention":
            own["window"] = window
        if index >= layers - shared:
            own["shared_cache"] = True
        blocks.append(layer(own, dense_block(widths[index], activation), _STYLE))
    config.ignore("altup_active_idx")
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks)) | {
        "per_layer_input": {
            "vocabulary": config.whole("vocab_size_per_layer_input"),
            "width": config.whole("hidden_size_per_layer_input"),
        },
        "altup": {"inputs": config.whole("altup_num_inputs", least=2)},
        "laurel": config.whole("laurel_rank"),
    }


def gemma4(config: Config) -> dict[str, Any]:
    """Gemma 4: global layers with wider heads, whose values may be their keys; layers that share a cache; in the MoE
    models experts beside the dense feed-forward.
    """
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = _kinds(config, layers, 6)
    kinds = [*kinds[:-1], "full_attention"]
    shared = _shared(config, layers)
    window, inner = config.whole("sliding_window"), config.whole("intermediate_size")
    sliding, full = _gemma4_attention(config, width)
    by_layer = config.section("per_layer_config")
    double = config.flag("use_double_wide_mlp", default=False)
    style = _STYLE._replace(norms=7) if config.flag("enable_moe_block", default=False) else _STYLE
    activation = _activation(config)
    blocks = []
    for index, kind in enumerate(kinds):
        own = dict(full) if kind == "full_attention" else sliding | {"window": window}
        if by_layer is not None:
            own |= _own_widths(by_layer, index, sliding)
        reads = index >= layers - shared
        if reads:
            own["shared_cache"] = True
        feed_forward = _gemma4_feed_forward(config, inner * (2 if double and reads else 1), activation)
        blocks.append(layer(own, feed_forward, style))
    config.ignore("expert_intermediate_size", "moe_intermediate_size", "num_experts", "top_k_experts")
    body = body_of(config, width, {"kind": "rotary"}, parts.merged(blocks)) | {"modules": _MODULES}
    if config.data["model_type"] == "gemma4_unified_text":
        return body
    per_layer = config.whole("hidden_size_per_layer_input", null=0, least=0)
    rows = config.whole("vocab_size_per_layer_input")
    if per_layer:
        body["per_layer_input"] = {"vocabulary": rows, "width": per_layer}
    return body


def _gemma4_attention(config: Config, width: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attention of the layers that slide, and of the global ones."""
    sliding = _attention(config, width) | {"qk_norm": "head", "value_norm": True}
    full = dict(sliding)
    full["head_dim"] = config.whole("global_head_dim", default=512, null=sliding["head_dim"])
    alternative = config.flag("attention_k_eq_v", default=False)
    number = config.whole_or_none("num_global_key_value_heads")
    if alternative:
        full["keys_as_values"] = True
        full["kv_heads"] = number or sliding["kv_heads"]
        if full["heads"] % full["kv_heads"]:
            config.refuse("num_global_key_value_heads", f"{full['heads']} heads do not divide among {full['kv_heads']}")
    return sliding, full


def _own_widths(by_layer: Config, index: int, usual: dict[str, Any]) -> dict[str, Any]:
    """What `per_layer_config` says of a layer; without a word of its own it is like all others."""
    named = [key for key in by_layer.data if key.isdecimal() and int(key) == index]
    own = by_layer.section(named[0]) if named else None
    if own is None:
        return {"head_dim": usual["head_dim"], "kv_heads": usual["kv_heads"]}
    widths = {
        "head_dim": own.whole("head_dim", default=usual["head_dim"]),
        "kv_heads": own.whole("num_key_value_heads", default=usual["kv_heads"]),
    }
    if usual["heads"] % widths["kv_heads"]:
        own.refuse("num_key_value_heads", f"{usual['heads']} heads do not divide among {widths['kv_heads']}")
    return widths


def _gemma4_feed_forward(config: Config, width: int, activation: str) -> dict[str, Any]:
    """A dense feed-forward, or experts with the dense one as what every token visits."""
    if not config.flag("enable_moe_block", default=False):
        return dense_block(width, activation)
    inner = config.whole("moe_intermediate_size", "expert_intermediate_size")
    experts, top_k = config.whole("num_experts"), config.whole("top_k_experts")
    return experts_block(config, inner, experts, top_k, activation, shared_width=width, router_scales=True)


def _attention(config: Config, width: int) -> dict[str, Any]:
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    return softmax(heads, kv_heads, head_dim, **parts.attention_biases(config))


def _kinds(config: Config, layers: int, period: int) -> list[str]:
    otherwise = ["full_attention" if not (index + 1) % period else "sliding_attention" for index in range(layers)]
    return parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)


def _shared(config: Config, layers: int) -> int:
    shared = config.whole("num_kv_shared_layers", null=0, least=0)
    if shared >= layers:
        config.refuse("num_kv_shared_layers", f"{shared} of {layers} layers leave none with a cache to share")
    return shared


def _widths(config: Config, layers: int) -> list[int]:
    value = config.raw("intermediate_size")
    if isinstance(value, list):
        return config.wholes("intermediate_size", length=layers, least=1) or []
    return [config.whole("intermediate_size")] * layers


def _activation(config: Config) -> str:
    key = "hidden_activation" if config.given("hidden_activation") or not config.given("hidden_act") else "hidden_act"
    config.ignore("hidden_act", "hidden_activation")
    return parts.activation(config, key)
