"""Keys of which transformers makes the cache of every model, whether or not the model's class knows them.

Source: `DynamicCache` of transformers 5.24.0, which keeps a window of `sliding_window` tokens where a config has that
key, and looks at `layer_types` first.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

_FULL: Final = "full_attention"


def read_cached(config: Config, body: dict[str, Any]) -> None:
    """Take a window or kinds of layers that the family left unread into the attention of the layers.

    Raises UnsupportedError at a value that the model's class contradicts.
    """
    kinds = config.data.get("layer_types") if "layer_types" not in config.used else None
    if isinstance(kinds, list) and kinds and set(map(str, kinds)) == {_FULL}:
        config.used.update(("layer_types", "sliding_window"))
    window = config.data.get("sliding_window")
    if "sliding_window" in config.used or window is None:
        return
    if not config.flag("use_sliding_window", default=True):
        config.used.add("sliding_window")
        return
    attentions = [block["attention"] for block in body["blocks"] if block.get("attention")]
    if body.get("encoder") or not all(_may_slide(attention) for attention in attentions):
        return
    width = config.whole("sliding_window")
    for attention in attentions:
        attention["window"] = width
    told = "its class slides over none, but the cache of transformers keeps that many tokens of every layer"
    config.notes.append(f"sliding_window {width}: {told}, and so do the numbers here")


def _may_slide(attention: dict[str, Any]) -> bool:
    return attention["kind"] == "softmax" and attention.get("causal", True) and "chunk" not in attention
