"""Step 3.5 and 3.7 Flash: windows in three of four layers, a gate per head, experts with a shared one.

Source: the config class and model code of transformers 5.23.0, step3p7; no reference count exists.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, experts_block, softmax
from roofline.importers.huggingface.experts.latent import mtp_layers

#: Keys that change no shape.
_HARMLESS: Final = """
    use_moe_router_bias need_fp32_gate att_impl_type yarn_only_types partial_rotary_factors zero_centered max_seq_len
    moe_every_n_layer use_moe use_rope_layers norm_expert_weight
"""
_UNCOUNTED: Final = "no reference count exists for this architecture; its config and public code say the shapes"
_SAME_HEADS: Final = (
    "num_sliding_attention_heads is not in the file: layers in a window taken to have as many heads as the others"
)


def step(config: Config) -> dict[str, Any]:
    """Layers in a window may have more heads; lists may also count the layers of further predictions."""
    layers, width, mtp = config.whole("num_hidden_layers"), config.whole("hidden_size"), mtp_layers(config)
    kinds = _padded(config, layers, mtp)
    heads, kv_heads = config.whole("num_attention_heads"), config.whole("num_key_value_heads", "num_attention_groups")
    head_dim = config.whole("head_dim", default=128)
    config.must_be("attention_bias", False, default=False)
    config.must_be("use_head_wise_attn_gate", True, default=True)
    config.must_be("sink", False, default=False)
    config.must_be("use_qk_norm", True, default=True)
    config.must_be("n_shared_experts", 1, default=1)
    config.must_be("mlp_bias", False, default=False)
    config.ignore(_HARMLESS)
    window_heads = _window_heads(config, heads)
    full = _attention(config, heads, kv_heads, head_dim)
    sliding = _attention(config, window_heads or heads, kv_heads, head_dim)
    if "sliding_attention" in kinds:
        sliding = {**sliding, "window": config.whole("sliding_window")}
    config.ignore("sliding_window")
    of_kind = {"full_attention": full, "sliding_attention": sliding}
    activation = parts.activation(config, "hidden_act", default="silu")
    sparse = _sparse(config, layers, mtp)
    dense, experts = _feed_forwards(config, activation)
    forwards = [experts if flag else dense for flag in sparse]
    blocks = [
        {"attention": of_kind[kind], "feed_forward": forward} for kind, forward in zip(kinds, forwards, strict=False)
    ]
    tied = config.flag("tie_word_embeddings", default=False)
    body = body_of(config, width, {"kind": "rotary"}, parts.merged(blocks), tied=tied)
    body["unverified"] = [_UNCOUNTED] if window_heads is not None else [_UNCOUNTED, _SAME_HEADS]
    if mtp:
        last = kinds[layers] if len(kinds) > layers else "full_attention"
        body["mtp"] = {"layers": mtp, "attention": of_kind[last], "feed_forward": forwards[-1]}
    return body


def _feed_forwards(config: Config, activation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The feed-forward of dense layers, and of layers with experts."""
    width = config.whole("moe_intermediate_size")
    number = config.whole("n_routed_experts", "moe_num_experts", "num_experts")
    top_k = config.whole("num_experts_per_tok", "moe_top_k")
    shared = config.whole("share_expert_dim", "share_expert_dims")
    experts = experts_block(config, width, number, top_k, activation, shared_width=shared)
    return dense_block(config.whole("intermediate_size"), activation), experts


def _padded(config: Config, layers: int, mtp: int) -> list[str]:
    kinds = config.texts("layer_types", choices=("full_attention", "sliding_attention"))
    if kinds is None:
        return ["full_attention"] * layers
    if len(kinds) not in (layers, layers + mtp):
        config.refuse("layer_types", f"has {len(kinds)} items for {layers} layers")
    return kinds


def _window_heads(config: Config, heads: int) -> int | None:
    """Query heads of a layer in a window, where the file says so."""
    section = config.section("attention_other_setting")
    if config.given("num_sliding_attention_heads"):
        return config.whole("num_sliding_attention_heads")
    if section is None:
        return None
    section.must_be("attention_type", "sliding_attention", default="sliding_attention")
    section.ignore("num_attention_groups", "head_dim", "true_head_dim")
    return section.whole("num_attention_heads", default=heads)


def _attention(config: Config, heads: int, kv_heads: int, head_dim: int) -> dict[str, Any]:
    if heads % kv_heads:
        config.refuse("num_attention_heads", f"{heads} heads do not divide among {kv_heads} key-value heads")
    return softmax(heads, kv_heads, head_dim, qk_norm="head", output_gate="head")


def _sparse(config: Config, layers: int, mtp: int) -> list[bool]:
    """Layers with experts: listed, or by number, or all behind the first three."""
    kinds = config.texts("mlp_layer_types", choices=("dense", "sparse"))
    listed = config.raw("moe_layers_enum", default=None)
    first = config.whole("first_k_dense_replace", default=3, null=3, least=0)
    if kinds is not None:
        if len(kinds) not in (layers, layers + mtp):
            config.refuse("mlp_layer_types", f"has {len(kinds)} items for {layers} layers")
        return [kind == "sparse" for kind in kinds[:layers]]
    if listed is not None:
        numbers = listed.split(",") if isinstance(listed, str) else listed
        try:
            chosen = {int(number) for number in numbers if str(number).strip()}
        except (TypeError, ValueError):
            config.refuse("moe_layers_enum", "must be a list of layer numbers")
        return [index in chosen for index in range(layers)]
    return [index >= first for index in range(layers)]
