"""Families of state spaces alone: Mamba, Falcon Mamba, Mamba-2; and hybrids of linear attention or short convolutions
with softmax or latent attention: Qwen3-Next and 3.5, Kimi Linear, MiniMax-01, LFM2, RecurrentGemma.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers import parts
from roofline.importers.config import Config
from roofline.importers.decoder import dense_block, experts_block
from roofline.importers.defaults import DEFAULTS, NAMES
from roofline.importers.hf_latent import latent_attention, latent_body, mtp_layers, sparse_layers

#: Models without positions or windows have no longest context.
ENDLESS: Final = 10**9
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
        "vocabulary": parts.vocabulary(config), "width": config.whole("hidden_size"), "max_context": ENDLESS,
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


def qwen3_next(config: Config) -> dict[str, Any]:
    """Qwen3-Next and Qwen3.5: gated delta nets, every fourth layer gated softmax attention; dense or experts."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.must_be("attn_output_gate", True, default=True)
    config.ignore("mamba_ssm_dtype", "mtp_use_dedicated_embeddings")
    full: dict[str, Any] = {
        "kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "qk_norm": "head",
        "output_gate": "element",
    }  # fmt: skip
    if config.flag("attention_bias", default=False):
        full |= {"qkv_bias": True, "output_bias": True}
    delta = gated_delta(config)
    period = config.whole("full_attention_interval", default=4, null=4)
    kinds = parts.layer_kinds(
        config, layers, ("linear_attention", "full_attention"),
        ["linear_attention" if (index + 1) % period else "full_attention" for index in range(layers)],
    )  # fmt: skip
    feed_forwards = _qwen_feed_forwards(config, layers)
    blocks = [
        {"attention": full if kind == "full_attention" else delta, "feed_forward": feed_forward}
        for kind, feed_forward in zip(kinds, feed_forwards, strict=True)
    ]
    body = {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": config.whole("max_position_embeddings"),
        "positions": parts.rotary(config, head_dim, 0.25), "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config), "blocks": parts.merged(blocks),
    }  # fmt: skip
    mtp = mtp_layers(config, "mtp_num_hidden_layers")
    if mtp:
        body["mtp"] = {"layers": mtp, "attention": full, "feed_forward": feed_forwards[-1]}
    return body


def gated_delta(config: Config) -> dict[str, Any]:
    """The fields of a gated delta net."""
    keys, values = config.whole("linear_num_key_heads"), config.whole("linear_num_value_heads")
    config.divides("linear_num_value_heads", values, "value heads", keys)
    return {
        "kind": "gated_delta", "key_heads": keys, "value_heads": values, "key_dim": config.whole("linear_key_head_dim"),
        "value_dim": config.whole("linear_value_head_dim"), "kernel": config.whole("linear_conv_kernel_dim"),
    }  # fmt: skip


def _qwen_feed_forwards(config: Config, layers: int) -> list[dict[str, Any]]:
    """Dense; or experts with a gated shared one, but for `mlp_only_layers` and layers off `decoder_sparse_step`."""
    activation = parts.activation(config, "hidden_act")
    if "num_experts" not in config.defaults:
        return [dense_block(config.whole("intermediate_size"), activation)] * layers
    experts = config.whole("num_experts", least=0)
    step = config.whole("decoder_sparse_step", default=1)
    alone = config.wholes("mlp_only_layers") or []
    sparse = [index not in alone and experts > 0 and (index + 1) % step == 0 for index in range(layers)]
    block: dict[str, Any] = {}
    if any(sparse):
        shared = config.whole("shared_expert_intermediate_size", least=0)
        block = experts_block(
            config, config.whole("moe_intermediate_size"), experts, config.whole("num_experts_per_tok"), activation,
            shared=shared, shared_gate=bool(shared),
        )  # fmt: skip
    if all(sparse):
        config.ignore("intermediate_size")
        return [block] * layers
    dense = dense_block(config.whole("intermediate_size"), activation)
    return [block if flag else dense for flag in sparse]


def kimi_linear(config: Config) -> dict[str, Any]:
    """Kimi Linear: Kimi delta attention, every fourth layer latent attention without positions; dense first."""
    layers = config.whole("num_hidden_layers")
    config.must_be("mla_use_nope", True, default=True)
    latent, delta, kinds = latent_attention(config), *_kimi_layers(config, layers)
    return _kimi_body(config, [latent if kind == "full_attention" else delta for kind in kinds], {})


def kimi_k3(config: Config) -> dict[str, Any]:
    """Kimi K3, from its config alone: the code that runs it is not public, so what it may hold beside is listed."""
    config.defaults, config.names = DEFAULTS["kimi_linear"], NAMES["kimi_linear"]
    layers = config.whole("num_hidden_layers")
    config.must_be("mla_use_nope", True, default=True)
    config.must_be("hidden_act", "situ", "silu")
    config.ignore("attn_res_block_size", "latent_moe_use_norm", "hidden_act")
    latent = latent_attention(config)
    if config.flag("mla_use_output_gate", default=False):
        latent["output_gate"] = True
    delta, kinds = _kimi_layers(config, layers)
    more = (
        {"latent_width": config.whole("routed_expert_hidden_size")} if config.given("routed_expert_hidden_size") else {}
    )
    body = _kimi_body(config, [latent if kind == "full_attention" else delta for kind in kinds], more, "silu")
    body["unverified"] = [
        "no public code and no reference count exist for this architecture; shapes are read off its config",
        "hidden_act situ: counted as a gated silu of three matrices",
        "attn_res_block_size: the residual's attention over blocks is not counted (a few vectors per layer)",
        "latent_moe_use_norm: a norm of the experts' latent is not counted",
        "mla_use_output_gate: taken to be a full-rank gate per element of the heads' output",
        "use_full_rank_gate: taken to concern the output gate of Kimi delta attention, not its decays",
        "num_shared_experts: taken to be as wide as a routed expert and to read the full width",
    ]
    return body


