"""Decoders that run some of their layers more than once: Dory, HRM-Text; and Granite with windows.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    Style,
    body_of,
    decoder,
    dense,
    dense_block,
    layer,
    softmax,
    windows_of,
)

_KINDS = ("full_attention", "sliding_attention", "mlp")


def dory(config: Config) -> dict[str, Any]:
    """Dory: norms without weights and learned factors in their place; layers in the middle run `n_recurrent_loops`
    times, each time with a cache of their own. Files list attention and feed-forward as layers of their own. The factor
    of each logit counts as a bias of the head does.
    """
    listed = config.texts("layer_types", choices=_KINDS)
    pairs = 2 if listed is not None and "mlp" in listed else 1
    layers = config.whole("num_hidden_layers") // pairs
    kinds = _kinds(config, listed, layers, pairs)
    config.must_be("recurrent_kv_cache_mode", "per_loop")
    config.ignore("ngpt_alpha_init")
    width = config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim, inner = config.whole("head_dim"), config.whole("intermediate_size")
    biases = parts.attention_biases(config)
    plain = {"qk_norm": "plain", "output_gate": "element", "gate_bias": False, **biases}
    attention = softmax(heads, kv_heads, head_dim, **plain)
    bias = config.flag("mlp_bias")
    forward = dense_block(inner, parts.activation(config, "hidden_act"), bias=bias)
    scales = 2 * (heads * head_dim + inner + width)
    blocks = []
    seen: set[int] = set()
    for index in _visits(config, layers, pairs):
        own = dict(attention)
        if kinds[index] == "sliding_attention":
            own["window"] = config.whole("sliding_window")
        block = layer(own, forward, Style(norms=4)) | {"scales": scales}
        blocks.append(block if index not in seen else block | {"held": False})
        seen.add(index)
    config.ignore("sliding_window")
    body = body_of(config, width, {"kind": "rotary"}, parts.merged(blocks), norm={"kind": "rms", "weight": False})
    return body | {"head_bias": True}


def _kinds(config: Config, listed: list[str] | None, layers: int, pairs: int) -> list[str]:
    """The attention of each layer."""
    if listed is None:
        return ["sliding_attention" if (index + 1) % 4 else "full_attention" for index in range(layers)]
    if len(listed) != layers * pairs or (pairs == 2 and set(listed[1::2]) != {"mlp"}) or "mlp" in listed[::pairs]:
        config.refuse("layer_types", f"does not name attention and feed-forward of each of {layers} layers in turn")
    return listed[::pairs]


def _visits(config: Config, layers: int, pairs: int) -> Sequence[int]:
    """The layers in the order in which they run: the first ones, loops over those in the middle, the last ones."""
    first, last = config.whole("n_input_layers", least=0) // pairs, config.whole("n_output_layers", least=0) // pairs
    middle = config.raw("n_recurrent_layers")
    middle = layers - first - last if middle is None else _number(config, middle) // pairs
    if first + middle + last != layers:
        config.refuse("n_recurrent_layers", f"{first} + {middle} + {last} layers are not {layers}")
    loops, order = config.whole("n_recurrent_loops"), list(range(layers))
    if middle < 0:
        key = "n_recurrent_layers" if config.given("n_recurrent_layers") else "n_input_layers"
        config.notes.append(f"{key}: more first and last layers than there are; the reference code does not run it")
    if loops * max(middle, 0) > 10_000:
        config.refuse("n_recurrent_loops", f"{loops} loops over {middle} layers are more than 10,000")
    return [*order[:first], *order[first : first + middle] * loops, *order[layers - last :]]


def _number(config: Config, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10_000:
        config.refuse("n_recurrent_layers", "must be a whole number of layers")
    return value


def hrm_text(config: Config) -> dict[str, Any]:
    """HRM-Text: two stacks of layers, of which the lower runs `L_cycles` times before each of `H_cycles` runs of the
    higher, each run with a cache of its own. The state that the lower one starts from is learned.
    """
    width, stack = config.whole("hidden_size"), config.whole_or_none("num_layers_per_stack")
    layers = stack or config.whole("num_hidden_layers")
    high, low = config.whole("H_cycles"), config.whole("L_cycles")
    if layers * high * (low + 1) > 10_000:
        config.refuse("H_cycles", "makes more than 10,000 layers")
    if stack and config.has("num_hidden_layers") and config.whole("num_hidden_layers") != stack * high * (low + 1):
        config.refuse("num_hidden_layers", f"is not num_layers_per_stack * H_cycles * (L_cycles + 1) for {stack}")
    config.ignore("num_hidden_layers", "L_bp_cycles", "embedding_scale", "prefix_lm", "num_key_value_heads")
    heads = config.whole("num_attention_heads")
    attention = softmax(heads, heads, config.whole("head_dim"), output_gate="element", **parts.attention_biases(config))
    inner, bias = config.whole("intermediate_size"), config.flag("mlp_bias")
    forward = dense_block(inner, parts.activation(config, "hidden_act"), bias=bias)
    block = {"attention": attention, "feed_forward": forward}
    blocks: list[dict[str, Any]] = [{"name": "low-first", "layers": 1, **block, "scales": width}]
    if layers > 1:
        blocks.append({"name": "low", "layers": layers - 1, **block})
    blocks.append({"name": "high", "layers": layers, **block})
    again = {"low-again": layers * (high * low - 1), "high-again": layers * (high - 1)}
    blocks += [{"name": name, "layers": count, **block, "held": False} for name, count in again.items() if count]
    return body_of(config, width, {"kind": "rotary"}, blocks, norm={"kind": "rms", "weight": False})


def granite_swa(config: Config) -> dict[str, Any]:
    """Granite with windows in three of four layers, sinks, and layers without positions by their theta."""
    windows, unrotated, style = granite_layers(config)
    forward = dense(config, bias=config.flag("mlp_bias"))
    return decoder(config, style, forward, windows=windows, unrotated=unrotated)


def granite_layers(config: Config) -> tuple[list[int | None], list[bool], Style]:
    """Windows, layers without positions, and what all layers have, of the Granite families that slide."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("attention_bias")
    window = config.whole_or_none("sliding_window")
    windows = windows_of(config, window, [index % 4 > 0 for index in range(layers)])
    thetas = config.items("layer_rope_theta", length=layers)
    unrotated = [thetas is not None and not thetas[index] for index in range(layers)]
    return windows, unrotated, Style(qkv_bias=bias, output_bias=bias, attention={"sinks": True})
