"""Pipelines of diffusers beyond the bundled ones: which parts they run, how often, in which format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError, UnsupportedError

UNET: Final[dict[str, Any]] = {
    "block_out_channels": [64, 128, 192],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "cross_attention_dim": 96,
    "attention_head_dim": 4,
    "sample_size": 32,
}
PLAIN: Final[dict[str, Any]] = {
    "sample_size": 32,
    "block_out_channels": [32, 64],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
}
VAE: Final[dict[str, Any]] = {
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "up_block_types": ["UpDecoderBlock2D"] * 3,
    "block_out_channels": [32, 64, 64],
}
CLIP: Final[dict[str, Any]] = {
    "hidden_size": 96,
    "num_attention_heads": 4,
    "intermediate_size": 200,
    "num_hidden_layers": 2,
}
T5: Final[dict[str, Any]] = {
    "model_type": "t5",
    "d_model": 96,
    "num_layers": 2,
    "num_heads": 4,
    "d_kv": 24,
    "d_ff": 200,
    "feed_forward_proj": "gated-gelu",
}
FLUX: Final[dict[str, Any]] = {
    "num_layers": 2,
    "num_single_layers": 3,
    "attention_head_dim": 32,
    "num_attention_heads": 3,
    "joint_attention_dim": 96,
    "pooled_projection_dim": 96,
    "axes_dims_rope": [8, 12, 12],
}
MMDIT: Final[dict[str, Any]] = {
    "num_layers": 4,
    "attention_head_dim": 16,
    "num_attention_heads": 6,
    "caption_projection_dim": 96,
    "joint_attention_dim": 96,
    "pooled_projection_dim": 96,
    "sample_size": 32,
}
NF4: Final[dict[str, Any]] = {
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
}
Parts = dict[str, tuple[str, dict[str, Any] | None]]


def folder(tmp_path: Path, kind: str, parts: Parts, scheduler: str = "DDIMScheduler") -> Path:
    """A pipeline's folder whose parts' classes stand in model_index.json alone; a part of None has no file."""
    root = tmp_path / "pipeline"
    root.mkdir()
    for name, (_, config) in parts.items():
        if config is not None:
            (root / name).mkdir()
            (root / name / "config.json").write_text(json.dumps(config))
    (root / "scheduler").mkdir()
    (root / "scheduler" / "scheduler_config.json").write_text(json.dumps({"_class_name": scheduler}))
    index = {name: ["diffusers", made] for name, (made, _) in parts.items()}
    (root / "model_index.json").write_text(json.dumps({"_class_name": kind, **index}))
    return root


UNET_PART: Final = ("UNet2DConditionModel", UNET)
VAE_PART: Final = ("AutoencoderKL", VAE)
WIDE_VAE: Final = ("AutoencoderKL", VAE | {"latent_channels": 16})
CLIP_PART: Final = ("CLIPTextModel", CLIP)


@pytest.mark.parametrize(
    ("kind", "parts", "phases"),
    [
        ("DDPMPipeline", {"unet": ("UNet2DModel", PLAIN)}, {"noise": 1, "denoise": 1000}),
        (
            "LDMPipeline",
            {"unet": ("UNet2DModel", PLAIN), "vqvae": ("VQModel", VAE)},
            {"noise": 1, "denoise": 50, "vae_decode": 1},
        ),
        (
            "IFPipeline",
            {
                "unet": ("UNet2DConditionModel", UNET | {"encoder_hid_dim": 96, "addition_embed_type": "text"}),
                "text_encoder": ("T5EncoderModel", T5),
            },
            {"text_encode": 2, "noise": 1, "denoise": 100},
        ),
        (
            "StableDiffusionAdapterPipeline",
            {
                "unet": UNET_PART,
                "vae": VAE_PART,
                "text_encoder": CLIP_PART,
                "adapter": ("T2IAdapter", {"channels": [64, 128]}),
            },
            {"text_encode": 2, "adapt": 1, "noise": 1, "denoise": 50, "vae_decode": 1},
        ),
        (
            "StableDiffusion3ControlNetPipeline",
            {
                "transformer": ("SD3Transformer2DModel", MMDIT),
                "vae": WIDE_VAE,
                "text_encoder": ("CLIPTextModelWithProjection", CLIP),
                "controlnet": ("SD3ControlNetModel", MMDIT | {"num_layers": 2}),
            },
            {"text_encode": 2, "noise": 1, "control": 28, "denoise": 28, "vae_decode": 1},
        ),
        (
            "FluxControlNetPipeline",
            {
                "transformer": ("FluxTransformer2DModel", FLUX),
                "vae": WIDE_VAE,
                "text_encoder_2": ("T5EncoderModel", T5),
                "controlnet": ("FluxControlNetModel", FLUX | {"num_single_layers": 0}),
            },
            {"text_encode": 1, "vae_encode": 1, "noise": 1, "control": 28, "denoise": 28, "vae_decode": 1},
        ),
        (
            "DiTPipeline",
            {"transformer": ("DiTTransformer2DModel", {"num_layers": 2}), "vae": VAE_PART},
            {"noise": 1, "denoise": 50, "vae_decode": 1},
        ),
    ],
)
def test_phases_of_a_pipeline(tmp_path: Path, kind: str, parts: Parts, phases: dict[str, int]) -> None:
    answer: Any = rl.estimate(folder(tmp_path, kind, parts), "a100")
    assert {phase.name: phase.repeat for phase in answer.phases} == phases


def test_a_part_beside_the_steps_is_told_as_not_counted(tmp_path: Path) -> None:
    parts: Parts = {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": CLIP_PART}
    vision: Parts = {"image_encoder": ("CLIPVisionModelWithProjection", None)}
    answer: Any = rl.estimate(folder(tmp_path, "StableUnCLIPImg2ImgPipeline", {**parts, **vision}), "a100")
    assert any("not counted" in note and "CLIPVisionModelWithProjection" in note for note in answer.assumptions)


def test_a_quantised_part_keeps_its_format_unless_another_is_asked_for(tmp_path: Path) -> None:
    parts: Parts = {
        "transformer": ("FluxTransformer2DModel", FLUX | NF4),
        "vae": WIDE_VAE,
        "text_encoder_2": ("T5EncoderModel", T5),
    }
    root = folder(tmp_path, "FluxPipeline", parts, "FlowMatchEulerDiscreteScheduler")
    own, asked = rl.estimate(root, "a100"), rl.estimate(root, "a100", weights="bf16")
    named: Any = rl.estimate(root, "a100", weights="bf16,denoiser=nf4")
    assert own.memory.weights_bytes == named.memory.weights_bytes < asked.memory.weights_bytes


def test_a_component_takes_its_class_from_the_pipeline_around_it(tmp_path: Path) -> None:
    root = folder(tmp_path, "DDPMPipeline", {"unet": ("UNet2DModel", PLAIN)})
    assert rl.estimate(root / "unet", "a100").parameters == rl.estimate(root, "a100").parameters


@pytest.mark.parametrize(
    ("kind", "parts", "said"),
    [
        ("WanPipeline", {}, "WanPipeline is a pipeline of diffusers that is not modelled"),
        ("StableDiffusionPipeline", {"unet": UNET_PART}, "names no vae"),
        (
            "StableDiffusionPipeline",
            {"unet": UNET_PART, "vae": ("AutoencoderKLWan", {})},
            "AutoencoderKLWan is a class",
        ),
        (
            "StableDiffusionPipeline",
            {"unet": UNET_PART, "vae": VAE_PART, "text_encoder": ("BertModel", {"model_type": "bert"})},
            "BertModel is not a text encoder",
        ),
        (
            "StableDiffusionControlNetPipeline",
            {
                "unet": UNET_PART,
                "vae": VAE_PART,
                "controlnet": ("SD3ControlNetModel", MMDIT),
            },
            "no ControlNet of",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(tmp_path: Path, kind: str, parts: Parts, said: str) -> None:
    with pytest.raises((SpecError, UnsupportedError), match=said):
        rl.estimate(folder(tmp_path, kind, parts), "a100")
