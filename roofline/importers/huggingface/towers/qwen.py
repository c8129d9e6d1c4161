"""Towers of patches in frames, whose neighbours are merged: Qwen-VL, GLM-V, EXAONE, Kimi, MiniMax.

Source of every function: the model classes of transformers 5.24.0.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers.pieces import convolution, layers, linear, norm, side, table

Body = dict[str, Any]


def _frames(config: Config, width: int, *, bias: bool) -> dict[str, Any]:
    """Patches of some frames; and how many patches a side become one token."""
    patch, frames = side(config, "patch_size"), config.whole("temporal_patch_size", default=2)
    channels = config.whole("in_channels", "in_chans", default=3)
    embedding = convolution("patch_embedding", channels, width, [frames, patch, patch], bias=bias)
    return {"width": width, "patch": patch, "merge": config.whole("spatial_merge_size"), "before": [embedding]}


def _given(config: Config, key: str, text_width: int) -> int:
    """The width of what the tower gives: what the file states, else that of the language model, which must take it."""
    return config.whole(key) if config.has(key) else text_width


def qwen2_vl(config: Config, text_width: int) -> Body:
    """Qwen2-VL: here `hidden_size` is the width of what it gives."""
    width, merge = config.whole("embed_dim"), config.whole("spatial_merge_size")
    outputs = _given(config, "hidden_size", text_width)
    heads, inner = config.whole("num_heads"), width * merge**2
    block = {
        "layers": config.whole("depth"),
        "heads": heads,
        "head_dim": config.divides("num_heads", width, "of width", heads),
        "qkv_bias": True,
        "output_bias": True,
        "mlp": int(width * config.number("mlp_ratio")),
        "mlp_bias": True,
        "activation": "quick_gelu",
    }
    after = [
        norm("merger_norm", width, over="patches"),
        linear("merger_up", inner, inner, activation="gelu"),
        linear("merger_down", inner, outputs),
    ]
    return _frames(config, width, bias=False) | {"rotary": True, "blocks": [block], "after": after}


def qwen2_5_vl(config: Config, text_width: int) -> Body:
    """Qwen2.5-VL: RMS norms, gated feed-forward with biases, windows in most layers."""
    width, merge = config.whole("hidden_size"), config.whole("spatial_merge_size")
    outputs, inner = _given(config, "out_hidden_size", text_width), width * merge**2
    groups = config.whole_or_none("num_key_value_heads")
    more: dict[str, Any] = {"gated": True} | ({"kv_heads": groups} if groups else {})
    block = layers(config, width, number="depth", heads="num_heads", **more)
    after = [
        norm("merger_norm", width, bias=False, over="patches"),
        linear("merger_up", inner, inner, activation="gelu"),
        linear("merger_down", inner, outputs),
    ]
    body = {"norm": "rms", "norm_bias": False, "rotary": True, "blocks": _windowed(config, block), "after": after}
    return _frames(config, width, bias=False) | body


def _windowed(config: Config, block: Body) -> list[Body]:
    """The layers that attend within windows, and those that attend to all."""
    patch, merge = side(config, "patch_size"), config.whole("spatial_merge_size")
    window = config.whole("window_size", default=112) // merge // patch * merge
    given = config.items("fullatt_block_indexes", default=[7, 15, 23, 31]) or []
    full = len({index for index in given if isinstance(index, int) and 0 <= index < block["layers"]})
    groups = [block | {"layers": block["layers"] - full, "window": window}, block | {"layers": full}]
    return [group for group in groups if group["layers"]]


def hyperclovax(config: Config, text_width: int) -> Body:
    """HyperCLOVA X: the tower of Qwen2.5-VL, whose output is projected once more."""
    outputs = config.whole("out_hidden_size", default=text_width)
    body = qwen2_5_vl(config, outputs)
    return body | {"after": [*body["after"], linear("projector", outputs, text_width)]}


def qwen3_vl(config: Config, text_width: int) -> Body:
    """Qwen3-VL, Qwen3.5: a table of positions beside the rotation; some layers have a merger of their own."""
    width, merge = config.whole("hidden_size"), config.whole("spatial_merge_size")
    outputs, inner = _given(config, "out_hidden_size", text_width), width * merge**2
    after = [
        norm("merger_norm", width, over="patches"),
        linear("merger_up", inner, inner, activation="gelu"),
        linear("merger_down", inner, outputs),
    ]
    further = len(config.items("deepstack_visual_indexes", default=[]) or [])
    if further:
        after += [
            norm("deepstack_norm", inner, number=further),
            linear("deepstack_up", inner, inner, number=further, activation="gelu"),
            linear("deepstack_down", inner, outputs, number=further),
        ]
    body = _frames(config, width, bias=True)
    body["before"].append(table("position_embedding", config.whole("num_position_embeddings"), width))
    block = layers(config, width, number="depth", heads="num_heads")
    return body | {"rotary": True, "blocks": [block], "after": after}


def glm4v(config: Config, text_width: int) -> Body:
    """GLM-4.1V, 4.5V, 4.6V: a convolution merges patches, a gated feed-forward projects them.

    The width of the layers' feed-forward is `out_hidden_size`, that of the projector `intermediate_size`.
    """
    width, merge = config.whole("hidden_size"), config.whole("spatial_merge_size")
    outputs, context = _given(config, "out_hidden_size", text_width), config.whole("intermediate_size")
    bias = config.flag("attention_bias", default=False)
    sizes = {"number": "depth", "heads": "num_heads", "mlp": "out_hidden_size"}
    block = layers(config, width, **sizes, gated=True, mlp_bias=False, qkv_bias=bias, output_bias=False)
    body = _frames(config, width, bias=True)
    rows = (side(config, "image_size") // body["patch"]) ** 2
    body["before"] += [
        table("position_embedding", rows, width),
        norm("embedding_norm", width, bias=False, over="layers"),
    ]
    after = [
        norm("final_norm", width, bias=False, over="layers"),
        convolution("downsample", width, outputs, [merge, merge]),
        linear("merger_projection", outputs, outputs, bias=False),
        norm("merger_norm", outputs),
        linear("merger_gate_up", outputs, context, bias=False, number=2, activation="gelu"),
        linear("merger_down", context, outputs, bias=False),
    ]
    return body | {"norm": "rms", "norm_bias": False, "rotary": True, "blocks": [block], "after": after}


def kimi(config: Config, text_width: int) -> Body:
    """MoonViT of Kimi-VL and Kimi K2.5: a table of positions that is interpolated, and a rotation."""
    width = config.whole("hidden_size", "vt_hidden_size")
    kernel = config.items("merge_kernel_size", default=[2, 2]) or [2, 2]
    merge = next((value for value in kernel if isinstance(value, int) and 1 <= value <= 64), 2)
    rows = config.whole("init_pos_emb_height") * config.whole("init_pos_emb_width")
    heads, inner = config.whole("num_attention_heads", "vt_num_attention_heads"), width * merge**2
    block = {
        "layers": config.whole("num_hidden_layers", "vt_num_hidden_layers"),
        "heads": heads,
        "head_dim": config.divides("num_attention_heads", width, "of width", heads),
        "qkv_bias": True,
        "output_bias": True,
        "mlp": config.whole("intermediate_size", "vt_intermediate_size"),
        "mlp_bias": True,
        "activation": "gelu_tanh",
    }
    patch = side(config, "patch_size")
    before = [convolution("patch_embedding", 3, width, [patch, patch]), table("position_embedding", rows, width)]
    after = [
        norm("final_norm", width, over="layers"),
        norm("projector_norm", width),
        linear("projector_up", inner, inner, activation="gelu"),
        linear("projector_down", inner, text_width),
    ]
    sizes = {"width": width, "patch": patch, "merge": merge, "rotary": True}
    return sizes | {"before": before, "blocks": [block], "after": after}


def minimax_m3(config: Config, text_width: int) -> Body:
    """MiniMax-M3: a CLIP with rotated positions over frames, a projector per patch and another per merged patches."""
    width, patch = config.whole("hidden_size"), side(config, "patch_size")
    outer = config.outer
    projector = text_width if outer is None else outer.whole("projector_hidden_size", default=text_width)
    merging = config.section("img_token_compression_config")
    merge = merging.whole("spatial_merge_size", default=2) if merging else 2
    frames = merging.whole("temporal_patch_size", default=2) if merging else 2
    before = [
        convolution("patch_embedding", 3, width, [frames, patch, patch], bias=False),
        norm("embedding_norm", width, over="layers"),
    ]
    after = [
        linear("projector_up", width, projector, activation="gelu"),
        linear("projector_down", projector, text_width),
        linear("merger_up", text_width * merge**2, projector, activation="gelu"),
        linear("merger_down", projector, text_width),
    ]
    sizes = {"width": width, "patch": patch, "merge": merge, "rotary": True}
    return sizes | {"before": before, "blocks": [layers(config, width)], "after": after}
