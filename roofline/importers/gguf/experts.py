"""Architectures with experts: GGUF's keys as those of the family's config.json.

Source: ggml-org/llama.cpp @007dbbf3, conversion/*.py (which key comes from which) and src/llama-arch.cpp (names).
"""

from __future__ import annotations

from typing import Final

from roofline.importers.gguf.common import (
    Keys,
    Translate,
    decoder,
    expert_width,
    experts,
    head_width,
    plain,
    rotated,
    shared_width,
    windows,
)
from roofline.importers.gguf.metadata import Metadata


def qwen2moe(m: Metadata) -> Keys:
    """Qwen 1.5 MoE, Qwen 2 57B: a gated shared expert."""
    return decoder(m, "qwen2_moe", shared_expert_intermediate_size=shared_width(m), **experts(m))


def qwen3moe(m: Metadata) -> Keys:
    """Qwen 3 MoE and the text model of Qwen 3 VL MoE."""
    return decoder(m, "qwen3_moe", **experts(m))


def olmoe(m: Metadata) -> Keys:
    """OLMoE."""
    return decoder(m, "olmoe", **experts(m, width="intermediate_size"))


def phimoe(m: Metadata) -> Keys:
    """Phi-3.5 MoE."""
    found = experts(m, "num_local_experts", "intermediate_size")
    flags = {"attention_bias": m.any("attn_q.bias"), "lm_head_bias": "output.bias" in m.tensors}
    m.raw("attention.sliding_window")
    return decoder(m, "phimoe", **flags, **found)


def granitemoe(m: Metadata) -> Keys:
    """Granite MoE, with a shared expert where there is one."""
    shared = shared_width(m)
    found = experts(m, "num_local_experts", "intermediate_size")
    if shared:
        return decoder(m, "granitemoeshared", shared_intermediate_size=shared, **found)
    return decoder(m, "granitemoe", **found)


def gpt_oss(m: Metadata) -> Keys:
    """gpt-oss: every other layer slides, beginning with the first."""
    found = experts(m, "num_local_experts", "intermediate_size")
    m.raw("attention.sliding_window_pattern")
    return decoder(m, "gpt_oss", sliding_window=m.whole("attention.sliding_window"), **found)


def llama4(m: Metadata) -> Keys:
    """Llama 4: experts as wide as the shared one, dense layers between."""
    found = experts(m, "num_local_experts", "intermediate_size")
    dense = m.width_of("ffn_up.weight") or m.whole("feed_forward_length")
    step = m.whole("interleave_moe_layer_step", default=1)
    chunk = m.whole("attention.chunk_size", default=8192)
    more = {"interleave_moe_layer_step": step, "intermediate_size_mlp": dense, "attention_chunk_size": chunk}
    return decoder(m, "llama4_text", **more, **found)


def first_dense(m: Metadata) -> Keys:
    """Experts behind dense layers, and shared ones, in the spelling of DeepSeek."""
    return {
        **experts(m, "n_routed_experts"),
        "n_shared_experts": m.whole("expert_shared_count", default=0, least=0),
        "first_k_dense_replace": m.whole("leading_dense_block_count", default=0, least=0),
    }


def glm4moe(m: Metadata) -> Keys:
    """GLM-4.5 and later."""
    flags = {"attention_bias": m.any("attn_q.bias"), "use_qk_norm": m.any("attn_q_norm.weight")}
    return decoder(m, "glm4_moe", **flags, **first_dense(m), **rotated(m, head_width(m)))


def dots1(m: Metadata) -> Keys:
    """dots.llm1."""
    return decoder(m, "dots1", attention_bias=m.any("attn_q.bias"), max_window_layers=m.layers, **first_dense(m))


def minimax_m2(m: Metadata) -> Keys:
    """MiniMax-M2."""
    found = experts(m, "num_local_experts", "intermediate_size")
    rotary = {"rotary_dim": m.whole("rope.dimension_count")} if m.has("rope.dimension_count") else {}
    return decoder(m, "minimax_m2", **rotary, **found)


def hunyuan_moe(m: Metadata) -> Keys:
    """Hunyuan MoE: shared experts as wide as routed ones."""
    width = expert_width(m)
    shared = shared_width(m) // width or 1
    counts = {"num_experts": m.whole("expert_count"), "moe_topk": m.whole("expert_used_count")}
    return decoder(m, "hunyuan_v1_moe", num_shared_expert=shared, **counts) | {"intermediate_size": width}


