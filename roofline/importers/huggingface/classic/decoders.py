"""Decoders before Llama: learned or ALiBi positions, layer norms, biases, one matrix for queries, keys and values.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, norm_of, softmax

_LAYER_NORM = Style(norm="layer", norm_bias=True)


def plain_attention(
    heads: int, kv_heads: int, head_dim: int, *, qkv_bias: bool, output_bias: bool, packed: bool = True, **more: Any
) -> dict[str, Any]:
    """Softmax attention with these flags, without what is the default."""
    flags = {"qkv_bias": qkv_bias, "output_bias": output_bias, "packed": packed}
    return softmax(heads, kv_heads, head_dim) | {key: value for key, value in flags.items() if value} | more


def head_width(config: Config, key: str, width: int, heads: int) -> int:
    """The width of a head, refused at `key` where heads do not divide the model's."""
    return config.divides(key, width, "of width", heads)


def gpt2(config: Config) -> dict[str, Any]:
    """GPT-2: learned positions; StarCoder (gpt_bigcode) with one key-value head."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    kv_heads = heads
    if config.data["model_type"] == "gpt_bigcode" and config.flag("multi_query"):
        kv_heads = 1
    config.must_be("add_cross_attention", False)
    if config.whole("num_key_value_heads", default=kv_heads, null=kv_heads) != kv_heads:
        config.refuse("num_key_value_heads", f"contradicts multi_query, which gives {kv_heads}")
    head_dim = head_width(config, "n_embd", width, heads)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=True, output_bias=True, softmax_fp32=False)
    inner = config.whole("n_inner", null=4 * width)
    feed_forward = dense_block(inner, parts.activation(config, "activation_function"), gated=False, bias=True)
    positions = config.whole("n_positions")
    config.ignore("n_ctx")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": positions,
        "positions": {"kind": "learned", "size": positions},
        "norm": norm_of(_LAYER_NORM),
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, _LAYER_NORM)}],
    }


def gptj(config: Config) -> dict[str, Any]:
    """GPT-J, CodeGen: attention without biases beside the feed-forward, one norm, a head with a bias."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    style = Style(norm="layer", norm_bias=True, norms=1, parallel=True)
    head_dim = head_width(config, "n_embd", width, heads)
    packed = config.data["model_type"] == "codegen"
    attention = plain_attention(heads, heads, head_dim, qkv_bias=False, output_bias=False, packed=packed)
    inner = config.whole("n_inner", null=4 * width)
    feed_forward = dense_block(inner, parts.activation(config, "activation_function"), gated=False, bias=True)
    rotary = config.whole("rotary_dim", null=width, least=2)
    config.must_be("rotary", True)
    config.ignore("n_ctx")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config, "n_positions"),
        "positions": {"kind": "rotary", "rotary_dim": min(rotary, head_dim)},
        "norm": norm_of(style),
        "tied_embeddings": parts.tied(config),
        "head_bias": True,
        "blocks": [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, style)}],
    }


def gpt_neo(config: Config) -> dict[str, Any]:
    """GPT-Neo: learned positions, every other layer with a window."""
    width, heads, layers = config.whole("hidden_size"), config.whole("num_heads"), config.whole("num_layers")
    kinds = _neo_kinds(config, layers)
    local = {"window": config.whole("window_size"), "reference_cache": "full"}
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=False, output_bias=True, packed=False)
    inner = config.whole("intermediate_size", null=4 * width)
    feed_forward = dense_block(inner, parts.activation(config, "activation_function"), gated=False, bias=True)
    positions = config.whole("max_position_embeddings")
    blocks = [layer(attention | (local if kind == "local" else {}), feed_forward, _LAYER_NORM) for kind in kinds]
    learned = {"kind": "learned", "size": positions}
    body = body_of(config, width, learned, parts.merged(blocks), norm=norm_of(_LAYER_NORM))
    return body | {"max_context": positions}


