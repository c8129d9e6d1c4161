"""Encoder and decoder: T5, mT5, BART, mBART.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, layer, norm_of


class Stack(NamedTuple):
    """Layers that are alike: how they attend, to themselves and in a decoder to the prompt, and their feed-forward."""

    layers: int
    attention: dict[str, Any]
    feed_forward: dict[str, Any]


def t5(config: Config) -> dict[str, Any]:
    """T5, mT5, Flan-T5: no biases, distances in buckets, a gated feed-forward since version 1.1."""
    width, heads = config.whole("d_model"), config.whole("num_heads")
    function = config.text("feed_forward_proj", default="relu")
    gated = function.startswith("gated-")
    activation = "gelu_new" if function == "gated-gelu" else _named(config, function.removeprefix("gated-"))
    config.ignore("dense_act_fn", "is_gated_act", "relative_attention_max_distance", "scale_decoder_outputs")
    config.ignore("tie_word_embeddings", "is_encoder_decoder")
    attention = {"kind": "softmax", "heads": heads, "kv_heads": heads, "head_dim": config.whole("d_kv")}
    feed_forward = dense_block(config.whole("d_ff"), activation, gated)
    encoder = Stack(config.whole("num_layers"), attention, feed_forward)
    context = parts.context(config, "n_positions")
    decoder = encoder._replace(layers=config.whole("num_decoder_layers", null=encoder.layers))
    return both_stacks(config, width, encoder, decoder, Style()) | {
        "max_context": context,
        "positions": {"kind": "bucketed", "buckets": config.whole("relative_attention_num_buckets")},
        "tied_embeddings": True,
        "notes": ["The head is the embedding whatever tie_word_embeddings says, as in the reference code."],
        "unverified": ["max_context: T5's distances have no end; it is the length that it was trained with"],
    }


def bart(config: Config) -> dict[str, Any]:
    """BART, norms behind the sum; mBART, norms before and at the end. Positions with two rows more than the context."""
    width, before = config.whole("d_model"), config.data["model_type"] == "mbart"
    activation = parts.activation(config, "activation_function")
    style = Style(norm="layer", norm_bias=True, placement="pre" if before else "post")
    encoder, decoder = (bart_stack(config, stack, width, activation) for stack in ("encoder", "decoder"))
    config.ignore("scale_embedding", "normalize_before", "normalize_embedding", "add_final_layer_norm")
    config.ignore("static_position_embeddings", "add_bias_logits", "num_hidden_layers", "extra_pos_embeddings")
    context = config.whole("max_position_embeddings")
    return both_stacks(config, width, encoder, decoder, style) | {
        "max_context": context,
        "positions": {"kind": "learned", "size": context + 2},
        "embedding_norm": True,
        "final_norm": before,
    }


def bart_stack(config: Config, name: str, width: int, activation: str) -> Stack:
    """The `encoder` or the `decoder` of BART and its kin: biases everywhere."""
    heads = config.whole(f"{name}_attention_heads")
    attention = {
        "kind": "softmax",
        "heads": heads,
        "kv_heads": heads,
        "qkv_bias": True,
        "output_bias": True,
        "head_dim": config.divides(f"{name}_attention_heads", width, "of width", heads),
    }
    feed_forward = dense_block(config.whole(f"{name}_ffn_dim"), activation, gated=False, bias=True)
    return Stack(config.whole(f"{name}_layers"), attention, feed_forward)


def _named(config: Config, function: str) -> str:
    if function not in ("relu", "gelu", "silu"):
        hint = "Understood: relu, gated-gelu, gated-silu."
        config.unsupported("feed_forward_proj", f"{function[:40]!r} is not modelled", hint)
    return function


def both_stacks(config: Config, width: int, encoder: Stack, decoder: Stack, style: Style) -> dict[str, Any]:
    """Both stacks, alike but for what the mapping function adds."""
    seen = layer(encoder.attention | {"causal": False}, encoder.feed_forward, style)
    made = layer(decoder.attention, decoder.feed_forward, style)
    made["cross_attention"] = decoder.attention | {"causal": False}
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "encoder": [{"layers": encoder.layers, **seen}],
        "blocks": [{"layers": decoder.layers, **made}],
    }
