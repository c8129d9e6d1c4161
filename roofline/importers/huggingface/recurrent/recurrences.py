"""Families of recurrences: RWKV-4 and xLSTM; and LFM2 and RecurrentGemma, which alternate them with softmax attention.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, routed, softmax

#: Keys that change no shape, by family.
_OF_LFM2: Final = """
    conv_dim conv_dim_out conv_use_xavier_init block_mlp_init_scale block_norm_eps block_out_init_scale block_use_swiglu
    block_use_xavier_init block_dim use_pos_enc num_heads block_ffn_dim_multiplier theta
"""
_OF_GRIFFIN: Final = """
    head_dim logits_soft_cap w_init_variance_scale final_w_init_variance_scale embeddings_scale_by_sqrt_dim
"""
_OF_XLSTM: Final = """
    embedding_dim num_blocks norm_reduction_force_float32 chunkwise_kernel sequence_kernel step_kernel mode chunk_size
    return_last_states autocast_kernel_dtype eps inference_state_dtype gate_soft_cap output_logit_soft_cap
    max_inference_chunksize weight_mode head_dim add_embedding_dropout add_forward_backend_padding add_post_blocks_norm
    logits_soft_cap force_bos_token_insert igate_bias_init_range mlstm_round_up_to_multiple_of output_init_fn
"""


def lfm2(config: Config) -> dict[str, Any]:
    """LFM2: short convolutions between two gates, and normed grouped-query attention; dense or experts."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.ignore(_OF_LFM2)
    conv: dict[str, Any] = {"kind": "short_conv", "width": width, "kernel": config.whole("conv_L_cache")}
    if config.flag("conv_bias", default=False):
        conv["bias"] = True
    attention = softmax(heads, kv_heads, head_dim, qk_norm="head")
    kinds = config.texts("layer_types", length=layers, choices=("conv", "full_attention"))
    indices = config.wholes("full_attn_idxs")
    if kinds is None:
        listed = range(layers) if indices is None else indices
        kinds = ["full_attention" if index in listed else "conv" for index in range(layers)]
    feed_forwards = _lfm2_feed_forwards(config, layers)
    blocks = [
        {"attention": conv if kind == "conv" else attention, "feed_forward": feed_forward}
        for kind, feed_forward in zip(kinds, feed_forwards, strict=True)
    ]
    tied = config.flag("tie_embedding", "tie_word_embeddings", default=True)
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks), tied=tied)


def _lfm2_feed_forwards(config: Config, layers: int) -> list[dict[str, Any]]:
    """Dense, two thirds as wide as said, rounded up; LFM2-MoE: as wide as said, and experts behind the first layers."""
    if "num_experts" in config.defaults:
        dense = dense_block(config.whole("intermediate_size"), "silu")
        experts = routed(config, "silu", experts="num_experts")
        first = config.whole("num_dense_layers", least=0)
        return [dense if index < first else experts for index in range(layers)]
    width = config.whole("block_ff_dim", "intermediate_size")
    if config.flag("block_auto_adjust_ff_dim", default=True):
        factor = config.raw("block_ffn_dim_multiplier", default=1.0)
        width = int(2 * width / 3)
        if factor is not None:
            multiple = config.whole("block_multiple_of")
            width = -(-int(config.number("block_ffn_dim_multiplier", default=1.0) * width) // multiple) * multiple
    config.ignore("block_multiple_of")
    return [dense_block(width, "silu")] * layers


def lfm3(config: Config) -> dict[str, Any]:
    """LFM3: short convolutions, attention with a gate per head, which slides in some layers; norms on both sides."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    conv: dict[str, Any] = {"kind": "short_conv", "width": width, "kernel": config.whole("conv_L_cache")}
    if config.flag("conv_bias", default=False):
        conv["bias"] = True
    gate = {"output_gate": "head", "gate_bias": False} if config.flag("use_attention_gate") else {}
    full = softmax(heads, kv_heads, config.whole("head_dim"), qk_norm="head", **gate, **parts.attention_biases(config))
    others = {0: "sliding_attention", 2: "full_attention"}
    otherwise = [others.get(index % 4, "conv") if index else "conv" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("conv", "full_attention", "sliding_attention"), otherwise)
    window = config.whole_or_none("sliding_window")
    if "sliding_attention" in kinds and window is None:
        config.refuse("sliding_window", "is null, but layers slide")
    of_kind = {"conv": conv, "full_attention": full, "sliding_attention": {**full, "window": window}}
    dense = dense_block(config.whole("intermediate_size"), "silu")
    norms = {"norms": 4} if config.flag("use_sandwich_norm") else {}
    blocks = [{"attention": of_kind[kind], "feed_forward": dense, **norms} for kind in kinds]
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks))


def recurrent_gemma(config: Config) -> dict[str, Any]:
    """RecurrentGemma: two gated linear recurrences, then attention in a window, over and over."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.divides("num_attention_heads", width, "of width", heads)
    config.ignore(_OF_GRIFFIN)
    if config.given("head_dim") and config.whole("head_dim") != head_dim:
        config.refuse("head_dim", f"is not hidden_size / num_attention_heads = {head_dim}")
    inner = config.whole_or_none("lru_width") or width
    recurrence = {"kind": "gated_recurrence", "width": inner, "heads": heads, "kernel": config.whole("conv1d_width")}
    config.divides("lru_width", inner, "channels", heads)
    attention = softmax(heads, kv_heads, head_dim, window=config.whole("attention_window_size"), output_bias=True)
    if config.flag("attention_bias", default=False):
        attention["qkv_bias"] = True
    pattern = config.texts("block_types", "_block_types", choices=("recurrent", "attention"))
    if not pattern:
        config.refuse("block_types", "names no block")
    half = config.divides("intermediate_size", config.whole("intermediate_size"), "of intermediate width", 2)
    feed_forward = dense_block(half, parts.activation(config, "hidden_activation"), bias=True)
    of_kind = {"recurrent": recurrence, "attention": attention}
    kinds = [pattern[index % len(pattern)] for index in range(layers)]
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "positions": parts.rotary(config, head_dim, 0.5),
        "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config),
        "blocks": parts.merged([{"attention": of_kind[kind], "feed_forward": feed_forward} for kind in kinds]),
    }


