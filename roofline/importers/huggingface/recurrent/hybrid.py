"""Hybrids of a state space and softmax attention: Jamba, Bamba, Granite 4, Falcon-H1, Zamba 2.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import dense_block, experts_block
from roofline.importers.huggingface.recurrent.recurrent import biases, ignore_steps, step_rank

#: What configs call layers of a state space, and layers of attention.
MAMBA: Final = ("mamba", "linear_attention")
ATTENTION: Final = ("attention", "full_attention")


def jamba(config: Config) -> dict[str, Any]:
    """Jamba: Mamba with normed vectors, attention without positions in every eighth layer, experts in every second."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.must_be("mamba_inner_layernorms", True, default=True)
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("sliding_window", None, default=None)
    config.ignore("calc_logits_for_entire_prompt", "n_ctx")
    block = {
        "kind": "mamba", "inner": width * config.whole("mamba_expand"), "state": config.whole("mamba_d_state"),
        "rank": step_rank(config, width, "mamba_dt_rank"), "kernel": config.whole("mamba_d_conv"),
        **biases(config, "mamba_proj_bias", "mamba_conv_bias"), "norms": "weighted",
    }  # fmt: skip
    attention_at = _periodic(config, "attn_layer")
    experts_at = _periodic(config, "expert_layer")
    number, hidden = config.whole("num_experts"), config.whole("intermediate_size")
    dense = dense_block(hidden, "silu")
    experts = dense
    if number > 1:
        experts = experts_block(config, hidden, number, config.whole("num_experts_per_tok"), "silu")
    config.ignore("num_experts_per_tok")
    softmax = _softmax(config, width)
    blocks = [
        {
            "attention": softmax if attention_at(index) else block,
            "feed_forward": experts if experts_at(index) else dense,
        }
        for index in range(layers)
    ]
    return hybrid_body(config, width, blocks, {"kind": "none"})


def _periodic(config: Config, name: str) -> Any:
    """Whether a layer is `offset` behind a multiple of `period`."""
    period, offset = config.whole(f"{name}_period"), config.whole(f"{name}_offset", least=0)
    if offset >= period:
        config.refuse(f"{name}_offset", f"{offset} must be smaller than {name}_period = {period}")
    return lambda index: index % period == offset


def bamba(config: Config) -> dict[str, Any]:
    """Bamba: Mamba-2, attention in the layers of `attn_layer_indices`, half of each head rotated; dense."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.must_be("attention_bias", False, default=False)
    config.must_be("mlp_bias", False, default=False)
    config.ignore("z_loss_coefficient")
    turned = config.whole_or_none("attn_rotary_emb")
    indices = config.wholes("attn_layer_indices") or []
    kinds = config.texts("layer_types", "layers_block_type", length=layers, choices=(*MAMBA, *ATTENTION))
    full = [index in indices for index in range(layers)] if kinds is None else [kind in ATTENTION for kind in kinds]
    block, softmax = _mamba2(config, width), _softmax(config, width)
    feed_forward = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    blocks = [{"attention": softmax if flag else block, "feed_forward": feed_forward} for flag in full]
    positions = parts.rotary(config, softmax["head_dim"], 0.5)
    if turned is not None and turned != positions.get("rotary_dim", softmax["head_dim"]):
        config.refuse("attn_rotary_emb", f"{turned} is not what the reference code rotates, {positions}")
    return hybrid_body(config, width, blocks, positions)


def granite_hybrid(config: Config) -> dict[str, Any]:
    """Granite 4: Mamba-2 and attention by `layer_types`; experts with a shared one, or without experts a dense one."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = config.texts("layer_types", length=layers, choices=(*MAMBA, *ATTENTION)) or ["mamba"] * layers
    positions = config.raw("position_embedding_type", default=None)
    if positions not in (None, "nope", "rope"):
        config.unsupported("position_embedding_type", f"{positions!r} is not modelled", "Understood: rope, nope, null.")
    softmax = _softmax(config, width)
    if config.flag("attention_bias", default=False):
        softmax |= {"qkv_bias": True, "output_bias": True}
    block = _mamba2(config, width) if any(kind in MAMBA for kind in kinds) else {}
    config.ignore("mamba_d_conv", "mamba_d_head", "mamba_d_state", "mamba_expand", "mamba_n_groups", "mamba_n_heads",
                  "mamba_conv_bias", "mamba_proj_bias", "head_dim", "init_method",
                  "normalization_function")  # fmt: skip
    activation = parts.activation(config, "hidden_act")
    shared, number = config.whole("shared_intermediate_size"), config.whole("num_local_experts", null=0, least=0)
    if number:
        feed_forward = experts_block(
            config, config.whole("intermediate_size"), number, config.whole("num_experts_per_tok"), activation,
            shared=shared,
        )  # fmt: skip
    else:
        config.ignore("intermediate_size", "num_experts_per_tok")
        feed_forward = dense_block(shared, activation)
    blocks = [{"attention": softmax if kind in ATTENTION else block, "feed_forward": feed_forward} for kind in kinds]
    return hybrid_body(config, width, blocks, {"kind": "rotary" if positions == "rope" else "none"})