def _kimi_layers(config: Config, layers: int) -> tuple[dict[str, Any], list[str]]:
    """Kimi delta attention, and which layers have it: `linear_attn_config` (counted from 1), else `layer_types`."""
    section = config.section("linear_attn_config")
    flat = {"heads": "linear_num_heads", "head_dim": "linear_head_dim", "kernel": "linear_conv_kernel_dim"}
    shapes = {field: config.whole(key) for field, key in flat.items()}
    full = None
    kinds = config.texts("layer_types", length=layers, choices=("linear_attention", "full_attention"))
    if section is not None:
        names = {"heads": "num_heads", "head_dim": "head_dim", "kernel": "short_conv_kernel_size"}
        shapes = {field: section.whole(key, default=shapes[field]) for field, key in names.items()}
        full = section.flag("use_full_rank_gate", default=False)
        section.ignore("gate_lower_bound")
        listed, other = section.wholes("full_attn_layers"), section.wholes("kda_layers")
        if kinds is None and listed is not None and other is not None:
            if sorted([*listed, *other]) != list(range(1, layers + 1)):
                section.refuse("kda_layers", f"with full_attn_layers does not name each of {layers} layers once")
            kinds = ["full_attention" if index + 1 in listed else "linear_attention" for index in range(layers)]
    if kinds is None:
        kinds = ["full_attention" if index and index % 4 == 0 else "linear_attention" for index in range(layers)]
    delta = {"kind": "kimi_delta", **shapes, "decay_rank": shapes["head_dim"]}
    if not full:
        delta["gate_rank"] = shapes["head_dim"]
    return delta, kinds


def _kimi_body(
    config: Config, attentions: list[dict[str, Any]], more: dict[str, Any], activation: str | None = None
) -> dict[str, Any]:
    function = activation or parts.activation(config, "hidden_act")
    width, shared = (
        config.whole("moe_intermediate_size"),
        config.whole("num_shared_experts", "n_shared_experts", null=0, least=0),
    )
    if not config.has("first_k_dense_replace"):
        config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    sparse = sparse_layers(config, len(attentions))
    experts = experts_block(
        config, width, config.whole("num_experts", "num_local_experts"),
        config.whole("num_experts_per_token", "num_experts_per_tok"), function, shared=width * shared, **more,
    )  # fmt: skip
    dense = dense_block(config.whole("intermediate_size"), function)
    return latent_body(
        config, attentions, lambda index: experts if sparse[index] else dense, mtp_layers(config), rotary=False
    )


def minimax(config: Config) -> dict[str, Any]:
    """MiniMax-01: Lightning attention, every eighth layer (`attn_type_list`) softmax attention; experts everywhere."""
    if not config.defaults:
        config.defaults = DEFAULTS["minimax"]
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.ignore("block_size", "postnorm", "shared_moe_mode", "shared_intermediate_size", "max_model_len")
    for factor in ("alpha", "beta"):
        config.ignore(*(f"{part}_{factor}_factor" for part in ("full_attn", "linear_attn", "mlp")))
        config.ignore(*(f"layernorm_{part}_{factor}" for part in ("full_attention", "linear_attention", "mlp")))
    if config.given("shared_intermediate_size") and config.whole("shared_intermediate_size", least=0):
        config.unsupported("shared_intermediate_size", "a shared expert is not modelled for this family")
    config.must_be("sliding_window", None, default=None)
    kinds = config.texts("layer_types", length=layers, choices=("linear_attention", "full_attention"))
    flags = config.wholes("attn_type_list", length=layers)
    if kinds is not None:
        full = [kind == "full_attention" for kind in kinds]
    else:
        full = [index % 2 == 0 for index in range(layers)] if flags is None else [bool(flag) for flag in flags]
    softmax = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}
    lightning = {"kind": "lightning", "heads": heads, "head_dim": head_dim}
    experts = experts_block(
        config, config.whole("intermediate_size"), config.whole("num_local_experts"),
        config.whole("num_experts_per_tok"), parts.activation(config, "hidden_act"),
    )  # fmt: skip
    body = latent_body(config, [softmax if flag else lightning for flag in full], lambda index: experts, 0)
    rotated = config.whole_or_none("rotary_dim", default=None) or head_dim
    if rotated != head_dim:
        body["positions"] = {"kind": "rotary", "rotary_dim": rotated}
    return body


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
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": config.whole("max_position_embeddings"),
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
    config.ignore("head_dim", "logits_soft_cap", "w_init_variance_scale", "final_w_init_variance_scale")
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
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": ENDLESS,
        "positions": parts.rotary(config, head_dim, 0.5), "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config), "blocks": parts.merged(blocks),
    }  # fmt: skip
