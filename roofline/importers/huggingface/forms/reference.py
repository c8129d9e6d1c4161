"""What the reference code of a model type does that shapes alone do not say, and that decides what training keeps.

Source: the modeling and configuration files of transformers 5.24.0, by model type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.importers.huggingface.config import Config


def _names(text: str) -> tuple[str, ...]:
    """Model types in a row."""
    return tuple(text.split())


_SHIFTED: Final = [
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "helium",
    "minimax_m3_vl",
    "qwen3_5",
    "qwen3_5_text",
    "qwen3_5_moe",
    "qwen3_5_moe_text",
    "qwen3_next",
    "recurrent_gemma",
    "t5gemma",
    "vaultgemma",
]
_WIDE: Final = _names("""
    afmoe deepseek_v4 flex_olmo gpt_oss olmo2 olmo3 olmo_hybrid
""")
_AGAIN: Final = _names("""
    longt5 mt5 switch_transformers t5 umt5 pop2piano
""")
_JOINED: Final = _names("""
    glm glm4 phi3 phi4_multimodal
""")
_TABLES: Final = _names("""
    ernie4_5 ernie4_5_moe flex_olmo olmo olmo2 olmo3 olmo_hybrid
""")
_LAYER_NORMS: Final = {"cohere": "steps", "cohere2": "steps", "olmo": "widened"}
_SPREAD: Final = _names("""
    glm glm4 helium
""")
_ROUTER_READS_WIDE: Final = [
    "axk1",
    "axk2",
    "deepseek_v2",
    "deepseek_v3",
    "deepseek_v32",
    "dots1",
    "ernie4_5_moe",
    "exaone_moe",
    "glm4_moe",
    "glm4_moe_lite",
    "glm_moe_dsa",
    "kimi_linear",
    "longcat_flash",
    "mimo_v2_flash",
    "nemotron_h",
    "solar_open",
]
_ROUTER_NARROW: Final = [
    "flex_olmo",
    "olmoe",
    "qwen2_moe",
    "qwen3_moe",
    "qwen3_5_moe",
    "qwen3_next",
    "hunyuan_v1_moe",
    "longcat_flash",
    "llama4",
    "llama4_text",
    "cohere2_moe",
]
#: Encoders, and stacks like T5's: losses and scores stay in the format of activations.
_LIKE_BERT: Final = [
    "albert",
    "bert",
    "big_bird",
    "camembert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "longformer",
    "mpnet",
    "nomic_bert",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
]
_NARROW_SCORES: Final = (*_LIKE_BERT, *_AGAIN, "falcon")
#: By model type: keys, what stands where they are absent, and what drops out by each.
_GPT: Final = (("embd_pdrop", 0.1, ("embedding",)), ("attn_pdrop", 0.1, ("attention",)),
               ("resid_pdrop", 0.1, ("residual",)))  # fmt: skip
_GPTJ: Final = tuple((key, 0.0, where) for key, _, where in _GPT)
_BERT: Final = (
    ("hidden_dropout_prob", 0.1, ("embedding", "residual")),
    ("attention_probs_dropout_prob", 0.1, ("attention",)),
)
_BART: Final = (
    ("dropout", 0.1, ("embedding", "residual")),
    ("attention_dropout", 0.0, ("attention",)),
    ("activation_dropout", 0.0, ("inner",)),
)
_NEOX: Final = (("hidden_dropout", 0.0, ("residual",)), ("attention_dropout", 0.0, ("attention",)))
_T5: Final = (("dropout_rate", 0.1, ("embedding", "attention", "residual", "inner", "final")),)
_STARCODER: Final = (
    ("embedding_dropout", 0.0, ("embedding",)),
    ("residual_dropout", 0.0, ("residual",)),
    ("attention_dropout", 0.0, ("attention",)),
)
_USUAL: Final = (("attention_dropout", 0.0, ("attention",)),)
_ALBERT: Final = tuple((key, 0.0, where) for key, _, where in _BERT)
_DROPS: Final[dict[str, tuple[tuple[str, float, tuple[str, ...]], ...]]] = {
    **dict.fromkeys(("gpt2", "gpt_bigcode", "ctrl"), _GPT),
    **dict.fromkeys(("gptj", "codegen", "phi", "phi3"), _GPTJ),
    **dict.fromkeys(_LIKE_BERT, _BERT),
    "albert": _ALBERT,
    "distilbert": (("dropout", 0.1, ("embedding", "residual")), ("attention_dropout", 0.1, ("attention",))),
    **dict.fromkeys(("bart", "mbart", "marian", "pegasus", "fsmt", "m2m_100", "blenderbot"), _BART),
    "opt": (("dropout", 0.1, ("residual",)), ("attention_dropout", 0.0, ("attention",))),
    **dict.fromkeys(("gpt_neox", "falcon", "bloom"), _NEOX),
    "gpt_neo": (
        ("embed_dropout", 0.0, ("embedding",)),
        ("attention_dropout", 0.0, ("attention",)),
        ("resid_dropout", 0.0, ("residual",)),
    ),
    **dict.fromkeys(_AGAIN, _T5),
    "starcoder2": _STARCODER,
}


def add_reference(body: dict[str, Any], config: Config, model_type: str) -> None:
    """Say what of the reference code is not usual; nothing where all is."""
    found = {name: value for name, value in _of(config, model_type).items() if value}
    if _routed(config.data) and not _sums(config.data, model_type.lower()):
        found["router_sums"] = False
    if found:
        body["reference"] = found


def _of(config: Config, model_type: str) -> dict[str, Any]:
    own, data = model_type.lower(), config.data
    norm = "shifted" if own in _SHIFTED else "wide" if own in _WIDE else "again" if own in _AGAIN else ""
    return {
        "norm": norm,
        "dropout": dropouts(data, own),
        "joined_feed_forward": own in _JOINED,
        "router_input": "wide" if own in _ROUTER_READS_WIDE else "",
        "router_weights": "narrow" if own in _ROUTER_NARROW else "",
        "layer_norm": _LAYER_NORMS.get(own, ""),
        "spread": own in _SPREAD,
        "tables": "wide" if own in _TABLES else "",
        "scores": "narrow" if own in _NARROW_SCORES else "",
        "copied": own == "falcon",
        "capped": bool(data.get("attn_logit_softcapping")),
        "capped_logits": bool(data.get("final_logit_softcapping")),
        "places": "passed" if own == "opt" else "held" if own in _LIKE_BERT else "",
        "loss": "narrow" if own in (*_LIKE_BERT, *_AGAIN) else "",
    }


#: Where a config does not say, the weights of chosen experts are left as they are.
_LEFT: Final = ("deepseek_v2", "qwen2_moe", "olmoe", "flex_olmo")


def _routed(data: Mapping[str, Any]) -> bool:
    return any(data.get(key) for key in ("num_experts", "n_routed_experts", "num_local_experts"))


def _sums(data: Mapping[str, Any], own: str) -> bool:
    known = data.get("norm_topk_prob")
    return own not in _LEFT if known is None else bool(known)


def dropouts(data: Mapping[str, Any], model_type: str) -> list[str]:
    """Where a model drops out, as its config says or its class by default."""
    out: list[str] = []
    for key, usual, where in _DROPS.get(model_type, _USUAL):
        value = data.get(key, usual)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0.0:
            out += where
    return out
