"""Denoisers that are transformers: config.json of diffusers to the keys of a spec, with the config class's defaults."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Keys of DiT and PixArt that change no shape.
_HARMLESS: Final = """
    norm_eps norm_num_groups norm_elementwise_affine norm_type dropout activation_fn upcast_attention attention_type
    num_vector_embeds only_cross_attention double_self_attention cross_attention_dim use_linear_projection
"""


def _patches(config: Config, *, heads: int, dim: int, layers: int, sample: int, channels: int = 4) -> dict[str, Any]:
    """What the transformer denoisers share, with their classes' defaults."""
    into = config.whole("in_channels", default=channels)
    return {
        "in_channels": into,
        "out_channels": config.whole("out_channels", default=into, null=into),
        "patch": config.whole("patch_size", default=2),
        "layers": config.whole("num_layers", default=layers),
        "heads": config.whole("num_attention_heads", default=heads),
        "head_dim": config.whole("attention_head_dim", default=dim),
        "sample": config.whole("sample_size", default=sample, null=sample),
    }


def dit(config: Config) -> dict[str, Any]:
    """DiTTransformer2DModel, or the older Transformer2DModel with ada_norm_zero."""
    config.must_be("norm_type", "ada_norm_zero")
    config.ignore(_HARMLESS)
    config.must_be("attention_bias", True, default=True)
    body = _patches(config, heads=16, dim=72, layers=28, sample=32)
    return {"family": "dit", **body, "classes": config.whole("num_embeds_ada_norm", default=1000)}


def pixart(config: Config) -> dict[str, Any]:
    """PixArtTransformer2DModel."""
    config.must_be("norm_type", "ada_norm_single")
    config.ignore(_HARMLESS, "num_embeds_ada_norm", "interpolation_scale")
    config.must_be("attention_bias", True, default=True)
    body = _patches(config, heads=16, dim=72, layers=28, sample=128)
    body["out_channels"] = config.whole("out_channels", default=8, null=8)
    conditions = config.raw("use_additional_conditions", default=None)
    sized = bool(body["sample"] == 128 if conditions is None else conditions)
    text = config.whole("caption_channels", default=4096)
    return {"family": "pixart", **body, "text_width": text, "size_conditions": sized}


def mmdit(config: Config) -> dict[str, Any]:
    """SD3Transformer2DModel."""
    body = _patches(config, heads=18, dim=64, layers=18, sample=128, channels=16)
    width = body["heads"] * body["head_dim"]
    if config.whole("caption_projection_dim", default=1152) != width:
        config.refuse("caption_projection_dim", f"must be heads × head width = {width}")
    config.must_be("qk_norm", None, "rms_norm", default=None)
    return {
        "family": "mmdit",
        **body,
        "text_width": config.whole("joint_attention_dim", default=4096),
        "pooled_width": config.whole("pooled_projection_dim", default=2048),
        "positions": config.whole("pos_embed_max_size", default=96),
        "qk_norm": config.data.get("qk_norm") is not None,
        "dual_attention": config.wholes("dual_attention_layers") or [],
    }


def flux(config: Config) -> dict[str, Any]:
    """FluxTransformer2DModel. With guidance as an input it is `dev`, with 512 text tokens; else `schnell`, with 256."""
    guidance = config.flag("guidance_embeds", default=False)
    channels = config.whole("in_channels", default=64)
    return {
        "family": "flux",
        "dtype": "bf16",
        "in_channels": channels,
        "out_channels": config.whole("out_channels", default=channels, null=channels),
        "patch": config.whole("patch_size", default=1),
        "layers": config.whole("num_layers", default=19),
        "single_layers": config.whole("num_single_layers", default=38, least=0),
        "heads": config.whole("num_attention_heads", default=24),
        "head_dim": config.whole("attention_head_dim", default=128),
        "sample": 128,
        "guidance": guidance,
        "text_width": config.whole("joint_attention_dim", default=4096),
        "pooled_width": config.whole("pooled_projection_dim", default=768),
        "rotary": config.wholes("axes_dims_rope", least=1) or [16, 56, 56],
        "text_tokens": 512 if guidance else 256,
    }
