"""Routed experts behind softmax attention that slides in some layers, or whose norms stand elsewhere.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    Style,
    decoder,
    dense_block,
    mixed,
    routed,
    window_pattern,
    windows_of,
    with_shared,
)
from roofline.importers.huggingface.dense.llama import with_mtp, with_stated_mtp
from roofline.importers.huggingface.dense.looped import granite_layers
from roofline.importers.huggingface.experts.gated import sparse_by_name
from roofline.importers.huggingface.experts.mixtral import qwen_feed_forward

_HEAD_NORM: Final = {"qk_norm": "head"}


def hy_v3(config: Config) -> dict[str, Any]:
    """Hunyuan V3: a dense layer first, then experts with shared ones, whose number 0 means one as wide as a dense
    layer's.
    """
    layers, bias = config.whole("num_hidden_layers"), config.flag("attention_bias")
    activation, biased = parts.activation(config, "hidden_act"), config.flag("mlp_bias")
    config.ignore("enable_moe_fp32_combine")
    dense = dense_block(config.whole("intermediate_size"), activation, bias=biased)
    experts = routed(config, activation, experts="num_experts")
    shared = config.whole("num_shared_experts", null=0, least=0) * experts["width"]
    experts |= {"shared_width": shared or dense["width"], **({"shared_bias": True} if biased else {})}
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    body = decoder(config, style, mixed(dense, experts, sparse_by_name(config, layers, 1)))
    return with_stated_mtp(config, body)


def exaone_moe(config: Config) -> dict[str, Any]:
    """EXAONE MoE: norms of queries and keys; where layers slide, only those rotate; dense layers first."""
    layers, window = config.whole("num_hidden_layers"), config.whole_or_none("sliding_window")
    pattern = config.raw("sliding_window_pattern")
    if isinstance(pattern, str) and (not pattern or set(pattern) - {"L", "G"}):
        config.unsupported("sliding_window_pattern", f"{pattern[:40]!r} is not modelled", "Understood: L and G.")
    if isinstance(pattern, str):
        slides = [pattern[index % len(pattern)] == "L" for index in range(layers)]
    else:
        period = config.whole("sliding_window_pattern", null=1, least=1)
        slides = [(index + 1) % period != 0 for index in range(layers)]
    windows = windows_of(config, window, [slide and window is not None for slide in slides])
    first = config.whole("first_k_dense_replace", least=0)
    activation = parts.activation(config, "hidden_act")
    dense = dense_block(config.whole("intermediate_size"), activation)
    experts = routed(config, activation, experts="num_experts")
    experts = with_shared(experts, config.whole("num_shared_experts", least=0))
    forward = mixed(dense, experts, sparse_by_name(config, layers, first))
    unrotated = [window is not None and found is None for found in windows]
    body = decoder(config, Style(attention=_HEAD_NORM), forward, windows=windows, unrotated=unrotated)
    return with_stated_mtp(config, body)


def cohere2_moe(config: Config) -> dict[str, Any]:
    """Cohere 2 MoE: one norm, attention and experts side by side; dense layers first, which may rotate all."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("attention_bias")
    first = config.whole("first_k_dense_replace", default=0, null=0, least=0)
    prefix, rest = config.whole("prefix_dense_sliding_window_pattern"), config.whole("sliding_window_pattern")
    slides = [(index + 1) % prefix != 0 for index in range(min(first, layers))]
    slides += [(index + 1) % rest != 0 for index in range(layers - len(slides))]
    window = config.whole_or_none("sliding_window")
    if window is None:
        config.unsupported("sliding_window", "null is not modelled")
    windows = windows_of(config, window, slides)
    sparse = sparse_by_name(config, layers, first)
    config.ignore("shared_expert_combination_strategy", "expert_selection_fn")
    activation, width = parts.activation(config, "hidden_act"), config.whole("intermediate_size")
    dense = dense_block(config.whole("prefix_dense_intermediate_size", default=width, null=width), activation)
    experts = routed(config, activation, width="intermediate_size", experts="num_experts")
    experts = with_shared(experts, config.whole("num_shared_experts", least=0))
    norm = "layer" if config.raw("rms_norm_eps", default=None) is None else "rms"
    style = Style(norm=norm, norms=1, parallel=True, qkv_bias=bias, output_bias=bias)
    still = [window is None and (moe or prefix != 1) for window, moe in zip(windows, sparse, strict=True)]
    return decoder(config, style, mixed(dense, experts, sparse), windows=windows, unrotated=still)


