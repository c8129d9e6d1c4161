"""Image models that are asked for what they cannot do, or described as nothing can be: answered or refused, at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.errors import SpecError, UnsupportedError, UsageError

MODELS = Path(__file__).parents[2] / "models"


def spec_file(tmp_path: Path, model: str, *changes: tuple[str, str]) -> Path:
    """A bundled model's file with some of its text replaced."""
    text = (MODELS / f"{model}.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / f"{model}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("model", ["sdxl", "stable-diffusion-v1-5", "pixart-alpha", "flux.1-dev", "sd3.5-medium"])
@pytest.mark.parametrize("fusion", ["eager", "flash", "compiled"])
def test_a_grid_in_fp32_is_its_points(model: str, fusion: str) -> None:
    grid: Any = rl.sweep(model, "a100", weights="fp32", batch=[1, 2], fusion=fusion, steps=2)
    for index, batch in enumerate((1, 2)):
        single: Any = rl.estimate(model, "a100", weights="fp32", batch=batch, fusion=fusion, steps=2)
        assert grid["total_s"][index] == pytest.approx(single.quantity("total_s").times.expected, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "side", "step"), [("eai-celebhq", 32, 64), ("eai-celebhq-unet", 8, 64), ("dit-xl-2-256", 24, 16)]
)
def test_a_picture_smaller_than_the_halvings_or_the_patch_is_refused_with_the_step(
    model: str, side: int, step: int
) -> None:
    with pytest.raises(UsageError, match=f"multiple of {step}"):
        rl.estimate(model, "a100", height=side, width=side)


@pytest.mark.parametrize("model", ["sdxl", "sd-vae", "stable-diffusion-v1-5"])
def test_the_largest_picture_in_tiles_is_found(model: str) -> None:
    answer: Any = rl.estimate(model, "a100", tiling=True)
    assert answer.memory.max_side_px >= 1024


@pytest.mark.parametrize(
    ("model", "old", "new", "field"),
    [
        ("sd15-controlnet-part", "hint_channels", "hint_channels: []\nunused", "hint_channels"),
        ("sdxl-unet", "channels: 1280, resnets: 2", "channels: 1280, resnets: 1000000000", "resnets"),
        ("taesd", "decoder", "decoder: []\nunused", "decoder"),
        ("taesd", "decoder", f"decoder: {[1] * 2000}\nunused", "decoder"),
        ("taesd", "encoder", f"encoder: {[1000000000]}\nunused", "encoder"),
        ("stable-diffusion-v1-5", "text_encoders", f"text_encoders: {['clip-l'] * 500}\nunused", "text_encoders"),
        ("stable-diffusion-v1-5", "denoiser: sd15-unet", "denoiser: stable-diffusion-v1-5", "is a pipeline"),
        ("dit-xl-2-256", "layers: 28", "layers: 1000000000", "layers"),
    ],
)
def test_sizes_that_no_model_has_are_refused_with_their_field(
    tmp_path: Path, model: str, old: str, new: str, field: str
) -> None:
    file = spec_file(tmp_path, model)
    lines = file.read_text().splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith(f"{old}:")), None)
    if at is None:
        text = "\n".join(lines)
        text = text.replace(old, new) if old in text else text + "\n" + new.split("\n", maxsplit=1)[0]
    else:
        lines[at] = new.split("\n", maxsplit=1)[0]
        text = "\n".join(lines)
    file.write_text(text + "\n")
    with pytest.raises(SpecError, match=field):
        rl.estimate(file, "a100")


def test_published_parameters_that_are_not_those_counted_are_told(tmp_path: Path) -> None:
    right: Any = rl.estimate("sd15-unet", "a100")
    assert not [warning for warning in right.warnings if warning.code == "published-differs"]
    file = spec_file(tmp_path, "sd15-unet", ("value: 859520964", "value: 859520965"))
    wrong: Any = rl.estimate(file, "a100")
    assert [warning for warning in wrong.warnings if warning.code == "published-differs"]


