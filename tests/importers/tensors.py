"""Sizes of quantised checkpoints, tensor by tensor: names and shapes written out by hand, apart from the program's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

#: The bytes of a matrix of [inputs, outputs] by the name of its module; None where it stays in 16 bit.
Stored = Callable[[str, int, int], float | None]


def groups(bits: float, scales: float, size: int, tensor: float = 0.0) -> Callable[[int, int], float]:
    """Bytes of a matrix with `scales` bits for each `size` inputs of an output, and `tensor` for all of it."""
    return lambda k, n: (bits * k * n + scales * math.ceil(k / size) * n + tensor) / 8


def channels(bits: float, scales: float) -> Callable[[int, int], float]:
    """Bytes of a matrix with `scales` bits for each output."""
    return lambda k, n: (bits * k * n + scales * n) / 8


def total(config: dict[str, Any], stored: Stored) -> float:
    """Bytes of all tensors of a small config."""
    text = config.get("text_config", config)
    width, vocabulary = text["hidden_size"], text["vocab_size"]
    size, vectors = 0.0, width
    ends = [("model.embed_tokens", width, vocabulary)]
    ends += [] if config.get("tie_word_embeddings") else [("lm_head", width, vocabulary)]
    for index in range(text["num_hidden_layers"]):
        prefix = f"model.{'language_model.' if 'text_config' in config else ''}layers.{index}"
        matrices, own = _layer(text, index)
        vectors += own + 2 * width
        ends += [(f"{prefix}.{name}", k, n) for name, k, n in matrices]
    for name, k, n in ends:
        found = stored(name, k, n)
        size += 2.0 * k * n if found is None else found
    return size + 2.0 * vectors


def _layer(text: dict[str, Any], index: int) -> tuple[list[tuple[str, int, int]], int]:
    """The matrices of a layer, and the elements of its vectors beside the two norms over the width."""
    linear = text.get("layer_types", [""] * (index + 1))[index] == "linear_attention"
    matrices, vectors = (_delta if linear else _attention)(text)
    return [*matrices, *_feed_forward(text)], vectors


def _attention(text: dict[str, Any]) -> tuple[list[tuple[str, int, int]], int]:
    width, heads, groups_ = text["hidden_size"], text["num_attention_heads"], text["num_key_value_heads"]
    dim = text.get("head_dim") or width // heads
    gated = 2 if "linear_num_key_heads" in text else 1
    normed = "head_dim" in text
    matrices = [
        ("self_attn.q_proj", width, gated * heads * dim),
        ("self_attn.k_proj", width, groups_ * dim),
        ("self_attn.v_proj", width, groups_ * dim),
        ("self_attn.o_proj", heads * dim, width),
    ]
    return matrices, 2 * dim if normed else 0


def _delta(text: dict[str, Any]) -> tuple[list[tuple[str, int, int]], int]:
    width, heads = text["hidden_size"], text["linear_num_value_heads"]
    keys = text["linear_num_key_heads"] * text["linear_key_head_dim"]
    values = heads * text["linear_value_head_dim"]
    matrices = [
        ("linear_attn.in_proj_qkv", width, 2 * keys + values),
        ("linear_attn.in_proj_z", width, values),
        ("linear_attn.in_proj_b", width, heads),
        ("linear_attn.in_proj_a", width, heads),
        ("linear_attn.out_proj", values, width),
    ]
    convolution = (2 * keys + values) * text["linear_conv_kernel_dim"]
    return matrices, convolution + 2 * heads + text["linear_value_head_dim"]


def _feed_forward(text: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    width = text["hidden_size"]
    if "num_experts" not in text:
        yield from _three("mlp", width, text["intermediate_size"])
        return
    yield "mlp.gate", width, text["num_experts"]
    for expert in range(text["num_experts"]):
        yield from _three(f"mlp.experts.{expert}", width, text["moe_intermediate_size"])
    if shared := text.get("shared_expert_intermediate_size"):
        yield from _three("mlp.shared_expert", width, shared)
        yield "mlp.shared_expert_gate", width, 1


def _three(module: str, width: int, hidden: int) -> Iterator[tuple[str, int, int]]:
    yield f"{module}.gate_proj", width, hidden
    yield f"{module}.up_proj", width, hidden
    yield f"{module}.down_proj", hidden, width
