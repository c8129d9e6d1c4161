"""What brings the features of pictures to the width of the language model, where it is no part of the tower's class.

Every function takes the keys beside the tower's section, the tower as read so far, and the width of the language model,
and adds its pieces. Source: the model classes of transformers 5.24.0.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers.pieces import linear, norm, shuffled, table

Body = dict[str, Any]


def _joined(outer: Config, body: Body) -> int:
    """The width of the features: those of several layers stand side by side."""
    which = outer.raw("vision_feature_layer", default=-1)
    return int(body["width"]) * (len(which) if isinstance(which, list) and which else 1)


def single(outer: Config, body: Body, text_width: int) -> Body:
    """One product with a bias: PaliGemma, Qwen2-Audio."""
    return _behind(body, linear("projector", body["width"], text_width))


def double(outer: Config, body: Body, text_width: int) -> Body:
    """Two products: LLaVA."""
    bias = outer.flag("multimodal_projector_bias", default=True)
    up = linear("projector_up", _joined(outer, body), text_width, bias=bias, activation="gelu")
    return _behind(body, up, linear("projector_down", text_width, text_width, bias=bias))


def double_with_newline(outer: Config, body: Body, text_width: int) -> Body:
    """LLaVA-NeXT and OneVision: and a learned end of each line of patches."""
    return _behind(double(outer, body, text_width), table("image_newline", 1, text_width))


def gemma3(outer: Config, body: Body, text_width: int) -> Body:
    """Gemma 3: patches are pooled, normed and projected without a bias."""
    width = body["width"]
    return _behind(body, norm("projector_norm", width, bias=False), linear("projector", width, text_width, bias=False))


def mistral3(outer: Config, body: Body, text_width: int) -> Body:
    """Mistral 3: merged patches, then two products."""
    merge, bias = outer.whole("spatial_merge_size", default=2), outer.flag("multimodal_projector_bias", default=False)
    width = body["width"]
    pieces = [
        norm("projector_norm", width, bias=False),
        linear("patch_merger", width * merge**2, width, bias=False),
        linear("projector_up", _joined(outer, body), text_width, bias=bias, activation="gelu"),
        linear("projector_down", text_width, text_width, bias=bias),
    ]
    return _behind(body, *pieces) | {"merge": merge}


def internvl(outer: Config, body: Body, text_width: int) -> Body:
    """InternVL: shuffled patches are normed, then two products."""
    merge = shuffled(outer, "downsample_ratio")
    inner = body["width"] * merge**2
    pieces = [
        norm("projector_norm", inner),
        linear("projector_up", inner, text_width, activation="gelu"),
        linear("projector_down", text_width, text_width),
    ]
    return _behind(body, *pieces) | {"merge": merge}


def idefics3(outer: Config, body: Body, text_width: int) -> Body:
    """Idefics 3, SmolVLM: one product of shuffled patches."""
    merge = outer.whole("scale_factor", default=2)
    projector = linear("projector", body["width"] * merge**2, text_width, bias=False)
    return _behind(body, projector) | {"merge": merge}


def lfm2(outer: Config, body: Body, text_width: int) -> Body:
    """LFM2-VL: two products of merged patches."""
    merge, hidden = outer.whole("downsample_factor", default=2), outer.whole("projector_hidden_size", default=2560)
    bias, inner = outer.flag("projector_bias", default=True), body["width"] * merge**2
    pieces = [
        linear("projector_up", inner, hidden, bias=bias, activation="gelu"),
        linear("projector_down", hidden, text_width, bias=bias),
    ]
    if outer.flag("projector_use_layernorm", default=True):
        pieces.insert(0, norm("projector_norm", inner))
    return _behind(body, *pieces) | {"merge": merge}


def cohere2(outer: Config, body: Body, text_width: int) -> Body:
    """Command A Vision and Aya Vision 2: merged patches through a gated product."""
    merge = outer.whole("downsample_factor", default=2)
    hidden = outer.whole("alignment_intermediate_size", default=36864)
    up = linear("projector_up", body["width"] * merge**2, hidden, activation="gelu")
    return _behind(body, up, linear("projector_down", hidden // 2, text_width)) | {"merge": merge}


def aya(outer: Config, body: Body, text_width: int) -> Body:
    """Aya Vision: merged patches are normed, then a gated product."""
    merge = outer.whole("downsample_factor", default=2)
    inner = body["width"] * merge**2
    hidden = outer.whole("alignment_intermediate_size", default=text_width)
    pieces = [norm("projector_norm", inner), linear("projector_up", inner, hidden, activation="silu")]
    return _behind(body, *pieces, linear("projector_down", hidden // 2, text_width)) | {"merge": merge}


def vipllava(outer: Config, body: Body, text_width: int) -> Body:
    """VipLLaVA: the features of several layers side by side, normed, then two products."""
    which = outer.raw("vision_feature_layers", default=[-2, -5, -8, -11, 6])
    inner = body["width"] * (len(which) if isinstance(which, list) and which else 1)
    pieces = [
        norm("projector_norm", inner),
        linear("projector_up", inner, text_width, activation="gelu"),
        linear("projector_down", text_width, text_width),
    ]
    return _behind(body, *pieces)


def of_frames(outer: Config, body: Body, text_width: int) -> Body:
    """Voxtral: four frames side by side, two products without biases."""
    hidden = _mlp(outer)
    up = linear("projector_up", hidden, text_width, bias=False, activation="gelu")
    return _behind(body, up, linear("projector_down", text_width, text_width, bias=False))


def _mlp(outer: Config) -> int:
    section = outer.section("audio_config", {"intermediate_size": 5120})
    return 5120 if section is None else section.whole("intermediate_size")


def double_of_frames(outer: Config, body: Body, text_width: int) -> Body:
    """Audio Flamingo 3: two products."""
    bias = outer.flag("projector_bias", default=True)
    up = linear("projector_up", body["width"], text_width, bias=bias, activation="gelu")
    return _behind(body, up, linear("projector_down", text_width, text_width, bias=bias))


def none(outer: Config, body: Body, text_width: int) -> Body:
    """The class of the tower projects itself."""
    return body


def _behind(body: Body, *pieces: dict[str, Any]) -> Body:
    return body | {"after": [*body.get("after", []), *pieces]}
