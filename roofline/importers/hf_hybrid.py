"""Hybrids of a state space and softmax attention: Jamba, Bamba, Nemotron-H and Nemotron 3, Granite 4.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers import parts
from roofline.importers.config import Config
from roofline.importers.decoder import dense_block, experts_block
from roofline.importers.hf_recurrent import biases, ignore_steps, step_rank

_MAMBA: Final = ("mamba", "linear_attention")
_ATTENTION: Final = ("attention", "full_attention")
_LETTERS: Final = {"M": "mamba", "*": "attention", "E": "moe", "-": "mlp"}


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
    return _body(config, width, blocks, {"kind": "none"})


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
    indices = config.wholes("attn_layer_indices") or []
    kinds = config.texts("layer_types", "layers_block_type", length=layers, choices=(*_MAMBA, *_ATTENTION))
    full = [index in indices for index in range(layers)] if kinds is None else [kind in _ATTENTION for kind in kinds]
    block, softmax = _mamba2(config, width), _softmax(config, width)
    feed_forward = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    blocks = [{"attention": softmax if flag else block, "feed_forward": feed_forward} for flag in full]
    return _body(config, width, blocks, parts.rotary(config, softmax["head_dim"], 0.5))


def granite_hybrid(config: Config) -> dict[str, Any]:
    """Granite 4: Mamba-2 and attention by `layer_types`; experts with a shared one, or without experts a dense one."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = config.texts("layer_types", length=layers, choices=(*_MAMBA, *_ATTENTION)) or ["mamba"] * layers
    positions = config.raw("position_embedding_type", default=None)
    if positions not in (None, "nope", "rope"):
        config.unsupported("position_embedding_type", f"{positions!r} is not modelled", "Understood: rope, nope, null.")
    softmax = _softmax(config, width)
    if config.flag("attention_bias", default=False):
        softmax |= {"qkv_bias": True, "output_bias": True}
    block = _mamba2(config, width) if any(kind in _MAMBA for kind in kinds) else {}
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
    blocks = [{"attention": softmax if kind in _ATTENTION else block, "feed_forward": feed_forward} for kind in kinds]
    return _body(config, width, blocks, {"kind": "rotary" if positions == "rope" else "none"})


def nemotron_h(config: Config) -> dict[str, Any]:
    """Nemotron-H and Nemotron 3: each layer one norm and one of Mamba-2, attention, dense or experts, by a pattern.

    Experts of Nemotron 3 Super and Ultra work on a latent of the token.
    """
    ignore_steps(config)
    width = config.whole("hidden_size")
    kinds = _nemotron_layers(config)
    config.must_be("sliding_window", None, default=None)
    for key in ("attention_bias", "mlp_bias"):
        config.must_be(key, False, default=False)
    config.ignore("mamba_ssm_cache_dtype", "mamba_proj_bias", "expand", "time_step_rank", "moe_shared_expert_overlap",
                  "rope_theta", "partial_rotary_factor")  # fmt: skip
    heads, kv_heads = parts.heads_of(config)
    of_kind: dict[str, dict[str, Any]] = {
        "attention": {"attention": {"kind": "softmax", "heads": heads, "kv_heads": kv_heads,
                                    "head_dim": config.whole("head_dim", "attention_head_dim")}},
        "mamba": {"attention": _nemotron_mamba(config)},
    }  # fmt: skip
    activation = parts.activation(config, "mlp_hidden_act")
    if "mlp" in kinds:
        dense = dense_block(config.whole("intermediate_size"), activation, gated=False)
        of_kind["mlp"] = {"feed_forward": dense}
    if "moe" in kinds:
        of_kind["moe"] = {"feed_forward": _nemotron_experts(config, activation)}
    config.ignore("intermediate_size", "n_routed_experts", "n_shared_experts", "moe_intermediate_size",
                  "moe_shared_expert_intermediate_size", "moe_latent_size", "num_experts_per_tok")  # fmt: skip
    blocks = [{**of_kind[kind], "norms": 1} for kind in kinds]
    body = _body(config, width, blocks, {"kind": "none"})
    _nemotron_mtp(config, body, of_kind)
    return body


