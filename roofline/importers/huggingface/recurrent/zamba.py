"""Zamba: a state space in every layer, and before some a transformer block that all of them share.

Source: the config and model class of transformers 5.24.0, zamba; Glorioso et al. 2024 (arXiv:2405.16712).
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of
from roofline.importers.huggingface.recurrent.hybrid import MAMBA
from roofline.importers.huggingface.recurrent.state_space import biases, ignore_steps, step_rank


def zamba(config: Config) -> dict[str, Any]:
    """Zamba: the heads of its state space, each with projections of its own, count as one of all channels does.

    The class shares the block only where it ties the head to the embedding too.
    """
    ignore_steps(config)
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    config.must_be("hidden_mamba_act", "silu", default="silu")
    config.ignore("num_logits_to_keep", "use_associative_scan")
    inner = width * config.whole("mamba_expand")
    config.divides("n_mamba_heads", inner, "channels", config.whole("n_mamba_heads"))
    mamba = {
        "kind": "mamba",
        "inner": inner,
        "state": config.whole("mamba_d_state"),
        "rank": step_rank(config, width, "mamba_dt_rank"),
        "kernel": config.whole("mamba_d_conv"),
        **biases(config, "mamba_proj_bias", "mamba_conv_bias"),
    }
    hybrids, shared = _hybrids(config, layers), _shared(config, width)
    blocks: list[dict[str, Any]] = [{"name": "state-space", "layers": layers, "attention": mamba, "norms": 1}]
    held = min(hybrids, 1) if parts.tied(config) else hybrids
    if held:
        blocks.append({"name": "shared", "layers": held, "attention": shared, "norms": 0})
    if hybrids > held:
        again = {**shared, "held": False}
        blocks.append({"name": "shared-again", "layers": hybrids - held, "attention": again, "norms": 0})
    return body_of(config, width, {"kind": "none"}, blocks)


def _shared(config: Config, width: int) -> dict[str, Any]:
    """The block that layers share, which reads the residual beside the embedding."""
    heads, kv_heads = parts.heads_of(config)
    own = config.divides("num_attention_heads", 2 * width, "of twice the width", heads)
    if config.given("attention_hidden_size") and config.whole("attention_hidden_size") != 2 * width:
        config.unsupported("attention_hidden_size", f"is not twice the width, {2 * width}")
    config.ignore("attention_hidden_size")
    return {
        "kind": "shared_block",
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": config.whole("attention_head_dim", default=own, null=own),
        "hidden": config.whole("intermediate_size"),
        "activation": parts.activation(config, "hidden_act"),
    }


def _hybrids(config: Config, layers: int) -> int:
    """How many layers have the shared block before them: listed, else the third and then by period and offset."""
    kinds = config.texts("layers_block_type", length=layers, choices=(*MAMBA, "hybrid"))
    period, offset = config.whole("attn_layer_period"), config.whole("attn_layer_offset", least=0)
    if kinds is not None:
        return kinds.count("hybrid")
    if layers < 3:
        config.refuse("num_hidden_layers", f"{layers} layers, of which the class makes the third a hybrid one")
    return 1 + sum(index % period == offset for index in range(layers - 3))
