"""Towers of sound: the encoder of Whisper, and those that are built like it.

Source of every function: the model classes of transformers 5.24.0.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers.pieces import convolution, layers, linear, norm, table

Body = dict[str, Any]


def whisper(config: Config) -> Body:
    """Whisper's encoder: two convolutions over frames, a table of positions, keys without biases."""
    width, mels = config.whole("d_model", "hidden_size"), config.whole("num_mel_bins")
    rows = config.whole("max_source_positions", default=1500)
    before = [
        convolution("frames", mels, width, [3]),
        convolution("halved_frames", width, width, [3]),
        table("position_embedding", rows, width),
    ]
    block = layers(
        config,
        width,
        number="encoder_layers num_hidden_layers",
        heads="encoder_attention_heads num_attention_heads",
        mlp="encoder_ffn_dim intermediate_size",
        activation="activation_function",
        key_bias=False,
    )
    return {"width": width, "before": before, "blocks": [block], "after": [norm("final_norm", width)]}


def qwen2_omni(config: Config, text_width: int) -> Body:
    """Qwen2.5-Omni: Whisper's encoder with positions by a formula, a projection and two marks of its own."""
    body = whisper(config)
    outputs = config.whole("output_dim", default=text_width)
    before = [piece for piece in body["before"] if piece["name"] != "position_embedding"]
    after = [*body["after"], linear("projector", body["width"], outputs), table("marks", 2, outputs)]
    return body | {"before": before, "after": after}


def glmasr(config: Config, text_width: int) -> Body:
    """GLM-ASR: Whisper's encoder with rotated positions; four frames side by side are projected."""
    body = whisper(config)
    before = [piece for piece in body["before"] if piece["name"] != "position_embedding"]
    hidden = config.whole("encoder_ffn_dim", "intermediate_size")
    up = linear("projector_up", hidden, 2 * text_width)
    after = [*body["after"], up, linear("projector_down", 2 * text_width, text_width)]
    return body | {"before": before, "after": after, "rotary": True}
