"""Decoders with routed experts and softmax attention: Mixtral and what came of it.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    FeedForward,
    Style,
    body_of,
    decoder,
    dense_block,
    experts_block,
    layer,
    mixed,
    norm_of,
    routed,
    softmax,
    windows_of,
    with_shared,
)
from roofline.importers.huggingface.dense.llama import with_mtp

_HEAD_NORM: Final = {"qk_norm": "head"}


def mixtral(config: Config) -> dict[str, Any]:
    """Mixtral, OLMoE, Granite MoE: experts in every layer."""
    kind = config.data["model_type"]
    number = "num_experts" if kind == "olmoe" else "num_local_experts"
    bias = kind != "mixtral" and config.flag("attention_bias", default=False)
    shared = config.whole("shared_intermediate_size", default=0, null=0, least=0) if kind == "granitemoeshared" else 0
    block = routed(config, width="intermediate_size", experts=number, shared_width=shared)
    windows = None
    if kind == "mixtral":
        windows = [config.whole_or_none("sliding_window")] * config.whole("num_hidden_layers")
    attention = {"qk_norm": "width"} if kind == "olmoe" else {}
    style = Style(qkv_bias=bias, output_bias=bias, attention=attention)
    return decoder(config, style, lambda index: block, windows=windows)


def phimoe(config: Config) -> dict[str, Any]:
    """Phi-3.5 MoE: layer norms, biases by flags, a head with a bias by flag."""
    bias = config.flag("attention_bias")
    block = routed(config, width="intermediate_size")
    windows = [config.whole_or_none("sliding_window")] * config.whole("num_hidden_layers")
    style = Style(norm="layer", norm_bias=True, qkv_bias=bias, output_bias=bias)
    return decoder(config, style, lambda index: block, windows=windows) | {"head_bias": config.flag("lm_head_bias")}


def qwen_feed_forward(config: Config, *, shared: bool, gate: bool = True, dense_first: int = 0) -> FeedForward:
    """Experts of the Qwen families: in every `decoder_sparse_step`-th layer but those of `mlp_only_layers`, or, where
    the file has none, the first so many; with `shared`, an expert that all tokens visit, scaled by a gate, which the
    class builds beside one of width 0 too.
    """
    layers = config.whole("num_hidden_layers")
    step = config.whole("decoder_sparse_step", default=1)
    only = config.wholes("mlp_only_layers")
    only = list(range(min(dense_first, layers))) if only is None else only
    for index in only:
        if index >= layers:
            config.refuse("mlp_only_layers", f"names layer {index} of {layers}")
    activation = parts.activation(config, "hidden_act")
    number = config.whole("num_experts", "num_local_experts", least=0)
    sparse = [number > 0 and index not in only and not (index + 1) % step for index in range(layers)]
    width = config.whole("shared_expert_intermediate_size", default=0, null=0, least=0) if shared else 0
    experts: dict[str, Any] = {}
    if any(sparse):
        inner, top_k = config.whole("moe_intermediate_size"), config.whole("num_experts_per_tok")
        experts = experts_block(
            config, inner, number, top_k, activation, shared_width=width, shared_gate=shared and gate
        )
    config.ignore("num_experts_per_tok", "moe_intermediate_size", "intermediate_size")
    dense = {} if all(sparse) else dense_block(config.whole("intermediate_size"), activation)
    return mixed(dense, experts, sparse)


def qwen2_moe(config: Config) -> dict[str, Any]:
    """Qwen 1.5 MoE, Qwen 2 57B: biases on queries, keys and values, a gated shared expert."""
    bias = config.flag("qkv_bias", default=True, null=True)
    feed_forward = qwen_feed_forward(config, shared=True)
    return decoder(config, Style(qkv_bias=bias), feed_forward, windows=_qwen2_moe_windows(config))


def _qwen2_moe_windows(config: Config) -> list[int | None]:
    """Windows in every other layer from the first on, below `max_window_layers`, where `use_sliding_window`."""
    layers = config.whole("num_hidden_layers")
    used = config.flag("use_sliding_window", default=False)
    window = config.whole_or_none("sliding_window") if used else None
    last = config.whole("max_window_layers", default=layers, null=layers, least=0)
    config.ignore("sliding_window")
    return windows_of(
        config, window, [window is not None and not index % 2 and index < last for index in range(layers)]
    )


def qwen3_moe(config: Config) -> dict[str, Any]:
    """Qwen 3 MoE, also the text model of Qwen 3 VL MoE: norms of queries and keys per head, no shared expert."""
    bias = config.flag("attention_bias", default=False)
    config.must_be("use_qk_norm", True)
    config.must_be("shared_expert_intermediate_size", 0, None)
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    layers = config.whole("num_hidden_layers")
    windows = [None] * layers if config.data["model_type"].endswith("_text") else _qwen3_moe_windows(config, layers)
    return decoder(config, style, qwen_feed_forward(config, shared=False), windows=windows)


def _qwen3_moe_windows(config: Config, layers: int) -> list[int | None]:
    """The reference code gives every layer the window, whatever `max_window_layers` says."""
    used = config.flag("use_sliding_window", default=False)
    window = config.whole_or_none("sliding_window") if used else None
    config.ignore("sliding_window", "max_window_layers")
    return [window] * layers


def glm4_moe(config: Config) -> dict[str, Any]:
    """GLM-4.5 and later with softmax attention: dense first layers, shared experts, half of a head rotated."""
    bias = config.flag("attention_bias")
    attention = _HEAD_NORM if config.flag("use_qk_norm", default=False) else {}
    style = Style(qkv_bias=bias, rotary_fraction=0.5, attention=attention)
    body = decoder(config, style, first_dense(config))
    return with_mtp(body, config.whole("num_nextn_predict_layers", "num_mtp_layers", default=0, null=0, least=0))


def solar_open(config: Config) -> dict[str, Any]:
    """Solar Open: as GLM-4.5 without dense layers, all of a head rotated."""
    block = _shared_experts(config)
    config.ignore("intermediate_size", "first_k_dense_replace", "use_qk_norm")
    return decoder(config, Style(qkv_bias=config.flag("attention_bias")), lambda index: block)


def dots1(config: Config) -> dict[str, Any]:
    """dots.llm1: as GLM-4.5, all of a head rotated; layers may slide."""
    bias = config.flag("attention_bias")
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    layers = config.whole("num_hidden_layers")
    window = config.whole_or_none("sliding_window")
    first = config.whole("max_window_layers", null=layers, least=0)
    windows = windows_of(config, window, [window is not None and index >= first for index in range(layers)])
    return decoder(config, style, first_dense(config), windows=windows)


def first_dense(config: Config) -> FeedForward:
    """`first_k_dense_replace` dense layers, then experts with `n_shared_experts` shared ones."""
    layers, first = config.whole("num_hidden_layers"), config.whole("first_k_dense_replace", least=0)
    activation = parts.activation(config, "hidden_act")
    dense = dense_block(config.whole("intermediate_size"), activation)
    if first >= layers:
        return lambda index: dense
    return mixed(dense, _shared_experts(config, activation), [index >= first for index in range(layers)])


def _shared_experts(config: Config, activation: str | None = None) -> dict[str, Any]:
    """Experts in the spelling of DeepSeek, with shared ones."""
    experts = routed(config, activation, experts="n_routed_experts")
    return with_shared(experts, config.whole("n_shared_experts", null=0, least=0))


def gpt_oss(config: Config) -> dict[str, Any]:
    """gpt-oss: every other layer slides, sinks, biases everywhere, also of the router and the experts."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("attention_bias")
    windows = windows_of(config, config.whole_or_none("sliding_window"), [index % 2 == 0 for index in range(layers)])
    number, top_k = config.whole("num_local_experts"), config.whole("num_experts_per_tok", "experts_per_token")
    width, activation = config.whole("intermediate_size"), parts.activation(config, "hidden_act")
    block = experts_block(config, width, number, top_k, activation, bias=True, router_bias=True)
    style = Style(qkv_bias=bias, output_bias=bias, attention={"sinks": True})
    return decoder(config, style, lambda index: block, windows=windows)


