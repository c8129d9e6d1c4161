"""Decoders with a dense feed-forward and rotary positions: Llama and what came of it.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, decoder, dense, window_pattern, windows_of
from roofline.importers.huggingface.defaults import defaults_of

_HEAD_NORM: Final = {"qk_norm": "head"}


def llama(config: Config) -> dict[str, Any]:
    """Llama, Granite, Arcee: biases by flag, in attention all four."""
    bias = config.flag("attention_bias", default=False)
    gated = config.data["model_type"] != "arcee"
    feed_forward = dense(config, gated=gated, bias=config.flag("mlp_bias", default=False))
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), feed_forward)


def mistral(config: Config) -> dict[str, Any]:
    """Mistral, Ministral: every layer has the window, or those that `layer_types` names."""
    layers = config.whole("num_hidden_layers")
    if config.given("layer_types"):
        windows = window_pattern(config, layers)
    else:
        windows = [config.whole_or_none("sliding_window")] * layers
    return decoder(config, Style(), dense(config), windows=windows)


def phi3(config: Config) -> dict[str, Any]:
    """Phi-3, Phi-4: queries, keys and values in one matrix, gate and up in another."""
    windows = [config.whole_or_none("sliding_window")] * config.whole("num_hidden_layers")
    config.must_be("full_attn_mod", 1)
    config.ignore("interpolate_factor")
    return decoder(config, Style(attention={"packed": True}), dense(config), windows=windows)


def qwen_windows(config: Config) -> list[int | None]:
    """Windows of the Qwen families: none unless `use_sliding_window`, then from layer `max_window_layers` on."""
    layers = config.whole("num_hidden_layers")
    used = config.flag("use_sliding_window", default=False)
    window = config.whole_or_none("sliding_window") if used else None
    first = config.whole("max_window_layers", default=layers, null=layers, least=0)
    config.ignore("sliding_window")
    return windows_of(config, window, [window is not None and index >= first for index in range(layers)])


def qwen2(config: Config) -> dict[str, Any]:
    """Qwen 1.5, 2 and 2.5: biases on queries, keys and values, whatever a file says of them."""
    for key in ("attention_bias", "qkv_bias"):
        if config.given(key) and not config.flag(key):
            config.notes.append(f"{key} false has no effect: the class of {config.data['model_type']} has these biases")
    return decoder(config, Style(qkv_bias=True), dense(config), windows=qwen_windows(config))


def qwen3(config: Config) -> dict[str, Any]:
    """Qwen 3, dense: norms of queries and keys per head."""
    bias = config.flag("attention_bias", default=False)
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    return decoder(config, style, dense(config), windows=qwen_windows(config))


def mimo(config: Config) -> dict[str, Any]:
    """MiMo 7B: Qwen 2, whose config class its own extends, with heads that predict further tokens."""
    config.defaults = defaults_of("qwen2")
    body = qwen2(config)
    return with_stated_mtp(config, body)


def with_stated_mtp(config: Config, body: dict[str, Any]) -> dict[str, Any]:
    """The body with as many heads that predict further tokens as the file states, each like the last layer."""
    return with_mtp(body, config.whole("num_nextn_predict_layers", default=0, null=0, least=0))


def with_mtp(body: dict[str, Any], count: int, block: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body with `count` heads that predict further tokens, each with a block like the last layer's."""
    if count:
        last = dict(block or body["blocks"][-1])
        last.pop("name", None)
        body["mtp"] = {**last, "layers": count}
    return body


def phi(config: Config) -> dict[str, Any]:
    """Phi-1 to Phi-2: one norm, attention and feed-forward side by side, biases everywhere, half of a head rotated."""
    norm = {"qk_norm": "head", "qk_norm_kind": "layer", "qk_norm_bias": True}
    attention = norm if config.flag("qk_layernorm", default=False) else {}
    biased = Style(norm="layer", norm_bias=True, qkv_bias=True, output_bias=True)
    style = biased._replace(norms=1, parallel=True, rotary_fraction=0.5, attention=attention)
    return decoder(config, style, dense(config, gated=False, bias=True)) | {"head_bias": True}


def glm(config: Config) -> dict[str, Any]:
    """GLM-4 9B: biases on queries, keys and values, half of a head rotated."""
    return decoder(config, _glm_style(config), dense(config))


def glm4(config: Config) -> dict[str, Any]:
    """GLM-4-0414: as GLM, with norms around attention and feed-forward."""
    return decoder(config, _glm_style(config)._replace(norms=4), dense(config))


def _glm_style(config: Config) -> Style:
    return Style(qkv_bias=config.flag("attention_bias", default=True), rotary_fraction=0.5)


def nemotron(config: Config) -> dict[str, Any]:
    """Nemotron, Minitron: layer norms, a squared ReLU without a gate, half of a head rotated."""
    bias = config.flag("attention_bias", default=False)
    style = Style(norm="layer", norm_bias=True, qkv_bias=bias, output_bias=bias)
    style = style._replace(rotary_fraction=0.5, rotary_keys=("rope_percent", "rope_percentage"))
    return decoder(config, style, dense(config, gated=False, bias=config.flag("mlp_bias", default=False)))


