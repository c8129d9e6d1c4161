"""Decoders with routed experts whose layers or sections differ: Llama 4, MiMo-V2, ERNIE, Hunyuan, DBRX.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    FeedForward,
    Style,
    decoder,
    dense_block,
    experts_block,
    layer,
    mixed,
    norm_of,
)
from roofline.importers.huggingface.dense.dense import with_mtp

_HEAD_NORM: Final = {"qk_norm": "head"}


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
    style = Style(qkv_bias=bias, output_bias=bias)
    blocks = []
    for index in range(layers):
        attention: dict[str, Any] = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}
        if bias:
            attention |= {"qkv_bias": True, "output_bias": True}
        if kinds[index] == "chunked_attention" and chunk is not None:
            attention["chunk"] = chunk
        if rotated[index]:
            attention |= {"qk_norm": "plain"} if normed else {}
        else:
            attention["rotary"] = False
        blocks.append(layer(attention, feed_forward(index), style))
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config),
        "positions": {"kind": "rotary"},
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(blocks),
    }


def _llama4_feed_forward(config: Config, layers: int) -> FeedForward:
    step = config.whole("interleave_moe_layer_step", default=1)
    listed = config.wholes("moe_layers")
    sparse = set(range(step - 1, layers, step)) if listed is None else set(listed)
    if sparse - set(range(layers)):
        config.refuse("moe_layers", f"names a layer beyond the {layers} of the model")
    activation, width = parts.activation(config, "hidden_act"), config.whole("intermediate_size")
    experts = experts_block(
        config, width, config.whole("num_local_experts"), config.whole("num_experts_per_tok"), activation, shared=width,
        reference_all=True,
    )  # fmt: skip
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
    full = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "value_dim": value_dim}
    sliding = {
        "kind": "softmax", "heads": sliding_heads, "kv_heads": sliding_kv,
        "head_dim": config.whole("swa_head_dim", default=head_dim),
        "value_dim": config.whole("swa_v_head_dim", default=value_dim),
        "window": window, "sinks": config.flag("add_swa_attention_sink_bias", default=True),
    }  # fmt: skip
    if bias:
        full["qkv_bias"] = sliding["qkv_bias"] = True
    feed_forward = _mimo_feed_forward(config, layers)
    style = Style(rotary_fraction=0.334)
    blocks = [layer(sliding if slide else full, feed_forward(index), style) for index, slide in enumerate(slides)]
    body = {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config),
        "positions": parts.rotary(config, head_dim, 0.334),
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(blocks),
    }
    return with_mtp(body, config.whole("num_nextn_predict_layers", default=0, null=0, least=0))


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
    width = config.whole("moe_intermediate_size")
    experts = experts_block(
        config, width, config.whole("n_routed_experts"), config.whole("num_experts_per_tok"), activation,
        shared=width * config.whole("n_shared_experts", default=0, null=0, least=0),
    )  # fmt: skip
    return mixed(dense_block(config.whole("intermediate_size"), activation), experts, sparse)


def ernie_moe(config: Config) -> dict[str, Any]:
    """ERNIE 4.5 MoE: experts from one layer to another at an interval, shared experts, a correction per expert."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("use_bias")
    first = config.whole("moe_layer_start_index", least=0)
    last = config.whole("moe_layer_end_index", least=-1)
    interval = config.whole("moe_layer_interval")
    last = layers - 1 if last == -1 else last
    sparse = [not (index + 1) % interval and first <= index <= last for index in range(layers)]
    activation, width = parts.activation(config, "hidden_act"), config.whole("moe_intermediate_size")
    experts = experts_block(
        config, width, config.whole("moe_num_experts"), config.whole("moe_k"), activation,
        shared=width * config.whole("moe_num_shared_experts", least=0), router_bias=True,
    )  # fmt: skip
    if bias and experts.get("shared_width"):
        experts["shared_bias"] = True
    dense = dense_block(config.whole("intermediate_size"), activation, bias=bias)
    body = decoder(config, Style(qkv_bias=bias, output_bias=bias), mixed(dense, experts, sparse))
    return body | ({"head_bias": True} if bias else {})


def hunyuan_moe(config: Config) -> dict[str, Any]:
    """Hunyuan MoE: a shared expert as wide as a routed one, norms of queries and keys per head."""
    bias = config.flag("attention_bias", default=False)
    width = config.whole("intermediate_size")
    number, top_k = _same_everywhere(config, "num_experts"), _same_everywhere(config, "moe_topk")
    routed = _same_everywhere(config, "moe_intermediate_size", width)
    if routed != width:
        config.unsupported("moe_intermediate_size", f"{routed} is not intermediate_size {width}, as modelled")
    config.must_be("use_cla", False)
    shared = _same_everywhere(config, "num_shared_expert", 1)
    config.must_be("use_mixed_mlp_moe", True, False)
    config.must_be("use_qk_norm", True)
    config.ignore("cla_share_factor", "moe_layer_num_skipped", "moe_drop_tokens", "moe_random_routing_dropped_token")
    block = experts_block(config, width, number, top_k, parts.activation(config, "hidden_act"), shared=width * shared)
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    return decoder(config, style, lambda index: block)


def _same_everywhere(config: Config, key: str, default: int | None = None) -> int:
    """A whole number, or a list that says the same for every layer."""
    value = config.raw(key, default=default)
    if isinstance(value, list):
        if len(set(map(str, value))) != 1:
            config.unsupported(key, "a number that differs between layers is not modelled")
        value = value[0]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            config.refuse(key, f"must be whole numbers, not {value!r}"[:100])
        return value
    return config.whole(key, null=default, default=default)


def dbrx(config: Config) -> dict[str, Any]:
    """DBRX: layer norms without a bias, one matrix for queries, keys and values."""
    width, heads = config.whole("d_model"), config.whole("n_heads")
    head_dim = config.divides("d_model", width, "of width", heads)
    attention_config, ffn_config = config.section("attn_config"), config.section("ffn_config")
    kv_heads = 1
    if attention_config is not None:
        kv_heads = attention_config.whole("kv_n_heads", default=1)
        attention_config.ignore("clip_qkv", "rope_theta", "attn_pdrop")
        if heads % kv_heads:
            attention_config.refuse("kv_n_heads", f"{heads} heads do not divide among {kv_heads}")
    if config.whole("num_key_value_heads", default=kv_heads, null=kv_heads) != kv_heads:
        config.refuse("num_key_value_heads", f"contradicts attn_config.kv_n_heads {kv_heads}")
    hidden, number, top_k, function = 3584, 4, 1, "silu"
    if ffn_config is not None:
        hidden = ffn_config.whole("ffn_hidden_size", default=3584)
        number = ffn_config.whole("moe_num_experts", default=4)
        top_k = ffn_config.whole("moe_top_k", default=1)
        named = ffn_config.section("ffn_act_fn")
        function = parts.activation(named, "name") if named is not None else "silu"
        ffn_config.ignore("hidden_size", "moe_jitter_eps", "moe_loss_weight", "moe_normalize_expert_weights")
    style = Style(norm="layer")
    attention = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "packed": True}
    block = experts_block(config, hidden, number, top_k, function)
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config, "max_seq_len"),
        "positions": {"kind": "rotary"},
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("n_layers"), **layer(attention, block, style)}],
    }
