"""Families of recurrences: Mamba, Falcon Mamba, Mamba-2, RWKV-4, xLSTM; and LFM2 and RecurrentGemma, which alternate
them with softmax attention.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import dense_block, experts_block

_STEPS: Final = (
    "time_step_scale", "time_step_min", "time_step_max", "time_step_init_scheme", "time_step_floor", "time_step_limit",
    "use_associative_scan", "fused_add_norm", "use_falcon_mambapy", "n_layer", "d_model", "pad_vocab_size_multiple",
    "chunk_size", "mamba_chunk_size", "ssm_cfg", "use_mem_eff_path", "d_inner", "d_intermediate",
)  # fmt: skip


def mamba(config: Config) -> dict[str, Any]:
    """Mamba and Falcon Mamba, which norms the vectors of its scan. `intermediate_size`, where given, rules."""
    ignore_steps(config)
    width = config.whole("hidden_size")
    inner = config.whole_or_none("intermediate_size") or width * config.whole("expand")
    config.ignore("expand")
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("rms_norm", True, default=True)
    block: dict[str, Any] = {
        "kind": "mamba", "inner": inner, "state": config.whole("state_size"), "rank": step_rank(config, width),
        "kernel": config.whole("conv_kernel"), **biases(config, "use_bias", "use_conv_bias"),
    }  # fmt: skip
    if config.data["model_type"] == "falcon_mamba":
        block["norms"] = "plain"
    return state_space_body(config, block)


def mamba2(config: Config) -> dict[str, Any]:
    """Mamba-2."""
    ignore_steps(config)
    width, heads, dim = config.whole("hidden_size"), config.whole("num_heads"), config.whole("head_dim")
    config.ignore("time_step_rank", "norm_before_gate")
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("rms_norm", True, default=True)
    if config.given("intermediate_size") and config.whole("intermediate_size") != heads * dim:
        config.refuse("intermediate_size", f"is not num_heads * head_dim = {heads * dim}")
    if width * config.number("expand") != heads * dim:
        config.refuse(
            "num_heads", f"{heads} heads of {dim} are not expand * hidden_size = {width * config.number('expand'):g}"
        )
    groups = config.whole("n_groups")
    config.divides("n_groups", heads, "heads", groups)
    block = {
        "kind": "mamba2", "heads": heads, "head_dim": dim, "state": config.whole("state_size"),
        "groups": groups, "kernel": config.whole("conv_kernel"),
        **biases(config, "use_bias", "use_conv_bias"),
    }  # fmt: skip
    return state_space_body(config, block)


def state_space_body(config: Config, block: dict[str, Any]) -> dict[str, Any]:
    """Layers of one norm and one state space each."""
    return {
        "vocabulary": parts.vocabulary(config), "width": config.whole("hidden_size"),
        "positions": {"kind": "none"}, "norm": {"kind": "rms"}, "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("num_hidden_layers"), "attention": block, "norms": 1}],
    }  # fmt: skip


def ignore_steps(config: Config) -> None:
    """Keys of step sizes, chunks and kernels, which change no shape."""
    config.ignore(*_STEPS)


def step_rank(config: Config, width: int, key: str = "time_step_rank") -> int:
    """The bottleneck of the step sizes: `auto` is a sixteenth of the width, rounded up."""
    if config.raw(key, default="auto") == "auto":
        return -(-width // 16)
    return config.whole(key)


def biases(config: Config, projections: str, convolution: str) -> dict[str, bool]:
    """Biases of the projections and of the convolution, where they are not the default."""
    found = {}
    if config.flag(projections, default=False):
        found["bias"] = True
    if not config.flag(convolution, default=True):
        found["conv_bias"] = False
    return found


def lfm2(config: Config) -> dict[str, Any]:
    """LFM2: short convolutions between two gates, and normed grouped-query attention; dense or experts."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.ignore("conv_dim", "conv_dim_out", "conv_use_xavier_init", "block_mlp_init_scale", "block_norm_eps",
                  "block_out_init_scale", "block_use_swiglu", "block_use_xavier_init", "block_dim", "use_pos_enc",
                  "num_heads", "block_ffn_dim_multiplier", "theta")  # fmt: skip
    conv: dict[str, Any] = {"kind": "short_conv", "width": width, "kernel": config.whole("conv_L_cache")}
    if config.flag("conv_bias", default=False):
        conv["bias"] = True
    softmax = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "qk_norm": "head"}
    kinds = config.texts("layer_types", length=layers, choices=("conv", "full_attention"))
    indices = config.wholes("full_attn_idxs")
    if kinds is None:
        listed = range(layers) if indices is None else indices
        kinds = ["full_attention" if index in listed else "conv" for index in range(layers)]
    feed_forwards = _lfm2_feed_forwards(config, layers)
    blocks = [
        {"attention": conv if kind == "conv" else softmax, "feed_forward": feed_forward}
        for kind, feed_forward in zip(kinds, feed_forwards, strict=True)
    ]
    tie = config.flag("tie_embedding", "tie_word_embeddings", default=True)
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": parts.context(config),
        "positions": {"kind": "rotary"}, "norm": {"kind": "rms"}, "tied_embeddings": tie,
        "blocks": parts.merged(blocks),
    }  # fmt: skip