def mellum(config: Config) -> dict[str, Any]:
    """Mellum: Qwen 3 MoE with layers that slide and dense layers by name; a head that predicts further tokens."""
    layers = config.whole("num_hidden_layers")
    windows = window_pattern(config, layers)
    activation = parts.activation(config, "hidden_act")
    experts = routed(config, activation, experts="num_local_experts")
    dense = dense_block(config.whole("intermediate_size"), activation)
    bias = config.flag("attention_bias")
    style = Style(qkv_bias=bias, output_bias=bias, attention=_HEAD_NORM)
    body = decoder(config, style, mixed(dense, experts, sparse_by_name(config, layers, 0)), windows=windows)
    further = config.whole("num_nextn_predict_layers", "num_mtp_layers", default=0, null=0, least=0)
    if further > 1:
        config.refuse("num_nextn_predict_layers", f"{further}: the class takes one")
    kinds = config.texts("mtp_layer_types", length=further, choices=("full_attention", "sliding_attention"))
    forwards = config.texts("mtp_mlp_layer_types", length=further, choices=("dense", "sparse"))
    if further:
        attention = {key: value for key, value in body["blocks"][-1]["attention"].items() if key != "window"}
        if kinds != ["full_attention"]:
            attention["window"] = config.whole("sliding_window")
        block = {"attention": attention, "feed_forward": dense if forwards == ["dense"] else experts}
        body = with_mtp(body, further, block)
    return body


def granitemoe_swa(config: Config) -> dict[str, Any]:
    """Granite MoE with windows in three of four layers, sinks, and layers without positions by their theta."""
    shared = config.whole("shared_intermediate_size", null=0, least=0)
    experts = routed(config, width="intermediate_size", shared_width=shared)
    windows, unrotated, style = granite_layers(config)
    return decoder(config, style, lambda index: experts, windows=windows, unrotated=unrotated)


def flex_olmo(config: Config) -> dict[str, Any]:
    """FlexOlmo: OLMo 2 with experts: norms of what attention and experts give, and of whole queries and keys."""
    bias = config.flag("attention_bias")
    experts = routed(config, width="intermediate_size", experts="num_experts")
    attention = {"qk_norm": "width"}
    style = Style(placement="output", qkv_bias=bias, output_bias=bias, attention=attention)
    return decoder(config, style, lambda index: experts)


def kolibri1(config: Config) -> dict[str, Any]:
    """Kolibri: norms around attention and experts; where layers slide, only those rotate."""
    layers, window = config.whole("num_hidden_layers"), config.whole_or_none("sliding_window")
    windows = windows_of(config, window, [bool((index + 1) % 5) for index in range(layers)])
    shared = config.whole("shared_expert_intermediate_size", least=0)
    experts = routed(config, experts="num_local_experts", shared_width=shared)
    style = Style(norms=4, attention=_HEAD_NORM)
    unrotated = [window is not None and found is None for found in windows]
    return decoder(config, style, lambda index: experts, windows=windows, unrotated=unrotated)


def flint(config: Config) -> dict[str, Any]:
    """Flint: Qwen 3 MoE with sinks, a shared expert without a gate, and positions in the layers that slide alone."""
    layers, window = config.whole("num_hidden_layers"), config.whole_or_none("sliding_window")
    full = [index < 2 or index % 4 == 1 or index == layers - 1 for index in range(layers)]
    windows = windows_of(config, window, [not whole for whole in full])
    forward = qwen_feed_forward(config, shared=True, gate=False, dense_first=2)
    bias = config.flag("attention_bias")
    style = Style(qkv_bias=bias, output_bias=bias, attention={**_HEAD_NORM, "sinks": True})
    return decoder(config, style, forward, windows=windows, unrotated=[found is None for found in windows])


def aria(config: Config) -> dict[str, Any]:
    """Aria's language model: Llama with experts and shared ones in every layer."""
    bias, biased = config.flag("attention_bias"), config.flag("mlp_bias")
    activation = parts.activation(config, "hidden_act")
    experts = routed(config, "silu", width="intermediate_size", experts="moe_num_experts", top_k="moe_topk")
    experts = with_shared(experts, config.whole("moe_num_shared_experts", least=0)) | {"activation": activation}
    if biased and experts.get("shared_width"):
        experts["shared_bias"] = True
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), lambda index: experts)
