"""Encoders: BERT, RoBERTa and their kin, which see a whole sequence at once and keep no cache.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, layer, norm_of
from roofline.importers.huggingface.encoders.kin import narrow_tables
from roofline.importers.huggingface.encoders.modern import jina_v2

_STYLE: Final = Style(norm="layer", norm_bias=True, placement="post")


def bert(config: Config) -> dict[str, Any]:
    """BERT, RoBERTa, XLM-RoBERTa, ELECTRA: learned positions, token types, norms behind the sum.

    The encoder with its pooler is counted; heads of tasks are not part of it.
    """
    if config.given("feed_forward_type"):
        return jina_v2(config)
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    config.must_be("position_embedding_type", "absolute", None, default="absolute")
    config.must_be("is_decoder", False, default=False)
    config.must_be("add_cross_attention", False, default=False)
    electra = config.data["model_type"] == "electra"
    config.ignore("directionality", "pooler_type", "tie_word_embeddings")
    config.ignore("pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head")
    attention = _attention(heads, config.divides("hidden_size", width, "of width", heads))
    inner, function = config.whole("intermediate_size"), parts.activation(config, "hidden_act")
    context = config.whole("max_position_embeddings")
    block = layer(attention, dense_block(inner, function, gated=False, bias=True), _STYLE)
    shifted = config.data["model_type"] in ("roberta", "xlm-roberta", "camembert")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": context - 2 if shifted and context > 2 else context,
        "positions": {"kind": "learned", "size": context},
        "norm": norm_of(_STYLE),
        "token_types": config.whole("type_vocab_size"),
        "embedding_norm": True,
        "final_norm": False,
        "pooler": not electra,
        **(narrow_tables(config, width) if electra else {}),
        "head": False,
        "blocks": [{"layers": config.whole("num_hidden_layers"), **block}],
        "notes": ["The encoder; no head." if electra else "The encoder with its pooler; no head."],
    }


def distilbert(config: Config) -> dict[str, Any]:
    """DistilBERT: BERT without token types and pooler."""
    width, heads = config.whole("dim"), config.whole("n_heads")
    attention = _attention(heads, config.divides("dim", width, "of width", heads))
    config.ignore("sinusoidal_pos_embds", "tie_word_embeddings")
    function = parts.activation(config, "activation")
    feed_forward = dense_block(config.whole("hidden_dim"), function, gated=False, bias=True)
    context = config.whole("max_position_embeddings")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": context,
        "positions": {"kind": "learned", "size": context},
        "norm": norm_of(_STYLE),
        "embedding_norm": True,
        "final_norm": False,
        "head": False,
        "blocks": [{"layers": config.whole("n_layers"), **layer(attention, feed_forward, _STYLE)}],
        "notes": ["The encoder; no head."],
    }


def _attention(heads: int, head_dim: int) -> dict[str, Any]:
    """Every position sees every other, and all projections have biases."""
    return {
        "kind": "softmax",
        "heads": heads,
        "kv_heads": heads,
        "causal": False,
        "qkv_bias": True,
        "output_bias": True,
        "head_dim": head_dim,
    }
