"""Kin of BART: an encoder and a decoder with biases everywhere, and where each differs.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.seq2seq import Stack, bart_stack, both_stacks
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, experts_block

_SCALES: Final = "scale_embedding normalize_before normalize_embedding add_final_layer_norm static_position_embeddings"
_OTHERS: Final = f"{_SCALES} add_bias_logits num_hidden_layers extra_pos_embeddings num_beams length_penalty is_decoder"
_FORMULA: Final = {"kind": "sinusoidal"}


class _Kin(NamedTuple):
    """Where a type differs from BART.

    `before`: norms stand before attention and feed-forward, and at the end of each stack. `extra`: rows of the table of
    positions beyond the longest context. `formula`: positions by a formula, of which the checkpoint holds a table.
    """

    before: bool = False
    embedding_norm: bool = False
    extra: int = 0
    formula: bool = False


_KIN: Final[dict[str, _Kin]] = {
    "plbart": _Kin(embedding_norm=True, extra=2),
    "mvp": _Kin(embedding_norm=True, extra=2),
    "blenderbot": _Kin(before=True),
    "blenderbot-small": _Kin(embedding_norm=True),
    "pegasus": _Kin(before=True, formula=True),
    "marian": _Kin(formula=True),
    "m2m_100": _Kin(before=True),
}


def bart_kin(config: Config) -> dict[str, Any]:
    """PLBART, MVP, Blenderbot, Pegasus, Marian, M2M-100 and NLLB."""
    model_type = config.data["model_type"]
    own, width = _KIN[model_type], config.whole("d_model")
    encoder, decoder, style = stacks(config, width, before=own.before)
    config.ignore(_OTHERS)
    config.must_be("use_prompt", False, default=False)
    config.ignore("prompt_length prompt_mid_dim do_blenderbot_90_layernorm layernorm_variant save_step")
    context = config.whole("max_position_embeddings")
    positions: dict[str, Any] = {"kind": "learned", "size": context + own.extra}
    if model_type == "m2m_100":
        positions = dict(_FORMULA)
    elif own.formula:
        positions = _FORMULA | {"size": context}
    body = both_stacks(config, width, encoder, decoder, style) | {
        "max_context": context,
        "positions": positions,
        "embedding_norm": own.embedding_norm,
        "final_norm": own.before,
    }
    return body | (_apart(config, body) if model_type == "marian" else {})


def _apart(config: Config, body: dict[str, Any]) -> dict[str, Any]:
    """Marian with a table for each language: the decoder's has words of its own."""
    shared = config.flag("share_encoder_decoder_embeddings")
    words = config.whole("decoder_vocab_size", null=body["vocabulary"], default=body["vocabulary"])
    if shared:
        return {}
    return {"vocabulary": words, "encoder_input": {"vocabulary": body["vocabulary"]}}


def stacks(config: Config, width: int, *, before: bool) -> tuple[Stack, Stack, Style]:
    """Encoder, decoder and where their norms stand."""
    function = parts.activation(config, "activation_function")
    style = Style(norm="layer", norm_bias=True, placement="pre" if before else "post")
    return bart_stack(config, "encoder", width, function), bart_stack(config, "decoder", width, function), style


def fsmt(config: Config) -> dict[str, Any]:
    """FSMT: a vocabulary for each language, positions by a formula whose table the model holds."""
    width = config.whole("d_model")
    encoder, decoder, style = stacks(config, width, before=False)
    source, target = config.whole("src_vocab_size"), config.whole("tgt_vocab_size")
    config.ignore(_OTHERS, "langs early_stopping max_length decoder vocab_size bos_token_id")
    context = config.whole("max_position_embeddings")
    config.data = {**config.data, "vocab_size": target}
    body = both_stacks(config, width, encoder, decoder, style)
    return body | {
        "max_context": context,
        "positions": _FORMULA | {"size": context + 2},
        "encoder_input": {"vocabulary": source},
        "final_norm": False,
    }


def nllb_moe(config: Config) -> dict[str, Any]:
    """NLLB-MoE: M2M-100 with experts in every so many layers, of which each token visits two."""
    width = config.whole("d_model")
    encoder, decoder, style = stacks(config, width, before=True)
    config.ignore(_OTHERS, "expert_capacity router_dtype router_ignore_padding_tokens second_expert_policy")
    config.ignore("normalize_router_prob_before_dropping batch_prioritized_routing moe_eval_capacity_token_fraction")
    config.ignore("moe_token_dropout add_router_probs router_type")
    body = both_stacks(config, width, encoder, decoder, style)
    function, number = parts.activation(config, "activation_function"), config.whole("num_experts")
    routed = {"router_bias": config.flag("router_bias"), "gated": False, "bias": True, "reference_all": True}
    for stack, name in (("encoder", "encoder"), ("blocks", "decoder")):
        (group,) = body[stack]
        step = config.whole(f"{name}_sparse_step", least=0)
        experts = experts_block(config, group["feed_forward"]["width"], number, 2, function, **routed)
        sparse = [bool(step) and (index + 1) % step == 0 for index in range(group["layers"])]
        body[stack] = parts.merged([group | {"layers": 1} | ({"feed_forward": experts} if s else {}) for s in sparse])
    context = config.whole("max_position_embeddings")
    return body | {"max_context": context, "positions": dict(_FORMULA), "final_norm": True}


def led(config: Config) -> dict[str, Any]:
    """LED: BART whose encoder sees a window, with a longer table of positions and a second output projection.

    Global tokens would go through projections of their own, which are held and, without such tokens, not run.
    """
    width = config.whole("d_model")
    encoder, decoder, style = stacks(config, width, before=False)
    listed = parts.windows_of_layers(config, encoder.layers)
    config.ignore(_OTHERS)
    rows, made = config.whole("max_encoder_position_embeddings"), config.whole("max_decoder_position_embeddings")
    body = both_stacks(config, width, encoder, decoder, style)
    layer = body["encoder"][0]
    attention = layer["attention"] | {"reference_window": "chunks", "global_projections": True}
    seen = [{**layer, "layers": 1, "attention": attention | {"window": one // 2 + 1}} for one in listed]
    return body | {
        "encoder": parts.merged(seen),
        "max_context": rows,
        "positions": {"kind": "learned", "size": made},
        "encoder_input": {"positions": {"kind": "learned", "size": rows}},
        "embedding_norm": True,
        "final_norm": False,
        "multiple_of": max(listed),
        "notes": ["No token is global: the projections of global tokens are held and not run."],
    }
