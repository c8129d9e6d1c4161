"""Parts of an image folder that their classes read in a way of their own, that do not go together, or are unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import UnsupportedError
from tests.diffusion.test_more_folders import CLIP, CLIP_PART, FLUX, UNET, UNET_PART, VAE_PART, WIDE_VAE, Parts, folder

#: A small UNet without text in its last block, and one whose attention is added.
_SIMPLE: Final[dict[str, Any]] = {
    "block_out_channels": [64, 128],
    "down_block_types": ["SimpleCrossAttnDownBlock2D"] * 2,
    "up_block_types": ["SimpleCrossAttnUpBlock2D"] * 2,
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "cross_attention_dim": [96, 64],
    "attention_head_dim": 32,
    "sample_size": 32,
}


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"cross_attention_dim": [768, 768, 1024, 1024]}, 863_453_124),
        ({"cross_attention_dim": [512, 768, 1024, 640]}, 861_650_884),
        (_SIMPLE, 4_473_860),
    ],
)
def test_the_middle_reads_a_text_of_the_last_width(tmp_path: Path, config: dict[str, Any], parameters: int) -> None:
    """Parameters of UNet2DConditionModel, diffusers 0.42.1, built without memory."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"_class_name": "UNet2DConditionModel", **config}))
    assert rl.estimate(str(file), "a100").parameters.total == parameters


@pytest.mark.parametrize(("said", "calls"), [({}, 59), ({"skip_prk_steps": False}, 59), ({"skip_prk_steps": True}, 51)])
def test_pndm_begins_as_its_class_does_where_the_file_is_silent(
    tmp_path: Path, said: dict[str, bool], calls: int
) -> None:
    """skip_prk_steps is False by default: diffusers 0.42.1, PNDMScheduler."""
    parts = {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": CLIP_PART}
    root = folder(tmp_path, "StableDiffusionPipeline", parts)
    data = {"_class_name": "PNDMScheduler", **said}
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps(data))
    est: Any = rl.estimate(str(root), "a100", steps=50)
    assert est.phase("denoise").repeat == calls


