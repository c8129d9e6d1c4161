"""Towers of patches of one picture: SigLIP, CLIP, Pixtral, InternViT, Idefics, Llama 3.2 and 4, Gemma 4.

Source of every function: the model classes of transformers 5.24.0. Projectors are in `projectors.py`.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers.pieces import (
    convolution,
    grid,
    layers,
    linear,
    norm,
    scale,
    shuffled,
    side,
    table,
)

Body = dict[str, Any]
#: The arrangements of up to four tiles, where a file has none of its own.
_ARRANGEMENTS: Final = ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (3, 1), (4, 1))


def _patches(config: Config, *, bias: bool = True) -> Body:
    """Patches of a picture of a fixed side."""
    width, patch = config.whole("hidden_size"), side(config, "patch_size")
    channels = config.whole("num_channels", default=3)
    embedding = convolution("patch_embedding", channels, width, [patch, patch], bias=bias)
    return {"width": width, "patch": patch, "before": [embedding], "after": []}


def _pictured(config: Config, body: Body) -> Body:
    return body | {"image": side(config, "image_size")}


def siglip(config: Config) -> Body:
    """SigLIP: a learned table of positions, a norm behind the layers, a pooling head where it is used."""
    body = _pictured(config, _patches(config))
    width = body["width"]
    body["before"].append(table("position_embedding", grid(config, body["patch"]), width))
    body["after"].append(norm("final_norm", width, over="layers"))
    if config.flag("vision_use_head", default=True):
        body["after"] += _pooling(width, config.whole("intermediate_size"))
    return body | {"blocks": [layers(config, width)]}


def _pooling(width: int, mlp: int) -> list[dict[str, Any]]:
    return [
        table("pooling_query", 1, width, over="views"),
        linear("pooling_query_projection", width, width, over="views"),
        linear("pooling_keys", width, width, number=2, over="layers"),
        {"kind": "queries", "name": "pooling", "width": width},
        linear("pooling_output", width, width, over="views"),
        norm("pooling_norm", width, over="views"),
        linear("pooling_up", width, mlp, activation="gelu", over="views"),
        linear("pooling_down", mlp, width, over="views"),
    ]


def siglip2(config: Config) -> Body:
    """SigLIP 2 of any aspect: a product embeds patches, positions are interpolated from a table of `num_patches`."""
    body = _patches(config)
    width = body["width"]
    body["before"].append(table("position_embedding", config.whole("num_patches"), width, product=True))
    body["after"].append(norm("final_norm", width, over="layers"))
    if config.flag("vision_use_head", default=True):
        body["after"] += _pooling(width, config.whole("intermediate_size"))
    return body | {"blocks": [layers(config, width)]}


def phi4(config: Config, text_width: int) -> Body:
    """Phi-4-multimodal: SigLIP with its head, learned ends of rows and of the whole picture, two products."""
    body = siglip(config)
    width = body["width"]
    body["after"] += [
        table("ends", 2, width, over="views"),
        linear("projector_up", width, text_width, activation="gelu", over="tokens"),
        linear("projector_down", text_width, text_width, over="tokens"),
    ]
    return body | {"merge": 2}


def idefics3(config: Config) -> Body:
    """Idefics 2 and 3, SmolVLM: SigLIP without a head."""
    body = _pictured(config, _patches(config))
    body["before"].append(table("position_embedding", grid(config, body["patch"]), body["width"]))
    body["after"].append(norm("final_norm", body["width"], over="layers"))
    return body | {"blocks": [layers(config, body["width"])]}


def clip(config: Config) -> Body:
    """CLIP: a class token, norms before and behind the layers."""
    body = _pictured(config, _patches(config, bias=False))
    width = body["width"]
    body["before"] += [
        table("class_token", 1, width),
        table("position_embedding", grid(config, body["patch"]) + 1, width),
        norm("embedding_norm", width, over="layers"),
    ]
    body["after"].append(norm("final_norm", width, over="views"))
    return body | {"prefix": 1, "blocks": [layers(config, width)]}


def pixtral(config: Config) -> Body:
    """Pixtral: rotated positions, RMS norms, gated feed-forward, no biases."""
    body = _patches(config, bias=False)
    body["before"].append(norm("embedding_norm", body["width"], bias=False, over="layers"))
    block = layers(config, body["width"], gated=True, qkv_bias=False, output_bias=False, mlp_bias=False)
    return body | {"norm": "rms", "norm_bias": False, "rotary": True, "blocks": [block]}


def internvl(config: Config) -> Body:
    """InternViT 300M: a class token, scales of what attention and feed-forward give."""
    body = _pictured(config, _patches(config))
    width = body["width"]
    rows = grid(config, body["patch"]) + 1
    body["before"] += [table("class_token", 1, width), table("position_embedding", rows, width)]
    if config.flag("use_mask_token", default=False):
        body["before"].append(table("mask_token", 1, width))
    biased = config.flag("attention_bias", "qkv_bias", default=False)
    normed = config.flag("use_qk_norm", "qk_normalization", default=False)
    more: dict[str, Any] = {"qk_norm": "width"} if normed else {}
    block = layers(config, width, qkv_bias=biased, scales=2 * width, **more)
    rms = config.text("norm_type", default="layer_norm") == "rms_norm"
    norms = {"norm": "rms", "norm_bias": False} if rms else {}
    if not config.flag("use_mean_pooling", default=True):
        body["after"].append(norm("final_norm", width, over="layers"))
    return body | norms | {"prefix": 1, "blocks": [block]}


def mllama(config: Config, text_width: int) -> Body:
    """Llama 3.2 Vision: local layers and gated global ones, tables of positions for each arrangement of tiles."""
    body = _pictured(config, _patches(config, bias=False))
    width, rows = body["width"], grid(config, body["patch"]) + 1
    tiles, ratios = config.whole("max_num_tiles"), len(config.items("supported_aspect_ratios") or _ARRANGEMENTS)
    body["before"] += [
        table("class_token", 1, width),
        table("position_embedding", rows, width),
        table("tile_position_embedding", (ratios + 1) * tiles * rows, width),
        table("tile_embedding", 2 * (ratios + 1) * tiles, width),
        scale("embedding_gates", 3),
        norm("embedding_norm", width, over="layers"),
    ]
    local = layers(config, width, qkv_bias=False, output_bias=False, heads="attention_heads")
    above = local | {"layers": config.whole("num_global_layers"), "scales": 2}
    body["after"] += [
        norm("final_norm", width, over="layers"),
        linear("projector", config.whole("vision_output_dim"), text_width),
    ]
    return body | {"blocks": [local, above]}


def llama4(config: Config, text_width: int) -> Body:
    """Llama 4: rotated positions beside a table, an adapter behind a shuffle of pixels."""
    body = _pictured(config, _patches(config, bias=False))
    width = body["width"]
    body["before"] += [
        table("class_token", 1, width),
        table("position_embedding", grid(config, body["patch"]) + 1, width),
        norm("embedding_norm", width, over="layers"),
    ]
    inner, outputs = config.whole("intermediate_size"), config.whole("projector_output_dim")
    body["after"] += [
        norm("final_norm", width, over="layers"),
        linear("adapter_up", inner, config.whole("projector_input_dim"), bias=False),
        linear("adapter_down", outputs, outputs, bias=False),
        linear("projector", config.whole("vision_output_dim"), text_width, bias=False),
    ]
    merge = shuffled(config, "pixel_shuffle_ratio")
    return body | {"merge": merge, "prefix": 1, "rotary": True, "blocks": [layers(config, width)]}


def gemma4(config: Config, text_width: int) -> Body:
    """Gemma 4: a table of positions per direction beside the rotation, RMS norms around both parts of a layer."""
    width, patch = config.whole("hidden_size"), side(config, "patch_size")
    before = [
        linear("patch_embedding", 3 * patch**2, width, bias=False),
        table("position_embedding", 2 * config.whole("position_embedding_size"), width),
    ]
    plain: Body = {"qkv_bias": False, "output_bias": False, "mlp_bias": False}
    sizes: Body = {"kv_heads": config.whole("num_key_value_heads"), "gated": True, "qk_norm": "head", "norms": 4}
    block = layers(config, width, activation="hidden_activation", **sizes, **plain)
    merge = config.whole("pooling_kernel_size")
    pooled = {"kind": "pool", "name": "pool", "width": width}
    after = [pooled, linear("projector", width, text_width, bias=False, over="tokens")]
    body = {"width": width, "patch": patch, "merge": merge, "norm": "rms", "norm_bias": False, "rotary": True}
    return body | {"before": before, "blocks": [block], "after": after}


def step3(config: Config, text_width: int) -> Body:
    """Step 3.7: rotated positions beside a table, scales of layers, two convolutions that halve the picture."""
    body = _pictured(config, _patches(config, bias=False))
    width = body["width"]
    rows = grid(config, body["patch"])
    body["before"] += [table("position_embedding", rows, width), norm("embedding_norm", width, over="layers")]
    body["after"] += [
        convolution("downsample", width, 2 * width, [3, 3]),
        convolution("further_downsample", 2 * width, 4 * width, [3, 3]),
        linear("projector", 4 * width, text_width, bias=False),
    ]
    return body | {"merge": 4, "rotary": True, "blocks": [layers(config, width, scales=2 * width)]}
