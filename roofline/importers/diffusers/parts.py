"""Components of diffusers pipelines: each config.json to the keys of a spec, with the config class's defaults."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

_DOWN: Final = {"CrossAttnDownBlock2D": True, "DownBlock2D": False}
_UP: Final = {"CrossAttnUpBlock2D": True, "UpBlock2D": False}
_NORMS: Final = ("norm_eps", "norm_num_groups", "norm_elementwise_affine", "norm_type")


def _per_block(config: Config, key: str, blocks: int, default: Any) -> list[Any]:
    """A value per block: the file may give one for all."""
    value = config.raw(key, default=default)
    if isinstance(value, list):
        if len(value) != blocks:
            config.refuse(key, f"has {len(value)} items for {blocks} blocks")
        return value
    return [value] * blocks


def _trunk(config: Config) -> dict[str, Any]:
    """What a UNet and a ControlNet share: channels, heads, the way down and the middle."""
    config.ignore(
        "act_fn", "attention_type", "center_input_sample", "conv_in_kernel", "conv_out_kernel", "cross_attention_norm",
        "downsample_padding", "dropout", "flip_sin_to_cos", "freq_shift", "mid_block_scale_factor", "norm_eps",
        "resnet_out_scale_factor", "resnet_skip_time_act", "time_embedding_act_fn", "timestep_post_act",
        "upcast_attention",
        "global_pool_conditions", "controlnet_conditioning_channel_order", "class_embeddings_concat",
        "conditioning_channels", "addition_embed_type_num_heads", "mid_block_only_cross_attention",
    )  # fmt: skip
    for key, understood in (
        ("only_cross_attention", (False,)), ("class_embed_type", (None,)), ("num_class_embeds", (None,)),
        ("encoder_hid_dim", (None,)), ("encoder_hid_dim_type", (None,)), ("dual_cross_attention", (False,)),
        ("resnet_time_scale_shift", ("default",)), ("time_embedding_type", ("positional",)),
        ("time_embedding_dim", (None,)), ("conv_in_kernel", (3,)), ("conv_out_kernel", (3,)), ("act_fn", ("silu",)),
    ):  # fmt: skip
        config.must_be(key, *understood)
    channels = config.wholes("block_out_channels", least=1) or [320, 640, 1280, 1280]
    blocks = len(channels)
    kinds = config.texts("down_block_types", length=blocks, choices=tuple(_DOWN)) or (
        ["CrossAttnDownBlock2D"] * (blocks - 1) + ["DownBlock2D"]
    )
    heads = _heads(config, blocks)
    depths = _per_block(config, "transformer_layers_per_block", blocks, 1)
    resnets = _per_block(config, "layers_per_block", blocks, 2)
    down = [
        _block(channels[i], resnets[i], depths[i] if _DOWN[kinds[i]] else 0, heads[i], i < blocks - 1)
        for i in range(blocks)
    ]
    body: dict[str, Any] = {
        "in_channels": config.whole("in_channels", default=4),
        "context_width": config.whole("cross_attention_dim", default=1280),
        "groups": config.whole("norm_num_groups", default=32), "down": down,
        "linear_projection": config.flag("use_linear_projection", default=False),
    }  # fmt: skip
    middle = config.raw("mid_block_type", default="UNetMidBlock2DCrossAttn")
    if middle is not None:
        config.must_be("mid_block_type", "UNetMidBlock2DCrossAttn")
        last = depths[-1]
        body["mid"] = {"transformer_layers": last[-1] if isinstance(last, list) else last, "heads": heads[-1]}
    body["added_conditions"] = _added(config)
    guidance = config.whole_or_none("time_cond_proj_dim")
    if guidance is not None:
        body["guidance_width"] = guidance
    return {key: value for key, value in body.items() if value is not None}


def _heads(config: Config, blocks: int) -> list[Any]:
    """Heads per block. In these configs `attention_head_dim` holds the number of heads, not their width."""
    named = config.raw("num_attention_heads", default=None)
    widths = _per_block(config, "attention_head_dim", blocks, 8)
    if named is None:
        return widths
    return _per_block(config, "num_attention_heads", blocks, 8)


def _block(channels: int, resnets: Any, depth: Any, heads: Any, resample: bool) -> dict[str, Any]:
    block: dict[str, Any] = {"channels": channels, "resnets": resnets}
    if depth:
        block |= {"transformer_layers": depth, "heads": heads}
    if resample:
        block["resample"] = True
    return block


def _added(config: Config) -> dict[str, int] | None:
    """The pooled text and the sizes of SDXL."""
    config.must_be("addition_embed_type", None, "text_time", default=None)
    if config.data.get("addition_embed_type") is None:
        config.ignore("addition_time_embed_dim", "projection_class_embeddings_input_dim")
        return None
    width = config.whole("addition_time_embed_dim", default=256)
    total = config.whole("projection_class_embeddings_input_dim")
    pooled = 1280  # the width of OpenCLIP bigG's pooled embedding, the only one that these models take
    if total <= pooled or (total - pooled) % width:
        config.unsupported("projection_class_embeddings_input_dim", f"{total} is not 1280 and a multiple of {width}")
    return {"pooled_width": pooled, "numbers": (total - pooled) // width, "number_width": width}


def unet(config: Config) -> dict[str, Any]:
    """UNet2DConditionModel."""
    body = _trunk(config)
    blocks = len(body["down"])
    kinds = config.texts("up_block_types", length=blocks, choices=tuple(_UP)) or (
        ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (blocks - 1)
    )
    depths = _per_block(config, "transformer_layers_per_block", blocks, 1)
    given = config.items("reverse_transformer_layers_per_block", length=blocks)
    reverse = given if given is not None else list(reversed(depths))
    heads = list(reversed(_heads(config, blocks)))
    resnets = list(reversed(_per_block(config, "layers_per_block", blocks, 2)))
    channels = [block["channels"] for block in reversed(body["down"])]
    up = [
        _block(channels[i], resnets[i] + 1, reverse[i] if _UP[kinds[i]] else 0, heads[i], i < blocks - 1)
        for i in range(blocks)
    ]
    return {
        "family": "unet", **body, "out_channels": config.whole("out_channels", default=4), "up": up,
        "sample": config.whole("sample_size", default=64, null=64),
    }  # fmt: skip


def controlnet(config: Config) -> dict[str, Any]:
    """ControlNetModel."""
    body = _trunk(config)
    config.ignore("out_channels", "sample_size", "up_block_types")
    hint = config.wholes("conditioning_embedding_out_channels", least=1) or [16, 32, 96, 256]
    return {"family": "controlnet", **body, "hint_channels": hint}


def autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderKL. `upcast` says that it overflows in fp16; a pipeline reads it."""
    config.ignore("scaling_factor", "shift_factor", "latents_mean", "latents_std", "act_fn")
    config.must_be("act_fn", "silu")
    channels = config.wholes("block_out_channels", least=1) or [64]
    count = len(channels)
    config.texts("down_block_types", length=count, choices=("DownEncoderBlock2D",))
    config.texts("up_block_types", length=count, choices=("UpDecoderBlock2D",))
    config.must_be("in_channels", 3)
    config.must_be("out_channels", 3)
    body = {
        "family": "autoencoder", "channels": channels, "layers": config.whole("layers_per_block", default=1),
        "latent_channels": config.whole("latent_channels", default=4),
        "groups": config.whole("norm_num_groups", default=32), "quant": config.flag("use_quant_conv", default=True),
        "post_quant": config.flag("use_post_quant_conv", default=True),
        "mid_attention": config.flag("mid_block_add_attention", default=True),
        "sample": config.whole("sample_size", default=512),
    }  # fmt: skip
    if config.flag("force_upcast", default=True):
        body["upcast"] = True
    return body


