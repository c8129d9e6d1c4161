"""Vision and audio encoders of whole models against the reference library: parameters, tokens, FLOPs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from tests.importers.configs import written

_MODELS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("vlm.json").read_text("utf-8"))["models"]
_PICTURES: Final = [(name, size) for name, model in _MODELS.items() for size in model.get("images", ())]


@pytest.mark.parametrize("name", _MODELS)
def test_language_model_and_towers_have_the_parameters_of_the_class(name: str, tmp_path: Path) -> None:
    parameters = rl.estimate(written(tmp_path, _MODELS[name]["config"]), gpu="h100").parameters
    assert (parameters.total, parameters.beside["towers"]) == (_MODELS[name]["text"], _MODELS[name]["beside"])


@pytest.mark.parametrize(("name", "size"), _PICTURES)
def test_a_picture_has_the_tokens_and_flops_of_the_reference(name: str, size: str, tmp_path: Path) -> None:
    model = _MODELS[name]
    tokens, encoder, prefill = model["images"][size]
    how = {"prompt": 64, "generate": 1, "logits": "all", "fusion": "eager", "images": 1, "image_size": size}
    est = rl.estimate(written(tmp_path, model["config"]), gpu="h100", **how)
    assert est.inputs["prompt_tokens"] == 64 + tokens
    assert est.phase("vision_encode").flops == encoder
    assert est.phase("prefill").flops == prefill


def test_half_a_minute_of_sound_has_the_tokens_and_flops_of_the_reference(tmp_path: Path) -> None:
    model = _MODELS["qwen2-audio-7b"]
    tokens, encoder = model["seconds"]["30"]
    est = rl.estimate(written(tmp_path, model["config"]), gpu="h100", prompt=64, fusion="eager", seconds=30.0)
    assert (est.inputs["prompt_tokens"], est.phase("audio_encode").flops) == (64 + tokens, encoder)
