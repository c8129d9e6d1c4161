"""Encoders that a file has or that its class loads, and that are not modelled: never left out without a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError, UsageError
from roofline.importers.huggingface.read import read_config

from .configs import GEMMA, LLAMA, written

#: `visual` of Qwen/Qwen-VL, config.json.
_VISUAL: Final = {"heads": 16, "image_size": 448, "layers": 48, "mlp_ratio": 4.9231, "patch_size": 14, "width": 1664}
_QWEN: Final = {
    **{key: value for key, value in LLAMA.items() if key != "num_key_value_heads"},
    "model_type": "qwen",
    "kv_channels": 32,
    "architectures": ["QWenLMHeadModel"],
    "auto_map": {"AutoModelForCausalLM": "modeling_qwen.QWenLMHeadModel"},
}
_VIT: Final = {"hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 4096}
_QWEN_VL: Final = {
    "model_type": "qwen2_5_vl",
    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
    **{key: value for key, value in LLAMA.items() if key != "model_type"},
}
#: `audio_processor` of microsoft/Phi-4-multimodal-instruct, config.json.
_CASCADES: Final = {
    "name": "cascades",
    "config": {"attention_dim": 1024, "attention_heads": 16, "linear_units": 1536, "num_blocks": 24, "kernel_size": 3},
}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({**_QWEN, "visual": _VISUAL}, "visual of qwen: an encoder that is not modelled; about 1.84 billion"),
        ({**LLAMA, "auto_map": {"AutoModelForCausalLM": "m.M"}, "vision_config": _VIT}, "about 302 million"),
        ({**LLAMA, "vision_encoder_cfg": _VIT}, "vision_encoder_cfg of llama"),
        ({**LLAMA, "image_tower_config": _VIT}, "image_tower_config of llama"),
        ({"model_type": "gemma3n", "text_config": {**GEMMA, "model_type": "gemma3_text"}}, "vision_config of gemma3n"),
        ({**LLAMA, "architectures": ["Qwen2_5_VLForConditionalGeneration"]}, "vision_config of qwen2_5_vl"),
    ],
)
def test_what_reads_pictures_and_is_not_modelled_is_told(data: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = written(tmp_path, data)
    warnings = rl.estimate(path, gpu="h100").warnings
    assert any(warn.code == "tower-not-counted" and words in warn.text for warn in warnings)
    with pytest.raises(UsageError, match=r"what reads pictures in .* is not modelled"):
        rl.estimate(path, gpu="h100", images=1)


def test_sound_under_another_name_is_told(tmp_path: Path) -> None:
    encoder = {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120}
    path = written(tmp_path, {**LLAMA, "whisper_config": encoder})
    with pytest.raises(UsageError, match=r"what reads sound in .* is not modelled: whisper_config"):
        rl.estimate(path, gpu="h100", seconds=3)


def test_a_section_of_a_processor_is_no_encoder(tmp_path: Path) -> None:
    spec: Any = read_config(written(tmp_path, {**LLAMA, "image_processor_config": {"size": {"height": 336}}}))
    assert not spec.left_out


@pytest.mark.parametrize("name", ["vison_config", "vision_confg", "visoin_config", "Vision_config"])
def test_a_slip_of_the_name_of_a_section_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=rf"{name}.*\n.*\n.*\n.*'vision_config'"):
        read_config(written(tmp_path, {**_QWEN_VL, name: {"depth": 32}}))


def test_a_slip_of_the_section_of_the_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'text_config'"):
        read_config(written(tmp_path, {"model_type": "gemma3", "text_confg": GEMMA}))


@pytest.mark.parametrize(
    ("data", "parameters"),
    [
        # Qwen2_5_VLConfig().vision_config and LlavaConfig().vision_config (transformers 5.24.0)
        (_QWEN_VL, None),
        ({"model_type": "llava", "text_config": LLAMA}, 303_507_456 + 256 * 1024 + 256 + 256 * 256 + 256),
    ],
)
def test_a_section_that_is_missing_is_the_one_of_the_class(data: Any, parameters: Any, tmp_path: Path) -> None:
    est = rl.estimate(written(tmp_path, data), gpu="h100")
    assert any("no vision_config in the file" in note for note in est.assumptions)
    assert est.parameters.beside["towers"] == (parameters or est.parameters.beside["towers"])
    assert not any(warn.code == "tower-not-counted" for warn in est.warnings)


def test_a_class_that_makes_no_tower_by_itself_has_none(tmp_path: Path) -> None:
    """Gemma4Config().vision_config is None (transformers 5.24.0)."""
    spec: Any = read_config(written(tmp_path, {"model_type": "gemma4", "text_config": {**GEMMA}}))
    assert not spec.towers
    assert not spec.left_out


def test_phi4_multimodal_tells_of_its_encoder_of_speech_and_its_adapters(tmp_path: Path) -> None:
    keys = {"audio_processor": _CASCADES, "embd_layer": {"embedding_cls": "image_audio"}, "img_processor": None}
    adapters = {"vision_lora": {"r": 256}, "speech_lora": {"r": 320}}
    est = rl.estimate(written(tmp_path, {**LLAMA, "model_type": "phi4mm", **keys, **adapters}), gpu="h100")
    told = next(warn.text for warn in est.warnings if warn.code == "tower-not-counted")
    assert "(cascades): an encoder that is not modelled; about" in told
    assert "low-rank adapters" in told
    assert "does not state" not in told
    assert not any("are left out" in note for note in est.assumptions)
