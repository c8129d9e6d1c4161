"""Autoencoders of diffusers pipelines: config.json to the keys of a spec, with the config class's defaults."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Keys of the small one that change no shape.
_HARMLESS: Final = """
    scaling_factor latent_magnitude latent_shift act_fn force_upcast shift_factor upsampling_scaling_factor upsample_fn
    block_out_channels out_channels
"""


def autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderKL. `upcast` says that it overflows in fp16; a pipeline reads it."""
    config.ignore("scaling_factor", "shift_factor", "latents_mean", "latents_std")
    config.must_be("act_fn", "silu")
    channels = config.wholes("block_out_channels", least=1) or [64]
    count = len(channels)
    config.texts("down_block_types", length=count, choices=("DownEncoderBlock2D",))
    config.texts("up_block_types", length=count, choices=("UpDecoderBlock2D",))
    config.must_be("in_channels", 3)
    config.must_be("out_channels", 3)
    body = {
        "family": "autoencoder",
        "channels": channels,
        "layers": config.whole("layers_per_block", default=1),
        "latent_channels": config.whole("latent_channels", default=4),
        "groups": config.whole("norm_num_groups", default=32),
        "quant": config.flag("use_quant_conv", default=True),
        "post_quant": config.flag("use_post_quant_conv", default=True),
        "mid_attention": config.flag("mid_block_add_attention", default=True),
        "sample": config.whole("sample_size", default=512),
    }
    if config.flag("force_upcast", default=True):
        body["upcast"] = True
    return body


def tiny_autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderTiny."""
    config.ignore(_HARMLESS)
    widths = set(config.wholes("encoder_block_out_channels") or [64])
    widths |= set(config.wholes("decoder_block_out_channels") or [64])
    if len(widths) != 1:
        config.unsupported("encoder_block_out_channels", "levels of different widths are not modelled")
    return {
        "family": "tiny_autoencoder",
        "channels": widths.pop(),
        "encoder": config.wholes("num_encoder_blocks") or [1, 3, 3, 3],
        "decoder": config.wholes("num_decoder_blocks") or [3, 3, 3, 1],
        "latent_channels": config.whole("latent_channels", default=4),
        "pixel_channels": config.whole("in_channels", default=3),
    }