def _mamba2(config: Config, width: int) -> dict[str, Any]:
    """Mamba-2 in the spelling `mamba_*`: its heads make up `mamba_expand` times the width."""
    heads, inner = config.whole("mamba_n_heads"), width * config.whole("mamba_expand")
    dim = config.divides("mamba_n_heads", inner, "channels", heads)
    if config.raw("mamba_d_head", default="auto") != "auto" and config.whole("mamba_d_head") != dim:
        config.refuse("mamba_d_head", f"is not mamba_expand * hidden_size / mamba_n_heads = {dim}")
    groups = config.whole("mamba_n_groups")
    config.divides("mamba_n_groups", heads, "heads", groups)
    return {
        "kind": "mamba2", "heads": heads, "head_dim": dim, "state": config.whole("mamba_d_state"), "groups": groups,
        "kernel": config.whole("mamba_d_conv"), **biases(config, "mamba_proj_bias", "mamba_conv_bias"),
    }  # fmt: skip


def _softmax(config: Config, width: int) -> dict[str, Any]:
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.divides("hidden_size", width, "of width", heads)
    return {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}


def hybrid_body(config: Config, width: int, blocks: list[dict[str, Any]], positions: dict[str, Any]) -> dict[str, Any]:
    """The body of a spec with these layers."""
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": parts.context(config),
        "positions": positions, "norm": {"kind": "rms"}, "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(blocks),
    }  # fmt: skip


def falcon_h1(config: Config) -> dict[str, Any]:
    """Falcon-H1: attention and Mamba-2 side by side behind one norm, then a feed-forward.

    Written as three groups of as many layers each, which count as the layer does: one norm, three sums.
    """
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore("mamba_norm_before_gate", "mamba_use_mlp", "attn_layer_indices", "mlp_expansion_factor",
                  "ssm_multipliers", "mlp_multipliers", "mamba_expand", "attention_in_multiplier", "ssm_in_multiplier",
                  "lm_head_multiplier", "key_multiplier")  # fmt: skip
    heads, inner = config.whole("mamba_n_heads"), config.whole_or_none("mamba_d_ssm")
    inner = inner if inner is not None else width * config.whole("mamba_expand")
    dim = config.divides("mamba_n_heads", inner, "channels", heads)
    if config.raw("mamba_d_head", default="auto") != "auto" and config.whole("mamba_d_head") != dim:
        config.refuse("mamba_d_head", f"is not the channels of the state space by its heads, {dim}")
    groups = config.whole("mamba_n_groups")
    config.divides("mamba_n_groups", heads, "heads", groups)
    bias = biases(config, "mamba_proj_bias", "mamba_conv_bias")
    if config.flag("projectors_bias", default=False) != bias.get("bias", False):
        config.unsupported("projectors_bias", "unlike mamba_proj_bias is not modelled")
    mamba = {"kind": "mamba2", "heads": heads, "head_dim": dim, "state": config.whole("mamba_d_state"),
             "groups": groups, "kernel": config.whole("mamba_d_conv"), **bias,
             "norm": config.flag("mamba_rms_norm", default=False)}  # fmt: skip
    query_heads, kv_heads = parts.heads_of(config)
    softmax: dict[str, Any] = {"kind": "softmax", "heads": query_heads, "kv_heads": kv_heads,
                               "head_dim": parts.head_dim_of(config, width, query_heads)}  # fmt: skip
    if config.flag("attention_bias", default=False):
        softmax |= {"qkv_bias": True, "output_bias": True}
    dense = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"),
                        bias=config.flag("mlp_bias", default=False))  # fmt: skip
    blocks = [
        {"name": "attention", "layers": layers, "attention": softmax, "norms": 1},
        {"name": "state-space", "layers": layers, "attention": mamba, "norms": 0},
        {"name": "feed-forward", "layers": layers, "feed_forward": dense, "norms": 1},
    ]
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": parts.context(config),
        "positions": {"kind": "rotary"}, "norm": {"kind": "rms"}, "tied_embeddings": parts.tied(config),
        "blocks": blocks,
    }  # fmt: skip


