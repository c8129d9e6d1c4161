"""The language model of Llama 3.2 Vision: Llama's layers, and between them layers that attend to pictures.

Source: the config and model classes of transformers 5.24.0 (mllama).
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, softmax

#: Rows of the embedding beyond the vocabulary: the tokens that stand for pictures.
_FURTHER: Final = 8


def mllama(config: Config) -> dict[str, Any]:
    """Layers of `cross_attention_layers` have cross-attention in place of their own, norms of its heads, and gates."""
    width, layers = config.whole("hidden_size"), config.whole("num_hidden_layers")
    heads, kv_heads = parts.heads_of(config)
    head_dim = config.divides("hidden_size", width, "of width", heads)
    crossing = set(config.wholes("cross_attention_layers") or _default(config, layers))
    if any(index >= layers for index in crossing):
        config.refuse("cross_attention_layers", f"names layer {max(crossing)} of {layers}")
    feed_forward = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    own = layer(softmax(heads, kv_heads, head_dim), feed_forward, Style())
    cross = {"kind": "cross", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "qk_norm": "head"}
    seeing = {"name": "cross", **layer(cross, feed_forward, Style()), "gated_residuals": True}
    blocks = [dict(seeing) if index in crossing else {"name": "layers", **own} for index in range(layers)]
    body = body_of(config, width, {"kind": "rotary"}, parts.merged(blocks))
    # the class ties nothing, whatever a file says
    config.ignore("tie_word_embeddings")
    note = "Layers of cross-attention are run only where a prompt has pictures (--images); they are held always."
    return body | {"tied_embeddings": False, "embedding_rows": body["vocabulary"] + _FURTHER, "notes": [note]}


def _default(config: Config, layers: int) -> tuple[int, ...]:
    """Those of the class, where a file leaves them out."""
    found = (3, 8, 13, 18, 23, 28, 33, 38)
    config.notes.append(f"not in the file, so as the class has it: cross_attention_layers {', '.join(map(str, found))}")
    return tuple(index for index in found if index < layers)
