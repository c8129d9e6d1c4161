"""Kin of T5: no biases, distances in buckets; and T5Gemma, whose stacks are Gemma's.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.seq2seq import t5
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, experts_block, layer


def umt5(config: Config) -> dict[str, Any]:
    """UMT5: T5 whose layers have tables of distances of their own."""
    body = t5(config)
    return body | {"positions": body["positions"] | {"per_layer": True}}


def longt5(config: Config) -> dict[str, Any]:
    """LongT5 whose encoder sees a window on each side, computed in blocks with their neighbours."""
    kind = config.text("encoder_attention_type", default="local")
    if kind != "local":
        hint = "Understood: local, as google/long-t5-local-base has it."
        config.unsupported("encoder_attention_type", f"{kind[:40]!r} is not modelled", hint)
    body, radius = t5(config), config.whole("local_radius")
    config.ignore("global_block_size")
    (group,) = body["encoder"]
    attention = group["attention"] | {"window": radius + 1, "reference_window": "blocks"}
    return body | {"encoder": [group | {"attention": attention}]}


def switch(config: Config) -> dict[str, Any]:
    """Switch Transformers: T5 with experts, of which each token visits one, in every so many layers.

    Of n layers with s sparse ones those are sparse whose number is 1 modulo floor(n / s); all where that is 1.
    """
    config.ignore("router_bias expert_capacity add_router_probs router_ignore_padding_tokens router_jitter_noise")
    config.must_be("router_bias", False, default=False)
    config.ignore("encoder_sparse_step decoder_sparse_step router_type batch_prioritized_routing n_positions")
    function = config.text("dense_act_fn", default="relu")
    if "feed_forward_proj" not in config.data:
        config.data = {**config.data, "feed_forward_proj": function}
    body = t5(config)
    experts = experts_block(config, config.whole("d_ff"), config.whole("num_experts"), 1, function, gated=False)
    for stack, key in (("encoder", "num_sparse_encoder_layers"), ("blocks", "num_sparse_decoder_layers")):
        (group,) = body[stack]
        number, sparse = group["layers"], config.whole(key, least=0)
        step = number // sparse if sparse else 0
        marks = [bool(step) and (step == 1 or index % step == 1) for index in range(number)]
        layers = [group | {"layers": 1, **({"feed_forward": experts} if mark else {})} for mark in marks]
        body[stack] = parts.merged(layers)
    return body


def t5gemma(config: Config) -> dict[str, Any]:
    """T5Gemma: Gemma 2's layers twice, the encoder's without a causal mask; a table for each stack."""
    sections = {name: _section(config, name) for name in ("encoder", "decoder")}
    encoder, decoder = sections["encoder"], sections["decoder"]
    width, encoded = decoder.whole("hidden_size"), encoder.whole("hidden_size")
    if config.has("vocab_size") and config.whole("vocab_size") != decoder.whole("vocab_size"):
        config.refuse("vocab_size", f"is not {decoder.whole('vocab_size'):,}, as its decoder says")
    config.ignore("vocab_size hidden_size")
    return {
        "vocabulary": decoder.whole("vocab_size"),
        "width": width,
        "max_context": parts.context(decoder),
        "positions": {"kind": "rotary"},
        "norm": {"kind": "rms"},
        "tied_embeddings": config.flag("tie_word_embeddings"),
        "encoder_input": {"vocabulary": encoder.whole("vocab_size"), "width": encoded},
        "encoder": parts.merged(_gemma_layers(encoder, causal=False)),
        "blocks": parts.merged(_gemma_layers(decoder, causal=True)),
    }


def _section(config: Config, name: str) -> Config:
    from roofline.importers.huggingface.defaults import defaults_of

    found = config.section(name, defaults_of("t5_gemma_module"))
    if found is None:
        config.refuse(name, "is missing: it says the sizes of a stack")
    found.ignore("max_position_embeddings model_type tie_word_embeddings query_pre_attn_scalar is_decoder")
    found.ignore("cross_attention_hidden_size")
    return found


def _gemma_layers(config: Config, *, causal: bool) -> list[dict[str, Any]]:
    """Windows and full attention in turn, norms on both sides of everything."""
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.whole("head_dim")
    layers, window = config.whole("num_hidden_layers"), config.whole_or_none("sliding_window")
    otherwise = ["full_attention" if index % 2 else "sliding_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    attention: dict[str, Any] = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}
    attention |= parts.attention_biases(config)
    feed_forward = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_activation"))
    made = []
    for kind in kinds:
        own = attention | ({} if causal else {"causal": False})
        if kind == "sliding_attention" and window is not None:
            own["window"] = window if causal else window + 1
        block = layer(own, feed_forward, Style(norms=4))
        if causal:
            block["cross_attention"] = attention | {"causal": False}
        made.append(block)
    return made
