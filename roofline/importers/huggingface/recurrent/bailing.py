"""Hybrids of the delta rule with experts everywhere: Bailing (Ling, Ring) and Lara Mini.

Source: the config and model classes of transformers 5.24.0, bailing_hybrid and lara_mini.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, mixed, routed, softmax, with_shared
from roofline.importers.huggingface.experts.gated import sparse_by_name
from roofline.importers.huggingface.experts.latent import latent_attention, latent_body, mtp_layers
from roofline.importers.huggingface.recurrent.linear import gated_delta

_KINDS = ("linear_attention", "full_attention")


def bailing_hybrid(config: Config) -> dict[str, Any]:
    """Ling 3: every `layer_group_size`-th layer latent attention with a gate per head; dense layers first.

    The class never ties the head to the embedding.
    """
    layers, heads = config.whole("num_hidden_layers"), config.whole("num_attention_heads")
    config.ignore("kda_safe_gate", "kda_lower_bound", "mtp_loss_scaling_factor", "tie_word_embeddings")
    dim = config.whole("linear_head_dim", default=None)
    if dim is None:
        dim = config.whole("head_dim")
    delta = {
        "kind": "kimi_delta",
        "heads": config.whole("linear_num_heads", default=heads),
        "head_dim": dim,
        "kernel": config.whole("linear_conv_kernel_dim", default=config.whole("short_conv_kernel_size")),
    }
    latent = latent_attention(config) | {"output_gate": "head"}
    period, first = config.whole("layer_group_size"), config.whole("first_k_dense_replace", least=0)
    otherwise = ["linear_attention" if (index + 1) % period else "full_attention" for index in range(layers)]
    kinds = parts.layer_kinds(config, layers, _KINDS, otherwise)
    activation = parts.activation(config, "hidden_act")
    experts = routed(config, activation, experts="num_experts", top_k="num_experts_per_token")
    experts = with_shared(experts, config.whole("num_shared_experts", null=0, least=0))
    dense = dense_block(config.whole("intermediate_size"), activation)
    forward = mixed(dense, experts, sparse_by_name(config, layers, first))
    attentions = [latent if kind == "full_attention" else delta for kind in kinds]
    return latent_body(config, attentions, forward, mtp_layers(config)) | {"tied_embeddings": False}


def lara_mini(config: Config) -> dict[str, Any]:
    """Lara Mini: gated delta nets, layers that slide and rotate, and full attention without positions, by turns."""
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    attention = softmax(heads, kv_heads, config.whole("head_dim"), qk_norm="head", **parts.attention_biases(config))
    turns = ("linear_attention", "sliding_attention", "linear_attention", "full_attention", "sliding_attention")
    kinds = parts.layer_kinds(config, layers, tuple(set(turns)), [turns[index % 5] for index in range(layers)])
    shared = config.whole("shared_expert_intermediate_size", least=0)
    experts = routed(config, experts="num_experts", shared_width=shared)
    of_kind: dict[str, dict[str, Any]] = {
        "linear_attention": gated_delta(config),
        "full_attention": {**attention, "rotary": False},
        "sliding_attention": {**attention, "window": config.whole("sliding_window")},
    }
    blocks = [{"attention": of_kind[kind], "feed_forward": experts} for kind in kinds]
    return body_of(config, width, {"kind": "rotary"}, parts.merged(blocks))
