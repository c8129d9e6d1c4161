"""Architectures of families whose config.json brings code of its own, and of others that GGUF names unlike them.

Source: ggml-org/llama.cpp @32e9e044, conversion/*.py (which key comes from which) and src/llama-model.cpp.
"""

from __future__ import annotations

from typing import Final

from roofline.importers.gguf.common import Keys, Translate, biases, decoder, head_width, plain, rotated
from roofline.importers.gguf.experts import first_dense
from roofline.importers.gguf.metadata import Metadata

#: llama.cpp knows Baichuan 13B, which has ALiBi, by its layers; the header says nothing of it.
_LAYERS_OF_13B: Final = 40


def baichuan(m: Metadata) -> Keys:
    """Baichuan 1 and 2."""
    keys = decoder(m, "baichuan")
    m.raw("rope.dimension_count")
    if m.layers == _LAYERS_OF_13B and "max_position_embeddings" in keys:
        keys["model_max_length"] = keys.pop("max_position_embeddings")
    return keys


def chatglm(m: Metadata) -> Keys:
    """ChatGLM 2 and 3, GLM-4 9B, GLM-Edge: the class that transformers has of them."""
    bias = m.any("attn_qkv.bias") or m.any("attn_q.bias")
    return decoder(m, "glm", attention_bias=bias, **rotated(m, head_width(m))) | {"head_dim": head_width(m)}


def qwen(m: Metadata) -> Keys:
    """Qwen 1: `feed_forward_length` is the width of gate and up together."""
    m.raw("rope.dimension_count")
    m.raw("attention.head_count_kv")
    both = m.whole("feed_forward_length")
    return plain(m, "qwen", intermediate_size=both, kv_channels=head_width(m), no_bias=True)


def codeshell(m: Metadata) -> Keys:
    """CodeShell."""
    heads = m.whole("attention.head_count_kv", default=m.whole("attention.head_count"))
    return plain(m, "codeshell", n_inner=m.whole("feed_forward_length"), num_query_groups=heads)


def jais(m: Metadata) -> Keys:
    """Jais, always with ALiBi and a gate; its head is written apart, scaled."""
    fixed = {"activation_function": "swiglu", "position_embedding_type": "alibi"}
    return plain(m, "jais", n_inner=m.whole("feed_forward_length"), **fixed)


def plamo(m: Metadata) -> Keys:
    """PLaMo."""
    keys = decoder(m, "plamo")
    heads, kv_heads = keys["num_attention_heads"], keys.pop("num_key_value_heads")
    if heads % kv_heads:
        m.refuse("attention.head_count_kv", f"{heads} heads do not divide among {kv_heads} key-value heads")
    return keys | {"n_shared_head": heads // kv_heads}


def minicpm3(m: Metadata) -> Keys:
    """MiniCPM 3: latent attention; values are as wide as width / heads."""
    key, rope = m.whole("attention.key_length"), m.whole("rope.dimension_count")
    if key <= rope:
        m.refuse("rope.dimension_count", f"{rope} is not a part of keys of {key}")
    m.raw("attention.head_count_kv")
    latent = {
        "kv_lora_rank": m.whole("attention.kv_lora_rank"),
        "q_lora_rank": m.whole("attention.q_lora_rank", default=0, least=0) or None,
        "qk_nope_head_dim": key - rope,
        "qk_rope_head_dim": rope,
        "v_head_dim": m.whole("attention.value_length") if m.has("attention.value_length") else None,
    }
    return plain(m, "minicpm3", intermediate_size=m.whole("feed_forward_length"), **latent)


def deepseek(m: Metadata) -> Keys:
    """DeepSeek MoE 16B."""
    return decoder(m, "deepseek", attention_bias=biases(m)["attention_bias"], **first_dense(m))


def orion(m: Metadata) -> Keys:
    """Orion."""
    return decoder(m, "orion")


OWN_CODE: Final[dict[str, Translate]] = {
    "baichuan": baichuan,
    "chatglm": chatglm,
    "qwen": qwen,
    "codeshell": codeshell,
    "jais": jais,
    "plamo": plamo,
    "minicpm3": minicpm3,
    "deepseek": deepseek,
    "orion": orion,
}
