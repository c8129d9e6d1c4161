"""Nemotron-H and Nemotron 3: hybrids in which every layer is one thing.

Source: the config class and model code of transformers 5.23.0, nemotron_h.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import body_of, dense_block, routed, softmax
from roofline.importers.huggingface.experts.latent import brings_code
from roofline.importers.huggingface.recurrent.hybrid import ATTENTION, MAMBA
from roofline.importers.huggingface.recurrent.state_space import biases, ignore_steps

#: Keys that change no shape, or of layers that a model may lack.
_HARMLESS: Final = """
    mamba_ssm_cache_dtype mamba_proj_bias expand time_step_rank moe_shared_expert_overlap rope_theta
    partial_rotary_factor
"""
_OF_EXPERTS: Final = """
    intermediate_size n_routed_experts n_shared_experts moe_intermediate_size moe_shared_expert_intermediate_size
    moe_latent_size num_experts_per_tok
"""
_LETTERS: Final = {"M": "mamba", "*": "attention", "E": "moe", "-": "mlp"}


def nemotron_h(config: Config) -> dict[str, Any]:
    """Nemotron-H and Nemotron 3: each layer one norm and one of Mamba-2, attention, dense or experts, by a pattern.

    Experts of Nemotron 3 Super and Ultra work on a latent of the token.
    """
    ignore_steps(config)
    width = config.whole("hidden_size")
    kinds = _nemotron_layers(config)
    config.must_be("sliding_window", None, default=None)
    config.ignore(_HARMLESS)
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.whole("head_dim", "attention_head_dim")
    attention = softmax(heads, kv_heads, head_dim, **_attention_biases(config))
    of_kind: dict[str, dict[str, Any]] = {
        "attention": {"attention": attention},
        "mamba": {"attention": _nemotron_mamba(config)},
    }
    activation = parts.activation(config, "mlp_hidden_act")
    if "mlp" in kinds:
        dense = dense_block(config.whole("intermediate_size"), activation, gated=False, bias=config.flag("mlp_bias"))
        of_kind["mlp"] = {"feed_forward": dense}
    if "moe" in kinds:
        of_kind["moe"] = {"feed_forward": _nemotron_experts(config, activation)}
    config.ignore(_OF_EXPERTS, "mlp_bias")
    blocks = [{**of_kind[kind], "norms": 1} for kind in kinds]
    config.ignore("tie_word_embeddings")
    body = body_of(config, width, {"kind": "none"}, parts.merged(blocks), tied=False)
    _nemotron_mtp(config, body, of_kind)
    return body


def _attention_biases(config: Config) -> dict[str, bool]:
    """Biases by `attention_bias`, which the class of transformers reads over; the code of released files does not."""
    found = parts.attention_biases(config)
    if found and not brings_code(config):
        config.notes.append("ignored, since the class of transformers builds no such biases: attention_bias")
        return {}
    return found


def _nemotron_mtp(config: Config, body: dict[str, Any], of_kind: dict[str, dict[str, Any]]) -> None:
    """The layers of further predictions, by a pattern of their own: attention and experts together are one block."""
    modules = config.whole("num_nextn_predict_layers", null=0, least=0)
    pattern, listed = config.raw("mtp_hybrid_override_pattern", default=None), config.items("mtp_layers_block_type")
    if not modules:
        return
    names = [_LETTERS.get(letter, letter) for letter in pattern] if isinstance(pattern, str) else listed
    kinds = [
        "attention" if name in ATTENTION else "mamba" if name in MAMBA else name
        for name in names or ["attention", "moe"]
    ]
    if len(kinds) == 2 and kinds[0] in ("attention", "mamba") and kinds[1] in of_kind:
        body["mtp"] = {"layers": modules, **of_kind[kinds[0]], **of_kind[kinds[1]]}
    else:
        body["unverified"] = [f"the head of further predictions ({', '.join(map(str, kinds))}) is not counted"]


def _nemotron_layers(config: Config) -> list[str]:
    """The kind of each layer: from `layers_block_type`, or from a pattern of letters."""
    pattern = config.raw("hybrid_override_pattern", default=None)
    kinds = config.texts("layers_block_type", "layer_types", choices=(*MAMBA, *ATTENTION, "moe", "mlp"))
    if kinds is None and pattern is not None:
        if not isinstance(pattern, str) or not pattern:
            config.refuse("hybrid_override_pattern", "must be a text of letters")
        strange = next((letter for letter in pattern if letter not in _LETTERS), None)
        if strange is not None:
            hint = "Understood: M (Mamba-2), * (attention), - (dense), E (experts)."
            config.unsupported("hybrid_override_pattern", f"letter {strange!r} is not modelled", hint)
        kinds = [_LETTERS[letter] for letter in pattern]
    if kinds is None:
        kinds = ["mamba", "moe", "attention", "mlp"]
    layers = config.whole_or_none("num_hidden_layers") if config.has("num_hidden_layers") else None
    if layers is not None and layers != len(kinds):
        key = "hybrid_override_pattern" if pattern is not None else "layers_block_type"
        config.refuse(key, f"has {len(kinds)} items for num_hidden_layers = {layers}")
    return ["attention" if kind in ATTENTION else "mamba" if kind in MAMBA else kind for kind in kinds]


def _nemotron_mamba(config: Config) -> dict[str, Any]:
    config.must_be("mamba_hidden_act", "silu", default="silu")
    heads, groups = config.whole("mamba_num_heads"), config.whole("mamba_n_groups", "n_groups")
    config.divides("n_groups", heads, "heads", groups)
    return {
        "kind": "mamba2",
        "heads": heads,
        "head_dim": config.whole("mamba_head_dim"),
        "state": config.whole("ssm_state_size"),
        "groups": groups,
        "kernel": config.whole("mamba_d_conv", "conv_kernel"),
        **biases(config, "use_bias", "use_conv_bias"),
    }


def _nemotron_experts(config: Config, activation: str) -> dict[str, Any]:
    """Experts beside one shared expert, whatever `n_shared_experts` says; if 0 wide, it is as a dense layer's."""
    config.ignore("n_shared_experts")
    latent, bias = config.whole_or_none("moe_latent_size"), config.flag("mlp_bias")
    experts = routed(config, activation, experts="n_routed_experts", gated=False)
    shared = config.whole("moe_shared_expert_intermediate_size", least=0)
    experts["shared_width"] = shared or config.whole("intermediate_size")
    if bias:
        experts["shared_bias"] = True
    if latent is not None:
        experts |= {"latent_width": latent, **({"latent_bias": True} if bias else {})}
    return experts
