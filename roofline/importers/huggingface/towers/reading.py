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
    if section.data["model_type"] == "pixtral":
        return _pixtral(1024, outer, section, body)
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
    video = {"counts_frames": True, "whole_video": True, "most_frame": 47040000}
    return _resized(source, (12544, 9633792), outer, section, body, **video)


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


def _tiled(most: int, source: str, outer: Config, section: Config, body: Body, **more: Any) -> Body:
    return {"tokens": {"kind": "tiled", "most": most, **more, "source": source}}


def _llama4(outer: Config, section: Config, body: Body) -> Body:
    source = "preprocessor_config.json of Llama 4: max_patches 16 (Llama4ImageProcessor)"
    return _tiled(16, source, outer, section, body, by="canvas", row_markers=1, column_markers=1, markers=3)


def _split(outer: Config, section: Config, body: Body) -> Body:
    """Idefics 3 and SmolVLM: the longest side is four tiles; frames of a video are one tile."""
    side = body["image"]
    source = f"preprocessor_config.json of Idefics3-8B and SmolVLM: longest_edge {4 * side}, tiles of {side} px"
    rule = {"kind": "split", "longest": 4 * side, "source": source}
    return {"tokens": rule, "frames": {"kind": "fixed", "markers": 3}}


def _pinned(pinpoints: list[list[int]], outer: Config, section: Config, body: Body) -> Body:
    """LLaVA-NeXT: the sizes that its config names."""
    given = outer.items("image_grid_pinpoints", default=pinpoints) or pinpoints
    rule: Body = {"kind": "pinned", "pinpoints": given, "source": "image_grid_pinpoints (LlavaNextImageProcessor)"}
    return {"tokens": rule}


