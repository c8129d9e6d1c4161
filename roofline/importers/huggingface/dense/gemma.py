"""Gemma 1 to 3 and VaultGemma.

Source of every function: the config and model classes of transformers 5.23.0 that its model types name.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, decoder, dense, window_pattern


def gemma(config: Config) -> dict[str, Any]:
    """Gemma: a head width of its own, tied embeddings."""
    bias = config.flag("attention_bias", default=False)
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), _gemma_feed_forward(config))


def gemma2(config: Config) -> dict[str, Any]:
    """Gemma 2: norms around attention and feed-forward, in VaultGemma only before; every other layer slides."""
    bias = config.flag("attention_bias", default=False)
    norms = 2 if config.data["model_type"] == "vaultgemma" else 4
    windows = window_pattern(config, config.whole("num_hidden_layers"), every=2)
    return decoder(
        config, Style(qkv_bias=bias, output_bias=bias, norms=norms), _gemma_feed_forward(config), windows=windows
    )


def gemma3(config: Config) -> dict[str, Any]:
    """Gemma 3: as Gemma 2, with norms of queries and keys; five layers slide for each that does not."""
    bias = config.flag("attention_bias", default=False)
    windows = window_pattern(
        config, config.whole("num_hidden_layers"), every=6, keys=("sliding_window_pattern", "_sliding_window_pattern")
    )
    style = Style(qkv_bias=bias, output_bias=bias, norms=4, attention={"qk_norm": "head"})
    return decoder(config, style, _gemma_feed_forward(config), windows=windows)


def _gemma_feed_forward(config: Config) -> Any:
    keys = ("hidden_activation", "hidden_act")
    given = [key for key in keys if config.given(key)]
    config.ignore(*keys)
    if len(given) == 2:
        given = ["hidden_activation"]
    return dense(config, activation=given or keys, default="gelu_pytorch_tanh")