def _nemotron_mtp(config: Config, body: dict[str, Any], of_kind: dict[str, dict[str, Any]]) -> None:
    """The layers of further predictions, by a pattern of their own: attention and experts together are one block."""
    modules = config.whole("num_nextn_predict_layers", null=0, least=0)
    pattern, listed = config.raw("mtp_hybrid_override_pattern", default=None), config.items("mtp_layers_block_type")
    if not modules:
        return
    names = [_LETTERS.get(letter, letter) for letter in pattern] if isinstance(pattern, str) else listed
    kinds = [
        "attention" if name in _ATTENTION else "mamba" if name in _MAMBA else name
        for name in names or ["attention", "moe"]
    ]
    if len(kinds) == 2 and kinds[0] in ("attention", "mamba") and kinds[1] in of_kind:
        body["mtp"] = {"layers": modules, **of_kind[kinds[0]], **of_kind[kinds[1]]}
    else:
        body["unverified"] = [f"the head of further predictions ({', '.join(map(str, kinds))}) is not counted"]


def _nemotron_layers(config: Config) -> list[str]:
    """The kind of each layer: from `layers_block_type`, or from a pattern of letters."""
    pattern = config.raw("hybrid_override_pattern", default=None)
    kinds = config.texts("layers_block_type", "layer_types", choices=(*_MAMBA, *_ATTENTION, "moe", "mlp"))
    if kinds is None and pattern is not None:
        if not isinstance(pattern, str) or not pattern:
            config.refuse("hybrid_override_pattern", "must be a text of letters")
        strange = next((letter for letter in pattern if letter not in _LETTERS), None)
        if strange is not None:
            config.unsupported("hybrid_override_pattern", f"letter {strange!r} is not modelled",
                               "Understood: M (Mamba-2), * (attention), - (dense), E (experts).")  # fmt: skip
        kinds = [_LETTERS[letter] for letter in pattern]
    if kinds is None:
        kinds = ["mamba", "moe", "attention", "mlp"]
    layers = config.whole_or_none("num_hidden_layers") if config.has("num_hidden_layers") else None
    if layers is not None and layers != len(kinds):
        key = "hybrid_override_pattern" if pattern is not None else "layers_block_type"
        config.refuse(key, f"has {len(kinds)} items for num_hidden_layers = {layers}")
    return ["attention" if kind in _ATTENTION else "mamba" if kind in _MAMBA else kind for kind in kinds]


def _nemotron_mamba(config: Config) -> dict[str, Any]:
    config.must_be("mamba_hidden_act", "silu", default="silu")
    heads, groups = config.whole("mamba_num_heads"), config.whole("mamba_n_groups", "n_groups")
    config.divides("n_groups", heads, "heads", groups)
    return {
        "kind": "mamba2", "heads": heads, "head_dim": config.whole("mamba_head_dim"),
        "state": config.whole("ssm_state_size"), "groups": groups,
        "kernel": config.whole("mamba_d_conv", "conv_kernel"),
        **biases(config, "use_bias", "use_conv_bias"),
    }  # fmt: skip


def _nemotron_experts(config: Config, activation: str) -> dict[str, Any]:
    config.must_be("n_shared_experts", 1, default=1)
    latent = config.whole_or_none("moe_latent_size")
    more = {} if latent is None else {"latent_width": latent}
    return experts_block(
        config, config.whole("moe_intermediate_size"), config.whole("n_routed_experts"),
        config.whole("num_experts_per_tok"), activation, gated=False,
        shared=config.whole("moe_shared_expert_intermediate_size"), **more,
    )  # fmt: skip


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


def _body(config: Config, width: int, blocks: list[dict[str, Any]], positions: dict[str, Any]) -> dict[str, Any]:
    return {
        "vocabulary": parts.vocabulary(config), "width": width, "max_context": config.whole("max_position_embeddings"),
        "positions": positions, "norm": {"kind": "rms"}, "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(blocks),
    }  # fmt: skip
