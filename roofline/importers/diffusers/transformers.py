"""Denoisers that are transformers, and their ControlNets: config.json of diffusers to the keys of a spec.

The config classes' defaults stand for absent keys. Source: diffusers 0.42.1, models/transformers, models/controlnets.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Keys of DiT and PixArt that change no shape.
_HARMLESS: Final = "norm_eps norm_num_groups norm_type dropout upcast_attention use_linear_projection"
_GELUS: Final = ("gelu-approximate", "gelu")


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


def _common(config: Config) -> dict[str, Any]:
    """Biases, weights of norms and the activation of DiT and PixArt."""
    config.ignore(_HARMLESS)
    config.text("activation_fn", default=_GELUS[0], choices=_GELUS)
    config.must_be("attention_type", "default", None)
    config.must_be("only_cross_attention", False)
    config.must_be("double_self_attention", False)
    config.must_be("num_vector_embeds", None)
    body = {"attention_bias": config.flag("attention_bias", default=True)}
    if config.flag("norm_elementwise_affine", default=False):
        body["affine"] = True
    return body


def transformer_2d(config: Config) -> dict[str, Any]:
    """Transformer2DModel, read as the class that DiT or PixArt got since, with that one's defaults."""
    config.must_be("norm_type", "ada_norm_zero", "ada_norm_single", default="layer_norm")
    return pixart(config) if config.data.get("norm_type") == "ada_norm_single" else dit(config)


def dit(config: Config) -> dict[str, Any]:
    """DiTTransformer2DModel."""
    config.must_be("norm_type", "ada_norm_zero")
    config.ignore("cross_attention_dim caption_channels interpolation_scale use_additional_conditions")
    body = {**_patches(config, heads=16, dim=72, layers=28, sample=32), **_common(config)}
    return {"family": "dit", **body, "classes": config.whole("num_embeds_ada_norm", default=1000)}


def pixart(config: Config) -> dict[str, Any]:
    """PixArtTransformer2DModel."""
    config.must_be("norm_type", "ada_norm_single")
    config.ignore("num_embeds_ada_norm", "interpolation_scale")
    body = {**_patches(config, heads=16, dim=72, layers=28, sample=128), **_common(config)}
    if not config.has("out_channels"):
        body["out_channels"] = 8
    own, conditions = body["heads"] * body["head_dim"], config.raw("use_additional_conditions", default=None)
    sized = bool(body["sample"] == 128 if conditions is None else conditions)
    if sized and own % 3:
        config.unsupported("use_additional_conditions", "sizes of a picture need a width that divides by 3")
    width, text = config.whole_or_none("cross_attention_dim", default=1152), config.whole_or_none("caption_channels")
    if width is None:
        config.unsupported("cross_attention_dim", "a PixArt without attention to a text is not modelled")
    if text is not None and width != own:
        said = f"must be heads × head width = {own}, which caption_channels is brought to"
        config.refuse("cross_attention_dim", said)
    read = {"text_width": width, "text_projection": False} if text is None else {"text_width": text}
    return {"family": "pixart", **body, **read, "size_conditions": sized}


def mmdit(config: Config) -> dict[str, Any]:
    """SD3Transformer2DModel."""
    return {
        "family": "mmdit",
        **_mmdit(config),
        "dual_attention": sorted(set(config.wholes("dual_attention_layers") or [])),
    }


def _mmdit(config: Config) -> dict[str, Any]:
    body = _patches(config, heads=18, dim=64, layers=18, sample=128, channels=16)
    width = body["heads"] * body["head_dim"]
    if config.whole("caption_projection_dim", default=1152) != width and config.data.get("joint_attention_dim", 1):
        config.refuse("caption_projection_dim", f"must be heads × head width = {width}")
    config.must_be("qk_norm", None, "rms_norm", default=None)
    return {
        **body,
        "text_width": config.whole("joint_attention_dim", default=4096, null=4096),
        "pooled_width": config.whole("pooled_projection_dim", default=2048),
        "positions": config.whole("pos_embed_max_size", default=96),
        "qk_norm": config.data.get("qk_norm") is not None,
    }


def mmdit_control(config: Config) -> dict[str, Any]:
    """SD3ControlNetModel. Without a width of the text its layers see the image alone."""
    body = _mmdit(config)
    config.ignore("force_zeros_for_pooled_projection pos_embed_type")
    joint = config.data.get("joint_attention_dim", 4096) is not None
    dual = sorted({index for index in config.wholes("dual_attention_layers") or [] if index < body["layers"]})
    return {
        "family": "mmdit_controlnet",
        **body,
        "dual_attention": dual if joint else [],
        "extra_channels": config.whole("extra_conditioning_channels", default=0, least=0),
        "joint": joint,
        "embeds": config.flag("use_pos_embed", default=True),
    }


def flux(config: Config) -> dict[str, Any]:
    """FluxTransformer2DModel. With guidance as an input it is `dev`, with 512 text tokens; else `schnell`, with 256."""
    config.must_be("patch_size", 1)
    body = _flux(config)
    return {
        "family": "flux",
        **body,
        "out_channels": config.whole("out_channels", default=body["in_channels"], null=body["in_channels"]),
    }


def _flux(config: Config) -> dict[str, Any]:
    guidance = config.flag("guidance_embeds", default=False)
    channels = config.whole("in_channels", default=64)
    return {
        "dtype": "bf16",
        "in_channels": channels,
        "out_channels": channels,
        "patch": 1,
        "layers": config.whole("num_layers", default=19, least=0),
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


def flux_control(config: Config) -> dict[str, Any]:
    """FluxControlNetModel. Its `patch_size` cuts the features of a picture that comes in pixels."""
    body = _flux(config)
    patch, hint = config.whole("patch_size", default=1), config.whole_or_none("conditioning_embedding_channels")
    if hint is not None and hint * patch * patch != body["in_channels"]:
        config.refuse("conditioning_embedding_channels", "must fill a patch of in_channels")
    modes = config.whole_or_none("num_mode")
    found = {"family": "flux_controlnet", **body, "modes": modes, "hint": hint}
    return {key: value for key, value in found.items() if value is not None}