def tiny_autoencoder(config: Config) -> dict[str, Any]:
    """AutoencoderTiny."""
    config.ignore("scaling_factor", "latent_magnitude", "latent_shift", "act_fn", "force_upcast", "shift_factor",
                  "upsampling_scaling_factor", "upsample_fn", "block_out_channels",
                  "out_channels")  # fmt: skip
    widths = set(config.wholes("encoder_block_out_channels") or [64]) | set(
        config.wholes("decoder_block_out_channels") or [64]
    )
    if len(widths) != 1:
        config.unsupported("encoder_block_out_channels", "levels of different widths are not modelled")
    return {
        "family": "tiny_autoencoder", "channels": widths.pop(),
        "encoder": config.wholes("num_encoder_blocks") or [1, 3, 3, 3],
        "decoder": config.wholes("num_decoder_blocks") or [3, 3, 3, 1],
        "latent_channels": config.whole("latent_channels", default=4),
        "pixel_channels": config.whole("in_channels", default=3),
    }  # fmt: skip


def _patches(config: Config, *, heads: int, dim: int, layers: int, sample: int, channels: int = 4) -> dict[str, Any]:
    """What the transformer denoisers share, with their classes' defaults."""
    into = config.whole("in_channels", default=channels)
    return {
        "in_channels": into, "out_channels": config.whole("out_channels", default=into, null=into),
        "patch": config.whole("patch_size", default=2), "layers": config.whole("num_layers", default=layers),
        "heads": config.whole("num_attention_heads", default=heads),
        "head_dim": config.whole("attention_head_dim", default=dim),
        "sample": config.whole("sample_size", default=sample, null=sample),
    }  # fmt: skip


