"""Hybrids of a state space and softmax attention: Jamba, Bamba, Granite 4, Falcon-H1, Zamba 2.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, routed, softmax
from roofline.importers.huggingface.recurrent.state_space import biases, ignore_steps, step_rank

#: What configs call layers of a state space, and layers of attention.
MAMBA: Final = ("mamba", "linear_attention")
ATTENTION: Final = ("attention", "full_attention")
#: Keys that change no shape, by family.
_OF_GRANITE: Final = """
    mamba_d_conv mamba_d_head mamba_d_state mamba_expand mamba_n_groups mamba_n_heads mamba_conv_bias mamba_proj_bias
    head_dim init_method normalization_function
"""
_OF_FALCON_H1: Final = """
    mamba_norm_before_gate mamba_use_mlp attn_layer_indices mlp_expansion_factor ssm_multipliers mlp_multipliers
    mamba_expand attention_in_multiplier ssm_in_multiplier lm_head_multiplier key_multiplier
"""
_OF_ZAMBA2: Final = """
    attention_hidden_size attention_head_dim mamba_headdim kv_channels num_query_groups hybrid_layer_ids
    use_long_context use_shared_mlp_adapter ffn_hidden_size num_heads state_size conv_dimension expansion_factor rope
"""


def jamba(config: Config) -> dict[str, Any]:
    """Jamba: Mamba with normed vectors, attention without positions in every eighth layer, experts in every second."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.must_be("mamba_inner_layernorms", True, default=True)
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("sliding_window", None, default=None)
    config.ignore("calc_logits_for_entire_prompt", "n_ctx")
    block = {
        "kind": "mamba",
        "inner": width * config.whole("mamba_expand"),
        "state": config.whole("mamba_d_state"),
        "rank": step_rank(config, width, "mamba_dt_rank"),
        "kernel": config.whole("mamba_d_conv"),
        **biases(config, "mamba_proj_bias", "mamba_conv_bias"),
        "norms": "weighted",
    }
    attention_at = _periodic(config, "attn_layer")
    experts_at = _periodic(config, "expert_layer")
    dense = experts = dense_block(config.whole("intermediate_size"), "silu")
    if config.whole("num_experts") > 1:
        experts = routed(config, "silu", width="intermediate_size", experts="num_experts")
    config.ignore("num_experts_per_tok")
    attention = _softmax(config, width)
    attentions = [attention if attention_at(index) else block for index in range(layers)]
    forwards = [experts if experts_at(index) else dense for index in range(layers)]
    return _hybrid_body(config, width, attentions, forwards, {"kind": "none"})


def _periodic(config: Config, name: str) -> Callable[[int], bool]:
    """Whether a layer is `offset` behind a multiple of `period`."""
    period, offset = config.whole(f"{name}_period"), config.whole(f"{name}_offset", least=0)
    if offset >= period:
        config.refuse(f"{name}_offset", f"{offset} must be smaller than {name}_period = {period}")
    return lambda index: index % period == offset


