"""JetMoE: experts in the place of the query and output projections too.

Source: the config and model class of transformers 5.24.0, jetmoe; Shen et al. 2024 (arXiv:2404.07413), section 3.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, routed

_MODULES: Final = {
    "experts_gate": ("mlp.input_linear",),
    "experts_up": ("mlp.input_linear",),
    "experts_down": ("mlp.output_linear",),
}


def jetmoe(config: Config) -> dict[str, Any]:
    """As many query heads as key-value heads for each expert that a token visits."""
    width, groups = config.whole("hidden_size"), config.whole("num_key_value_heads")
    activation = parts.activation(config, "activation_function")
    experts = routed(config, activation, width="intermediate_size") | {"output_bias": True}
    top_k = experts["top_k"]
    if config.given("num_attention_heads") and config.whole("num_attention_heads") != groups * top_k:
        config.refuse("num_attention_heads", f"is not num_key_value_heads * num_experts_per_tok = {groups * top_k}")
    attention = {
        "kind": "routed_heads",
        "kv_heads": groups,
        "head_dim": config.whole("kv_channels"),
        "experts": experts["experts"],
        "top_k": top_k,
    }
    layers = config.whole("num_hidden_layers")
    blocks = [{"layers": layers, "attention": attention, "feed_forward": experts}]
    return body_of(config, width, {"kind": "rotary"}, blocks) | {"modules": _MODULES}