def rwkv(config: Config) -> dict[str, Any]:
    """RWKV-4: each layer mixes over time, then over channels; a norm behind the embedding."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore("rescale_every")
    inner = config.whole_or_none("attention_hidden_size") or width
    if inner != width:
        config.unsupported("attention_hidden_size", f"{inner} is not modelled", "Understood: hidden_size.")
    hidden = config.whole_or_none("intermediate_size") or 4 * width
    time, channel = {"kind": "time_mix", "width": inner}, {"kind": "channel_mix", "hidden": hidden}
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config, "context_length"),
        "positions": {"kind": "none"},
        "norm": {"kind": "layer", "bias": True},
        "embedding_norm": True,
        "tied_embeddings": parts.tied(config),
        "blocks": [
            {"name": "time-mix", "layers": layers, "attention": time, "norms": 1},
            {"name": "channel-mix", "layers": layers, "attention": channel, "norms": 1},
        ],
    }


def xlstm(config: Config) -> dict[str, Any]:
    """xLSTM: matrix memories and gated feed-forwards."""
    width = config.whole(_key_given(config, "hidden_size", "embedding_dim"))
    layers = config.whole(_key_given(config, "num_hidden_layers", "num_blocks"))
    config.ignore(_OF_XLSTM)
    config.must_be("add_out_norm", True, default=True)
    for key in ("add_post_norm", "add_qk_norm", "lm_head_bias"):
        config.must_be(key, False, default=False)
    config.must_be("norm_type", "rmsnorm", default="rmsnorm")
    config.must_be("use_bias", False, default=False)
    config.ignore("tie_word_embeddings")
    heads = config.whole("num_heads")
    keys, values = int(width * config.number("qk_dim_factor")), int(width * config.number("v_dim_factor"))
    multiple = config.whole("ffn_round_up_to_multiple_of")
    hidden = int((width * config.number("ffn_proj_factor") + multiple - 1) // multiple * multiple)
    mixer: dict[str, Any] = {
        "kind": "mlstm",
        "heads": heads,
        "key_dim": config.divides("num_heads", keys, "of queries and keys", heads),
        "value_dim": config.divides("num_heads", values, "of values", heads),
    }
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "positions": {"kind": "none"},
        "norm": {"kind": "rms"},
        "tied_embeddings": False,
        "blocks": [{"layers": layers, "attention": mixer, "feed_forward": dense_block(hidden, "silu")}],
    }


def _key_given(config: Config, key: str, older: str) -> str:
    """The one of two keys that the file gives a value, the first where it gives both or none."""
    return older if config.given(older) and not config.given(key) else key
