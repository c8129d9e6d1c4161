"""Nemotron of neural architecture search: Llama whose layers differ in heads, widths and what they leave out.

Sources: nvidia/Llama-3_1-Nemotron-51B-Instruct and Llama-3_3-Nemotron-Super-49B-v1, configuration_decilm.py and
modeling_decilm.py; vllm-project/vllm, nemotron_nas.py.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, softmax
from roofline.importers.huggingface.defaults import defaults_of

#: Widths of feed-forwards are rounded up to a multiple of this.
_MULTIPLE: Final = 256
_LAYER: Final = {"norms": 1}


def nas(config: Config) -> dict[str, Any]:
    """Nemotron 51B, 49B and 253B: `block_configs` says of each layer's attention and feed-forward what they are."""
    config.defaults = defaults_of("llama")
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads = config.whole("num_attention_heads")
    head_dim = parts.head_dim_of(config, width, heads)
    config.ignore("num_key_value_heads", "intermediate_size", "num_key_value_heads_per_layer")
    biases, bias = parts.attention_biases(config), config.flag("mlp_bias", default=False)
    activation = parts.activation(config, "hidden_act")
    found: list[tuple[int, dict[str, Any]]] = []
    for index, (attention, feed_forward) in enumerate(_layers(config, layers)):
        mixed = _attention(attention, heads, head_dim, biases)
        dense = _feed_forward(feed_forward, width, activation, bias=bias)
        found += [(index, layer) for layer in _sublayers(mixed, dense)]
    blocks = parts.merged([layer for _, layer in found])
    for group in blocks:
        group["at"] = [found[place][0] for place in group["at"]]
    return body_of(config, width, parts.rotary(config, head_dim), blocks)


def _layers(config: Config, layers: int) -> list[tuple[Config, Config]]:
    """The mappings of each layer's attention and feed-forward."""
    listed = config.items("block_configs", length=layers)
    if listed is None:
        config.refuse("block_configs", "is missing: it says what each layer is made of")
    found = []
    for index, block in enumerate(listed):
        path = (*config.path, "block_configs", index)
        if not isinstance(block, dict):
            config.refuse("block_configs", f"item {index} must be a mapping")
        layer = Config(config.document, block, path)
        config.children.append(layer)
        attention, feed_forward = layer.section("attention"), layer.section("ffn")
        if attention is None or feed_forward is None:
            config.refuse("block_configs", f"item {index} needs attention and ffn")
        found.append((attention, feed_forward))
    return found


def _attention(own: Config, heads: int, head_dim: int, biases: dict[str, bool]) -> dict[str, Any] | None:
    """Softmax attention, a matrix in its place, or nothing."""
    left_out, linear = own.flag("no_op", default=False), own.flag("replace_with_linear", default=False)
    group, window = (
        own.whole_or_none("n_heads_in_group", default=None),
        own.whole_or_none("window_length", default=None),
    )
    own.ignore("use_prefill_window_in_sink_attention", "unshifted_sink")
    for key in ("num_sink_tokens", "sparsify"):
        own.must_be(key, None, False, default=None)
    if left_out:
        return None
    if linear:
        return {"kind": "linear", **({"bias": True} if biases else {})}
    if group is None:
        own.refuse("n_heads_in_group", "must say how many query heads share a key-value head")
    attention = softmax(heads, own.divides("n_heads_in_group", heads, "heads", group), head_dim, **biases)
    return attention | ({} if window is None else {"window": window})


def _feed_forward(own: Config, width: int, activation: str, *, bias: bool) -> dict[str, Any] | None:
    """A gated feed-forward of two thirds of `ffn_mult` widths, rounded up; a matrix in its place; or nothing."""
    left_out, linear = own.flag("no_op", default=False), own.flag("replace_with_linear", default=False)
    own.must_be("sparsify", None, False, default=None)
    stated, factor = own.whole_or_none("intermediate_size", default=None), own.raw("ffn_mult", default=None)
    if left_out:
        return None
    if linear:
        return {"kind": "linear", **({"bias": True} if bias else {})}
    if stated is None and factor is None:
        own.refuse("ffn_mult", "must say how wide the feed-forward is")
    inner = stated if stated is not None else _MULTIPLE * -(-int(2 * own.number("ffn_mult") * width / 3) // _MULTIPLE)
    return dense_block(max(inner, 1), activation, bias=bias)


def _sublayers(mixed: dict[str, Any] | None, dense: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A layer as blocks: one where it is whole, each sublayer for itself where one is a matrix or left out."""
    if mixed is not None and dense is not None and dense["kind"] == "dense":
        return [{"attention": mixed, "feed_forward": dense}]
    found = []
    if mixed is not None:
        found.append({"attention": mixed, **_LAYER})
    if dense is not None:
        of = "feed_forward" if dense["kind"] == "dense" else "attention"
        found.append({of: dense, **_LAYER})
    return found
