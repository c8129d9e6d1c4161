"""Bailing's mixtures of experts, Ling and Ring: those of softmax attention, and with Lightning attention between.

Source: the code that comes with the released files (inclusionAI, modeling_bailing_moe_v2.py) and what vLLM reads of
them (bailing_moe.py, bailing_moe_linear.py); no class of transformers.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    FeedForward,
    Style,
    body_of,
    decoder,
    dense_block,
    layer,
    mixed,
    routed,
    softmax,
    with_shared,
)
from roofline.importers.huggingface.dense.llama import with_stated_mtp

_HARMLESS = """
    norm_head norm_softmax moe_router_enable_expert_bias moe_router_enable_routed_scaling moe_gate_dtype score_function
    moe_router_enable_shared_expert multi_gate use_rmsnorm rotary_type linear_scale linear_rope linear_silu
    use_linear_silu group_norm_size output_dropout attention_type router_type moe_renormalize mtp_loss_scaling_factor
    linear_backend rope_traditional using_split_qkv_in_self_attention
"""


def bailing_moe(config: Config) -> dict[str, Any]:
    """Ling, Ring: queries, keys and values in one matrix, dense layers first; version 2 norms queries and keys."""
    config.ignore(_HARMLESS)
    attention: dict[str, Any] = {"packed": True, **_head_norm(config)}
    bias = config.flag("use_qkv_bias", default=False)
    style = Style(qkv_bias=bias, output_bias=config.flag("use_bias", default=False), attention=attention)
    if not config.has("head_dim"):
        config.defaults = {**config.defaults, "head_dim": None}
    body = decoder(config, style, _feed_forward(config))
    return with_stated_mtp(config, body)


def bailing_linear(config: Config) -> dict[str, Any]:
    """Ring-linear: Lightning attention with normed queries and keys; softmax attention closes every group of layers,
    and stands in all layers behind the last whole group.
    """
    config.ignore(_HARMLESS)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    if not config.has("head_dim"):
        config.defaults = {**config.defaults, "head_dim": None}
    head_dim = parts.head_dim_of(config, width, heads)
    config.must_be("use_qkv_bias", False, default=False)
    config.must_be("use_bias", False, default=False)
    if config.given("kv_lora_rank"):
        config.unsupported("kv_lora_rank", "latent attention between Lightning attention is not modelled")
    normed = _head_norm(config)
    full = softmax(heads, kv_heads, head_dim, packed=True, **normed)
    lightning = {"kind": "lightning", "heads": heads, "head_dim": head_dim, "qk_norm": bool(normed)}
    lightning["activation"] = config.flag("linear_silu", "use_linear_silu", default=False)
    period = config.whole("layer_group_size")
    whole = layers // period * period
    forward = _feed_forward(config)
    closing = [(index + 1) % period == 0 or index >= whole for index in range(layers)]
    blocks = [layer(full if flag else lightning, forward(index), Style()) for index, flag in enumerate(closing)]
    body = body_of(config, width, parts.rotary(config, head_dim), parts.merged(blocks))
    return with_stated_mtp(config, body)


def _head_norm(config: Config) -> dict[str, str]:
    """Norms of queries and keys: by flag, which version 2 sets where the file is silent."""
    named = [str(config.data["model_type"]), *map(str, config.data.get("architectures") or ())]
    second = any("v2" in name.lower() for name in named)
    return {"qk_norm": "head"} if config.flag("use_qk_norm", default=second) else {}


def _feed_forward(config: Config) -> FeedForward:
    layers, activation = config.whole("num_hidden_layers"), parts.activation(config, "hidden_act", default="silu")
    first = config.whole("first_k_dense_replace", default=0, null=0, least=0)
    experts = routed(config, activation, experts="num_experts")
    shared = config.whole("moe_shared_expert_intermediate_size", default=experts["width"], null=experts["width"])
    number = config.whole("num_shared_experts", default=0, null=0, least=0)
    experts = with_shared(experts, number) | ({"shared_width": number * shared} if number else {})
    if not first:
        config.ignore("intermediate_size")
        return lambda index: experts
    dense = dense_block(config.whole("intermediate_size"), activation)
    return mixed(dense, experts, [index >= first for index in range(layers)])
