"""Keys that repeat a size under another name, or describe what a class does anyway.

Files of other trainers and of older classes carry them. Where they say what was read they have no effect; where they
say something else, they stay unread and are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from roofline.importers.huggingface.config import Config

Body = Mapping[str, Any]

#: Another name -> the key that it repeats.
_REPEATS: Final[dict[str, str]] = {
    "num_query_groups": "num_key_value_heads",
    "multi_query_group_num": "num_key_value_heads",
    "n_kv_heads": "num_key_value_heads",
    "num_heads": "num_attention_heads",
    "ffn_hidden_size": "intermediate_size",
    "num_layers": "num_hidden_layers",
    "n_layers": "num_hidden_layers",
    "d_model": "hidden_size",
    "org_vocab_size": "vocab_size",
    "padded_vocab_size": "vocab_size",
    "layer_switch": "sliding_window_pattern",
}


def _blocks(body: Body, part: str) -> Iterator[Mapping[str, Any]]:
    return (block[part] for block in body["blocks"] if block.get(part))


def _rotary(body: Body, value: Any) -> bool:
    return body["positions"]["kind"] == "rotary" and (value is True or str(value).startswith(("rope", "rotary")))


def _norm(body: Body, value: Any) -> bool:
    kind = body["norm"]["kind"]
    return str(value).lower().replace("_", "") in {"rms": ("rms", "rmsnorm", "true")}.get(kind, ("layer", "layernorm"))


def _gated(body: Body, value: Any) -> bool:
    return value is True and all(part.get("gated") for part in _blocks(body, "feed_forward"))


def _grouped(body: Body, value: Any) -> bool:
    attentions = list(_blocks(body, "attention"))
    return value is True and any(part.get("kv_heads", 0) < part.get("heads", 0) for part in attentions)


def _wide_heads(body: Body, value: Any) -> bool:
    return all(part.get("head_dim") == value for part in _blocks(body, "attention"))


def _normed_heads(body: Body, value: Any) -> bool:
    return bool(value) == any(part.get("qk_norm") for part in _blocks(body, "attention"))


#: Key -> whether a value describes the body that was read.
_DESCRIBES: Final[dict[str, Callable[[Body, Any], bool]]] = {
    "position_embedding_type": _rotary,
    "use_rotary_pos_emb": _rotary,
    "use_rotary_position_embeddings": _rotary,
    "normalization": _norm,
    "norm_type": _norm,
    "use_rms_norm": _norm,
    "rms_norm": _norm,
    "swiglu": _gated,
    "use_gated_activation": _gated,
    "gated_linear_unit": _gated,
    "group_query_attention": _grouped,
    "use_qk_norm": _normed_heads,
    "attention_head_dim": _wide_heads,
    "attention_head_size": _wide_heads,
    "head_size": _wide_heads,
    "kv_channels": _wide_heads,
    "pos_emb": _rotary,
    "norm": _norm,
    "lm_head": lambda body, value: bool(value) == body.get("head", True),
    "rm_head": lambda body, value: bool(value) != body.get("head", True),
    "no_weight_tying": lambda body, value: bool(value) != bool(body.get("tied_embeddings")),
    "gpt_j_residual": lambda body, value: bool(value) == any(b.get("parallel") for b in body["blocks"]),
    "use_parallel_block": lambda body, value: bool(value) == any(b.get("parallel") for b in body["blocks"]),
    "use_embedding_sharing": lambda body, value: bool(value) == bool(body.get("tied_embeddings")),
}


def read_described(config: Config, body: Body) -> None:
    """Count those keys as read that repeat or describe what was read."""
    for key, value in config.data.items():
        if key in config.used:
            continue
        repeated = _REPEATS.get(key)
        same = repeated is not None and config.data.get(repeated) == value
        if same or (key in _DESCRIBES and _DESCRIBES[key](body, value)):
            config.used.add(key)
