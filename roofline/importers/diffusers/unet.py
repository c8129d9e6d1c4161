"""UNets and ControlNets of diffusers: config.json to the keys of a spec, with the config class's defaults.

Source: diffusers 0.42.1, unet_2d_condition.py, unet_2d.py, unet_2d_blocks.py, controlnet.py.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.diffusers.conditions import (
    MOST_LAYERS,
    conditions,
    depths_per_block,
    per_block,
    whole_per_block,
)
from roofline.importers.huggingface.config import Config

#: Blocks on either way: what attends in them, and whether a residual layer resamples.
_DOWN: Final = {
    "CrossAttnDownBlock2D": ("transformer", False),
    "DownBlock2D": (None, False),
    "SimpleCrossAttnDownBlock2D": ("added", True),
    "ResnetDownsampleBlock2D": (None, True),
    "AttnDownBlock2D": ("self", False),
}
_UP: Final = {
    "CrossAttnUpBlock2D": ("transformer", False),
    "UpBlock2D": (None, False),
    "SimpleCrossAttnUpBlock2D": ("added", True),
    "ResnetUpsampleBlock2D": (None, True),
    "AttnUpBlock2D": ("self", False),
}
_PLAIN: Final = {
    way: {name: kind for name, kind in kinds.items() if "Cross" not in name and "Resnet" not in name}
    for way, kinds in (("down", _DOWN), ("up", _UP))
}
#: Keys that change no shape.
_HARMLESS: Final = """
    act_fn center_input_sample downsample_padding
    dropout flip_sin_to_cos freq_shift mid_block_scale_factor norm_eps resnet_out_scale_factor resnet_skip_time_act
    time_embedding_act_fn timestep_post_act upcast_attention global_pool_conditions
    controlnet_conditioning_channel_order