def dit(config: Config) -> dict[str, Any]:
    """DiTTransformer2DModel, or the older Transformer2DModel with ada_norm_zero."""
    config.must_be("norm_type", "ada_norm_zero")
    config.ignore(*_NORMS, "dropout", "activation_fn", "upcast_attention", "attention_type", "num_vector_embeds",
                  "only_cross_attention", "double_self_attention", "cross_attention_dim",
                  "use_linear_projection")  # fmt: skip
    config.must_be("attention_bias", True, default=True)
    body = _patches(config, heads=16, dim=72, layers=28, sample=32)
    return {"family": "dit", **body, "classes": config.whole("num_embeds_ada_norm", default=1000)}


def pixart(config: Config) -> dict[str, Any]:
    """PixArtTransformer2DModel."""
    config.must_be("norm_type", "ada_norm_single")
    config.ignore(*_NORMS, "dropout", "activation_fn", "upcast_attention", "attention_type", "num_embeds_ada_norm",
                  "interpolation_scale", "cross_attention_dim", "only_cross_attention", "double_self_attention",
                  "num_vector_embeds", "use_linear_projection")  # fmt: skip
    config.must_be("attention_bias", True, default=True)
    body = _patches(config, heads=16, dim=72, layers=28, sample=128)
    body["out_channels"] = config.whole("out_channels", default=8, null=8)
    conditions = config.raw("use_additional_conditions", default=None)
    return {"family": "pixart", **body, "text_width": config.whole("caption_channels", default=4096),
            "size_conditions": bool(body["sample"] == 128 if conditions is None else conditions)}  # fmt: skip


def mmdit(config: Config) -> dict[str, Any]:
    """SD3Transformer2DModel."""
    body = _patches(config, heads=18, dim=64, layers=18, sample=128, channels=16)
    width = body["heads"] * body["head_dim"]
    if config.whole("caption_projection_dim", default=1152) != width:
        config.refuse("caption_projection_dim", f"must be heads × head width = {width}")
    config.must_be("qk_norm", None, "rms_norm", default=None)
    return {
        "family": "mmdit", **body, "text_width": config.whole("joint_attention_dim", default=4096),
        "pooled_width": config.whole("pooled_projection_dim", default=2048),
        "positions": config.whole("pos_embed_max_size", default=96),
        "qk_norm": config.data.get("qk_norm") is not None,
        "dual_attention": config.wholes("dual_attention_layers") or [],
    }  # fmt: skip


def flux(config: Config) -> dict[str, Any]:
    """FluxTransformer2DModel. With guidance as an input it is `dev`, with 512 text tokens; else `schnell`, with 256."""
    guidance = config.flag("guidance_embeds", default=False)
    channels = config.whole("in_channels", default=64)
    return {
        "family": "flux", "dtype": "bf16", "in_channels": channels,
        "out_channels": config.whole("out_channels", default=channels, null=channels),
        "patch": config.whole("patch_size", default=1), "layers": config.whole("num_layers", default=19),
        "single_layers": config.whole("num_single_layers", default=38, least=0),
        "heads": config.whole("num_attention_heads", default=24),
        "head_dim": config.whole("attention_head_dim", default=128), "sample": 128, "guidance": guidance,
        "text_width": config.whole("joint_attention_dim", default=4096),
        "pooled_width": config.whole("pooled_projection_dim", default=768),
        "rotary": config.wholes("axes_dims_rope", least=1) or [16, 56, 56], "text_tokens": 512 if guidance else 256,
    }  # fmt: skip
