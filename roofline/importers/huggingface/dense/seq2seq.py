"""Encoder and decoder: T5, mT5, BART, mBART.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, layer, norm_of


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
    layers = config.whole("num_layers")
    context = parts.context(config, "n_positions")
    made = config.whole("num_decoder_layers", null=layers)
    return _body(
        config, width, attention, (layers, feed_forward), (made, feed_forward), Style(), attention
    ) | {
        "max_context": context,
        "positions": {"kind": "bucketed", "buckets": config.whole("relative_attention_num_buckets")},
        "tied_embeddings": True,
        "notes": ["The head is the embedding whatever tie_word_embeddings says, as in the reference code."],
        "unverified": ["max_context: T5's distances have no end; it is the length that it was trained with"],
    }  # fmt: skip


def bart(config: Config) -> dict[str, Any]:
    """BART, norms behind the sum; mBART, norms before and at the end. Positions with two rows more than the context."""
    width, before = config.whole("d_model"), config.data["model_type"] == "mbart"
    activation = parts.activation(config, "activation_function")
    style = Style(norm="layer", norm_bias=True, placement="pre" if before else "post")
    stacks = []
    for stack in ("encoder", "decoder"):
        heads = config.whole(f"{stack}_attention_heads")
        attention = {
            "kind": "softmax", "heads": heads, "kv_heads": heads, "qkv_bias": True, "output_bias": True,
            "head_dim": config.divides(f"{stack}_attention_heads", width, "of width", heads),
        }  # fmt: skip
        feed_forward = dense_block(config.whole(f"{stack}_ffn_dim"), activation, gated=False, bias=True)
        stacks.append((attention, config.whole(f"{stack}_layers"), feed_forward))
    config.ignore("scale_embedding", "normalize_before", "normalize_embedding", "add_final_layer_norm")
    config.ignore("static_position_embeddings", "add_bias_logits", "num_hidden_layers", "extra_pos_embeddings")
    context = config.whole("max_position_embeddings")
    (own, layers, feed_forward), (cross, decoder_layers, decoder_feed_forward) = stacks
    return _body(
        config, width, own, (layers, feed_forward), (decoder_layers, decoder_feed_forward), style, cross
    ) | {
        "max_context": context,
        "positions": {"kind": "learned", "size": context + 2},
        "embedding_norm": True,
        "final_norm": before,
    }  # fmt: skip


def _named(config: Config, function: str) -> str:
    if function not in ("relu", "gelu", "silu"):
        config.unsupported("feed_forward_proj", f"{function[:40]!r} is not modelled",
                           "Understood: relu, gated-gelu, gated-silu.")  # fmt: skip
    return function


def _body(
    config: Config, width: int, attention: dict[str, Any], encoder: tuple[int, dict[str, Any]],
    decoder: tuple[int, dict[str, Any]], style: Style, cross: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Both stacks; `cross` is how a decoder layer attends, to itself and to the prompt."""
    seen = layer(attention | {"causal": False}, encoder[1], style)
    made = layer(cross, decoder[1], style) | {"cross_attention": cross | {"causal": False}}
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "encoder": [{"layers": encoder[0], **seen}],
        "blocks": [{"layers": decoder[0], **made}],
    }
