"""EAGLE heads as users have them: a config.json of a small decoder with a few keys that say what it is.

Sources: SafeAILab/EAGLE, eagle/model/cnets1.py and cnets.py; vllm-project/vllm, llama_eagle.py and llama_eagle3.py;
sgl-project/SpecForge, llama3_eagle.py; NVIDIA Model Optimizer's `eagle_config`.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Hidden states of the model that an EAGLE 3 head takes where its file does not list their layers.
_FEATURES: Final = 3
_KEYS: Final = ("draft_vocab_size", "eagle_config", "eagle_aux_hidden_state_layer_ids")


def is_eagle(config: Config) -> bool:
    """Whether a config.json describes an EAGLE head: by its architecture, or by a key that only such heads have."""
    return "eagle" in _architecture(config) or any(config.data.get(key) is not None for key in _KEYS)


def as_eagle(config: Config, body: dict[str, Any]) -> dict[str, Any]:
    """The body of a decoder as that of a head. Raises SpecError or UnsupportedError with the place."""
    for group in body["blocks"]:
        if (group.get("attention") or {}).get("kind") != "softmax":
            config.unsupported("architectures", "an EAGLE head is modelled with softmax attention alone")
    own = config.section("eagle_config")
    third = _is_third(config, own)
    width = int(body["width"])
    target = config.whole("target_hidden_size", default=width, null=width)
    head = config.whole_or_none("draft_vocab_size")
    eagle: dict[str, Any] = {"version": 3 if third else 1, "features": _features(config, own) if third else 1}
    eagle["target_width"] = target
    if third:
        eagle["own_embedding"] = target != width
        eagle["head_vocabulary"] = head or body["vocabulary"]
        eagle["projection_norm"] = config.flag("norm_before_fc", default=False)
        config.ignore("norm_before_residual", "norm_output")
    else:
        if head is not None:
            eagle["head_vocabulary"] = head
        eagle["projection_bias"] = config.flag("bias", default=True)
        eagle["first_norm"] = own is not None and own.flag("use_input_layernorm_in_first_layer", default=False)
        eagle["last_norm"] = own is not None and own.flag("use_last_layernorm", default=False)
    if own is not None:
        own.ignore(*own.data)
    _windows(config, body)
    shared = ["the embedding"] if target == width else []
    shared += [] if "head_vocabulary" in eagle else ["the head"]
    note = f"An EAGLE head; of the model that it drafts for it shares {' and '.join(shared) or 'nothing'}."
    return {**body, "eagle": eagle, "notes": [*body.get("notes", ()), note]}


def _architecture(config: Config) -> str:
    names = config.data.get("architectures")
    return " ".join(map(str, names)).lower() if isinstance(names, list) else ""


def _is_third(config: Config, own: Config | None) -> bool:
    """Whether it takes hidden states of several layers: by its name, or by a key of that version."""
    name = _architecture(config)
    listed = config.data.get("draft_vocab_size") is not None or config.given("eagle_aux_hidden_state_layer_ids")
    return "eagle3" in name or listed or (own is not None and own.flag("use_aux_hidden_state", default=False))


def _features(config: Config, own: Config | None) -> int:
    """Of how many layers of the model the hidden states are taken."""
    for where in (config, own):
        if where is not None and where.given("eagle_aux_hidden_state_layer_ids"):
            return max(len(where.wholes("eagle_aux_hidden_state_layer_ids") or ()), 1)
    return _FEATURES


def _windows(config: Config, body: dict[str, Any]) -> None:
    """A window that a family without one leaves unread."""
    window = config.whole_or_none("sliding_window")
    if window is not None and config.flag("use_sliding_window", default=True):
        for group in body["blocks"]:
            group["attention"].setdefault("window", window)
