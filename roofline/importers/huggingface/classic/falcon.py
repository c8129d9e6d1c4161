"""Falcon and MPT: one matrix for queries, keys and values, no biases, ALiBi or rotary positions.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.decoders import head_width, plain_attention
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, norm_of


def falcon(config: Config) -> dict[str, Any]:
    """Falcon: key-value heads by `num_kv_heads` in the new architecture, else one where `multi_query`."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads", "n_head")
    layers = config.whole("num_hidden_layers", "n_layer")
    new = config.flag("new_decoder_architecture", default=False) or _refined_web(config)
    parallel = config.flag("parallel_attn")
    bias = config.flag("bias")
    listed = config.whole("num_kv_heads", "n_head_kv", null=heads)
    kv_heads = listed if new else 1 if config.flag("multi_query") else heads
    config.ignore("multi_query")
    if heads % kv_heads:
        config.refuse("num_kv_heads", f"{heads} heads do not divide among {kv_heads} key-value heads")
    norms = _falcon_norms(config, new, parallel)
    style = Style(norm="layer", norm_bias=True, norms=norms, parallel=parallel or new)
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=bias, output_bias=bias)
    if new:
        attention["reference_cache"] = "broadcast"
    inner = config.whole("ffn_hidden_size", null=4 * width)
    feed_forward = dense_block(inner, parts.activation(config, "activation"), gated=False, bias=bias)
    positions = {"kind": "alibi" if config.flag("alibi") else "rotary"}
    blocks = [{"layers": layers, **layer(attention, feed_forward, style)}]
    return body_of(config, width, positions, blocks, norm=norm_of(style))


def _refined_web(config: Config) -> bool:
    """Whether it is Falcon 40B's file for its own first code, which names the heads so and has this architecture."""
    return config.given("n_head_kv") and not config.has("new_decoder_architecture")


def _falcon_norms(config: Config, new: bool, parallel: bool) -> int:
    """Norms per layer: two in the new architecture unless it says one, one in parallel blocks, else two."""
    said = config.whole_or_none("num_ln_in_parallel_attn")
    if said is not None and said not in (1, 2):
        config.refuse("num_ln_in_parallel_attn", f"must be 1 or 2, not {said}")
    if new:
        return said or 2
    return 1 if parallel else 2


def mpt(config: Config) -> dict[str, Any]:
    """MPT: ALiBi, no biases."""
    width, heads = config.whole("d_model"), config.whole("n_heads")
    inside = config.section("attn_config")
    alibi, kv_heads = True, heads
    if inside is not None:
        alibi = inside.flag("alibi", default=True)
        kv_heads = inside.whole("kv_n_heads", default=heads, null=heads)
        inside.must_be("attn_type", "multihead_attention")
        inside.must_be("qk_ln", False)
        inside.must_be("prefix_lm", False)
        inside.ignore("attn_impl", "attn_uses_sequence_id", "softmax_scale", "attn_pdrop", "clip_qkv")
    if kv_heads != heads:
        config.unsupported("attn_config", f"kv_n_heads {kv_heads} of {heads} heads is not modelled for mpt")
    if not config.flag("no_bias", default=True):
        if "auto_map" in config.data:
            config.unsupported("no_bias", "false is not modelled: the code beside the file may build biases")
        config.notes.append("no_bias false has no effect: the class of mpt builds no biases")
    config.must_be("embedding_fraction", 1.0, 1)
    config.must_be("norm_type", "low_precision_layernorm")
    config.ignore("learned_pos_emb", "verbose")
    if not alibi:
        config.unsupported("attn_config", "alibi false is not modelled for mpt")
    config.must_be("expansion_ratio", 4, 4.0)
    style = Style(norm="layer")
    head_dim = head_width(config, "d_model", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=False, output_bias=False)
    feed_forward = dense_block(4 * width, "gelu", gated=False)
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": config.whole("max_seq_len"),
        "positions": {"kind": "alibi"},
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("n_layers"), **layer(attention, feed_forward, style)}],
    }
