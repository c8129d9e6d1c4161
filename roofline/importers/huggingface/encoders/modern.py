"""Encoders with rotated queries and keys: ModernBERT, EuroBERT, Nomic, Jina v2 and v3, GTE.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name, and for files
with code of their own the shapes of their checkpoints.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, experts_block, layer
from roofline.importers.huggingface.encoders.kin import (
    POST,
    biased_attention,
    biased_feed_forward,
    encoder_body,
    mutual,
    refuse_decoder,
)


def modernbert(config: Config) -> dict[str, Any]:
    """ModernBERT: windows in two layers of three, gated feed-forwards, norms before; the first attention has none.

    A window is half of `local_attention` on each side beside the token itself.
    """
    width, layers = config.whole("hidden_size"), config.whole("num_hidden_layers")
    heads, biased = config.whole("num_attention_heads"), config.flag("attention_bias")
    head_dim = config.divides("hidden_size", width, "of width", heads)
    every = config.whole("global_attn_every_n_layers", default=3)
    otherwise = ["sliding_attention" if index % every else "full_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    window = config.whole("local_attention") // 2 + 1
    style = Style(norm="layer", norm_bias=config.flag("norm_bias"))
    function = parts.activation(config, "hidden_activation")
    feed_forward = dense_block(config.whole("intermediate_size"), function, bias=config.flag("mlp_bias"))
    blocks = []
    for index, kind in enumerate(kinds):
        attention = mutual(heads, heads, head_dim, qkv_bias=biased, output_bias=biased, packed=True)
        if kind == "sliding_attention":
            attention["window"] = window
        block = layer(attention, feed_forward, style)
        if index == 0:
            block |= {"norms": 1, "attention_norm": False}
        blocks.append(block)
    config.ignore("decoder_bias classifier_bias classifier_pooling deterministic_flash_attn sparse_prediction")
    config.ignore("sparse_pred_ignore_index global_rope_theta local_rope_theta repad_logits_with_grad")
    config.ignore("embedding_dropout reference_compile position_embedding_type", "layer_norm_eps")
    body = encoder_body(config, width, {"kind": "rotary"}, parts.merged(blocks), style)
    return body | {
        "max_context": parts.context(config),
        "embedding_norm": True,
        "final_norm": True,
        "notes": ["The encoder; no head."],
    }


def eurobert(config: Config) -> dict[str, Any]:
    """EuroBERT: Llama's layers without a causal mask and without a head."""
    width = config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    attention = mutual(heads, kv_heads, head_dim, **parts.attention_biases(config))
    function, biased = parts.activation(config, "hidden_act"), config.flag("mlp_bias")
    feed_forward = dense_block(config.whole("intermediate_size"), function, bias=biased)
    config.ignore("classifier_pooling clf_pooling mask_token_id mask_token")
    blocks = [{"layers": config.whole("num_hidden_layers"), **layer(attention, feed_forward, Style())}]
    body = encoder_body(config, width, parts.rotary(config, head_dim), blocks, Style())
    return body | {"max_context": parts.context(config), "final_norm": True, "notes": ["The encoder; no head."]}


def nomic(config: Config) -> dict[str, Any]:
    """Nomic-BERT: BERT that rotates, without biases and gated unless its file says else; with experts in version 2.

    Files with code of their own speak GPT-2's words. Experts stand in every `moe_every_n_layers`-th layer, those whose
    number is 1 modulo that, and share a bias of what they give.
    """
    width, heads = config.whole("hidden_size", "n_embd"), config.whole("num_attention_heads", "n_head")
    refuse_decoder(config)
    for key in ("prenorm", "parallel_block", "use_rms_norm", "expert_choice_router"):
        config.must_be(key, False, None, default=False)
    config.must_be("rotary_emb_fraction", 1.0, 1, default=1.0)
    config.must_be("num_shared_experts", 0, default=0)
    config.must_be("ffn_div", 1, default=1)
    config.ignore("causal fused_bias_fc fused_dropout_add_ln use_flash_attn use_xentropy pad_vocab_size_multiple")
    config.ignore("parallel_block_tied_norm rotary_scaling_factor max_trained_positions layer_norm_epsilon moe_impl")
    config.ignore("rotary_emb_base rotary_emb_interleaved rotary_emb_scale_base dense_seq_output last_layer_subset")
    config.ignore("moe_normalize_expert_weights add_pooling_layer")
    head_dim = config.whole_or_none("head_dim") or config.divides("hidden_size", width, "of width", heads)
    biased = config.flag("qkv_proj_bias", default=False)
    attention = mutual(heads, heads, head_dim, qkv_bias=biased, output_bias=biased)
    layers = config.whole("num_hidden_layers", "n_layer")
    dense, experts, every = _nomic_parts(config)
    blocks = [layer(attention, experts if every and index % every == 1 else dense, POST) for index in range(layers)]
    body = encoder_body(config, width, {"kind": "rotary"}, parts.merged(blocks), POST)
    context = parts.context(config, "max_position_embeddings", "n_positions")
    return body | _embedded(config) | {"max_context": context, "notes": ["The encoder; no head."]}


