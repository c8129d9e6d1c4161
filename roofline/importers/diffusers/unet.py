"""UNets and ControlNets of diffusers: config.json to the keys of a spec, with the config class's defaults."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

_DOWN: Final = {"CrossAttnDownBlock2D": True, "DownBlock2D": False}
_UP: Final = {"CrossAttnUpBlock2D": True, "UpBlock2D": False}
#: Keys that change no shape.
_HARMLESS: Final = """
    act_fn attention_type center_input_sample conv_in_kernel conv_out_kernel cross_attention_norm downsample_padding
    dropout flip_sin_to_cos freq_shift mid_block_scale_factor norm_eps resnet_out_scale_factor resnet_skip_time_act
    time_embedding_act_fn timestep_post_act upcast_attention global_pool_conditions
    controlnet_conditioning_channel_order class_embeddings_concat conditioning_channels addition_embed_type_num_heads
    mid_block_only_cross_attention
"""
#: Keys of which one value is modelled.
_UNDERSTOOD: Final = {
    "only_cross_attention": False,
    "class_embed_type": None,
    "num_class_embeds": None,
    "encoder_hid_dim": None,
    "encoder_hid_dim_type": None,
    "dual_cross_attention": False,
    "resnet_time_scale_shift": "default",
    "time_embedding_type": "positional",
    "time_embedding_dim": None,
    "conv_in_kernel": 3,
    "conv_out_kernel": 3,
    "act_fn": "silu",
}


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
    config.ignore(_HARMLESS)
    for key, understood in _UNDERSTOOD.items():
        config.must_be(key, understood)
    channels = config.wholes("block_out_channels", least=1) or [320, 640, 1280, 1280]
    blocks = len(channels)
    kinds = config.texts("down_block_types", length=blocks, choices=tuple(_DOWN))
    if not kinds:
        kinds = ["CrossAttnDownBlock2D"] * (blocks - 1) + ["DownBlock2D"]
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
        "groups": config.whole("norm_num_groups", default=32),
        "down": down,
        "linear_projection": config.flag("use_linear_projection", default=False),
    }
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
    kinds = config.texts("up_block_types", length=blocks, choices=tuple(_UP))
    if not kinds:
        kinds = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (blocks - 1)
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
    out, sample = config.whole("out_channels", default=4), config.whole("sample_size", default=64, null=64)
    return {"family": "unet", **body, "out_channels": out, "up": up, "sample": sample}


def controlnet(config: Config) -> dict[str, Any]:
    """ControlNetModel."""
    body = _trunk(config)
    config.ignore("out_channels", "sample_size", "up_block_types")
    hint = config.wholes("conditioning_embedding_out_channels", least=1) or [16, 32, 96, 256]
    return {"family": "controlnet", **body, "hint_channels": hint}
