"""Decoders with a dense feed-forward that differ from Llama in a flag or a norm.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, decoder, dense, windows_of

_HEAD_NORM: Final = {"qk_norm": "head"}


def hyperclovax(config: Config) -> dict[str, Any]:
    """HyperCLOVA X: Llama with norms behind attention and feed-forward too, by flag."""
    bias = config.flag("attention_bias")
    style = Style(qkv_bias=bias, output_bias=bias, norms=4 if config.flag("use_post_norm") else 2)
    return decoder(config, style, dense(config, bias=config.flag("mlp_bias")))


def jais2(config: Config) -> dict[str, Any]:
    """Jais 2: layer norms, biases by flags, a squared ReLU without a gate."""
    bias = config.flag("attention_bias")
    style = Style(norm="layer", norm_bias=True, qkv_bias=bias, output_bias=bias)
    return decoder(config, style, dense(config, gated=False, bias=config.flag("mlp_bias")))


def cwm(config: Config) -> dict[str, Any]:
    """Code World Model: Llama, sliding in all layers but every fourth, from the first on."""
    layers = config.whole("num_hidden_layers")
    window = config.whole_or_none("sliding_window")
    windows = windows_of(config, window, [index % 4 > 0 and window is not None for index in range(layers)])
    return decoder(config, Style(), dense(config, bias=config.flag("mlp_bias", default=False)), windows=windows)


def persimmon(config: Config) -> dict[str, Any]:
    """Persimmon, Fuyu: layer norms, biases everywhere, half of a head rotated, a squared ReLU without a gate."""
    attention: dict[str, Any] = {"packed": True}
    if config.flag("qk_layernorm"):
        attention |= {"qk_norm": "head", "qk_norm_kind": "layer", "qk_norm_bias": True}
    biased = Style(norm="layer", norm_bias=True, qkv_bias=True, output_bias=True)
    style = biased._replace(rotary_fraction=0.5, attention=attention)
    return decoder(config, style, dense(config, gated=False, bias=True))


def seed_oss(config: Config) -> dict[str, Any]:
    """Seed-OSS: biases of the attention's input and output by flags of their own."""
    style = Style(qkv_bias=config.flag("attention_bias"), output_bias=config.flag("attention_out_bias", default=False))
    return decoder(config, style, dense(config, bias=config.flag("mlp_bias", default=False)))


def helium(config: Config) -> dict[str, Any]:
    """Helium: Llama without a bias on the output projection, which is square: heads are as wide as the model."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    if config.given("head_dim") and config.whole("head_dim") * heads != width:
        config.unsupported(
            "head_dim", f"{heads} heads are not as wide as hidden_size {width}, as the class builds them"
        )
    style = Style(qkv_bias=config.flag("attention_bias", default=False))
    return decoder(config, style, dense(config, bias=config.flag("mlp_bias", default=False)))


def bitnet(config: Config) -> dict[str, Any]:
    """BitNet: norms before the output projection and before the last matrix of the feed-forward."""
    bias = config.flag("attention_bias", default=False)
    style = Style(qkv_bias=bias, output_bias=bias, attention={"output_norm": True})
    block = dense(config)(0) | {"inner_norm": True}
    return decoder(config, style, lambda index: block)


def hunyuan(config: Config) -> dict[str, Any]:
    """Hunyuan, dense: norms of queries and keys per head."""
    bias = config.flag("attention_bias", default=False)
    return decoder(config, Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM), dense(config))


def apertus(config: Config) -> dict[str, Any]:
    """Apertus: norms of queries and keys per head, no gate; 1.5's head may know fewer tokens than its table."""
    bias = config.flag("attention_bias", default=False)
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    body = decoder(config, style, dense(config, gated=False))
    if config.data["model_type"] == "apertus1p5_text":
        rows = config.whole_or_none("output_vocab_size")
        if rows is not None and rows > body["vocabulary"]:
            config.refuse("output_vocab_size", f"{rows:,} are more than vocab_size {body['vocabulary']:,}")
        if rows is not None and rows != body["vocabulary"]:
            body["head_vocabulary"] = rows
    return body


def nanochat(config: Config) -> dict[str, Any]:
    """nanochat: norms without weights, one of them behind the embedding, a squared ReLU without a gate."""
    bias = config.flag("attention_bias", default=False)
    style = Style(norm_weight=False, qkv_bias=bias, output_bias=bias, attention={"qk_norm": "plain"})
    return decoder(config, style, dense(config, gated=False)) | {"embedding_norm": True}


def ernie(config: Config) -> dict[str, Any]:
    """ERNIE 4.5, dense: biases by one flag."""
    bias = config.flag("use_bias", default=False)
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), dense(config, bias=bias))


def cohere_compass(config: Config) -> dict[str, Any]:
    """Cohere Compass (North): Command R7B whose layers all see everything where the file names no kinds.

    A kind of layer rotates unless `rope_parameters` has null for it; heads are as wide together as the model.
    """
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    layers = config.whole("num_hidden_layers")
    config.data = {**config.data, "head_dim": config.divides("hidden_size", width, "of width", heads)}
    bias = config.flag("attention_bias", default=False)
    windows = windows_of(config, config.whole_or_none("sliding_window"), [False] * layers)
    rotation = config.data.get("rope_parameters")
    still = {kind for kind, how in rotation.items() if how is None} if isinstance(rotation, dict) else set()
    kinds = ["full_attention" if window is None else "sliding_attention" for window in windows]
    style = Style(norm="layer", norms=1, parallel=True, qkv_bias=bias, output_bias=bias)
    config.ignore("pooling")
    return decoder(config, style, dense(config), windows=windows, unrotated=[kind in still for kind in kinds])
