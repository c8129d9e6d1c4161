"""diffusers folders and components as diffusers 0.42.1 and transformers 5.23.0 save them, without weights."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.errors import SpecError, UnsupportedError
from roofline.importers.diffusers.folder import import_diffusers

FILES: dict[str, Any] = json.loads(gzip.decompress((Path(__file__).parent / "folders.json.gz").read_bytes()))
#: The released file of Stable Diffusion 1.5 says it; without it the class begins with prk steps.
FILES["my-sd15/scheduler/scheduler_config.json"]["skip_prk_steps"] = True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data))
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "bundled"),
    [
        ("my-sd15", "stable-diffusion-v1-5"),
        ("my-sdxl", "sdxl"),
        ("my-sd3", "sd3.5-medium"),
        ("my-flux", "flux.1-dev"),
        ("my-pixart", "pixart-alpha"),
    ],
)
def test_a_folder_is_the_bundled_pipeline(root: Path, folder: str, bundled: str) -> None:
    options: dict[str, Any] = {"weights": "fp16", "height": 1024, "width": 1024, "steps": 20}
    mine: Any = rl.estimate(str(root / folder), gpu="a100", **options)
    ours: Any = rl.estimate(bundled, gpu="a100", **options)
    assert mine.parameters == ours.parameters
    assert [(p.name, p.flops, p.bytes, p.repeat) for p in mine.phases] == [
        (p.name, p.flops, p.bytes, p.repeat) for p in ours.phases
    ]
    assert mine.memory.total_bytes == ours.memory.total_bytes - ours.memory.safety_checker_bytes


@pytest.mark.parametrize(
    ("component", "parameters"),
    [
        ("my-sd15/unet", 859_520_964),
        ("my-sd15/unet/config.json", 859_520_964),
        ("my-sd15/vae", 83_653_863),
        ("my-sdxl/text_encoder_2", 694_659_840),
        ("my-flux/text_encoder_2", 4_762_310_656),
        ("taesd", 2_445_063),
        ("dit_xl2_256", 749_826_464),
        ("sd15_controlnet", 361_279_120),
        ("sd21_unet", 865_910_724),
        ("sdxl_lcm_unet", 2_567_545_604),
    ],
)
def test_a_component_alone(root: Path, component: str, parameters: int) -> None:
    assert rl.estimate(str(root / component), gpu="a100").parameters.total == parameters


def test_a_unet_with_stacks_of_other_depths(root: Path) -> None:
    """[0, 2, 4] transformer layers down and [4, 2, 0] up, recorded with diffusers 0.42.1."""
    est: Any = rl.estimate(str(root / "ssd1b"), gpu="a100")
    assert est.phase("denoise").kernels == 1074
    assert est.phase("denoise").bytes == 25_912_099_232
    assert est.memory.activation_peak_bytes == 330_313_216


def test_a_missing_component_is_named(root: Path) -> None:
    (root / "my-sd15" / "vae" / "config.json").unlink()
    with pytest.raises(SpecError, match=r"vae/config\.json is missing"):
        rl.load_model(root / "my-sd15")


def test_an_unknown_block_type_is_named(root: Path) -> None:
    file = root / "my-sd15" / "unet" / "config.json"
    data = FILES["my-sd15/unet/config.json"] | {"down_block_types": ["KDownBlock2D"] * 4}
    file.write_text(json.dumps(data))
    with pytest.raises(UnsupportedError, match="KDownBlock2D"):
        import_diffusers(root / "my-sd15")


def test_an_unknown_key_is_named(root: Path) -> None:
    file = root / "my-sd15" / "unet" / "config.json"
    file.write_text(json.dumps(FILES["my-sd15/unet/config.json"] | {"extra_layers": 3, "_diffusers_version": "99.0"}))
    with pytest.raises(UnsupportedError, match="extra_layers"):
        rl.load_model(root / "my-sd15")