def _onevision(outer: Config, section: Config, body: Body) -> Body:
    """LLaVA-OneVision: at most 9 tiles' worth of tokens; frames of a video are pooled to a quarter."""
    side = body["image"]
    sizes = [[r * side, c * side] for r in range(1, 7) for c in range(1, 7)]
    given = outer.items("image_grid_pinpoints", default=sizes) or sizes
    ratio = outer.text("vision_aspect_ratio", default="anyres_max_9")
    most = int(ratio.removeprefix("anyres_max_")) if ratio.removeprefix("anyres_max_").isdecimal() else 9
    source = "image_grid_pinpoints and vision_aspect_ratio (LlavaOnevisionImageProcessor)"
    pooled = -(-(side // body["patch"]) // 2)
    rule = {"kind": "pinned", "pinpoints": given, "most": most, "source": source}
    return {"tokens": rule, "frames": {"kind": "fixed", "tokens": pooled**2}}


def _kimi(most: int, side: int | None, source: str, outer: Config, section: Config, body: Body) -> Body:
    rule = {"kind": "native", "most": most, "source": source} | ({"side": side} if side else {})
    return {"tokens": rule}


def _gemma4(outer: Config, section: Config, body: Body) -> Body:
    """Gemma 4: 280 tokens of a picture, 70 of each frame of a video."""
    tokens = section.whole("default_output_length", default=280)
    source = f"preprocessor_config.json of Gemma 4: max_soft_tokens {tokens} (Gemma4ImageProcessor)"
    rule = {"kind": "budget", "tokens": tokens, "source": source}
    return {"tokens": rule, "frames": {"kind": "budget", "tokens": 70}}


def _phi4(outer: Config, section: Config, body: Body) -> Body:
    """Phi-4-multimodal: crops of its own size."""
    side = section.whole("crop_size", default=448)
    source = "preprocessor_config.json of Phi-4-multimodal: dynamic_hd 36 crops (Phi4MultimodalImageProcessor)"
    return {"tokens": {"kind": "cropped", "side": side, "most": 36, "source": source}}


def _lfm2(outer: Config, section: Config, body: Body) -> Body:
    """LFM2-VL: 64 to 256 tokens, or 2 to 10 tiles of 512 pixels."""
    least, most = outer.whole("min_image_tokens", default=64), outer.whole("max_image_tokens", default=256)
    tiles, side = outer.whole("max_tiles", default=10), outer.whole("tile_size", default=512)
    source = "config.json and preprocessor_config.json of LFM2-VL (Lfm2VlImageProcessor)"
    rule = {"kind": "bounded_tiles", "side": side, "least": least, "most": most, "tiles": tiles, "source": source}
    return {"tokens": rule}


def _heard(merged: int, outer: Config, section: Config, body: Body, **more: Any) -> Body:
    """Whisper's windows of 30 seconds, 1,500 rows each, brought down to `merged`."""
    rows = section.whole("max_source_positions", default=1500)
    source = f"windows of {rows / 50:g} seconds, filled up (WhisperFeatureExtractor): {merged} tokens of 30 seconds"
    rule = {
        "kind": "padded",
        "window": rows / 50,
        "rows": rows,
        "merged": merged * rows // 1500,
        **more,
        "source": source,
    }
    return {"sound": rule}


def _omni(halved: int, attended: int, pooled: bool, outer: Config, section: Config, body: Body) -> Body:
    """Qwen-Omni: chunks of two windows of frames."""
    chunk = 2 * section.whole("n_window", default=100 if pooled else 50)
    if not pooled:
        attended = max(section.whole("n_window_infer", default=chunk * attended) // chunk, 1)
    rule: Body = {"kind": "chunked", "chunk": chunk, "halved": halved, "attended": attended, "pooled": pooled}
    return {
        "sound": rule
        | {"source": "chunks of config.json's n_window (Qwen2_5OmniAudioEncoder, Qwen3OmniMoeAudioEncoder)"}
    }


_COHERE: Final = "preprocessor_config.json of Command A Vision: crop_to_patches, 12 tiles and a thumbnail"
_AYA: Final = "preprocessor_config.json of Aya Vision: crop_to_patches, 12 tiles and a thumbnail"
_KIMI_VL: Final = "preprocessor_config.json of Kimi-VL-A3B: in_token_limit 4096 patches"
_KIMI_K25: Final = "Kimi_K25ImageProcessor: 16384 patches, at most 512 a side"
_NEXT: Final = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]

#: By the model type that holds the sections, and the section.
READINGS: Final[dict[str, dict[str, Read]]] = {
    "gemma3": {"vision_config": _gemma3},
    "shieldgemma2": {"vision_config": _gemma3},
    "paligemma": {
        "vision_config": partial(_fixed, "every picture is resized to the encoder's square (SiglipImageProcessor)")
    },
    "llava": {"vision_config": _clip},
    "vipllava": {"vision_config": _clip},
    "llava_next": {"vision_config": partial(_pinned, _NEXT)},
    "llava_onevision": {"vision_config": _onevision},
    "llama4": {"vision_config": _llama4},
    "idefics3": {"vision_config": _split},
    "smolvlm": {"vision_config": _split},
    "cohere2_vision": {"vision_config": partial(_tiled, 12, _COHERE, by="canvas", markers=2)},
    "aya_vision": {"vision_config": partial(_tiled, 12, _AYA, markers=2)},
    "kimi_vl": {"vision_config": partial(_kimi, 4096, None, _KIMI_VL)},
    "kimi_k25": {"vision_config": partial(_kimi, 16384, 512, _KIMI_K25)},
    "gemma4": {"vision_config": _gemma4},
    "lfm2_vl": {"vision_config": _lfm2},
    "qwen2_audio": {"audio_config": partial(_heard, 750)},
    "audioflamingo3": {"audio_config": partial(_heard, 750)},
    "musicflamingo": {"audio_config": partial(_heard, 750)},
    "voxtral": {"audio_config": partial(_heard, 375, halved=3, read_padding=True)},
    "qwen2_5_omni_thinker": {"vision_config": _qwen, "audio_config": partial(_omni, 1, 1, True)},
    "qwen3_asr": {"audio_config": partial(_omni, 3, 8, False)},
    "exaone4_5": {"vision_config": _qwen},
    "hyperclovax_vision_v2": {"vision_config": _qwen},
    "cosmos3_omni": {"vision_config": _qwen3},
    "phi4_multimodal": {"vision_config": _phi4},
    "qwen3_omni_moe_thinker": {"vision_config": _qwen3, "audio_config": partial(_omni, 3, 8, False)},
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