def minimax_m2(config: Config) -> dict[str, Any]:
    """MiniMax-M2: norms of whole queries and keys, many narrow experts."""
    if config.has("attn_type_list"):
        kinds = config.wholes("attn_type_list", length=config.whole("num_hidden_layers"))
        if set(kinds or ()) - {1}:
            config.unsupported("attn_type_list", "a kind other than 1 (softmax attention) is not modelled here")
    config.must_be("use_qk_norm", True)
    config.must_be("qk_norm_type", "per_layer")
    config.must_be("shared_intermediate_size", 0, None)
    block = routed(config, width="intermediate_size")
    config.ignore("use_routing_bias", "mtp_transformer_layers", "rotary_dim")
    body = decoder(config, Style(attention={"qk_norm": "width"}), lambda index: block)
    rotated = config.whole_or_none("rotary_dim")
    if rotated is not None:
        body["positions"] = {"kind": "rotary", "rotary_dim": rotated}
    modules = config.whole("num_mtp_modules", default=0, null=0, least=0)
    return with_mtp(body, modules if config.flag("use_mtp", default=False) else 0)


def hunyuan_moe(config: Config) -> dict[str, Any]:
    """Hunyuan MoE: a shared expert as wide as a routed one, norms of queries and keys per head."""
    bias = config.flag("attention_bias", default=False)
    width = config.whole("intermediate_size")
    number, top_k = _same_everywhere(config, "num_experts"), _same_everywhere(config, "moe_topk")
    inner = _same_everywhere(config, "moe_intermediate_size", width)
    if inner != width:
        config.unsupported("moe_intermediate_size", f"{inner} is not intermediate_size {width}, as modelled")
    config.must_be("use_cla", False)
    shared = _same_everywhere(config, "num_shared_expert", 1)
    config.must_be("use_mixed_mlp_moe", True, False)
    config.must_be("use_qk_norm", True)
    config.ignore("cla_share_factor", "moe_layer_num_skipped", "moe_drop_tokens", "moe_random_routing_dropped_token")
    block = experts_block(config, width, number, top_k, parts.activation(config, "hidden_act"))
    block = with_shared(block, shared)
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
    attention = softmax(heads, kv_heads, head_dim, packed=True)
    block = experts_block(config, hidden, number, top_k, function)
    blocks = [{"layers": config.whole("n_layers"), **layer(attention, block, style)}]
    return body_of(config, width, {"kind": "rotary"}, blocks, norm=norm_of(style), context=("max_seq_len",))