def olmo(config: Config) -> dict[str, Any]:
    """OLMo: layer norms without weights."""
    bias = config.flag("attention_bias", default=False)
    style = Style(norm="layer", norm_weight=False, qkv_bias=bias, output_bias=bias)
    return decoder(config, style, dense(config))


def olmo2(config: Config) -> dict[str, Any]:
    """OLMo 2 and 3: norms of what attention and feed-forward give, and of whole queries and keys; OLMo 3 slides in
    three of four layers.
    """
    bias = config.flag("attention_bias", default=False)
    style = Style(placement="output", qkv_bias=bias, output_bias=bias, attention={"qk_norm": "width"})
    windows = None
    if config.data["model_type"] == "olmo3":
        windows = window_pattern(config, config.whole("num_hidden_layers"), every=4)
    return decoder(config, style, dense(config), windows=windows)


def stablelm(config: Config) -> dict[str, Any]:
    """StableLM: layer norms with a bias, a quarter of a head rotated; one norm where the block is parallel."""
    parallel = config.flag("use_parallel_residual", default=False)
    norm = {"qk_norm": "heads", "qk_norm_kind": "layer"}
    bias = config.flag("use_qkv_bias", default=False)
    config.ignore("rotary_scaling_factor")
    attention = norm if config.flag("qk_layernorm", default=False) else {}
    style = Style(norm="layer", norm_bias=True, qkv_bias=bias, rotary_fraction=0.25, rotary_keys=("rope_pct",))
    style = style._replace(norms=1 if parallel else 2, parallel=parallel, attention=attention)
    return decoder(config, style, dense(config))


def cohere(config: Config) -> dict[str, Any]:
    """Command R: one layer norm without a bias, attention and feed-forward side by side; Command R7B and A slide in
    three of four layers and rotate in those alone.
    """
    bias = config.flag("attention_bias", default=False)
    second = config.data["model_type"] == "cohere2"
    norm = {"qk_norm": "heads", "qk_norm_kind": "layer"}
    attention = norm if not second and config.flag("use_qk_norm", default=False) else {}
    style = Style(norm="layer", norms=1, parallel=True, qkv_bias=bias, output_bias=bias, attention=attention)
    if second:
        config.must_be("use_qk_norm", False)
        keys = ("sliding_window_pattern", "_sliding_window_pattern")
        windows = window_pattern(config, config.whole("num_hidden_layers"), every=4, keys=keys)
        return decoder(config, style, dense(config), windows=windows, unrotated=[w is None for w in windows])
    return decoder(config, style, dense(config))


def starcoder2(config: Config) -> dict[str, Any]:
    """StarCoder 2: layer norms, biases by one flag, no gate."""
    bias = config.flag("use_bias")
    config.must_be("norm_type", "layer_norm")
    config.must_be("mlp_type", "default")
    style = Style(norm="layer", norm_bias=True, qkv_bias=bias, output_bias=bias)
    windows = [config.whole_or_none("sliding_window")] * config.whole("num_hidden_layers")
    feed_forward = dense(config, gated=False, bias=bias)
    config.ignore("activation_function")
    return decoder(config, style, feed_forward, windows=windows)


def smollm3(config: Config) -> dict[str, Any]:
    """SmolLM 3: every fourth layer has no positions."""
    bias = config.flag("attention_bias", default=False)
    layers = config.whole("num_hidden_layers")
    period = config.whole("no_rope_layer_interval", default=4)
    rotated = config.wholes("no_rope_layers", length=layers)
    unrotated = [not flag for flag in rotated] if rotated else [not (i + 1) % period for i in range(layers)]
    used = config.flag("use_sliding_window", default=False)
    window = config.whole_or_none("sliding_window")
    windows = windows_of(config, window, [used and window is not None and still for still in unrotated])
    style = Style(qkv_bias=bias, output_bias=bias)
    feed_forward = dense(config, bias=config.flag("mlp_bias", default=False))
    return decoder(config, style, feed_forward, windows=windows, unrotated=unrotated)


def exaone4(config: Config) -> dict[str, Any]:
    """EXAONE 4: norms of what attention and feed-forward give; where layers slide, only those rotate.

    EXAONE 4.5 has heads that predict further tokens; that their blocks are those of the model is not verified.
    """
    layers = config.whole("num_hidden_layers")
    pattern, window = config.raw("sliding_window_pattern"), config.whole_or_none("sliding_window")
    if isinstance(pattern, str):
        if not pattern or set(pattern) - {"L", "G"}:
            config.unsupported("sliding_window_pattern", f"{pattern[:40]!r} is not modelled", "Understood: L and G.")
        slides = [pattern[index % len(pattern)] == "L" and index + 1 < layers for index in range(layers)]
    else:
        period = config.whole("sliding_window_pattern", null=layers + 1, least=0)
        slides = [bool(period) and (index + 1) % period != 0 for index in range(layers)]
    windows = windows_of(config, window, [slide and window is not None for slide in slides])
    unrotated = [window is not None and found is None for found in windows]
    style = Style(placement="output", attention=_HEAD_NORM)
    body = decoder(config, style, dense(config), windows=windows, unrotated=unrotated)
    return with_stated_mtp(config, body)