"""
#: Attention to boxes, and what stands with each: GLIGEN.
_BOXES: Final = {"default": None, "gated": "text", "gated-text-image": "text-image"}


class _Layout:
    """What all blocks of a config are made of: channels, layers, heads, one value each per block."""

    def __init__(self, config: Config) -> None:
        config.ignore(_HARMLESS)
        config.must_be("dual_cross_attention", False)
        config.must_be("time_embedding_type", "positional")
        self.config = config
        self.channels = config.wholes("block_out_channels", least=1) or [320, 640, 1280, 1280]
        self.count = len(self.channels)
        self.resnets = whole_per_block(config, "layers_per_block", self.count, 2, MOST_LAYERS)
        self.depths = depths_per_block(config, "transformer_layers_per_block", self.count, 1) or [1] * self.count
        widths = per_block(config, "attention_head_dim", self.count, 8)
        self.widths = [width if width is not None else self.channels[i] for i, width in enumerate(widths)]
        self.heads = self._heads()
        self.only_cross = per_block(config, "only_cross_attention", self.count, False)
        self.context = whole_per_block(config, "cross_attention_dim", self.count, 1280)

    def _heads(self) -> list[Any]:
        """Heads per block. In these configs `attention_head_dim` holds the number of heads, not their width."""
        if self.config.raw("num_attention_heads", default=None) is None:
            return self.widths
        return whole_per_block(self.config, "num_attention_heads", self.count, 8)

    def kinds(self, key: str, known: dict[str, tuple[str | None, bool]], default: list[str]) -> list[str]:
        """The types of the blocks of a way."""
        names = self.config.items(key, length=self.count)
        plain = [str(name).removeprefix("UNetRes") for name in names] if names else None
        for name in plain or ():
            if name not in known:
                self.config.unsupported(key, f"{name[:60]!r} is not modelled", f"Understood: {', '.join(known)}.")
        return plain or default

    def attention(self, kind: str, index: int, width_index: int, depth: Any) -> dict[str, Any]:
        """What attends in block `index` of the way down, with a head width from another place of its list."""
        if kind == "transformer":
            heads = self._whole("attention_head_dim", self.heads[index])
            self.config.divides("attention_head_dim", self.channels[index], "channels", heads)
            return {"transformer_layers": depth, "heads": heads}
        channels, width = self.channels[index], self._whole("attention_head_dim", self.widths[width_index])
        return {"attention": kind, "heads": self.config.divides("attention_head_dim", channels, "channels", width)}

    def _whole(self, key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.config.refuse(key, f"must be whole numbers, not {str(value)[:40]!r}")
        return value

    def block(self, kind: tuple[str | None, bool], index: int, width_index: int, depth: Any) -> dict[str, Any]:
        """A block at the channels of block `index` of the way down, without its resampling."""
        attends, _ = kind
        body: dict[str, Any] = {"channels": self.channels[index], "resnets": self.resnets[index]}
        if attends is not None:
            body |= self.attention(attends, index, width_index, depth)
            if attends != "self" and self.only_cross[index]:
                body["only_cross"] = True
            if attends != "self" and self.context[index] != self.context[0]:
                body["context_width"] = self.context[index]
        return body


def _resampled(body: dict[str, Any], residual: bool) -> dict[str, Any]:
    return body | {"resample": True} | ({"residual_resample": True} if residual else {})


def _trunk(config: Config, layout: _Layout) -> dict[str, Any]:
    """What a UNet and a ControlNet share: channels, heads, the way down and the middle."""
    default = ["CrossAttnDownBlock2D"] * (layout.count - 1) + ["DownBlock2D"]
    down = []
    for index, name in enumerate(layout.kinds("down_block_types", _DOWN, default)):
        block = layout.block(_DOWN[name], index, index, layout.depths[index])
        down.append(_resampled(block, _DOWN[name][1]) if index < layout.count - 1 else block)
    shift = config.text("resnet_time_scale_shift", default="default", choices=("default", "scale_shift"))
    body: dict[str, Any] = {
        "in_channels": config.whole("in_channels", default=4),
        "context_width": layout.context[0],
        "groups": config.whole("norm_num_groups", default=32),
        "down": down,
        "linear_projection": config.flag("use_linear_projection", default=False),
        "scale_shift": shift == "scale_shift",
        "mid": _mid(config, layout),
        "text_norm": _text_norm(config, layout),
        "guidance_width": config.whole_or_none("time_cond_proj_dim"),
        **conditions(config, layout.context[0]),
    }
    return {key: value for key, value in body.items() if value not in (None, False)}


def _text_norm(config: Config, layout: _Layout) -> int | None:
    """The norm of the text before added attention; other attention has none."""
    norm = config.raw("cross_attention_norm", default=None)
    names = config.data.get("down_block_types") or ()
    if norm is None or not any("Simple" in str(name) for name in names):
        return None
    config.must_be("cross_attention_norm", None, "group_norm")
    return layout.config.whole("cross_attention_norm_num_groups", default=32)


def _mid(config: Config, layout: _Layout) -> dict[str, Any] | None:
    """The middle block."""
    choices = ("UNetMidBlock2DCrossAttn", "UNetMidBlock2D", "UNetMidBlock2DSimpleCrossAttn")
    only = config.raw("mid_block_only_cross_attention", default=None)
    if config.raw("mid_block_type", default=choices[0]) is None:
        return None
    kind = config.text("mid_block_type", default=choices[0], choices=choices)
    if kind == "UNetMidBlock2D":
        return {"resnets": 1, "transformer_layers": 0}
    last = layout.count - 1
    own = {"context_width": layout.context[last]} if layout.context[last] != layout.context[0] else {}
    if kind == "UNetMidBlock2DSimpleCrossAttn":
        given = config.data.get("only_cross_attention", False)
        crossed = bool(only) if only is not None else (given is True)
        body = layout.attention("added", last, last, 0)
        return {"transformer_layers": 0, **body, **own, **({"only_cross": True} if crossed else {})}
    depth = layout.depths[-1]
    depth = depth[0] if isinstance(depth, list) and depth else depth
    return {**layout.attention("transformer", last, last, depth), **own}


def unet(config: Config) -> dict[str, Any]:
    """UNet2DConditionModel."""
    if config.data.get("num_attention_heads") is not None:
        hint = "The class takes the number of heads as attention_head_dim; set num_attention_heads to null."
        config.refuse("num_attention_heads", "UNet2DConditionModel refuses this key", hint)
    layout = _Layout(config)
    body = _trunk(config, layout)
    default = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (layout.count - 1)
    given = depths_per_block(config, "reverse_transformer_layers_per_block", layout.count, None)
    if given is None and any(isinstance(depth, list) for depth in layout.depths):
        config.refuse("transformer_layers_per_block", "lists per block need reverse_transformer_layers_per_block")
    reverse = given if given is not None else list(reversed(layout.depths))
    boxes = _BOXES[config.text("attention_type", default="default", choices=tuple(_BOXES))]
    if boxes is not None:
        body["gated"] = boxes
        config.notes.append("its gated attention to boxes (GLIGEN) is held, but not run: no boxes are given")
    body |= {
        "kernel_in": config.whole("conv_in_kernel", default=3),
        "kernel_out": config.whole("conv_out_kernel", default=3),
        "time_width": config.whole("time_embedding_dim", default=4 * layout.channels[0], null=4 * layout.channels[0]),
    }
    up = _way_up(layout, layout.kinds("up_block_types", _UP, default), reverse)
    out, sample = config.whole("out_channels", default=4), config.whole("sample_size", default=64, null=64)
    return {"family": "unet", **body, "out_channels": out, "up": up, "sample": sample}


def _way_up(layout: _Layout, kinds: list[str], depths: list[Any]) -> list[dict[str, Any]]:
    """The blocks of the way up: one residual layer more than on the way down."""
    up = []
    for index, name in enumerate(kinds):
        place = layout.count - 1 - index
        block = layout.block(_UP[name], place, index, depths[index])
        block["resnets"] += 1
        up.append(_resampled(block, _UP[name][1]) if index < layout.count - 1 else block)
    return up


def controlnet(config: Config) -> dict[str, Any]:
    """ControlNetModel."""
    layout = _Layout(config)
    body = _trunk(config, layout)
    if "mid" not in body:
        config.refuse("mid_block_type", "ControlNetModel has a middle")
    config.ignore("out_channels", "sample_size", "up_block_types attention_type conv_in_kernel conv_out_kernel")
    hint = config.wholes("conditioning_embedding_out_channels", least=1) or [16, 32, 96, 256]
    picture = config.whole("conditioning_channels", default=3)
    return {"family": "controlnet", **body, "hint_channels": hint, "picture_channels": picture}


def plain_unet(config: Config) -> dict[str, Any]:
    """UNet2DModel: pictures or latents from noise, with no text."""
    config.ignore(_HARMLESS)
    config.must_be("time_embedding_type", "positional")
    channels = config.wholes("block_out_channels", least=1) or [224, 448, 672, 896]
    count, width = len(channels), config.raw("attention_head_dim", default=8)
    layers = config.whole("layers_per_block", default=2)
    sampled = {
        key: config.text(key, default="conv", choices=("conv", "resnet"))
        for key in ("downsample_type", "upsample_type")
    }
    shift = config.text("resnet_time_scale_shift", default="default", choices=("default", "scale_shift"))
    groups = config.whole("norm_num_groups", default=32)
    own_groups = config.whole_or_none("attn_norm_num_groups")
    if own_groups not in (None, groups):
        config.unsupported("attn_norm_num_groups", "a norm of attention in other groups is not modelled")

    def blocks(way: str, default: list[str]) -> list[dict[str, Any]]:
        key, known = f"{way}_block_types", _PLAIN[way]
        names = config.texts(key, length=count, choices=tuple(known)) or default
        order = channels if way == "down" else channels[::-1]
        made = []
        for index, name in enumerate(names):
            body: dict[str, Any] = {"channels": order[index], "resnets": layers + (way == "up")}
            attends = known[name][0] is not None
            if attends:
                body |= {"attention": "self", "heads": _heads(config, order[index], width)}
            residual = attends and sampled[f"{way}sample_type"] == "resnet"
            made.append(_resampled(body, residual) if index < count - 1 else body)
        return made

    down = blocks("down", ["DownBlock2D"] + ["AttnDownBlock2D"] * (count - 1))
    up = blocks("up", ["AttnUpBlock2D"] * (count - 1) + ["UpBlock2D"])
    body = {
        "family": "unet",
        "in_channels": config.whole("in_channels", default=3),
        "out_channels": config.whole("out_channels", default=3),
        "context_width": None,
        "groups": groups,
        "down": down,
        "mid": _plain_mid(config, channels[-1], width, shift == "default" or own_groups is not None),
        "up": up,
        "scale_shift": shift == "scale_shift",
        "time_width": config.whole("time_embedding_dim", default=4 * channels[0], null=4 * channels[0]),
        "sample": config.whole("sample_size", default=64, null=64),
        "scale": 1,
        **conditions(config, 0, library="plain"),
    }
    config.ignore("num_train_timesteps")
    return {key: value for key, value in body.items() if value is not None or key == "context_width"}


def _heads(config: Config, channels: int, width: Any) -> int:
    """Heads of a width that the file gives, or one where it is null."""
    if width is None:
        return 1
    return config.divides("attention_head_dim", channels, "channels", config.whole("attention_head_dim", default=8))


def _plain_mid(config: Config, channels: int, width: Any, normed: bool) -> dict[str, Any] | None:
    attends = config.flag("add_attention", default=True)
    if config.raw("mid_block_type", default="UNetMidBlock2D") is None:
        return None
    config.must_be("mid_block_type", "UNetMidBlock2D")
    if not attends:
        return {"resnets": 2, "transformer_layers": 0}
    heads = _heads(config, channels, width)
    return {"transformer_layers": 0, "attention": "self", "heads": heads, **({} if normed else {"normed": False})}
