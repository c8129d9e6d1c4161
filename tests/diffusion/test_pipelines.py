"""Pipelines: phases, calls of schedulers, guidance, sizes, formats, parts, offload, tiles, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.levels import levels
from roofline.cli.app import app
from roofline.errors import SpecError, UnknownNameError, UsageError
from roofline.specs.files.reader import MODEL_FAMILIES
from roofline.workload.schedulers import denoiser_calls


def ask(model: str = "sd15", **options: Any) -> Any:
    return rl.estimate(model, gpu=options.pop("gpu", "a100"), **options)


def names(est: Any) -> list[str]:
    return [phase.name for phase in est.phases]


@pytest.mark.parametrize(
    ("scheduler", "calls"),
    [
        ("PNDMScheduler", (1, 3, 5, 21, 51)),
        ("heun", (1, 3, 7, 39, 99)),
        ("KDPM2DiscreteScheduler", (1, 3, 7, 39, 99)),
        ("FlowMatchHeunDiscreteScheduler", (1, 3, 7, 39, 99)),
        ("ddim", (1, 2, 4, 20, 50)),
        ("DPMSolverMultistepScheduler", (1, 2, 4, 20, 50)),
        ("LCMScheduler", (1, 2, 4, 20, 50)),
    ],
)
def test_calls_of_schedulers(scheduler: str, calls: tuple[int, ...]) -> None:
    """Lengths of `timesteps` in diffusers 0.42.1."""
    assert tuple(denoiser_calls(scheduler, float(steps)) for steps in (1, 2, 4, 20, 50)) == calls


def test_the_headline_numbers() -> None:
    unet = ask("sd15-unet", guidance=0)
    assert unet.parameters.total == 859_520_964
    assert unet.phases[0].flops == 803_273_441_280
    picture = ask("sdxl", steps=30)
    assert sum(float(p.flops * p.repeat) for p in picture.phases) / 1e12 == pytest.approx(416.4, abs=0.05)


def test_phases_of_a_picture() -> None:
    est = ask(steps=50)
    assert names(est) == ["text_encode", "noise", "denoise", "vae_decode"]
    assert [float(phase.repeat) for phase in est.phases] == [2, 1, 51, 1]
    assert est.latency.total.bound == sum(float(p.times.bound * p.repeat) for p in est.phases)
    assert est.throughput.images.bound == pytest.approx(1 / est.latency.total.bound)


@pytest.mark.parametrize(("guidance", "share"), [(0, 1), (1, 1), (7.5, 2)])
def test_guidance_above_one_doubles_the_batch(guidance: float, share: int) -> None:
    assert ask(guidance=guidance).phase("denoise").flops == share * 803_273_441_280


def test_guidance_as_an_input_doubles_nothing() -> None:
    assert ask("flux.1-dev").phase("denoise").flops == ask("flux.1-dev", guidance=1).phase("denoise").flops
    assert ask("sdxl-lcm").phase("denoise").flops < 6.8e12


def test_strength_runs_a_share_of_the_steps_and_encodes_the_picture() -> None:
    est = ask(strength=0.8, steps=50)
    assert names(est)[:2] == ["text_encode", "vae_encode"]
    assert est.phase("denoise").repeat == 41
    assert ask("stable-diffusion-inpainting").phase("vae_encode").repeat == 1
    assert ask("instruct-pix2pix").phase("denoise").flops == pytest.approx(3 * 803_332_423_680, rel=1e-3)


def test_refiner_and_controlnet_are_phases_of_their_own() -> None:
    est = ask("sdxl-with-refiner", steps=50)
    assert (est.phase("denoise").repeat, est.phase("refine").repeat) == (40, 10)
    control = ask("sd15-controlnet")
    assert control.phase("control").repeat == control.phase("denoise").repeat
    assert control.latency.step.bound > control.phase("denoise").times.bound


def test_formats_of_single_phases() -> None:
    """SDXL's decoder overflows in fp16 and runs in fp32, with TF32 convolutions; T5 keeps a matrix in fp32."""
    sdxl = ask("sdxl")
    assert sdxl.memory.components["autoencoder"] == 4 * 83_653_863
    assert ask("sdxl", weights="bf16").memory.components["autoencoder"] == 2 * 83_653_863
    assert {row.dtype for row in sdxl.ops("vae_decode") if row.kind != "outside"} == {"tf32"}
    extra = ask("sd3-medium").memory.components["text_encoder_3"] - 2 * 4_762_310_656
    assert extra == 2 * 24 * 4096 * 10240
    assert ask("sd3-medium", weights="bf16").memory.components["text_encoder_3"] == 2 * 4_762_310_656


def test_offload_keeps_one_part_at_a_time() -> None:
    everything, one = (ask("flux.1-dev", engine="ideal", offload=offload).memory for offload in ("none", "model"))
    assert one.total_bytes == everything.model_offload_bytes < everything.total_bytes
    assert one.total_bytes == everything.components["denoiser"] + everything.peaks["denoiser"]


def test_tiles_and_slices_bound_the_decoder() -> None:
    whole, tiled = ask(height=1024, width=1024), ask(height=1024, width=1024, tiling=True)
    tiles = 2.0 * 3 * (512 + 512 + 256) ** 2
    assert tiled.memory.peaks["autoencoder"] == ask(height=512, width=512).memory.peaks["autoencoder"] + tiles
    assert tiled.parameters.total == whole.parameters.total
    assert tiled.phase("vae_decode").flops > whole.phase("vae_decode").flops
    sliced = ask(batch=4, slicing=True)
    pictures = 3 * 2.0 * 3 * 512**2
    assert sliced.memory.peaks["autoencoder"] == ask().memory.peaks["autoencoder"] + pictures
    assert sliced.phase("vae_decode").repeat == 4


