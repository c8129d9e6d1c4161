"""Routed experts behind attention whose output a gate multiplies: AFMoE (Trinity), Laguna, Beam.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import (
    FeedForward,
    Style,
    body_of,
    decoder,
    dense_block,
    layer,
    mixed,
    routed,
    softmax,
    window_pattern,
    with_shared,
)

_GATED: dict[str, Any] = {"qk_norm": "head", "output_gate": "element", "gate_bias": False}


def afmoe(config: Config) -> dict[str, Any]:
    """AFMoE: norms around attention and feed-forward, dense layers first, positions in the layers that slide alone."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("attention_bias")
    windows = window_pattern(config, layers, every=4, keys=("global_attn_every_n_layers",))
    config.ignore("mup_enabled", "n_group", "topk_group", "num_limited_groups", "num_expert_groups")
    first = config.whole("num_dense_layers", null=0, least=0)
    activation = parts.activation(config, "hidden_act")
    dense = dense_block(config.whole("intermediate_size"), activation)
    experts = routed(config, activation, experts="num_experts") | {"router_bias": True}
    experts = with_shared(experts, config.whole("num_shared_experts", null=0, least=0))
    style = Style(norms=4, qkv_bias=bias, output_bias=bias, attention=_GATED)
    forward = mixed(dense, experts, [index >= first for index in range(layers)])
    return decoder(config, style, forward, windows=windows, unrotated=[window is None for window in windows])


def laguna(config: Config) -> dict[str, Any]:
    """Laguna: layers with heads of their own number, a gate per head, part of a head rotated by kind of layer."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), ["full_attention"] * layers)
    heads = _heads_by_layer(config, layers)
    kv_heads, head_dim = config.whole("num_key_value_heads"), config.whole("head_dim")
    config.must_be("moe_apply_router_weight_on_input", False)
    config.ignore("moe_router_logit_softcapping", "moe_routed_scaling_factor")
    gating = config.raw("gating", default=True)
    gate = "head" if gating in (True, "per-head") else "element"
    common: dict[str, Any] = {**_GATED, "output_gate": gate, **parts.attention_biases(config)}
    forward = _laguna_feed_forward(config, layers)
    blocks = []
    for index, kind in enumerate(kinds):
        if heads[index] % kv_heads:
            config.refuse("num_attention_heads", f"{heads[index]} heads do not divide among {kv_heads} key-value heads")
        attention = softmax(heads[index], kv_heads, head_dim, **common) | _rotated(config, kind, head_dim)
        if kind == "sliding_attention":
            attention["window"] = config.whole("sliding_window")
        blocks.append(layer(attention, forward(index), Style()))
    config.ignore("sliding_window", "intermediate_size")
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks))


def _heads_by_layer(config: Config, layers: int) -> list[int]:
    listed = config.wholes("num_attention_heads_per_layer", length=layers, least=1)
    heads = config.whole("num_attention_heads")
    return [heads] * layers if listed is None else listed


def _rotated(config: Config, kind: str, head_dim: int) -> dict[str, Any]:
    """How much of a head is rotated in layers of a kind: in `rope_parameters`, else half of it in full attention."""
    nested = config.data.get("rope_parameters")
    own = nested.get(kind) if isinstance(nested, dict) else {"partial_rotary_factor": 0.5 if "full" in kind else 1.0}
    part = own.get("partial_rotary_factor", 1.0) if isinstance(own, dict) else 1.0
    if isinstance(part, bool) or not isinstance(part, (int, float)) or not 0 < part <= 1:
        config.refuse("rope_parameters", f"partial_rotary_factor of {kind} is not a part of a head, from 0 to 1")
    rotated = max(int(head_dim * part) // 2 * 2, 2)
    return {} if rotated == head_dim else {"rotary_dim": rotated}


def _laguna_feed_forward(config: Config, layers: int) -> FeedForward:
    activation = parts.activation(config, "hidden_act")
    sparse = sparse_by_name(config, layers, 1)
    experts: dict[str, Any] = {}
    if any(sparse):
        shared = config.whole("shared_expert_intermediate_size", least=0)
        experts = routed(config, activation, experts="num_experts", shared_width=shared) | {"router_bias": True}
    dense = {} if all(sparse) else dense_block(config.whole("intermediate_size"), activation)
    return mixed(dense, experts, sparse)


def sparse_by_name(config: Config, layers: int, first: int) -> list[bool]:
    """Which layers have experts: `mlp_layer_types`, else all but the `first` ones."""
    kinds = config.texts("mlp_layer_types", length=layers, choices=("dense", "sparse"))
    return [index >= first for index in range(layers)] if kinds is None else [kind == "sparse" for kind in kinds]


def beam(config: Config) -> dict[str, Any]:
    """Beam: norms around attention and feed-forward, a gate per element with a bias per head, dense layers first."""
    layers = config.whole("num_hidden_layers")
    otherwise = ["sliding_attention" if (index + 1) % 6 else "full_attention" for index in range(layers)]
    otherwise[-1] = "full_attention"
    kinds = parts.layer_kinds(config, layers, ("full_attention", "sliding_attention"), otherwise)
    windows = _windows(config, kinds)
    nested = config.data.get("rope_parameters")
    rotary = nested if isinstance(nested, dict) else {"sliding_attention": {}, "full_attention": None}
    activation = parts.activation(config, "hidden_act")
    dense = dense_block(config.whole("intermediate_size"), activation)
    experts = routed(config, activation, experts="num_experts")
    bias = config.flag("attention_bias")
    style = Style(norms=4, qkv_bias=bias, output_bias=bias, attention=_GATED)
    forward = mixed(dense, experts, sparse_by_name(config, layers, 3))
    unrotated = [rotary.get(kind) is None for kind in kinds]
    body = decoder(config, style, forward, windows=windows, unrotated=unrotated)
    return body | {"blocks": [{**block, "scales": block["attention"]["heads"]} for block in body["blocks"]]}


def _windows(config: Config, kinds: Sequence[str]) -> list[int | None]:
    window = config.whole_or_none("sliding_window")
    if "sliding_attention" in kinds and window is None:
        config.refuse("sliding_window", "is null, but layers slide")
    return [window if kind == "sliding_attention" else None for kind in kinds]
