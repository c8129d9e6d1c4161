"""Decoders with routed experts whose layers differ: Llama 4, MiMo-V2, ERNIE.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
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
from roofline.importers.huggingface.dense.llama import with_mtp, with_stated_mtp


def llama4(config: Config) -> dict[str, Any]:
    """Llama 4: chunked attention in the layers that rotate, a shared expert beside the routed ones, dense layers
    between where `interleave_moe_layer_step` says so.
    """
    layers = config.whole("num_hidden_layers")
    width, bias = config.whole("hidden_size"), config.flag("attention_bias", default=False)
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    period = config.whole("no_rope_layer_interval", default=4)
    rotated = config.wholes("no_rope_layers") or [int((index + 1) % period != 0) for index in range(layers)]
    if len(rotated) != layers:
        config.refuse("no_rope_layers", f"has {len(rotated)} items for {layers} layers")
    otherwise = ["chunked_attention" if flag else "full_attention" for flag in rotated]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "chunked_attention"), otherwise)
    chunk = config.whole_or_none("attention_chunk_size")
    normed = config.flag("use_qk_norm")
    feed_forward = _llama4_feed_forward(config, layers)
    biases = {"qkv_bias": True, "output_bias": True} if bias else {}
    blocks = []
    for index in range(layers):
        attention = softmax(heads, kv_heads, head_dim, **biases)
        if kinds[index] == "chunked_attention" and chunk is not None:
            attention["chunk"] = chunk
        if rotated[index]:
            attention |= {"qk_norm": "plain"} if normed else {}
        else:
            attention["rotary"] = False
        blocks.append(layer(attention, feed_forward(index), Style()))
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks))


def _llama4_feed_forward(config: Config, layers: int) -> FeedForward:
    step = config.whole("interleave_moe_layer_step", default=1)
    listed = config.wholes("moe_layers")
    sparse = set(range(step - 1, layers, step)) if listed is None else set(listed)
    if sparse - set(range(layers)):
        config.refuse("moe_layers", f"names a layer beyond the {layers} of the model")
    activation, width = parts.activation(config, "hidden_act"), config.whole("intermediate_size")
    experts = routed(config, activation, width="intermediate_size", shared_width=width, reference_all=True)
    dense = dense_block(config.whole("intermediate_size_mlp"), activation)
    return mixed(dense, experts, [index in sparse for index in range(layers)])


def mimo_v2(config: Config) -> dict[str, Any]:
    """MiMo-V2-Flash: keys wider than values, other key-value heads and sinks in the layers that slide."""
    layers, width, bias = config.whole("num_hidden_layers"), config.whole("hidden_size"), config.flag("attention_bias")
    heads, kv_heads = parts.heads_of(config)
    head_dim, value_dim = config.whole("head_dim"), config.whole("v_head_dim")
    config.ignore("attention_chunk_size", "sliding_window_size")
    window = config.whole("sliding_window_size", "sliding_window")
    slides = _mimo_pattern(config, layers)
    sliding_heads = config.whole("swa_num_attention_heads", default=heads)
    sliding_kv = config.whole("swa_num_key_value_heads", default=2 * kv_heads)
    if sliding_heads % sliding_kv:
        config.refuse("swa_num_key_value_heads", f"{sliding_heads} heads do not divide among {sliding_kv}")
    config.must_be("add_full_attention_sink_bias", False)
    full = softmax(heads, kv_heads, head_dim, value_dim=value_dim)
    sliding = softmax(
        sliding_heads,
        sliding_kv,
        config.whole("swa_head_dim", default=head_dim),
        value_dim=config.whole("swa_v_head_dim", default=value_dim),
        window=window,
        sinks=config.flag("add_swa_attention_sink_bias", default=True),
    )
    if bias:
        full["qkv_bias"] = sliding["qkv_bias"] = True
    feed_forward = _mimo_feed_forward(config, layers)
    blocks = [layer(sliding if slide else full, feed_forward(index), Style()) for index, slide in enumerate(slides)]
    body = body_of(config, width, parts.rotary(config, head_dim, 0.334), parts.merged(blocks))
    return with_stated_mtp(config, body)


def _mimo_pattern(config: Config, layers: int) -> list[bool]:
    """`hybrid_layer_pattern` (1 slides) or `layer_types`, else all slide but the first and every sixth."""
    pattern = config.wholes("hybrid_layer_pattern", length=layers)
    if pattern is not None:
        return [flag == 1 for flag in pattern]
    otherwise = ["full_attention" if not i or not (i + 1) % 6 else "sliding_attention" for i in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    return [kind == "sliding_attention" for kind in kinds]


def _mimo_feed_forward(config: Config, layers: int) -> FeedForward:
    activation = parts.activation(config, "hidden_act")
    kinds = config.texts("mlp_layer_types", length=layers, choices=("dense", "sparse"))
    listed = config.wholes("moe_layer_freq", length=layers)
    if listed is not None:
        sparse = [flag == 1 for flag in listed]
    else:
        sparse = [kind == "sparse" for kind in kinds] if kinds else [index > 0 for index in range(layers)]
    experts = routed(config, activation, experts="n_routed_experts")
    experts = with_shared(experts, config.whole("n_shared_experts", default=0, null=0, least=0))
    return mixed(dense_block(config.whole("intermediate_size"), activation), experts, sparse)


def ernie_moe(config: Config) -> dict[str, Any]:
    """ERNIE 4.5 MoE: experts from one layer to another at an interval, shared experts, a correction per expert."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("use_bias")
    first = config.whole("moe_layer_start_index", least=0)
    last = config.whole("moe_layer_end_index", least=-1)
    interval = config.whole("moe_layer_interval")
    last = layers - 1 if last == -1 else last
    sparse = [not (index + 1) % interval and first <= index <= last for index in range(layers)]
    activation = parts.activation(config, "hidden_act")
    experts = routed(config, activation, experts="moe_num_experts", top_k="moe_k")
    experts = with_shared(experts, config.whole("moe_num_shared_experts", least=0)) | {"router_bias": True}
    if bias and experts.get("shared_width"):
        experts["shared_bias"] = True
    dense = dense_block(config.whole("intermediate_size"), activation, bias=bias)
    body = decoder(config, Style(qkv_bias=bias, output_bias=bias), mixed(dense, experts, sparse))
    further = config.whole("num_nextn_predict_layers", default=0, null=0, least=0)
    body = with_mtp(body, further, {"attention": body["blocks"][-1]["attention"], "feed_forward": dense})
    return body | ({"head_bias": True} if bias else {})
