"""Models that hear and write: Whisper, Moonshine, Speech-to-Text.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.seq2seq import bart_stack, both_stacks
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, layer, softmax

_PRE: Final = Style(norm="layer", norm_bias=True)
_TRAINED: Final = """
    apply_spec_augment mask_time_prob mask_time_length mask_time_min_masks mask_feature_prob mask_feature_length
    mask_feature_min_masks median_filter_width scale_embedding num_hidden_layers classifier_proj_size
    use_weighted_layer_sum is_decoder alignment_heads
"""
#: Steps of a spectrum in a second, and samples.
_SPECTRUM: Final = 100
_SAMPLES: Final = 16_000


def whisper(config: Config) -> dict[str, Any]:
    """Whisper: a spectrum of 30 s, two convolutions, and layers whose keys have no bias; 448 tokens at most."""
    width = config.whole("d_model")
    function = parts.activation(config, "activation_function")
    encoder, decoder = (_without_key_bias(bart_stack(config, name, width, function)) for name in ("encoder", "decoder"))
    config.ignore(_TRAINED)
    heard, written = config.whole("max_source_positions"), config.whole("max_target_positions")
    convolutions = [{"outputs": width, "kernel": 3}, {"outputs": width, "kernel": 3, "stride": 2}]
    window = config.divides("max_source_positions", 2 * heard, "steps", _SPECTRUM)
    sound = {"bands": config.whole("num_mel_bins"), "rate": _SPECTRUM, "window": window, "convolutions": convolutions}
    return both_stacks(config, width, encoder, decoder, _PRE) | {
        "max_context": written,
        "positions": {"kind": "learned", "size": written},
        "encoder_input": {"positions": {"kind": "sinusoidal", "size": heard}, "sound": sound},
        "notes": [f"Hears {window} s at once; the prompt is what the decoder is given before it writes."],
    }


def _without_key_bias(stack: Any) -> Any:
    return stack._replace(attention=stack.attention | {"key_bias": False})


def speech_to_text(config: Config) -> dict[str, Any]:
    """Speech-to-Text: a spectrum, gated convolutions of stride 2, positions by a formula."""
    width, layers = config.whole("d_model"), config.whole("num_conv_layers")
    function = parts.activation(config, "activation_function")
    encoder, decoder = (bart_stack(config, name, width, function) for name in ("encoder", "decoder"))
    kernels = config.wholes("conv_kernel_sizes", length=layers, least=1)
    if kernels is None:
        config.refuse("conv_kernel_sizes", "is null: a kernel for each convolution belongs here")
    inner = config.whole("conv_channels")
    outputs = [inner] * (layers - 1) + [2 * width]
    convolutions = [
        {"outputs": out, "kernel": kernel, "stride": 2, "gated": True}
        for out, kernel in zip(outputs, kernels, strict=True)
    ]
    config.ignore(_TRAINED, "input_channels")
    config.must_be("input_channels", 1, default=1)
    context = config.whole("max_target_positions")
    config.ignore("max_source_positions")
    bands = config.whole("input_feat_per_channel")
    return both_stacks(config, width, encoder, decoder, _PRE) | {
        "max_context": context,
        "positions": {"kind": "sinusoidal"},
        "encoder_input": {"sound": {"bands": bands, "rate": _SPECTRUM, "convolutions": convolutions}},
    }


def moonshine(config: Config) -> dict[str, Any]:
    """Moonshine: three convolutions over samples, rotated queries and keys, a gated feed-forward in the decoder."""
    width, inner = config.whole("hidden_size"), config.whole("intermediate_size")
    config.must_be("pad_head_dim_to_multiple_of", None, 8, default=None)
    style = Style(norm="layer")
    convolutions: list[dict[str, Any]] = [
        {"outputs": width, "kernel": 127, "stride": 64, "bias": False, "norm": True, "activation": "tanh"},
        {"outputs": 2 * width, "kernel": 7, "stride": 3},
        {"outputs": width, "kernel": 3, "stride": 2},
    ]
    convolutions = [convolution | {"padded": False} for convolution in convolutions]
    for key in ("num_attention_heads", "num_key_value_heads"):
        if config.raw(f"encoder_{key}") != config.raw(f"decoder_{key}"):
            # the class then gives the decoder the encoder's
            config.unsupported(f"decoder_{key}", f"is not encoder_{key}, as modelled")
    stacks: dict[str, dict[str, Any]] = {}
    for name, gated in (("encoder", False), ("decoder", True)):
        attention = _moonshine_attention(config, name, width)
        function = parts.activation(config, f"{name}_hidden_act")
        block = layer(attention, dense_block(inner, function, gated=gated, bias=True), style)
        number = config.whole(f"{name}_num_hidden_layers")
        stacks[name] = {"layers": number, **block}
    stacks["encoder"]["attention"] = stacks["encoder"]["attention"] | {"causal": False}
    stacks["decoder"]["cross_attention"] = stacks["decoder"]["attention"] | {"causal": False}
    config.ignore("tie_word_embeddings encoder_pad_head_dim")
    head_dim = stacks["decoder"]["attention"]["head_dim"]
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": config.whole("max_position_embeddings"),
        "positions": parts.rotary(config, head_dim, 0.9),
        "norm": {"kind": "layer"},
        "tied_embeddings": config.flag("tie_word_embeddings"),
        "encoder_input": {"sound": {"bands": 1, "rate": _SAMPLES, "convolutions": convolutions}},
        "encoder": [stacks["encoder"]],
        "blocks": [stacks["decoder"]],
    }


def _moonshine_attention(config: Config, name: str, width: int) -> dict[str, Any]:
    heads = config.whole(f"{name}_num_attention_heads")
    kv_heads = config.whole(f"{name}_num_key_value_heads", null=heads, default=heads)
    head_dim = config.divides(f"{name}_num_attention_heads", width, "of width", heads)
    biased = {"qkv_bias": True} if config.flag("attention_bias") else {}
    return softmax(heads, kv_heads, head_dim, **biased)