def _nomic_parts(config: Config) -> tuple[dict[str, Any], dict[str, Any], int]:
    """The feed-forward, the experts, and in how many layers once these stand; 0: in none."""
    function = config.data.get("hidden_act", config.data.get("activation_function", "silu"))
    known = {"silu": ("silu", True), "swiglu": ("silu", True), "geglu": ("gelu", True), "gelu": ("gelu", False)}
    if function not in known:
        config.unsupported("hidden_act", f"{str(function)[:40]!r} is not modelled", f"Understood: {', '.join(known)}.")
    config.ignore("hidden_act", "activation_function")
    activation, gated = known[function]
    up, down = (config.flag(f"mlp_fc{number}_bias", default=False) for number in (1, 2))
    if up and not down:
        config.unsupported("mlp_fc1_bias", "a bias of the first matrix alone is not modelled")
    inner = config.whole("intermediate_size", "n_inner")
    dense = dense_block(inner, activation, gated, bias=up) | ({"down_bias": True} if down and not up else {})
    number = config.whole("num_experts", default=0, null=0, least=0)
    every = config.whole("moe_every_n_layers", default=0, null=0, least=0)
    if not number or not every:
        config.ignore("moe_top_k")
        return dense, dense, 0
    top_k = config.whole("moe_top_k")
    return dense, experts_block(config, inner, number, top_k, activation, gated=gated, output_bias=True), every


def jina_v3(config: Config) -> dict[str, Any]:
    """Jina Embeddings v3: XLM-RoBERTa with rotated queries and keys, and a pooler."""
    refuse_decoder(config)
    width = config.whole("hidden_size")
    block = layer(biased_attention(config, width), biased_feed_forward(config), POST)
    blocks = [{"layers": config.whole("num_hidden_layers"), **block}]
    body = encoder_body(config, width, {"kind": "rotary"}, blocks, POST)
    notes = ["The encoder with its pooler; no head, and none of the adapters that a checkpoint may hold."]
    return body | _embedded(config) | {"max_context": parts.context(config), "pooler": True, "notes": notes}


def gte(config: Config) -> dict[str, Any]:
    """GTE, `new` in files with code of its own: biases in attention and behind the gated feed-forward."""
    width = config.whole("hidden_size")
    refuse_decoder(config)
    config.must_be("layer_norm_type", "layer_norm", default="layer_norm")
    config.must_be("logn_attention_scale", False, default=False)
    config.ignore("pack_qkv unpad_inputs use_memory_efficient_attention logn_attention_clip1 attn_implementation")
    function = parts.activation(config, "hidden_act")
    feed_forward = dense_block(config.whole("intermediate_size"), function) | {"down_bias": True}
    block = layer(biased_attention(config, width), feed_forward, POST)
    blocks = [{"layers": config.whole("num_hidden_layers"), **block}]
    body = encoder_body(config, width, {"kind": "rotary"}, blocks, POST)
    notes = ["The encoder; no head."]
    return body | _embedded(config) | {"max_context": parts.context(config), "notes": notes}


def jina_v2(config: Config) -> dict[str, Any]:
    """Jina Embeddings v2, a `bert` with code of its own: a slope per head, gated feed-forwards, norms behind.

    Gate and up have no biases, down has one.
    """
    width = config.whole("hidden_size")
    config.must_be("feed_forward_type", "geglu", "reglu", "original")
    config.must_be("position_embedding_type", "alibi")
    config.must_be("is_decoder", False, default=False)
    config.ignore("attn_implementation emb_pooler")
    kind = config.data["feed_forward_type"]
    if kind == "original":
        feed_forward = biased_feed_forward(config)
    else:
        config.ignore("hidden_act")
        function = "gelu" if kind == "geglu" else "relu"
        feed_forward = dense_block(config.whole("intermediate_size"), function) | {"down_bias": True}
    block = layer(biased_attention(config, width), feed_forward, POST)
    blocks = [{"layers": config.whole("num_hidden_layers"), **block}]
    body = encoder_body(config, width, {"kind": "alibi"}, blocks, POST)
    return body | _embedded(config) | {"max_context": parts.context(config), "pooler": True}


def _embedded(config: Config) -> dict[str, Any]:
    types = config.whole("type_vocab_size", least=0)
    return {"embedding_norm": True, **({"token_types": types} if types else {})}