def _neo_kinds(config: Config, layers: int) -> list[str]:
    """`attention_layers`, else `attention_types` [[[kinds], times], …], else global and local in turn."""
    found = config.texts("attention_layers", length=layers, choices=("global", "local"))
    types = config.raw("attention_types", default=None)
    if found is not None:
        return found
    if types is None:
        return [("global", "local")[index % 2] for index in range(layers)]
    kinds: list[str] = []
    for item in types if isinstance(types, list) else []:
        if not (isinstance(item, list) and len(item) == 2 and isinstance(item[0], list) and isinstance(item[1], int)):
            config.refuse("attention_types", "must be a list of [[kinds], times]")
        kinds += [str(kind) for kind in item[0]] * min(item[1], layers + 1)
    if len(kinds) != layers or set(kinds) - {"global", "local"}:
        config.refuse("attention_types", f"gives {len(kinds)} kinds for {layers} layers; kinds are global and local")
    return kinds


def gpt_neox(config: Config) -> dict[str, Any]:
    """GPT-NeoX, Pythia: two norms, attention and feed-forward side by side, a quarter of a head rotated."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    bias = config.flag("attention_bias", default=True)
    style = Style(norm="layer", norm_bias=True, parallel=config.flag("use_parallel_residual"))
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=bias, output_bias=bias)
    feed_forward = dense_block(
        config.whole("intermediate_size"), parts.activation(config, "hidden_act"), gated=False, bias=True
    )
    positions = parts.rotary(config, head_dim, 0.25, "rotary_pct")
    blocks = [{"layers": config.whole("num_hidden_layers"), **layer(attention, feed_forward, style)}]
    return body_of(config, width, positions, blocks, norm=norm_of(style))


def opt(config: Config) -> dict[str, Any]:
    """OPT: learned positions with two rows more than the context; the 350M model embeds in fewer dimensions and norms
    behind the residual, without a final norm.
    """
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    before = config.flag("do_layer_norm_before")
    bias = config.flag("enable_bias", default=True)
    affine = config.flag("layer_norm_elementwise_affine", default=True)
    style = Style(norm="layer", norm_bias=affine, norm_weight=affine, placement="pre" if before else "post")
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=bias, output_bias=bias, packed=False)
    feed_forward = dense_block(
        config.whole("ffn_dim"), parts.activation(config, "activation_function"), gated=False, bias=bias
    )
    context = config.whole("max_position_embeddings")
    embedded = config.whole("word_embed_proj_dim", null=width)
    final = before and not config.flag("_remove_final_layer_norm", default=False)
    body: dict[str, Any] = {"vocabulary": parts.vocabulary(config), "width": width, "max_context": context}
    if embedded != width:
        body["embedding_width"] = embedded
    return body | {
        "positions": {"kind": "learned", "size": context + 2},
        "norm": norm_of(style),
        "final_norm": final,
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("num_hidden_layers"), **layer(attention, feed_forward, style)}],
    }


def bloom(config: Config) -> dict[str, Any]:
    """BLOOM: ALiBi, a norm behind the embedding, gelu of a width four times the model's."""
    width = config.whole("hidden_size", "n_embed")
    heads, layers = config.whole("n_head"), config.whole("n_layer")
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=True, output_bias=True)
    inner = config.whole("n_inner", default=None, null=4 * width) or 4 * width
    if inner != 4 * width:
        config.unsupported("n_inner", f"{inner} is not four times the width, which is all that BLOOM computes")
    feed_forward = dense_block(inner, "gelu_tanh", gated=False, bias=True)
    context = parts.context(config, "seq_length", "max_position_embeddings")
    config.ignore("offset_alibi")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": context,
        "positions": {"kind": "alibi"},
        "norm": norm_of(_LAYER_NORM),
        "embedding_norm": True,
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": layers, **layer(attention, feed_forward, _LAYER_NORM)}],
    }
