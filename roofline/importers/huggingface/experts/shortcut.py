"""LongCat Flash: two attentions and two dense feed-forwards per layer, and experts on a way around the second half.

Source: the config and model class of transformers 5.24.0, longcat_flash; Meituan 2025 (arXiv:2509.01322).
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, experts_block
from roofline.importers.huggingface.experts.latent import brings_code, latent_attention

#: Both attentions and both dense feed-forwards of a layer, by their numbers.
_MODULES: Final = {
    op: tuple(f"{part}.{number}.{name}" for number in (0, 1))
    for part, names in {
        "self_attn": {
            "q_a_proj": "q_a_proj",
            "q_b_proj": "q_b_proj",
            "kv_a_proj": "kv_a_proj_with_mqa",
            "kv_b_proj": "kv_b_proj",
            "o_proj": "o_proj",
        },
        "mlps": {name: name for name in ("gate_proj", "up_proj", "down_proj")},
    }.items()
    for op, name in names.items()
}


def longcat(config: Config) -> dict[str, Any]:
    """Written as a group of attention and dense feed-forward, twice as many as layers, and one of the experts, which
    read the normed input of the first of the two feed-forwards: no norm of their own.

    Of `zero_expert_num` experts that give a token back the library's class holds the first matrix, which is no part of
    any checkpoint; the code that the released files bring does not.
    """
    config.ignore("qk_head_dim", "rope_interleave", "attention_method", "zero_expert_type", "norm_topk_prob")
    layers = _layers(config)
    if not config.whole_or_none("q_lora_rank", least=0):
        config.refuse("q_lora_rank", "the class has no queries without a latent of their own")
    attention, activation = latent_attention(config), parts.activation(config, "hidden_act", default="silu")
    number, zero = config.whole("n_routed_experts"), config.whole("zero_expert_num", null=0, least=0)
    width, top_k = config.whole("expert_ffn_hidden_size"), config.whole("moe_topk")
    if top_k > number + zero:
        config.refuse("moe_topk", f"{top_k} of {number + zero} experts cannot be chosen")
    held = bool(zero) and not brings_code(config)
    more: dict[str, Any] = {
        "router_bias": config.flag("router_bias", default=False),
        "zero_experts": zero,
        "zero_matrices": held,
    }
    experts = experts_block(config, width, number, min(top_k, number), activation, **more) | {"top_k": top_k}
    dense = dense_block(config.whole("ffn_hidden_size"), activation)
    twice = [index // 2 for index in range(2 * layers)]
    blocks = [
        {"name": "layers", "layers": 2 * layers, "attention": attention, "feed_forward": dense, "at": twice},
        {"name": "shortcut", "layers": layers, "feed_forward": experts, "norms": 0, "at": list(range(layers))},
    ]
    if held:
        config.notes.append("zero_expert_num: counted with the matrices that the class of transformers allocates")
    return body_of(config, config.whole("hidden_size"), {"kind": "rotary"}, blocks) | {"modules": _MODULES}


def _layers(config: Config) -> int:
    """`num_layers`; the class takes `num_hidden_layers` for twice as many."""
    if config.given("num_layers") or not config.given("num_hidden_layers"):
        layers = config.whole("num_layers")
        if config.given("num_hidden_layers") and config.whole("num_hidden_layers") not in (layers, 2 * layers):
            config.refuse("num_hidden_layers", f"contradicts num_layers = {layers}")
        return layers
    return max(config.whole("num_hidden_layers") // 2, 1)
