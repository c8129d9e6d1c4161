"""Keys that most architectures share, from a GGUF header to the spelling of a config.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from roofline.importers.gguf.metadata import Metadata

#: A config.json as plain data, as an architecture's function gives it.
Keys: TypeAlias = dict[str, Any]
Translate: TypeAlias = Callable[[Metadata], Keys]
#: Where a key of a config comes from, for errors.
ORIGINS: Final = {
    "hidden_size": "embedding_length",
    "n_embd": "embedding_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "intermediate_size": "feed_forward_length",
    "num_experts": "expert_count",
    "num_local_experts": "expert_count",
    "n_routed_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
    "layer_types": "attention.sliding_window_pattern",
    "kv_lora_rank": "attention.kv_lora_rank",
    "qk_nope_head_dim": "attention.key_length_mla",
}


def plain(m: Metadata, model_type: str, **more: Any) -> Keys:
    """Layers, width, heads, vocabulary, context and whether the head is tied; then `more`."""
    return {
        "model_type": model_type,
        "num_hidden_layers": m.layers,
        "hidden_size": m.whole("embedding_length"),
        "num_attention_heads": m.whole("attention.head_count"),
        "vocab_size": m.rows("token_embd.weight"),
        "tie_word_embeddings": "output.weight" not in m.tensors,
        **({"max_position_embeddings": m.whole("context_length")} if m.has("context_length") else {}),
        **more,
    }


def decoder(m: Metadata, model_type: str, **more: Any) -> Keys:
    """`plain` with key-value heads, the width of a head and of a dense feed-forward."""
    heads = m.whole("attention.head_count")
    keys = plain(m, model_type, num_key_value_heads=m.whole("attention.head_count_kv", default=heads))
    if m.has("attention.key_length"):
        keys["head_dim"] = m.whole("attention.key_length")
        if m.whole("attention.value_length", default=keys["head_dim"]) != keys["head_dim"]:
            m.unsupported("attention.value_length", "values of another width than keys are not modelled here")
    if m.has("feed_forward_length"):
        keys["intermediate_size"] = m.whole("feed_forward_length", least=0)
    return keys | more


def biases(m: Metadata) -> Keys:
    """Biases of the attention and of the feed-forward, by the tensors that there are."""
    return {"attention_bias": m.any("attn_q.bias"), "mlp_bias": m.any("ffn_up.bias")}


def rotated(m: Metadata, head_dim: int) -> Keys:
    """The part of a head that is rotated, where the header says it."""
    if not m.has("rope.dimension_count"):
        return {}
    return {"partial_rotary_factor": m.whole("rope.dimension_count") / head_dim}


def head_width(m: Metadata) -> int:
    """The width of a head: what the header says, else width / heads."""
    return m.whole("attention.key_length", default=m.whole("embedding_length") // m.whole("attention.head_count"))


def windows(m: Metadata, every: int | None = None) -> Keys:
    """`sliding_window`, and which layers it limits: a flag for each, each but every N-th, or each but `every`-th."""
    if not m.has("attention.sliding_window"):
        return {"sliding_window": None}
    pattern = m.listed("attention.sliding_window_pattern")
    if pattern is None:
        period = m.whole("attention.sliding_window_pattern", default=every or 0, least=0)
        pattern = [bool(period) and (index + 1) % period != 0 for index in range(m.layers)]
        if not period:
            pattern = [True] * m.layers
    window = m.whole("attention.sliding_window", least=0) or None
    if window is None:
        return {"sliding_window": None}
    kinds = ["sliding_attention" if slides else "full_attention" for slides in pattern]
    return {"sliding_window": window, "layer_types": kinds}


def expert_width(m: Metadata) -> int:
    """The width of an expert: its key, else its tensors, else the feed-forward's."""
    if m.has("expert_feed_forward_length"):
        return m.whole("expert_feed_forward_length")
    return m.width_of("ffn_up_exps.weight") or m.width_of("ffn_up.0.weight") or m.whole("feed_forward_length")


def shared_width(m: Metadata) -> int:
    """The width of the shared expert: its key, else its tensors, else 0."""
    default = m.width_of("ffn_up_shexp.weight") or 0
    return m.whole("expert_shared_feed_forward_length", default=default, least=0)


def experts(m: Metadata, number: str = "num_experts", width: str = "moe_intermediate_size") -> Keys:
    """Experts, how many are used for each token, and how wide they are."""
    return {
        number: m.whole("expert_count"),
        "num_experts_per_tok": m.whole("expert_used_count"),
        width: expert_width(m),
    }