def ernie_moe(m: Metadata) -> Keys:
    """ERNIE 4.5 MoE: experts behind dense layers."""
    found = {
        "moe_num_experts": m.whole("expert_count"),
        "moe_k": m.whole("expert_used_count"),
        "moe_intermediate_size": expert_width(m),
        "moe_num_shared_experts": m.whole("expert_shared_count", default=0, least=0),
        "moe_layer_start_index": m.whole("leading_dense_block_count", default=0, least=0),
        "moe_layer_interval": m.whole("interleave_moe_layer_step", default=1),
    }
    m.raw("expert_shared_feed_forward_length")
    return decoder(m, "ernie4_5_moe", **found)


def deepseek2(m: Metadata) -> Keys:
    """DeepSeek V2 and V3, R1, Kimi K2, Mistral 4: latent attention, stored absorbed (one key-value head) or not."""
    absorbed = m.has("attention.key_length_mla")
    key = m.whole("attention.key_length_mla" if absorbed else "attention.key_length")
    value = m.whole("attention.value_length_mla" if absorbed else "attention.value_length")
    for beside in ("attention.key_length", "attention.value_length", "attention.head_count_kv", "expert_group_count"):
        m.raw(beside)
    rope = m.whole("rope.dimension_count")
    if key <= rope:
        m.refuse("rope.dimension_count", f"{rope} is not a part of keys of {key}")
    corrected = "deepseek_v3" if m.any("exp_probs_b.bias") else "deepseek_v2"
    keys = plain(m, "mistral4" if m.arch == "mistral4" else corrected)
    keys |= {
        "kv_lora_rank": m.whole("attention.kv_lora_rank"),
        "q_lora_rank": m.whole("attention.q_lora_rank", default=0, least=0) or None,
        "qk_nope_head_dim": key - rope,
        "qk_rope_head_dim": rope,
        "v_head_dim": value,
        "intermediate_size": m.whole("feed_forward_length"),
    }
    if not m.whole("expert_count", default=0, least=0):
        return keys | {"n_routed_experts": None}
    return keys | first_dense(m)


def afmoe(m: Metadata) -> Keys:
    """AFMoE (Trinity): every fourth layer does not slide."""
    counts = {"num_shared_experts": m.whole("expert_shared_count", default=0, least=0)}
    counts["num_dense_layers"] = m.whole("leading_dense_block_count", default=0, least=0)
    return decoder(m, "afmoe", attention_bias=m.any("attn_q.bias"), **counts, **windows(m, 4), **experts(m))


def exaone_moe(m: Metadata) -> Keys:
    """EXAONE MoE."""
    m.raw("expert_shared_feed_forward_length")
    return decoder(m, "exaone_moe", **_dense_then_shared(m), **windows(m))


def bailing_moe(m: Metadata) -> Keys:
    """Ling and Ring: version 2 norms queries and keys."""
    m.raw("expert_shared_feed_forward_length")
    flags = {"use_qk_norm": m.any("attn_q_norm.weight"), "use_qkv_bias": m.any("attn_q.bias")}
    flags["use_qkv_bias"] |= m.any("attn_qkv.bias")
    return decoder(m, "bailing_moe", **flags, **_dense_then_shared(m), **rotated(m, head_width(m)))


def _dense_then_shared(m: Metadata) -> Keys:
    """Experts behind dense layers, and how many are shared."""
    return {
        **experts(m),
        "num_shared_experts": m.whole("expert_shared_count", default=0, least=0),
        "first_k_dense_replace": m.whole("leading_dense_block_count", default=0, least=0),
    }


EXPERTS: Final[dict[str, Translate]] = {
    "qwen2moe": qwen2moe,
    "qwen3moe": qwen3moe,
    "qwen3vlmoe": qwen3moe,
    "olmoe": olmoe,
    "phimoe": phimoe,
    "granitemoe": granitemoe,
    "gpt-oss": gpt_oss,
    "llama4": llama4,
    "glm4moe": glm4moe,
    "dots1": dots1,
    "minimax-m2": minimax_m2,
    "hunyuan-moe": hunyuan_moe,
    "ernie4_5-moe": ernie_moe,
    "deepseek2": deepseek2,
    "mistral4": deepseek2,
    "afmoe": afmoe,
    "exaone-moe": exaone_moe,
    "bailingmoe": bailing_moe,
    "bailingmoe2": bailing_moe,
}