@pytest.mark.parametrize(
    ("key", "made"),
    [("controlnet", "MultiControlNetModel"), ("controlnet", "MultiControlNetUnionModel"), ("adapter", "MultiAdapter")],
)
def test_several_parts_of_one_kind_are_refused_at_their_line(tmp_path: Path, key: str, made: str) -> None:
    """diffusers 0.42.1 writes them to controlnet/, controlnet_1/, … and names the class that holds them."""
    one = {"controlnet": "ControlNetModel", "adapter": "T2IAdapter"}[key]
    kind = {"controlnet": "StableDiffusionControlNetPipeline", "adapter": "StableDiffusionAdapterPipeline"}[key]
    root = folder(tmp_path, kind, {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": CLIP_PART})
    for name in (key, f"{key}_1"):
        (root / name).mkdir()
        (root / name / "config.json").write_text(json.dumps({"_class_name": one}))
    index = json.loads((root / "model_index.json").read_text()) | {key: ["a.module", made]}
    (root / "model_index.json").write_text(json.dumps(index, indent=1))
    line = (root / "model_index.json").read_text().splitlines().index(f' "{key}": [') + 1
    with pytest.raises(UnsupportedError, match=rf"(?s)model_index\.json:{line}:.*{made} is several parts"):
        rl.load_model(root)


def test_an_unknown_pipeline_is_answered_by_three_names_and_its_denoiser(tmp_path: Path) -> None:
    root = folder(tmp_path, "StableDiffusionSAGPipeline", {"unet": UNET_PART, "vae": VAE_PART})
    with pytest.raises(UnsupportedError) as caught:
        rl.load_model(root)
    said = str(caught.value)
    assert said.count("Pipeline,") <= 2
    assert "StableDiffusionPAGPipeline" in said
    assert f"The denoiser alone works: --model {root / 'unet'}" in said
    assert rl.estimate(str(root / "unet"), "a100").parameters.total > 0


def test_an_unknown_denoiser_is_not_offered(tmp_path: Path) -> None:
    root = folder(tmp_path, "AnimateDiffPipeline", {"unet": ("UNetMotionModel", UNET), "vae": VAE_PART})
    with pytest.raises(UnsupportedError) as caught:
        rl.load_model(root)
    assert "alone works" not in str(caught.value)


def test_an_unknown_text_encoder_is_answered_by_the_denoiser(tmp_path: Path) -> None:
    encoder = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    parts = {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": ("LlamaForCausalLM", encoder)}
    root = folder(tmp_path, "StableDiffusionPipeline", parts)
    with pytest.raises(UnsupportedError, match="not a text encoder that is modelled") as caught:
        rl.load_model(root)
    assert f"The denoiser alone works: --model {root.resolve() / 'unet'}" in str(caught.value)
    assert "UNet2DModel" not in str(caught.value)


_SD: Final[Parts] = {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": CLIP_PART}
_WIDE_CLIP: Final = ("CLIPTextModel", CLIP | {"hidden_size": 64})
_STEERED: Final = {key: UNET[key] for key in ("block_out_channels", "down_block_types", "attention_head_dim")}
_FLUX: Final[Parts] = {
    "transformer": ("FluxTransformer2DModel", FLUX),
    "vae": WIDE_VAE,
    "text_encoder": CLIP_PART,
    "text_encoder_2": ("T5EncoderModel", {"d_model": 64, "num_layers": 2, "num_heads": 4, "d_ff": 200}),
}


def _control(**changes: Any) -> tuple[str, dict[str, Any]]:
    return "ControlNetModel", _STEERED | {"cross_attention_dim": 96} | changes


def _adapter(*channels: int) -> tuple[str, dict[str, Any]]:
    return "T2IAdapter", {"channels": list(channels)}


def _unfit(tmp_path: Path, kind: str, parts: Parts) -> list[str]:
    est: Any = rl.estimate(str(folder(tmp_path, kind, parts)), "a100", height=256, width=256)
    return [warning.text for warning in est.warnings if warning.code == "parts-unfit"]


@pytest.mark.parametrize(
    ("kind", "parts", "numbers"),
    [
        ("StableDiffusionPipeline", _SD | {"vae": WIDE_VAE}, ("reads 4 channels", "have 16")),
        ("StableDiffusionPipeline", _SD | {"unet": ("UNet2DConditionModel", UNET | {"out_channels": 5})}, ("5", "4")),
        ("StableDiffusionPipeline", _SD | {"text_encoder": _WIDE_CLIP}, ("width 96", "make 64")),
        ("StableDiffusionXLPipeline", _SD | {"text_encoder_2": CLIP_PART}, ("width 96", "make 192")),
        (
            "StableDiffusionControlNetPipeline",
            _SD | {"controlnet": _control(cross_attention_dim=64)},
            ("width 64", "of 96"),
        ),
        (
            "StableDiffusionControlNetPipeline",
            _SD | {"controlnet": _control(block_out_channels=[64, 128, 128])},
            ("64, 128, 128", "64, 128, 192"),
        ),
        (
            "StableDiffusionAdapterPipeline",
            _SD | {"adapter": _adapter(64, 128, 256)},
            ("64, 128, 256", "64, 128, 192"),
        ),
        ("FluxPipeline", _FLUX, ("width 96", "make 64")),
    ],
)
def test_parts_that_do_not_fit_are_told_with_both_numbers(
    tmp_path: Path, kind: str, parts: Parts, numbers: tuple[str, str]
) -> None:
    (said,) = _unfit(tmp_path, kind, parts)
    assert all(number in said for number in numbers), said


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("StableDiffusionPipeline", _SD),
        ("StableDiffusionInpaintPipeline", _SD | {"unet": ("UNet2DConditionModel", UNET | {"in_channels": 9})}),
        ("StableDiffusionUpscalePipeline", _SD | {"unet": ("UNet2DConditionModel", UNET | {"in_channels": 7})}),
        ("StableDiffusionControlNetPipeline", _SD | {"controlnet": _control()}),
        ("StableDiffusionAdapterPipeline", _SD | {"adapter": _adapter(64, 128, 192, 192)}),
    ],
)
def test_parts_that_fit_are_not_warned_of(tmp_path: Path, kind: str, parts: Parts) -> None:
    """An inpainting model reads a masked picture and a mask too, an upscaler a small picture in pixels."""
    assert _unfit(tmp_path, kind, parts) == []


@pytest.mark.parametrize("model", ["sdxl", "sdxl-refiner", "sd3.5-medium", "flux.1-dev", "pixart-sigma", "sd-2.1"])
def test_the_parts_of_bundled_pipelines_fit(model: str) -> None:
    est: Any = rl.estimate(model, "a100")
    assert "parts-unfit" not in [warning.code for warning in est.warnings]


def test_a_part_of_another_name_is_told_where_it_is_not_counted(tmp_path: Path) -> None:
    root = folder(tmp_path, "StableDiffusionPipeline", _SD)
    more = {"unet_2": ["diffusers", "UNet2DConditionModel"], "tokenizer": ["transformers", "CLIPTokenizer"]}
    index = json.loads((root / "model_index.json").read_text()) | more | {"requires_safety_checker": [None, None]}
    (root / "model_index.json").write_text(json.dumps(index))
    notes = rl.estimate(str(root), "a100").assumptions
    assert "not counted, weights nor work: unet_2 (UNet2DConditionModel)" in notes