def test_published_parameters_of_a_part_are_compared_too(tmp_path: Path) -> None:
    spec_file(tmp_path, "sd15-unet", ("value: 859520964", "value: 1"))
    whole: Any = rl.estimate(spec_file(tmp_path, "stable-diffusion-v1-5"), "a100")
    assert any(warning.code == "published-differs" and "sd15-unet" in warning.text for warning in whole.warnings)


def test_a_layer_of_dual_attention_counts_once(tmp_path: Path) -> None:
    once, twice = ({"_class_name": "SD3Transformer2DModel", "dual_attention_layers": [0] * n} for n in (1, 2))
    found = [rl.estimate(_written(tmp_path, "part", data), "a100").parameters for data in (once, twice)]
    assert found[0] == found[1]
    with pytest.raises(SpecError, match="twice"):
        rl.estimate(spec_file(tmp_path, "sd35-medium-mmdit", ("dual_attention: [0", "dual_attention: [0, 0")), "a100")


def _written(tmp_path: Path, name: str, data: dict[str, Any]) -> Path:
    folder = tmp_path / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(data))
    return folder


def test_a_folder_whose_name_is_not_ascii_is_read(tmp_path: Path) -> None:
    folder = _written(tmp_path, "модель-é", {"_class_name": "AutoencoderTiny"})
    assert rl.estimate(folder, "a100").parameters.total == 2_445_063


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"_class_name": "AutoencoderKLHunyuanVideo"}, "AutoencoderKLHunyuanVideo is a class of diffusers that is not"),
        ({"_class_name": "WanTransformer3DModel", "num_layers": 30}, "WanTransformer3DModel is a class of diffusers"),
        ({"block_out_channels": [64, 128], "layers_per_block": 2}, "_class_name"),
        ({"_class_name": ["UNet2DModel"]}, "_class_name"),
        ({"_class_name": "UNet2DConditionModel", "layers_per_block": "2"}, "layers_per_block"),
        ({"_class_name": "UNet2DConditionModel", "attention_head_dim": [8, 8, 8, "8"]}, "attention_head_dim"),
        ({"_class_name": "UNet2DConditionModel", "num_attention_heads": 8}, "num_attention_heads"),
        ({"_class_name": "UNet2DConditionModel", "dual_cross_attention": True}, "dual_cross_attention"),
        ({"_class_name": "UNet2DConditionModel", "transformer_layers_per_block": [1, [1, 2], 1, 1]}, "reverse_"),
        ({"_class_name": "UNet2DConditionModel", "layers_per_block": 10**8}, "layers_per_block"),
        ({"_class_name": "UNet2DConditionModel", "attention_head_dim": 7}, "attention_head_dim"),
        ({"_class_name": "UNet2DConditionModel", "transformer_layers_per_block": "x"}, "transformer_layers"),
        ({"_class_name": "AutoencoderDC", "encoder_qkv_multiscales": 7}, "encoder_qkv_multiscales"),
        ({"_class_name": "AutoencoderDC", "encoder_layers_per_block": [2, 0, 2, 3, 3, 3]}, "only the level"),
        ({"_class_name": "T2IAdapter", "adapter_type": "other"}, "adapter_type"),
        ({"_class_name": "T2IAdapter", "adapter_type": "light_adapter", "channels": [32, 1]}, "quarter"),
        ({"_class_name": "AutoencoderDC", "encoder_block_out_channels": [32, 33, 64, 64, 64, 64]}, "divide by 4"),
        ({"_class_name": "FluxTransformer2DModel", "patch_size": 2}, "patch_size"),
        ({"_class_name": "FluxTransformer2DModel", "quantization_config": {"quant_method": "odd"}}, "quant_method"),
        ({"_class_name": "VQModel", "norm_type": "spatial"}, "norm_type"),
        ({"_class_name": "FluxTransformer2DModel", "axes_dims_rope": [1] * 128}, "rotary"),
    ],
)
def test_what_is_not_modelled_is_called_what_it_is(tmp_path: Path, data: dict[str, Any], said: str) -> None:
    with pytest.raises((SpecError, UnsupportedError), match=said):
        rl.estimate(_written(tmp_path, "part", data), "a100")
