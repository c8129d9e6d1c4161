"""Decoders of the first years: sinusoidal or learned positions, layer norms, biases, no gates.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.decoders import head_width, plain_attention
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, norm_of

_LAYER_NORM = Style(norm="layer", norm_bias=True)


def xglm(config: Config) -> dict[str, Any]:
    """XGLM: sinusoidal positions."""
    config.must_be("add_cross_attention", False)
    feed_forward = dense_block(
        config.whole("ffn_dim"), parts.activation(config, "activation_function"), gated=False, bias=True
    )
    return _biased(config, feed_forward, {"kind": "sinusoidal"}, "d_model", "attention_heads", "num_layers")


def biogpt(config: Config) -> dict[str, Any]:
    """BioGPT: learned positions with two rows more than the context."""
    feed_forward = dense_block(
        config.whole("intermediate_size"), parts.activation(config, "hidden_act"), gated=False, bias=True
    )
    positions = {"kind": "learned", "size": config.whole("max_position_embeddings") + 2}
    return _biased(config, feed_forward, positions, "hidden_size", "num_attention_heads", "num_hidden_layers")


def ctrl(config: Config) -> dict[str, Any]:
    """CTRL: sinusoidal positions, a head with a bias."""
    feed_forward = dense_block(config.whole("dff"), "relu", gated=False, bias=True)
    body = _biased(config, feed_forward, {"kind": "sinusoidal"}, "n_embd", "n_head", "n_layer", context="n_positions")
    return body | {"head_bias": True}


def _biased(
    config: Config,
    feed_forward: dict[str, Any],
    positions: dict[str, Any],
    *keys: str,
    context: str = "max_position_embeddings",
) -> dict[str, Any]:
    """Equal layers, normed before their parts, with biases everywhere; `keys` are those of width, heads and layers."""
    width, heads, layers = (config.whole(key) for key in keys)
    attention = plain_attention(
        heads, heads, head_width(config, keys[0], width, heads), qkv_bias=True, output_bias=True, packed=False
    )
    config.ignore("scale_embedding")
    blocks = [{"layers": layers, **layer(attention, feed_forward, _LAYER_NORM)}]
    return body_of(config, width, positions, blocks, norm=norm_of(_LAYER_NORM), context=(context,))


def openai_gpt(config: Config) -> dict[str, Any]:
    """GPT (2018): norms behind the residual, none at the end. Its class keeps no cache; one is counted all the same."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    style = Style(norm="layer", norm_bias=True, placement="post")
    head_dim = head_width(config, "n_embd", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=True, output_bias=True, softmax_fp32=False)
    activation = {"gelu": "gelu_new"}.get(config.text("afn"), "") or parts.activation(config, "afn")
    feed_forward = dense_block(4 * width, activation, gated=False, bias=True)
    positions = config.whole("n_positions")
    config.ignore("n_ctx")
    config.notes.append("a cache of keys and values is counted, which the class of openai-gpt does not keep")
    blocks = [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, style)}]
    learned = {"kind": "learned", "size": positions}
    body = body_of(config, width, learned, blocks, norm=norm_of(style))
    return body | {"max_context": positions, "final_norm": False}


def gpt_neox_japanese(config: Config) -> dict[str, Any]:
    """GPT-NeoX Japanese: no biases but that of the last layer's attention."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    layers = config.whole("num_hidden_layers")
    head_dim = head_width(config, "hidden_size", width, heads)
    inner = int(width * config.number("intermediate_multiple_size"))
    feed_forward = dense_block(inner, parts.activation(config, "hidden_act"), gated=False)
    blocks = [
        layer(
            plain_attention(heads, heads, head_dim, qkv_bias=False, output_bias=index == layers - 1),
            feed_forward,
            _LAYER_NORM,
        )
        for index in range(layers)
    ]
    positions = parts.rotary(config, head_dim, 1.0, "rotary_pct")
    return body_of(config, width, positions, parts.merged(blocks), norm=norm_of(_LAYER_NORM))