def _lfm2_feed_forwards(config: Config, layers: int) -> list[dict[str, Any]]:
    """Dense, two thirds as wide as said, rounded up; LFM2-MoE: as wide as said, and experts behind the first layers."""
    if "num_experts" in config.defaults:
        dense = dense_block(config.whole("intermediate_size"), "silu")
        experts = experts_block(
            config, config.whole("moe_intermediate_size"), config.whole("num_experts"),
            config.whole("num_experts_per_tok"), "silu",
        )  # fmt: skip
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


def recurrent_gemma(config: Config) -> dict[str, Any]:
    """RecurrentGemma: two gated linear recurrences, then attention in a window, over and over."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.divides("num_attention_heads", width, "of width", heads)
    config.ignore("head_dim", "logits_soft_cap", "w_init_variance_scale", "final_w_init_variance_scale",
                  "embeddings_scale_by_sqrt_dim")  # fmt: skip
    if config.given("head_dim") and config.whole("head_dim") != head_dim:
        config.refuse("head_dim", f"is not hidden_size / num_attention_heads = {head_dim}")
    inner = config.whole_or_none("lru_width") or width
    recurrence = {"kind": "gated_recurrence", "width": inner, "heads": heads, "kernel": config.whole("conv1d_width")}
    config.divides("lru_width", inner, "channels", heads)
    softmax: dict[str, Any] = {
        "kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim,
        "window": config.whole("attention_window_size"), "output_bias": True,
    }  # fmt: skip
    if config.flag("attention_bias", default=False):
        softmax["qkv_bias"] = True
    pattern = config.texts("block_types", "_block_types", choices=("recurrent", "attention"))
    if not pattern:
        config.refuse("block_types", "names no block")
    half = config.divides("intermediate_size", config.whole("intermediate_size"), "of intermediate width", 2)
    feed_forward = dense_block(half, parts.activation(config, "hidden_activation"), bias=True)
    blocks = [
        {
            "attention": recurrence if pattern[index % len(pattern)] == "recurrent" else softmax,
            "feed_forward": feed_forward,
        }
        for index in range(layers)
    ]
    return {
        "vocabulary": parts.vocabulary(config), "width": width,
        "positions": parts.rotary(config, head_dim, 0.5), "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config), "blocks": parts.merged(blocks),
    }  # fmt: skip


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
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": parts.context(config, "context_length"),
        "positions": {"kind": "none"}, "norm": {"kind": "layer", "bias": True}, "embedding_norm": True,
        "tied_embeddings": parts.tied(config),
        "blocks": [
            {"name": "time-mix", "layers": layers, "attention": time, "norms": 1},
            {"name": "channel-mix", "layers": layers, "attention": channel, "norms": 1},
        ],
    }  # fmt: skip


def xlstm(config: Config) -> dict[str, Any]:
    """xLSTM: matrix memories and gated feed-forwards."""
    width = config.whole("hidden_size" if config.given("hidden_size") or not config.given("embedding_dim") else
                         "embedding_dim")  # fmt: skip
    layers = config.whole("num_blocks" if config.given("num_blocks") and not config.given("num_hidden_layers") else
                          "num_hidden_layers")  # fmt: skip
    config.ignore("embedding_dim", "num_blocks", "norm_reduction_force_float32", "chunkwise_kernel", "sequence_kernel",
                  "step_kernel", "mode", "chunk_size", "return_last_states", "autocast_kernel_dtype", "eps",
                  "inference_state_dtype", "gate_soft_cap", "output_logit_soft_cap", "max_inference_chunksize",
                  "weight_mode", "head_dim")  # fmt: skip
    config.must_be("add_out_norm", True, default=True)
    for key in ("add_post_norm", "add_qk_norm", "lm_head_bias"):
        config.must_be(key, False, default=False)
    config.must_be("norm_type", "rmsnorm", default="rmsnorm")
    config.ignore(
        "add_embedding_dropout",
        "add_forward_backend_padding",
        "add_post_blocks_norm",
        "logits_soft_cap",
        "force_bos_token_insert",
        "igate_bias_init_range",
        "mlstm_round_up_to_multiple_of",
        "output_init_fn",
    )
    heads, bias = config.whole("num_heads"), config.flag("use_bias", default=False)
    keys, values = int(width * config.number("qk_dim_factor")), int(width * config.number("v_dim_factor"))
    multiple = config.whole("ffn_round_up_to_multiple_of")
    hidden = int((width * config.number("ffn_proj_factor") + multiple - 1) // multiple * multiple)
    mixer: dict[str, Any] = {
        "kind": "mlstm", "heads": heads, "key_dim": config.divides("num_heads", keys, "of queries and keys", heads),
        "value_dim": config.divides("num_heads", values, "of values", heads),
    }  # fmt: skip
    if bias:
        mixer["bias"] = True
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "positions": {"kind": "none"},
        "norm": {"kind": "rms", "bias": bias}, "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": layers, "attention": mixer, "feed_forward": dense_block(hidden, "silu", bias=bias)}],
    }  # fmt: skip