def test_largest_square_and_batch_are_the_largest() -> None:
    memory = ask(gpu="rtx-3060").memory
    side, batch = memory.max_side, memory.max_batch
    assert ask(gpu="rtx-3060", height=side, width=side).memory.fits
    assert not ask(gpu="rtx-3060", height=side + 8, width=side + 8).memory.fits
    assert ask(gpu="rtx-3060", batch=batch).memory.fits
    assert not ask(gpu="rtx-3060", batch=batch + 1).memory.fits


def test_a_grid_is_its_points() -> None:
    batches, sides, steps = np.array([[1.0], [3.0]]), np.array([512, 768, 1024]), np.array([20, 30, 50])
    grid = ask("sdxl", batch=batches, height=sides, width=sides, steps=steps)
    for i in range(2):
        for j in range(3):
            point = ask(
                "sdxl", batch=int(batches[i, 0]), height=int(sides[j]), width=int(sides[j]), steps=int(steps[j])
            )
            assert grid.latency.total.bound[i, j] == pytest.approx(point.latency.total.bound, rel=1e-12)
            assert grid.memory.total_bytes[i, j] == point.memory.total_bytes


@pytest.mark.parametrize("model", ["sd-vae", "taesd", "clip-l", "t5-xxl", "sd15-controlnet-part", "dit-xl-2-256"])
def test_a_part_alone_is_answered(model: str) -> None:
    est = ask(model)
    assert est.parameters.total > 0
    assert est.latency.total.bound > 0
    assert est.to_dict()["memory"]["kv_cache_bytes"] == 0


def test_levels_side_by_side() -> None:
    rows = {row["level"]: row for row in levels("sd15", "a100")}
    assert rows["classic"]["kernels"] == 920
    assert rows["cuda"]["kernels"] == 826
    assert rows["flash"]["bytes"] == 6_931_483_048
    assert rows["math"]["bytes"] > rows["classic"]["bytes"] > rows["flash"]["bytes"] > rows["compiled"]["bytes"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"height": 1001}, "multiple of 8"),
        ({"model": "sd3-medium", "height": 1000}, "multiple of 16"),
        ({"steps": 0}, "--steps"),
        ({"guidance": -1}, "--guidance"),
        ({"strength": 0}, "--strength"),
        ({"tp": 2}, "--tp is not modelled"),
        ({"fusion": "flsh"}, "Did you mean 'flash'"),
        ({"offload": "all"}, "--offload"),
        ({"model": "mistral-7b", "height": 512}, "image models"),
    ],
)
def test_bad_input_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ask(**options)


def test_unknown_schedulers_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="heun"):
        ask(scheduler="henu")


def test_a_named_part_must_exist_and_fit(tmp_path: Any) -> None:
    text = (
        "family: pipeline\nname: mine\ntitle: mine\ndenoiser: sd15-unit\nautoencoder: sd-vae\nscheduler: ddim\n"
        "steps: 10\nguidance: 5.0\nheight: 512\nwidth: 512\nsources: [me]\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match="sd15-unet"):
        rl.load_model(path)
    path.write_text(text.replace("sd15-unit", "clip-l"))
    with pytest.raises(SpecError, match="is a text_encoder; it must be one of"):
        rl.load_model(path)


def test_commands_answer_for_pictures() -> None:
    for words in (["estimate"], ["ops", "--by", "block"], ["explain"], ["levels"]):
        result = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"}).invoke(app, [*words, "-m", "sdxl", "-g", "a100"])
        assert result.exit_code == 0, result.output
        assert result.output.strip()


def test_families_are_registered() -> None:
    for name, load in MODEL_FAMILIES.items():
        assert name in ("transformer", *str(load().model_fields["family"].annotation).split("'"))


def test_a_sweep_over_pictures_is_its_points() -> None:
    sweep = rl.sweep("sdxl", gpu=["a100", "h100"], batch=[1, 4], height=[512, 1024], steps=[20, 50], width=768)
    assert sweep.shape == (2, 2, 2, 2)
    point = ask("sdxl", gpu="h100", batch=4, height=512, width=768, steps=50)
    assert sweep["total_s"][1, 1, 0, 1] == pytest.approx(point.latency.total.expected, rel=1e-12)
    assert sweep["images_per_s"][1, 1, 0, 1] == pytest.approx(point.throughput.images.expected, rel=1e-12)
    assert sweep["total_bytes"][1, 1, 0, 1] == point.memory.total_bytes


@pytest.mark.parametrize(
    ("part", "fp32", "fp16"),
    [
        ("sd15-unet", 3.438, 1.719),
        ("clip-l", 0.492, 0.246),
        ("sd2-unet", 3.464, 1.732),
        ("openclip-h", 1.362, 0.681),
        ("sd15-controlnet-part", 1.445, 0.723),
    ],
)
def test_model_files_in_both_formats(part: str, fp32: float, fp16: float) -> None:
    """Sizes of the files that a conversion to fp16 halves, in GB."""
    for dtype, size in (("fp32", fp32), ("fp16", fp16)):
        assert ask(part, weights=dtype).memory.weights_bytes / 1e9 == pytest.approx(size, abs=0.0006)