def zamba2(config: Config) -> dict[str, Any]:
    """Zamba 2: Mamba-2 in every layer; before the hybrid ones a transformer block that they share by turns."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore("attention_hidden_size", "attention_head_dim", "mamba_headdim", "kv_channels", "num_query_groups",
                  "hybrid_layer_ids", "use_long_context", "use_shared_mlp_adapter", "ffn_hidden_size",
                  "num_heads", "state_size", "conv_dimension", "expansion_factor", "rope")  # fmt: skip
    kinds = config.texts("layers_block_type", length=layers, choices=(*MAMBA, "hybrid"))
    if kinds is None:
        pattern = [False] + ([False] * 5 + [True]) * 7 + [False] * 4 + [True] + [False] * 3 + [True] + [False] * 2
        if len(pattern) != layers:
            config.refuse("num_hidden_layers", f"{layers} layers, but no layers_block_type says which are hybrid")
        kinds = ["hybrid" if flag else "mamba" for flag in pattern]
    hybrids, blocks_held = kinds.count("hybrid"), config.whole("num_mem_blocks")
    heads, kv_heads = parts.heads_of(config)
    inner, state_heads = width * config.whole("mamba_expand"), config.whole("n_mamba_heads")
    groups = config.whole("mamba_ngroups")
    config.divides("mamba_ngroups", state_heads, "heads", groups)
    mamba: dict[str, Any] = {
        "kind": "mamba2", "heads": state_heads,
        "head_dim": config.divides("n_mamba_heads", inner, "channels", state_heads),
        "state": config.whole("mamba_d_state"), "groups": groups, "kernel": config.whole("mamba_d_conv"),
    }  # fmt: skip
    config.must_be("use_conv_bias", True, default=True)
    bias = config.flag("add_bias_linear", default=False)
    if bias:
        mamba["bias"] = True
    shared: dict[str, Any] = {
        "kind": "shared_block", "heads": heads, "kv_heads": kv_heads,
        "head_dim": config.divides("num_attention_heads", 2 * width, "of twice the width", heads),
        "hidden": config.whole_or_none("intermediate_size") or 4 * width, "adapter_rank": config.whole("adapter_rank"),
        "activation": parts.activation(config, "hidden_act"),
    }  # fmt: skip
    if config.flag("use_shared_attention_adapter", default=False):
        shared["attention_adapters"] = True
        if kv_heads != heads:
            config.unsupported("num_key_value_heads", "adapters with fewer key-value heads are not modelled")
    if bias:
        shared["bias"] = True
    blocks: list[dict[str, Any]] = [{"name": "state-space", "layers": layers, "attention": mamba, "norms": 1}]
    if hybrids:
        blocks.append({"name": "shared", "layers": min(hybrids, blocks_held), "attention": shared, "norms": 0})
    if hybrids > blocks_held:
        again = {**shared, "held": False}
        blocks.append({"name": "shared-again", "layers": hybrids - blocks_held, "attention": again, "norms": 0})
    positions = {"kind": "rotary" if config.flag("use_mem_rope", default=False) else "none"}
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": parts.context(config),
        "positions": positions, "norm": {"kind": "rms"}, "tied_embeddings": parts.tied(config), "blocks": blocks,
    }  # fmt: skip