def bamba(config: Config) -> dict[str, Any]:
    """Bamba: Mamba-2, attention in the layers of `attn_layer_indices`, half of each head rotated; dense."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore("z_loss_coefficient")
    turned = config.whole_or_none("attn_rotary_emb")
    indices = config.wholes("attn_layer_indices") or []
    kinds = config.texts("layer_types", "layers_block_type", length=layers, choices=(*MAMBA, *ATTENTION))
    full = [index in indices for index in range(layers)] if kinds is None else [kind in ATTENTION for kind in kinds]
    block, attention = _mamba2(config, width), _softmax(config, width) | parts.attention_biases(config)
    activation, bias = parts.activation(config, "hidden_act"), config.flag("mlp_bias", default=False)
    feed_forward = dense_block(config.whole("intermediate_size"), activation, bias=bias)
    positions = parts.rotary(config, attention["head_dim"], 0.5)
    if turned is not None and turned != positions.get("rotary_dim", attention["head_dim"]):
        config.refuse("attn_rotary_emb", f"{turned} is not what the reference code rotates, {positions}")
    attentions = [attention if flag else block for flag in full]
    return _hybrid_body(config, width, attentions, [feed_forward] * layers, positions)


def granite_hybrid(config: Config) -> dict[str, Any]:
    """Granite 4: Mamba-2 and attention by `layer_types`; experts with a shared one, or without experts a dense one."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = config.texts("layer_types", length=layers, choices=(*MAMBA, *ATTENTION)) or ["mamba"] * layers
    positions = config.raw("position_embedding_type", default=None)
    if positions not in (None, "nope", "rope"):
        config.unsupported("position_embedding_type", f"{positions!r} is not modelled", "Understood: rope, nope, null.")
    attention = _softmax(config, width) | parts.attention_biases(config)
    block = _mamba2(config, width) if any(kind in MAMBA for kind in kinds) else {}
    config.ignore(_OF_GRANITE)
    activation = parts.activation(config, "hidden_act")
    shared = config.whole("shared_intermediate_size", least=0)
    if config.whole("num_local_experts", null=0, least=0):
        feed_forward = routed(config, activation, width="intermediate_size", shared_width=shared)
    else:
        config.ignore("intermediate_size", "num_experts_per_tok")
        feed_forward = dense_block(shared, activation)
    attentions = [attention if kind in ATTENTION else block for kind in kinds]
    rotation = {"kind": "rotary" if positions == "rope" else "none"}
    return _hybrid_body(config, width, attentions, [feed_forward] * layers, rotation)


def _mamba2(config: Config, width: int) -> dict[str, Any]:
    """Mamba-2 in the spelling `mamba_*`: its heads make up `mamba_expand` times the width."""
    heads, inner = config.whole("mamba_n_heads"), width * config.whole("mamba_expand")
    dim = config.divides("mamba_n_heads", inner, "channels", heads)
    if config.raw("mamba_d_head", default="auto") != "auto" and config.whole("mamba_d_head") != dim:
        config.refuse("mamba_d_head", f"is not mamba_expand * hidden_size / mamba_n_heads = {dim}")
    groups = config.whole("mamba_n_groups")
    config.divides("mamba_n_groups", heads, "heads", groups)
    return {
        "kind": "mamba2",
        "heads": heads,
        "head_dim": dim,
        "state": config.whole("mamba_d_state"),
        "groups": groups,
        "kernel": config.whole("mamba_d_conv"),
        **biases(config, "mamba_proj_bias", "mamba_conv_bias"),
    }


def _softmax(config: Config, width: int) -> dict[str, Any]:
    heads, kv_heads = parts.heads_of(config)
    return softmax(heads, kv_heads, config.divides("hidden_size", width, "of width", heads))


def _hybrid_body(
    config: Config,
    width: int,
    attentions: Sequence[dict[str, Any]],
    feed_forwards: Sequence[dict[str, Any]],
    positions: dict[str, Any],
) -> dict[str, Any]:
    """The body of a spec with layers of these."""
    pairs = zip(attentions, feed_forwards, strict=True)
    blocks = [{"attention": attention, "feed_forward": feed_forward} for attention, feed_forward in pairs]
    return body_of(config, width, positions, parts.merged(blocks))


def falcon_h1(config: Config) -> dict[str, Any]:
    """Falcon-H1: attention and Mamba-2 side by side behind one norm, then a feed-forward.

    Written as three groups of as many layers each, which count as the layer does: one norm, three sums.
    """
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore(_OF_FALCON_H1)
    mamba = _falcon_mamba(config, width)
    query_heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, query_heads)
    attention = softmax(query_heads, kv_heads, head_dim, **parts.attention_biases(config))
    hidden, activation = config.whole("intermediate_size"), parts.activation(config, "hidden_act")
    dense = dense_block(hidden, activation, bias=config.flag("mlp_bias", default=False))
    blocks = [
        {"name": "attention", "layers": layers, "attention": attention, "norms": 1},
        {"name": "state-space", "layers": layers, "attention": mamba, "norms": 0},
        {"name": "feed-forward", "layers": layers, "feed_forward": dense, "norms": 1},
    ]
    return body_of(config, width, {"kind": "rotary"}, blocks)


