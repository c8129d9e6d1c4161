"""Architectures with a dense feed-forward: GGUF's keys as those of the family's config.json.

Source: ggml-org/llama.cpp @007dbbf3, conversion/*.py (which key comes from which) and src/llama-arch.cpp (names).
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.gguf.common import Keys, Translate, biases, decoder, head_width, plain, rotated, windows
from roofline.importers.gguf.common import experts as routed
from roofline.importers.gguf.metadata import Metadata


def llama(m: Metadata) -> Keys:
    """Llama and all that is built like it; with experts, Mixtral."""
    if m.whole("expert_count", default=0, least=0):
        width = {**routed(m, "num_local_experts", "intermediate_size"), "attention_bias": m.any("attn_q.bias")}
        return decoder(m, "mixtral", **width)
    if m.any("attn_q.bias") and not m.any("attn_output.bias"):
        return decoder(m, "qwen2")
    return decoder(m, "llama", **biases(m))


def like(model_type: str, *flags: str) -> Translate:
    """A decoder of this model type, with flags that tensors answer."""

    def translate(m: Metadata) -> Keys:
        answers = biases(m) | {"use_bias": m.any("attn_q.bias"), "attention_out_bias": m.any("attn_output.bias")}
        return decoder(m, model_type, **{flag: answers[flag] for flag in flags})

    return translate


def sliding(model_type: str, every: int | None = None, *, named: bool = True, **fixed: Any) -> Translate:
    """A decoder of this model type with a window, in the layers that the header or `every` says.

    `named`: whether the family reads `layer_types`; else the window is that of all layers.
    """

    def translate(m: Metadata) -> Keys:
        found = windows(m, every)
        kinds = set(found.get("layer_types", ()))
        if not named:
            if len(kinds) > 1:
                m.unsupported("attention.sliding_window_pattern", "windows that differ between layers are not modelled")
            found.pop("layer_types", None)
        return decoder(m, model_type, **found, **fixed)

    return translate


def gemma3(m: Metadata) -> Keys:
    """Gemma 3: every sixth layer sees all; without a window (1B of some files) all do."""
    found = windows(m, 6)
    if found["sliding_window"] is None:
        found = {"sliding_window": 1, "layer_types": ["full_attention"] * m.layers}
    return decoder(m, "gemma3_text", **found)


def phi2(m: Metadata) -> Keys:
    """Phi-1 to Phi-2."""
    return decoder(m, "phi", **rotated(m, head_width(m)))


def phi3(m: Metadata) -> Keys:
    """Phi-3 and Phi-4: a window in all layers, or 0."""
    found = windows(m)
    found.pop("layer_types", None)
    return decoder(m, "phi3", **found, **rotated(m, head_width(m)))


def stablelm(m: Metadata) -> Keys:
    """StableLM: parallel where there is no second norm."""
    return decoder(
        m,
        "stablelm",
        use_parallel_residual=not m.any("ffn_norm.weight"),
        use_qkv_bias=m.any("attn_q.bias"),
        qk_layernorm=m.any("attn_q_norm.weight"),
        **rotated(m, head_width(m)),
    )


def command_r(m: Metadata) -> Keys:
    """Command R."""
    return decoder(m, "cohere", use_qk_norm=m.any("attn_q_norm.weight"))


def nemotron(m: Metadata) -> Keys:
    """Nemotron, Minitron."""
    return decoder(m, "nemotron", **biases(m), **rotated(m, head_width(m)))


def olmo2(m: Metadata) -> Keys:
    """OLMo 2; with a window, OLMo 3."""
    if m.has("attention.sliding_window"):
        return decoder(m, "olmo3", **windows(m, 4))
    return decoder(m, "olmo2")


def exaone4(m: Metadata) -> Keys:
    """EXAONE 4."""
    found = windows(m, 4)
    return decoder(m, "exaone4", sliding_window_pattern=None, **found)


def glm4(m: Metadata) -> Keys:
    """GLM-4-0414."""
    return decoder(m, "glm4", attention_bias=m.any("attn_q.bias"), **rotated(m, head_width(m)))


def falcon(m: Metadata) -> Keys:
    """Falcon 7B with one key-value head; 11B, 40B and 180B of the new architecture with several."""
    keys = plain(m, "falcon")
    kv_heads = m.whole("attention.head_count_kv", default=keys["num_attention_heads"])
    norms = {"num_ln_in_parallel_attn": 2 if m.any("attn_norm_2.weight") else 1} if kv_heads > 1 else {}
    return (
        keys
        | norms
        | {
            "new_decoder_architecture": kv_heads > 1,
            "multi_query": kv_heads == 1,
            "parallel_attn": True,
            "num_kv_heads": kv_heads,
            "bias": False,
            "ffn_hidden_size": m.whole("feed_forward_length"),
        }
    )


def gpt2(m: Metadata) -> Keys:
    """GPT-2."""
    return _learned(m, "gpt2")


def starcoder(m: Metadata) -> Keys:
    """StarCoder: one key-value head."""
    heads = m.whole("attention.head_count")
    return _learned(m, "gpt_bigcode", multi_query=m.whole("attention.head_count_kv", default=heads) == 1)


def _learned(m: Metadata, model_type: str, **more: Any) -> Keys:
    """Learned positions: as many as their table has rows."""
    keys = plain(m, model_type, n_inner=m.whole("feed_forward_length"), **more)
    return keys | {"max_position_embeddings": m.rows("position_embd.weight")}


def gptneox(m: Metadata) -> Keys:
    """GPT-NeoX, Pythia."""
    keys = plain(m, "gpt_neox", intermediate_size=m.whole("feed_forward_length"), **rotated(m, head_width(m)))
    parallel = m.raw("use_parallel_residual")
    return keys | {"use_parallel_residual": parallel is None or bool(parallel)}


def bloom(m: Metadata) -> Keys:
    """BLOOM."""
    return plain(m, "bloom", n_inner=m.whole("feed_forward_length"))


def bert(m: Metadata) -> Keys:
    """BERT: GGUF keeps the encoder without its pooler."""
    return plain(
        m,
        "bert",
        intermediate_size=m.whole("feed_forward_length"),
        max_position_embeddings=m.rows("position_embd.weight"),
        type_vocab_size=m.rows("token_types.weight"),
    )


DENSE: Final[dict[str, Translate]] = {
    **dict.fromkeys(("llama", "internlm2", "xverse", "minicpm", "mistral3", "exaone", "llama-embed"), llama),
    "qwen2": like("qwen2"),
    "qwen2vl": like("qwen2_vl_text"),
    "qwen3": like("qwen3"),
    "qwen3vl": like("qwen3", "attention_bias"),
    "gemma": like("gemma"),
    "gemma2": sliding("gemma2", 2),
    "gemma3": gemma3,
    "phi2": phi2,
    "phi3": phi3,
    "stablelm": stablelm,
    "command-r": command_r,
    "cohere2": sliding("cohere2", 4),
    "nemotron": nemotron,
    "olmo": like("olmo"),
    "olmo2": olmo2,
    "exaone4": exaone4,
    "glm4": glm4,
    "granite": like("granite", "attention_bias", "mlp_bias"),
    "arcee": like("arcee", "attention_bias", "mlp_bias"),
    "smollm3": like("smollm3", "attention_bias", "mlp_bias"),
    "seed_oss": like("seed_oss", "attention_bias", "attention_out_bias", "mlp_bias"),
    "starcoder2": sliding("starcoder2", named=False, use_bias=True),
    "hunyuan-dense": like("hunyuan_v1_dense", "attention_bias"),
    "ernie4_5": like("ernie4_5", "use_bias"),
    "falcon": falcon,
    "gpt2": gpt2,
    "starcoder": starcoder,
    "gptneox": gptneox,
    "bloom": bloom,
    "bert": bert,
}
