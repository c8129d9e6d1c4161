"""DeBERTa, its second and third version: attention between contents and distances.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import layer
from roofline.importers.huggingface.encoders.kin import (
    POST,
    biased_attention,
    biased_feed_forward,
    encoder_body,
)


def deberta(config: Config) -> dict[str, Any]:
    """The first version: queries, keys and values from one matrix, keys without a bias; distances of their own."""
    config.must_be("talking_head", False, default=False)
    body = _body(config, {"key_bias": False, "packed": True})
    found = _terms(config)
    if config.flag("relative_attention"):
        distances = {"span": _longest(config), "keys": "c2p" in found, "queries": "p2c" in found}
        body["positions"]["disentangled"] = distances | {"key_bias": False, "clipped": True}
    return body


def deberta_v2(config: Config) -> dict[str, Any]:
    """The second and third version: distances in buckets, by the matrices of the tokens where they are shared."""
    body = _body(config, {})
    found, buckets = _terms(config), config.raw("position_buckets", default=-1)
    shared = config.flag("share_att_key", default=False)
    if config.flag("relative_attention"):
        span = config.whole("position_buckets") if isinstance(buckets, int) and buckets > 0 else _longest(config)
        distances = {"span": span, "keys": "c2p" in found, "queries": "p2c" in found}
        body["positions"]["disentangled"] = distances | {"shared": shared, "norm": _normed(config)}
    taps = config.whole("conv_kernel_size", default=0, least=0)
    config.ignore("conv_act")
    config.must_be("conv_groups", 1, default=1)
    return body | ({"convolution": taps} if taps else {})


def _body(config: Config, attention: dict[str, Any]) -> dict[str, Any]:
    width, rows = config.whole("hidden_size"), config.whole("max_position_embeddings")
    inner = config.whole("embedding_size", default=width, null=width)
    biased, types = config.flag("position_biased_input"), config.whole("type_vocab_size", least=0)
    block = layer(biased_attention(config, width) | attention, biased_feed_forward(config), POST)
    positions: dict[str, Any] = {"kind": "learned", "size": rows} if biased else {"kind": "none"}
    blocks = [{"layers": config.whole("num_hidden_layers"), **block}]
    config.ignore("pooler_hidden_act pooler_hidden_size pooler_dropout legacy padding_idx attention_head_size")
    config.ignore("norm_rel_ebd max_relative_positions position_buckets share_att_key")
    body = encoder_body(config, width, positions, blocks, POST)
    body |= {"max_context": rows, "embedding_norm": True, "notes": ["The encoder; no head."]}
    body |= {"token_types": types} if types else {}
    if inner != width:
        body |= {"embedding_width": inner, "embedding_projected": "sum"}
    return body


def _terms(config: Config) -> list[str]:
    """`c2p`, `p2c` or both, as a list or as a text with bars between; none without relative attention."""
    value = config.raw("pos_att_type", default=None)
    found = value.split("|") if isinstance(value, str) else value or []
    if not isinstance(found, list) or any(str(term).strip() not in ("c2p", "p2c") for term in found):
        config.unsupported("pos_att_type", f"{str(value)[:40]!r} is not modelled", "Understood: c2p, p2c.")
    return [str(term).strip() for term in found] if config.flag("relative_attention") else []


def _longest(config: Config) -> int:
    """Distances in one direction."""
    stated = config.raw("max_relative_positions", default=-1)
    if isinstance(stated, int) and not isinstance(stated, bool) and stated < 1:
        return config.whole("max_position_embeddings")
    return config.whole("max_relative_positions")


def _normed(config: Config) -> bool:
    return "layer_norm" in config.text("norm_rel_ebd", default="none").lower()
