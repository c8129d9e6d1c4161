"""Autoencoders of diffusers: config.json to the keys of a spec, with the config class's defaults.

Source: diffusers 0.42.1, models/autoencoders.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Keys of the small one that change no shape.
_HARMLESS: Final = """
    scaling_factor latent_magnitude latent_shift act_fn force_upcast shift_factor upsampling_scaling_factor upsample_fn
    block_out_channels out_channels
"""
_SCALES: Final = "scaling_factor shift_factor latents_mean latents_std"
_NORMS: Final = ("rms_norm", "batch_norm", "layer_norm")


def _pixels(config: Config) -> int:
    """Channels of a picture, the same in and out."""
    channels = config.whole("in_channels", default=3)
    if config.whole("out_channels", default=3) != channels:
        config.unsupported("out_channels", "a picture of other channels than it came with is not modelled")
    return channels


def _levels(config: Config, key: str, way: str) -> list[int]:
    """Channels per level, whose blocks must be plain ones."""
    channels = config.wholes(key, least=1) or [64]
    kind = "DownEncoderBlock2D" if way == "down" else "UpDecoderBlock2D"
    config.texts(f"{way}_block_types", length=len(channels), choices=(kind,))
    return channels


def _convolutional(config: Config) -> dict[str, Any]:
    """What the autoencoders of convolutions and one attention share."""
    config.ignore(_SCALES)
    config.must_be("act_fn", "silu", "swish")
    return {
        "family": "autoencoder",
        "groups": config.whole("norm_num_groups", default=32),
        "pixel_channels": _pixels(config),
    }


def autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderKL. `upcast` says that it overflows in fp16; a pipeline reads it."""
    channels = _levels(config, "block_out_channels", "down")
    _levels(config, "block_out_channels", "up")
    body = {
        **_convolutional(config),
        "channels": channels,
        "layers": config.whole("layers_per_block", default=1),
        "latent_channels": config.whole("latent_channels", default=4),
        "quant": config.flag("use_quant_conv", default=True),
        "post_quant": config.flag("use_post_quant_conv", default=True),
        "mid_attention": config.flag("mid_block_add_attention", default=True),
        "sample": config.whole("sample_size", default=512),
    }
    if config.flag("force_upcast", default=True):
        body["upcast"] = True
    return body


def asymmetric_autoencoder(config: Config) -> dict[str, Any]:
    """AsymmetricAutoencoderKL: a larger decoder that may see a masked picture."""
    config.ignore("block_out_channels force_upcast")
    config.notes.append("its convolutions over a masked picture are held, but not run: no mask is given")
    return {
        **_convolutional(config),
        "channels": _levels(config, "down_block_out_channels", "down"),
        "decoder_channels": _levels(config, "up_block_out_channels", "up"),
        "layers": config.whole("layers_per_down_block", default=1),
        "decoder_layers": config.whole("layers_per_up_block", default=1),
        "latent_channels": config.whole("latent_channels", default=4),
        "masked": True,
        "sample": config.whole("sample_size", default=32),
    }


def vq_autoencoder(config: Config) -> dict[str, Any]:
    """VQModel: latents from a codebook."""
    config.ignore("force_upcast lookup_from_codebook")
    config.must_be("norm_type", "group")
    channels = _levels(config, "block_out_channels", "down")
    _levels(config, "block_out_channels", "up")
    latent = config.whole("latent_channels", default=3)
    return {
        **_convolutional(config),
        "channels": channels,
        "layers": config.whole("layers_per_block", default=1),
        "latent_channels": latent,
        "mid_attention": config.flag("mid_block_add_attention", default=True),
        "codes": config.whole("num_vq_embeddings", default=256),
        "code_width": config.whole("vq_embed_dim", default=latent, null=latent),
        "sample": config.whole("sample_size", default=32),
    }


def tiny_autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderTiny."""
    config.ignore(_HARMLESS)
    widths = set(config.wholes("encoder_block_out_channels", least=1) or [64])
    widths |= set(config.wholes("decoder_block_out_channels", least=1) or [64])
    if len(widths) != 1:
        config.unsupported("encoder_block_out_channels", "levels of different widths are not modelled")
    return {
        "family": "tiny_autoencoder",
        "channels": widths.pop(),
        "encoder": config.wholes("num_encoder_blocks", least=1) or [1, 3, 3, 3],
        "decoder": config.wholes("num_decoder_blocks", least=1) or [3, 3, 3, 1],
        "latent_channels": config.whole("latent_channels", default=4),
        "pixel_channels": config.whole("in_channels", default=3),
    }


def deep_autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderDC."""
    config.ignore(_SCALES, "encoder_out_shortcut decoder_in_shortcut decoder_conv_act_fn decoder_act_fns")
    for norm in _as_list(config, "decoder_norm_types", 1, "rms_norm"):
        if norm not in _NORMS:
            config.unsupported(
                "decoder_norm_types", f"{str(norm)[:40]!r} is not modelled", f"Understood: {', '.join(_NORMS)}."
            )
    up = config.text("upsample_block_type", default="pixel_shuffle")
    down = config.text("downsample_block_type", default="pixel_unshuffle")
    return {
        "family": "deep_autoencoder",
        "encoder": _deep_levels(config, "encoder", [2, 2, 2, 3, 3, 3]),
        "decoder": _deep_levels(config, "decoder", [3, 3, 3, 3, 3, 3]),
        "latent_channels": config.whole("latent_channels", default=32),
        "pixel_channels": config.whole("in_channels", default=3),
        "head_dim": config.whole("attention_head_dim", default=32),
        "unshuffle": down == "pixel_unshuffle",
        "interpolate": up == "interpolate",
    }


def _as_list(config: Config, key: str, count: int, default: Any) -> list[Any]:
    """A value per level, of which the file may give one for all."""
    value = config.raw(key, default=default)
    return value if isinstance(value, list) else [value] * count


def _deep_levels(config: Config, way: str, layers: list[int]) -> list[dict[str, Any]]:
    """The levels of a way, from the pixels inward."""
    channels = config.wholes(f"{way}_block_out_channels", least=1) or [128, 256, 512, 512, 1024, 1024]
    count, key = len(channels), f"{way}_block_types"
    numbers = config.wholes(f"{way}_layers_per_block", length=count) or layers
    kinds = _as_list(config, key, count, "ResBlock")
    scales = config.items(f"{way}_qkv_multiscales", length=count) or [[], [], [], [5], [5], [5]]
    if len(kinds) != count or len(numbers) != count or len(scales) != count:
        config.refuse(key, f"has values for {len(kinds)} levels of {count}")
    made = []
    for width, number, kind, kernels in zip(channels, numbers, kinds, scales, strict=True):
        if kind not in ("ResBlock", "EfficientViTBlock"):
            config.unsupported(key, f"{str(kind)[:40]!r} is not modelled", "Understood: ResBlock, EfficientViTBlock.")
        level: dict[str, Any] = {"channels": width, "layers": number}
        if kind == "EfficientViTBlock":
            level |= {"kind": "attention", "kernels": list(kernels) if isinstance(kernels, (list, tuple)) else kernels}
        made.append(level)
    return made
