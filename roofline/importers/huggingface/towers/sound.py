"""Towers of sound: the encoder of Whisper, and those that are built like it.

Source of every function: the model classes of transformers 5.24.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers.pieces import convolution, layers, linear, norm, table

Body = dict[str, Any]
#: Bands of a spectrum of 128 behind two convolutions that halve it.
_QUARTER_OF_MELS: Final = 32


def whisper(config: Config) -> Body:
    """Whisper's encoder: two convolutions over frames, a table of positions, keys without biases."""
    width, mels = config.whole("d_model", "hidden_size"), config.whole("num_mel_bins")
    rows = config.whole("max_source_positions", default=1500)
    before = [
        convolution("frames", mels, width, [3], activation="gelu", times=2),
        convolution("halved_frames", width, width, [3], activation="gelu"),
        table("position_embedding", rows, width),
    ]
    block = _encoder_layers(config, width, key_bias=False)
    return {"width": width, "before": before, "blocks": [block], "after": [norm("final_norm", width, over="layers")]}


def _encoder_layers(config: Config, width: int, **more: Any) -> Body:
    return layers(
        config,
        width,
        number="encoder_layers num_hidden_layers",
        heads="encoder_attention_heads num_attention_heads",
        mlp="encoder_ffn_dim intermediate_size",
        activation="activation_function",
        **more,
    )


def qwen2_omni(config: Config, text_width: int) -> Body:
    """Qwen2.5-Omni: Whisper's encoder with positions by a formula, a projection and two marks of its own."""
    body = whisper(config)
    outputs = config.whole("output_dim", default=text_width)
    before = [piece for piece in body["before"] if piece["name"] != "position_embedding"]
    after = [*body["after"], linear("projector", body["width"], outputs), table("marks", 2, outputs)]
    return body | {"before": before, "after": after}


def qwen3_omni(config: Config, text_width: int) -> Body:
    """Qwen3-Omni, Qwen3-ASR: three convolutions over spectra of a second, positions by a formula, two projections."""
    width, mels = config.whole("d_model"), config.whole("num_mel_bins", default=128)
    channels, outputs = (
        config.whole("downsample_hidden_size", default=480),
        config.whole("output_dim", default=text_width),
    )
    frames = 2 * config.whole("n_window", default=50)
    before = []
    inputs, bands = 1, mels
    for name in ("frames", "halved_frames", "quartered_frames"):
        bands, frames = (bands + 1) // 2, (frames + 1) // 2
        before.append(
            convolution(name, inputs, channels, [3, 3], activation="gelu", over="views", times=bands * frames)
        )
        inputs = channels
    before.append(linear("frame_projection", channels * bands, width, bias=False))
    block = _encoder_layers(config, width)
    after = [
        norm("final_norm", width, over="layers"),
        linear("projector_up", width, width, activation="gelu"),
        linear("projector_down", width, outputs),
    ]
    return {"width": width, "before": before, "blocks": [block], "after": after}


def glmasr(config: Config, text_width: int) -> Body:
    """GLM-ASR: Whisper's encoder with rotated positions; four frames side by side are projected."""
    body = whisper(config)
    before = [piece for piece in body["before"] if piece["name"] != "position_embedding"]
    hidden = config.whole("encoder_ffn_dim", "intermediate_size")
    up = linear("projector_up", hidden, 2 * text_width, activation="gelu")
    after = [*body["after"], up, linear("projector_down", 2 * text_width, text_width)]
    return body | {"before": before, "after": after, "rotary": True}


def gemma4(config: Config, text_width: int) -> Body:
    """Gemma 4's conformer: in each layer two feed-forwards, attention with relative positions, and a convolution.

    Attention and one feed-forward are its layers; the rest of them stands behind, once per layer.
    """
    width, number = config.whole("hidden_size"), config.whole("num_hidden_layers")
    heads, outputs = config.whole("num_attention_heads"), config.whole("output_proj_dims")
    head_dim = config.divides("num_attention_heads", width, "of width", heads)
    first, second = (config.wholes("subsampling_conv_channels", length=2, least=1) or [128, 32])[:2]
    before = [
        convolution("frames", 1, first, [3, 3], bias=False),
        norm("frames_norm", first, bias=False),
        convolution("halved_frames", first, second, [3, 3], bias=False),
        norm("halved_frames_norm", second, bias=False),
        linear("frame_projection", second * _QUARTER_OF_MELS, width, bias=False),
    ]
    sizes = {"heads": heads, "head_dim": head_dim, "mlp": 4 * width, "activation": "silu"}
    block = {"layers": number, **sizes, "norms": 4, "scales": head_dim}
    after = [
        linear("first_up", width, 4 * width, bias=False, number=number),
        linear("first_down", 4 * width, width, bias=False, number=number),
        linear("relative_positions", width, width, bias=False, number=number),
        linear("convolution_gate", width, 2 * width, bias=False, number=number),
        convolution("convolution", 1, width, [config.whole("conv_kernel_size")], bias=False, number=number),
        linear("convolution_out", width, width, bias=False, number=number),
        norm("layer_norms", width, bias=False, number=5 * number),
        linear("output", width, outputs),
        linear("projector", outputs, text_width, bias=False),
    ]
    return {"width": width, "norm": "rms", "norm_bias": False, "before": before, "blocks": [block], "after": after}
