"""How each family's processor brings pictures and sound to its tower: what no config.json says.

A function takes the keys beside the tower's section, the section, and the tower as read so far, and adds `prefix`,
`tokens`, `frames`, `sound`. Bounds are those of the released preprocessor_config.json, which the sources name; rules
are those of the image processors of transformers 5.24.0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isqrt
from typing import Any, Final

from roofline.importers.huggingface.config import Config

Body = dict[str, Any]
Read = Callable[[Config, Config, Body], Body]


def _fixed(source: str, outer: Config, section: Config, body: Body, **more: Any) -> Body:
    return {"tokens": {"kind": "fixed", **more, "source": source}}


def _clip(outer: Config, section: Config, body: Body) -> Body:
    """CLIP or SigLIP of LLaVA: the class token is read where the strategy is `full`."""
    source = "the shorter side and a square of it are cut to the encoder's size (CLIPImageProcessor)"
    whole = outer.text("vision_feature_select_strategy", default="default") == "full"
    return _fixed(source, outer, section, body, **({"class_token": True} if whole and body.get("prefix") else {}))


def _gemma3(outer: Config, section: Config, body: Body) -> Body:
    """Gemma 3: patches are pooled to a square of tokens."""
    tokens = outer.whole("mm_tokens_per_image", default=256)
    side = body["image"] // body["patch"]
    if isqrt(tokens) ** 2 != tokens or not side or side % isqrt(tokens):
        return {}  # the class could not pool them
    source = "every picture is resized to the encoder's square; pan and scan is off (Gemma3ImageProcessor)"
    return {"merge": side // isqrt(tokens)} | _fixed(source, outer, section, body, markers=2)


def _resized(source: str, bounds: tuple[int, int], outer: Config, section: Config, body: Body, **more: Any) -> Body:
    frames = section.whole("temporal_patch_size", default=2)
    rule = {"kind": "resized", "least": bounds[0], "most": bounds[1], "frames": frames}
    return {"tokens": rule | more | {"source": source}}


def _qwen(outer: Config, section: Config, body: Body) -> Body:
    """Qwen2-VL, Qwen2.5-VL: 4 to 16,384 tokens of 28 × 28 pixels, 128 to 768 of each frame of a video."""
    source = "preprocessor_config.json of Qwen2-VL and Qwen2.5-VL: min_pixels 3136, max_pixels 12845056"
    video = {"least_frame": 128 * 28 * 28, "most_frame": 768 * 28 * 28}
    return _resized(source, (3136, 12845056), outer, section, body, **video)


def _qwen3(outer: Config, section: Config, body: Body) -> Body:
    """Qwen3-VL, Qwen3.5: 64 to 16,384 tokens of 32 × 32 pixels; a video is bounded as a whole."""
    source = "preprocessor_config.json of Qwen3-VL and Qwen3.5: size 65536 to 16777216 pixels"
    video = {"whole_video": True, "least_frame": 4096, "most_frame": 25165824}
    return _resized(source, (65536, 16777216), outer, section, body, **video)


def _glm(outer: Config, section: Config, body: Body) -> Body:
    """GLM-4.1V, 4.5V, 4.6V: the two frames that a patch spans count in the bounds."""
    source = "preprocessor_config.json of GLM-4.1V and 4.5V: size 12544 to 9633792 pixels, of two frames"
    return _resized(source, (12544, 9633792), outer, section, body, counts_frames=True, whole_video=True)


def _pixtral(longest: int, outer: Config, section: Config, body: Body) -> Body:
    """Pixtral, Mistral 3: the longest side is bounded by the encoder's own."""
    source = f"longest side {body.get('image', longest)} px (PixtralImageProcessor), as the config's image_size"
    rule = {"kind": "bounded", "longest": body.get("image", longest), "row_marker": True, "source": source}
    return {"tokens": rule}


def _internvl(outer: Config, section: Config, body: Body) -> Body:
    """InternVL: up to 12 tiles and a thumbnail; a frame of a video is one tile."""
    most = outer.whole("max_dynamic_patch", default=12)
    source = f"preprocessor_config.json of InternVL3: crop_to_patches, 1 to {most} tiles and a thumbnail"
    one = {"kind": "fixed", "markers": 2}
    return {"tokens": {"kind": "tiled", "most": most, "source": source}, "frames": one}


def _mllama(outer: Config, section: Config, body: Body) -> Body:
    """Llama 3.2 Vision: four tiles whatever the picture, seen by layers of cross-attention."""
    source = "every picture is padded to all tiles (MllamaImageProcessor), rows of a tile to a multiple of 8"
    tiles = section.whole("max_num_tiles")
    return {
        "prefix": 1,
        "tokens": {"kind": "canvas", "tiles": tiles, "multiple_of": 8, "source": source},
        "attended": True,
    }


#: By the model type that holds the sections, and the section.
READINGS: Final[dict[str, dict[str, Read]]] = {
    "gemma3": {"vision_config": _gemma3},
    "shieldgemma2": {"vision_config": _gemma3},
    "paligemma": {
        "vision_config": partial(_fixed, "every picture is resized to the encoder's square (SiglipImageProcessor)")
    },
    "llava": {"vision_config": _clip},
    "qwen2_vl": {"vision_config": _qwen},
    "qwen2_5_vl": {"vision_config": _qwen},
    "qwen3_vl": {"vision_config": _qwen3},
    "qwen3_vl_moe": {"vision_config": _qwen3},
    "qwen3_5": {"vision_config": _qwen3},
    "qwen3_5_moe": {"vision_config": _qwen3},
    "glm4v": {"vision_config": _glm},
    "glm46v": {"vision_config": _glm},
    "glm4v_moe": {"vision_config": _glm},
    "mllama": {"vision_config": _mllama},
    "mistral3": {"vision_config": partial(_pixtral, 1540)},
    "internvl": {"vision_config": _internvl},
    "internvl_chat": {"vision_config": _internvl},
}


def reading_of(model_type: str, section: str) -> Read | None:
    """What adds the reading of a section; None where no rule is known."""
    return READINGS.get(model_type, {}).get(section)
