"""Architectures whose layers are of several kinds, which the tensors of each layer tell: GGUF's keys as those of the
family's config.json.

Source: ggml-org/llama.cpp @007dbbf3, conversion/{gemma,granite,nemotron,lfm2}.py and src/llama-arch.cpp (names).
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.gguf.common import Keys, Translate, decoder, expert_width, experts, plain, windows
from roofline.importers.gguf.metadata import Metadata


def lfm2(m: Metadata) -> Keys:
    """LFM2: layers with key-value heads attend, the others convolve; LFM2-MoE likewise."""
    kinds = ["full_attention" if head else "conv" for head in _kv_heads_by_layer(m)]
    moe = m.whole("expert_count", default=0, least=0)
    keys = plain(m, "lfm2_moe" if moe else "lfm2", num_key_value_heads=_kv_heads(m), layer_types=kinds)
    keys |= {"conv_L_cache": m.whole("shortconv.l_cache"), "intermediate_size": m.whole("feed_forward_length")}
    if moe:
        return keys | experts(m) | {"num_dense_layers": m.whole("leading_dense_block_count", default=0, least=0)}
    return keys | {"block_auto_adjust_ff_dim": False}


def _kv_heads_by_layer(m: Metadata) -> list[Any]:
    return m.listed("attention.head_count_kv") or [m.whole("attention.head_count_kv")] * m.layers


def _kv_heads(m: Metadata) -> int:
    """The number of key-value heads of the layers that attend."""
    used = {head for head in _kv_heads_by_layer(m) if head}
    if len(used) != 1 or not isinstance(one := used.pop(), int) or isinstance(one, bool) or one < 1:
        m.unsupported("attention.head_count_kv", "a number that differs between layers that attend is not modelled")
    return one


def granite_hybrid(m: Metadata) -> Keys:
    """Granite 4: Mamba-2 in the layers without key-value heads; experts with a shared one, or a dense feed-forward."""
    kinds = ["attention" if head else "mamba" for head in _kv_heads_by_layer(m)]
    width, inner, heads = m.whole("embedding_length"), m.whole("ssm.inner_size"), m.whole("ssm.time_step_rank")
    if inner % width:
        m.unsupported("ssm.inner_size", f"{inner:,} is no multiple of the width {width:,}, as modelled")
    moe = m.whole("expert_count", default=0, least=0)
    shared = m.width_of("ffn_up_shexp.weight") or m.whole("feed_forward_length")
    m.raw("expert_shared_feed_forward_length")
    keys = plain(m, "granitemoehybrid", num_key_value_heads=_kv_heads(m), layer_types=kinds)
    keys |= {
        "mamba_n_heads": heads,
        "mamba_expand": inner // width,
        "mamba_n_groups": m.whole("ssm.group_count"),
        "mamba_d_state": m.whole("ssm.state_size"),
        "mamba_d_conv": m.whole("ssm.conv_kernel"),
        "shared_intermediate_size": shared,
        "position_embedding_type": "rope" if m.raw("rope.scaling.finetuned") else "nope",
        "num_local_experts": moe,
    }
    if moe:
        keys |= {"num_experts_per_tok": m.whole("expert_used_count"), "intermediate_size": expert_width(m)}
    return keys


def nemotron_h(m: Metadata) -> Keys:
    """Nemotron-H and Nemotron 3: each layer is what its tensors say, Mamba-2, attention, dense or experts."""
    kinds = [_nemotron_kind(m, index) for index in range(m.layers)]
    heads, inner = m.whole("ssm.time_step_rank"), m.whole("ssm.inner_size")
    keys = plain(m, "nemotron_h", layers_block_type=kinds, num_key_value_heads=_kv_heads(m))
    keys |= {
        "head_dim": m.whole("attention.key_length"),
        "mamba_num_heads": heads,
        "mamba_head_dim": inner // heads,
        "n_groups": m.whole("ssm.group_count"),
        "ssm_state_size": m.whole("ssm.state_size"),
        "conv_kernel": m.whole("ssm.conv_kernel"),
        "intermediate_size": m.width_of("ffn_up.weight") or 1,
    }
    m.listed("feed_forward_length")
    m.raw("attention.value_length")
    if "moe" not in kinds:
        return keys
    m.raw("expert_shared_count")
    m.raw("expert_shared_feed_forward_length")
    latent = m.width_of("ffn_latent_down.weight")
    m.raw("moe_latent_size")
    shared = {"moe_shared_expert_intermediate_size": m.width_of("ffn_up_shexp.weight") or 1}
    return keys | experts(m, "n_routed_experts") | shared | {"moe_latent_size": latent}


def _nemotron_kind(m: Metadata, layer: int) -> str:
    names = {
        "ssm_in.weight": "mamba",
        "attn_q.weight": "attention",
        "ffn_up_exps.weight": "moe",
        "ffn_up.weight": "mlp",
    }
    found = [kind for name, kind in names.items() if f"blk.{layer}.{name}" in m.tensors]
    if not found:
        m.refuse("", f"layer {layer} has no tensor of Mamba-2, attention or feed-forward")
    return found[0]


def gemma3n(m: Metadata) -> Keys:
    """Gemma 3n: inputs per layer, streams that alternate, layers that share a cache."""
    return decoder(
        m,
        "gemma3n_text",
        **windows(m, 5),
        num_kv_shared_layers=m.whole("attention.shared_kv_layers", default=0, least=0),
        altup_num_inputs=m.whole("altup.num_inputs"),
        laurel_rank=m.width_of("laurel_l.weight"),
        **_per_layer(m),
    )


def _per_layer(m: Metadata) -> Keys:
    """A second embedding with an input for each layer, where there is one."""
    m.raw("altup.active_idx")
    m.raw("activation_sparsity_scale")
    width = m.whole("embedding_length_per_layer_input", default=0, least=0)
    if not width:
        return {"hidden_size_per_layer_input": 0}
    rows = m.rows("per_layer_token_embd.weight")
    return {"hidden_size_per_layer_input": width, "vocab_size_per_layer_input": rows}


def gemma4(m: Metadata) -> Keys:
    """Gemma 4: global layers with wider heads, whose values are their keys where they have no values."""
    found = windows(m, 6)
    slides = [kind == "sliding_attention" for kind in found.get("layer_types", ())]
    if not slides:
        m.unsupported("attention.sliding_window", "a model without a window is not modelled")
    heads = _kv_heads_by_layer(m)
    of_kind = {True: set[int](), False: set[int]()}
    for slide, number in zip(slides, heads, strict=True):
        of_kind[slide].add(number)
    if any(len(one) > 1 for one in of_kind.values()):
        m.unsupported("attention.head_count_kv", "a number that differs between layers of a kind is not modelled")
    sliding = next(iter(of_kind[True]), heads[0])
    full = [index for index, slide in enumerate(slides) if not slide]
    keys_as_values = bool(full) and f"blk.{full[0]}.attn_v.weight" not in m.tensors
    keys = plain(m, "gemma4_text", num_key_value_heads=sliding, **found, **_per_layer(m), **_gemma4_widths(m))
    keys |= {
        "head_dim": m.whole("attention.key_length_swa"),
        "global_head_dim": m.whole("attention.key_length"),
        "num_kv_shared_layers": m.whole("attention.shared_kv_layers", default=0, least=0),
        "attention_k_eq_v": keys_as_values,
        "num_global_key_value_heads": next(iter(of_kind[False]), None) if keys_as_values else None,
    }
    m.raw("attention.value_length")
    m.raw("attention.value_length_swa")
    if not m.whole("expert_count", default=0, least=0):
        return keys
    routed = experts(m)
    return keys | {
        "enable_moe_block": True,
        "num_experts": routed["num_experts"],
        "top_k_experts": routed["num_experts_per_tok"],
        "moe_intermediate_size": routed["moe_intermediate_size"],
    }


def _gemma4_widths(m: Metadata) -> Keys:
    """The width of the feed-forward; twice that in the layers that share a cache, where the header lists widths."""
    listed = m.listed("feed_forward_length")
    if listed is None:
        return {"intermediate_size": m.whole("feed_forward_length")}
    return {"intermediate_size": listed[0], "use_double_wide_mlp": listed[-1] != listed[0]}


HYBRIDS: Final[dict[str, Translate]] = {
    "lfm2": lfm2,
    "lfm2moe": lfm2,
    "granitehybrid": granite_hybrid,
    "nemotron_h": nemotron_h,
    "nemotron_h_moe": nemotron_h,
    "gemma3n": gemma3n,
    "gemma4": gemma4,
}
