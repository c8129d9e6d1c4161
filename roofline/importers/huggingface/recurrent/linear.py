"""Families that alternate linear attention with softmax or latent attention: Qwen3-Next and 3.5, Kimi Linear and K3,
MiniMax-01.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    body_of,
    dense_block,
    experts_block,
    mixed,
    routed,
    softmax,
    with_shared,
)
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.experts.latent import latent_attention, latent_body, mtp_layers, sparse_layers

_KINDS: Final = ("linear_attention", "full_attention")
#: What is not known of Kimi K3, of which only the config is public.
_KIMI_K3: Final = (
    "no public code and no reference count exist for this architecture; shapes are read off its config",
    "hidden_act situ: counted as a gated silu of three matrices",
    "attn_res_block_size: the residual's attention over blocks is not counted (a few vectors per layer)",
    "latent_moe_use_norm: a norm of the experts' latent is not counted",
    "mla_use_output_gate: taken to be a full-rank gate per element of the heads' output",
    "use_full_rank_gate: taken to concern the output gate of Kimi delta attention, not its decays",
    "num_shared_experts: taken to be as wide as a routed expert and to read the full width",
)


def qwen3_next(config: Config) -> dict[str, Any]:
    """Qwen3-Next and Qwen3.5: gated delta nets, every fourth layer gated softmax attention; dense or experts."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.must_be("attn_output_gate", True, default=True)
    config.ignore("mamba_ssm_dtype", "mtp_use_dedicated_embeddings")
    full = softmax(heads, kv_heads, head_dim, qk_norm="head", output_gate="element", **parts.attention_biases(config))
    delta = gated_delta(config)
    period = config.whole("full_attention_interval", default=4, null=4)
    otherwise = ["linear_attention" if (index + 1) % period else "full_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, _KINDS, otherwise)
    feed_forwards = _qwen_feed_forwards(config, layers)
    blocks = [
        {"attention": full if kind == "full_attention" else delta, "feed_forward": feed_forward}
        for kind, feed_forward in zip(kinds, feed_forwards, strict=True)
    ]
    body = body_of(config, width, parts.rotary(config, head_dim, 0.25), parts.merged(blocks))
    mtp = mtp_layers(config, "mtp_num_hidden_layers")
    if mtp:
        body["mtp"] = {"layers": mtp, "attention": full, "feed_forward": feed_forwards[-1]}
    return body


def gated_delta(config: Config) -> dict[str, Any]:
    """The fields of a gated delta net."""
    keys, values = config.whole("linear_num_key_heads"), config.whole("linear_num_value_heads")
    config.divides("linear_num_value_heads", values, "value heads", keys)
    return {
        "kind": "gated_delta",
        "key_heads": keys,
        "value_heads": values,
        "key_dim": config.whole("linear_key_head_dim"),
        "value_dim": config.whole("linear_value_head_dim"),
        "kernel": config.whole("linear_conv_kernel_dim"),
    }


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
        width, top_k = config.whole("moe_intermediate_size"), config.whole("num_experts_per_tok")
        block = experts_block(config, width, experts, top_k, activation, shared_width=shared, shared_gate=True)
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
    config.defaults, config.names = defaults_of("kimi_linear"), names_of("kimi_linear")
    layers = config.whole("num_hidden_layers")
    config.must_be("mla_use_nope", True, default=True)
    config.must_be("hidden_act", "situ", "silu")
    config.ignore("attn_res_block_size", "latent_moe_use_norm", "hidden_act")
    latent = latent_attention(config)
    if config.flag("mla_use_output_gate", default=False):
        latent["output_gate"] = True
    delta, kinds = _kimi_layers(config, layers)
    key = "routed_expert_hidden_size"
    more = {"latent_width": config.whole(key)} if config.given(key) else {}
    body = _kimi_body(config, [latent if kind == "full_attention" else delta for kind in kinds], more, "silu")
    return body | {"unverified": list(_KIMI_K3)}


def _kimi_layers(config: Config, layers: int) -> tuple[dict[str, Any], list[str]]:
    """Kimi delta attention, and which layers have it: `linear_attn_config` (counted from 1), else `layer_types`."""
    section = config.section("linear_attn_config")
    flat = {"heads": "linear_num_heads", "head_dim": "linear_head_dim", "kernel": "linear_conv_kernel_dim"}
    shapes = {field: config.whole(key) for field, key in flat.items()}
    full = None
    kinds = config.texts("layer_types", length=layers, choices=_KINDS)
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
    width = config.whole("moe_intermediate_size")
    shared = config.whole("num_shared_experts", "n_shared_experts", null=0, least=0)
    if not config.has("first_k_dense_replace"):
        config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    sparse = sparse_layers(config, len(attentions))
    number = config.whole("num_experts", "num_local_experts")
    top_k = config.whole("num_experts_per_token", "num_experts_per_tok")
    experts = with_shared(experts_block(config, width, number, top_k, function), shared) | more
    dense = dense_block(config.whole("intermediate_size"), function)
    body = latent_body(config, attentions, mixed(dense, experts, sparse), mtp_layers(config), rotary=False)
    return body | _untied(config, body)


def _untied(config: Config, body: dict[str, Any]) -> dict[str, Any]:
    """The class never ties the head to the embedding, whatever the file says."""
    if body["tied_embeddings"]:
        config.notes.append("ignored, since the class of transformers does not tie: tie_word_embeddings")
    return {"tied_embeddings": False}


def minimax(config: Config) -> dict[str, Any]:
    """MiniMax-01: Lightning attention, every eighth layer (`attn_type_list`) softmax attention; experts everywhere."""
    if not config.defaults:
        config.defaults = defaults_of("minimax")
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
    kinds = config.texts("layer_types", length=layers, choices=_KINDS)
    flags = config.wholes("attn_type_list", length=layers)
    if kinds is not None:
        full = [kind == "full_attention" for kind in kinds]
    else:
        full = [index % 2 == 0 for index in range(layers)] if flags is None else [bool(flag) for flag in flags]
    attention = softmax(heads, kv_heads, head_dim)
    lightning = {"kind": "lightning", "heads": heads, "head_dim": head_dim}
    experts = routed(config, width="intermediate_size")
    body = latent_body(config, [attention if flag else lightning for flag in full], lambda index: experts, 0)
    rotated = config.whole_or_none("rotary_dim", default=None) or head_dim
    if rotated != head_dim:
        body["positions"] = {"kind": "rotary", "rotary_dim": rotated}
    return body


def olmo_hybrid(config: Config) -> dict[str, Any]:
    """OLMo Hybrid: gated delta nets with norms before, and softmax attention with norms behind, by `layer_types`."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    config.ignore("linear_allow_neg_eigval", "linear_a_log_min", "linear_a_log_max")
    config.ignore("linear_dt_min", "linear_dt_max", "linear_dt_init_floor")
    delta = _olmo_delta(config, width, heads)
    attention = softmax(heads, kv_heads, head_dim, qk_norm="width", **parts.attention_biases(config))
    otherwise = ["full_attention" if index % 4 == 3 else "linear_attention" for index in range(layers)]
    if "full_attention" not in otherwise:
        otherwise[-1] = "full_attention"
    kinds = parts.layer_kinds(config, layers, _KINDS, otherwise)
    dense = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    of_kind: dict[str, dict[str, Any]] = {
        "full_attention": {"attention": attention, "feed_forward": dense, "norm_placement": "output"},
        "linear_attention": {"attention": delta, "feed_forward": dense},
    }
    positions = {"kind": "rotary" if config.given("rope_parameters", "rope_theta") else "none"}
    return body_of(config, width, positions, parts.merged([of_kind[kind] for kind in kinds]))


def _olmo_delta(config: Config, width: int, heads: int) -> dict[str, Any]:
    """A gated delta net whose keys have three quarters of the width between them, its values twice as much."""
    keys = config.whole("linear_num_key_heads", default=heads, null=heads)
    values = config.whole("linear_num_value_heads", default=heads, null=heads)
    config.divides("linear_num_value_heads", values, "value heads", keys)
    own = int(0.75 * width / keys)
    key_dim = config.whole("linear_key_head_dim", default=own, null=own)
    return {
        "kind": "gated_delta",
        "key_heads": keys,
        "value_heads": values,
        "key_dim": key_dim,
        "value_dim": config.whole("linear_value_head_dim", default=2 * key_dim, null=2 * key_dim),
        "kernel": config.whole("linear_conv_kernel_dim"),
    }