def _falcon_mamba(config: Config, width: int) -> dict[str, Any]:
    """Mamba-2 of Falcon-H1, whose channels the config may state."""
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
    return {
        "kind": "mamba2",
        "heads": heads,
        "head_dim": dim,
        "state": config.whole("mamba_d_state"),
        "groups": groups,
        "kernel": config.whole("mamba_d_conv"),
        **bias,
        "norm": config.flag("mamba_rms_norm", default=False),
    }


def zamba2(config: Config) -> dict[str, Any]:
    """Zamba 2: Mamba-2 in every layer; before the hybrid ones a transformer block that they share by turns."""
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.ignore(_OF_ZAMBA2)
    hybrids, held = _zamba_hybrids(config, layers), config.whole("num_mem_blocks")
    if hybrids > held and not parts.tied(config):
        config.unsupported("tie_word_embeddings", "false is not modelled: the class then shares no blocks either")
    heads, kv_heads = parts.heads_of(config)
    mamba = _zamba_mamba(config, width)
    if not config.flag("use_conv_bias", default=True):
        config.notes.append("ignored, since the class of transformers does not read it: use_conv_bias")
    bias = {"bias": True} if config.flag("add_bias_linear", default=False) else {}
    mamba, shared = mamba | bias, _zamba_shared(config, width, heads, kv_heads) | bias
    blocks: list[dict[str, Any]] = [{"name": "state-space", "layers": layers, "attention": mamba, "norms": 1}]
    if hybrids:
        blocks.append({"name": "shared", "layers": min(hybrids, held), "attention": shared, "norms": 0})
    if hybrids > held:
        again = {**shared, "held": False}
        blocks.append({"name": "shared-again", "layers": hybrids - held, "attention": again, "norms": 0})
    positions = {"kind": "rotary" if config.flag("use_mem_rope", default=False) else "none"}
    return body_of(config, width, positions, blocks)


def _zamba_hybrids(config: Config, layers: int) -> int:
    """How many layers have the shared block before them, listed or as in the released model of 54 layers."""
    kinds = config.texts("layers_block_type", length=layers, choices=(*MAMBA, "hybrid"))
    if kinds is not None:
        return kinds.count("hybrid")
    if layers != 54:
        config.refuse("num_hidden_layers", f"{layers} layers, but no layers_block_type says which are hybrid")
    return 9


def _zamba_mamba(config: Config, width: int) -> dict[str, Any]:
    inner, state_heads = width * config.whole("mamba_expand"), config.whole("n_mamba_heads")
    groups = config.whole("mamba_ngroups")
    config.divides("mamba_ngroups", state_heads, "heads", groups)
    return {
        "kind": "mamba2",
        "heads": state_heads,
        "head_dim": config.divides("n_mamba_heads", inner, "channels", state_heads),
        "state": config.whole("mamba_d_state"),
        "groups": groups,
        "kernel": config.whole("mamba_d_conv"),
    }


def _zamba_shared(config: Config, width: int, heads: int, kv_heads: int) -> dict[str, Any]:
    """The transformer block that hybrid layers share, of twice the width."""
    shared: dict[str, Any] = {
        "kind": "shared_block",
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": config.divides("num_attention_heads", 2 * width, "of twice the width", heads),
        "hidden": config.whole_or_none("intermediate_size") or 4 * width,
        "adapter_rank": config.whole("adapter_rank"),
        "activation": parts.activation(config, "hidden_act"),
    }
    if config.flag("use_shared_attention_adapter", default=False):
        shared["attention_adapters"] = True
        if kv_heads != heads:
            config.unsupported("num_key_value_heads", "adapters with fewer key-value heads are not modelled")
    return shared
