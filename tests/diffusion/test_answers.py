"""What an image model's answer says: machine, memory, offload, parts alone, refusals, warnings, and the tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.explain import explain
from roofline.architectures.image.pipeline import image_workload
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.passes.image.levels import image_level
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun

from .counts import MODELS, spec_of


def ask(model: str = "sd15", **options: Any) -> Any:
    return rl.estimate(model, gpu=options.pop("gpu", "a100"), engine=options.pop("engine", "ideal"), **options)


def run(*words: str, columns: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def codes(est: Any) -> list[str]:
    return [warn.code for warn in est.warnings]


def test_a_sweep_of_pictures_beside_tokens_leaves_out_what_has_no_meaning() -> None:
    sweep = rl.sweep(["sdxl", "mistral-7b"], gpu="h100", batch=[1, 2], engine="ideal")
    assert all(math.isnan(value) for value in sweep["ttft_s"][0])
    assert all(math.isnan(value) for value in sweep["images_per_s"][1])
    assert sweep["images_per_s"][0, 1] == ask("sdxl", gpu="h100", batch=2).throughput.images.expected
    odd = rl.sweep("sdxl", gpu="h100", height=[1024, 1001])
    assert "multiple of 8" in odd.refused[0].reason and odd["fits"].tolist() == [True, False]
    with pytest.raises(UsageError, match="multiple of 8"):
        rl.sweep("sdxl", gpu="h100", height=[1001, 1002])


@pytest.mark.parametrize("kind", ["throughput", "latency"])
def test_curves_by_batch_are_drawn_for_pictures(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    run("plot", "-m", "sdxl", "-g", "rtx-4090", "--kind", kind, "-o", str(path))
    text = path.read_text()
    assert "Batch (pictures)" in text or "pictures" in text


def test_what_is_on_the_gpu_is_the_sum_of_its_parts_with_offload_too() -> None:
    for offload in ("none", "model"):
        memory = ask("sdxl", offload=offload).memory
        beside = memory.workspace_bytes + memory.context_bytes
        assert memory.total_bytes == memory.weights_bytes + memory.activation_peak_bytes + beside
    assert memory.weights_bytes == memory.components["denoiser"]
    assert memory.activation_peak_bytes == memory.peaks["denoiser"]
    found = {d.quantity: d for d in explain(ask("sdxl", offload="model"))}
    assert found["memory.total_bytes"].value == memory.total_bytes
    assert (
        f"{memory.weights_bytes:,.0f} + {memory.activation_peak_bytes:,.0f}" in found["memory.total_bytes"].substituted
    )


def test_offload_takes_the_weights_over_the_link_once() -> None:
    here, away = ask("sdxl", gpu="rtx-4090"), ask("sdxl", gpu="rtx-4090", offload="model")
    seconds = away.latency.total.bound - here.latency.total.bound
    weights = sum(away.memory.components.values())
    assert away.latency.transfer.bound == pytest.approx(seconds) == pytest.approx(weights / 31.5e9, rel=0.02)
    assert here.latency.transfer is None
    assert any("7.1 GB of weights cross the link" in note for note in away.assumptions)


def test_the_machine_is_the_one_that_is_used() -> None:
    est = ask("sdxl", weights="fp32")
    assert (est.machine["peak_dtype"], est.machine["peak_flops"]) == ("tf32", 156e12)
    assert {row.dtype for row in est.ops("denoise")} == {"tf32"}
    assert any("tf32" in note and "convolutions" in note for note in est.assumptions)


def test_phases_in_other_formats_have_their_own_balance() -> None:
    text = " ".join(run("estimate", "-m", "sdxl", "-g", "rtx-4090").split())
    assert "balance at 164 FLOP/B in fp16; vae_decode: 82 in tf32" in text


@pytest.mark.parametrize("name", [name for name in MODELS if "params" in MODELS[name]])
def test_fusion_needs_no_more_memory(name: str) -> None:
    base, precision = image_workload(spec_of(name), ImageRun()), Precision.of("fp16")
    compiled = image_level(base, "compiled")
    for eager, fused in zip(base.phases, compiled.phases, strict=True):
        assert fused.peak(precision.live_bytes) <= eager.peak(precision.live_bytes)


def test_a_text_encoder_alone_has_prompts_and_no_pictures() -> None:
    est = ask("t5-xxl")
    assert [float(phase.repeat) for phase in est.phases] == [1]
    assert {est.inputs[name] for name in ("height", "width", "steps", "guidance", "scheduler")} == {None}
    assert est.memory.max_side is None
    assert est.throughput.images is None
    assert est.throughput.prompts.bound == pytest.approx(1 / est.latency.total.bound)
    text = run("estimate", "-m", "t5-xxl", "-g", "a100", "--engine", "ideal") + str(est)
    assert "prompts per second" in text
    assert not any(word in text for word in ("px", "step", "guidance", "picture"))
    run("explain", "-m", "t5-xxl", "-g", "a100")


def test_an_autoencoder_alone_has_pictures_and_no_steps() -> None:
    est = ask("sd-vae")
    assert (est.inputs["height"], est.inputs["steps"], est.inputs["guidance"]) == (512, None, None)
    text = run("estimate", "-m", "sd-vae", "-g", "a100")
    assert "px" in text
    assert "guidance" not in text


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("sd15", {"prompt": 2000}, "--prompt goes with language models"),
        ("sd15", {"generate": 20}, "--generate goes with language models"),
        ("sd15", {"kv_cache": "fp8"}, "--kv-cache goes with language models"),
        ("sd15", {"logits": "all"}, "--logits goes with language models"),
        ("sd15", {"latent": "naive"}, "--latent goes with language models"),
        ("sd15", {"work": "reference"}, "--work goes with language models"),
        ("sd15", {"kv_layout": "paged"}, "--kv-layout goes with language models"),
        ("t5-xxl", {"height": 512}, "--height has no meaning for t5-xxl"),
        ("sd-vae", {"steps": 20}, "--steps has no meaning for sd-vae"),
        ("sd15", {"gpus": 2}, "--gpus 2: stable-diffusion-v1-5 has no transformer"),
        ("sd3-medium", {"height": 3088}, "3,072 px at most"),
        ("sdxl", {"engine": "vlm"}, "engine"),
    ],
)
def test_what_has_no_meaning_is_refused_by_its_name(model: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ask(model, **options)


def test_the_largest_square_is_one_that_is_accepted() -> None:
    assert ask("sd3-medium", gpu="h100").memory.max_side == 3072
    assert ask("sd3.5-medium", height=6144, width=1024).latency.total.bound > 0


def test_the_runtime_keeps_its_part() -> None:
    plain, kept = ask(engine="ideal"), ask(engine="ideal", runtime_reserve="1 GB")
    assert kept.memory.total_bytes == plain.memory.total_bytes + 1e9
    assert kept.memory.max_batch < plain.memory.max_batch
    assert kept.inputs["runtime_reserve_bytes"] == 1e9
    assert any("1 GB reserved for the runtime" in note for note in kept.assumptions)


def test_rates_below_one_keep_their_digits() -> None:
    text = run("estimate", "-m", "sdxl", "-g", "rtx-4090")
    assert "0.186" in next(line for line in text.splitlines() if "pictures per second" in line)


def test_engines_of_language_models_are_told() -> None:
    assert "engine-of-language-models" in codes(ask(engine="vllm"))
    assert "engine-of-language-models" not in codes(ask(engine="pytorch-eager"))
    assert "engine-of-language-models" not in codes(ask())
    assert not any("expected time is the roofline bound" in note for note in ask(engine="vllm").assumptions)
    assert str(ask(engine="pytorch-eager")).endswith("(expected).")


def test_formats_of_phases_are_words_and_only_where_they_differ() -> None:
    notes = ask("sd3-medium").assumptions
    assert "text_encode_3 in fp16 with wo in fp32" in notes
    assert not any(note.startswith(("text_encode in", "text_encode_2 in")) for note in notes)
    assert "vae_decode in fp32, multiplied in tf32" in ask("sdxl").assumptions


def test_schedulers_that_do_not_go_with_the_model_are_told() -> None:
    assert "scheduler-unfit" in codes(ask("flux.1-dev", scheduler="pndm"))
    assert "scheduler-unfit" in codes(ask(scheduler="flow-euler"))
    assert "scheduler-unfit" not in codes(ask("flux.1-dev", scheduler="dpm++2m"))
    assert "steps-beyond-training" in codes(ask(steps=1001))
    assert "steps-beyond-training" not in codes(ask(steps=1000))
    assert "1 step of" in run("estimate", "-m", "sdxl", "-g", "a100", "--steps", "1")
    assert "scheduler euler: 1 step is 1 call of the denoiser" in ask("sdxl", steps=1).assumptions


def test_the_fusion_that_was_asked_for_is_told() -> None:
    est = ask(fusion="eager")
    assert (est.inputs["fusion"], est.inputs["level"]) == ("eager", "classic")
    assert "fusion eager (level classic)" in " ".join(
        run("estimate", "-m", "sd15", "-g", "a100", "--fusion", "eager").split()
    )
    assert ask(fusion="classic").phases == est.phases


def test_names_in_json_are_names_in_python_too() -> None:
    est = ask()
    for name, value in est.memory.to_dict().items():
        if name != "max_context":
            assert getattr(est.memory, name) == value
    assert (est.latency.ttft, est.latency.tpot, est.throughput.tokens, est.throughput.output_tokens) == (None,) * 4
    assert est.inputs["offload"] is None
    assert est.inputs.keys() >= {"runtime_reserve_bytes", "gpus", "engine"}


def test_guidance_says_that_it_doubles_the_batch() -> None:
    assert "guidance 7.5 (×2 batch)" in " ".join(run("estimate", "-m", "sd15-unet", "-g", "a100").split())


def test_ops_of_one_name_have_their_block() -> None:
    text = run("ops", "-m", "sdxl", "-g", "a100", "--phase", "denoise")
    assert "ff.proj" in text
    assert "(up_blocks.0)" in text
    assert "<top>" not in run("ops", "-m", "sdxl", "-g", "a100", "--phase", "denoise", columns=160)


def test_schedulers_are_listed_with_their_calls() -> None:
    text = run("list", "schedulers")
    assert "dpm++-2m" in text
    assert "39 calls" in text
    assert ask(scheduler="dpm++2m").inputs["scheduler"] == "dpm++-2m"


def test_ops_that_write_differently_are_not_one_kernel() -> None:
    """What is expected of a grid, where every op is timed alone, is expected of its points."""
    point = ask("sdxl", gpu="h100", batch=4, height=512, width=768, engine="generic")
    grid = rl.sweep("sdxl", gpu="h100", batch=[4], height=512, width=768, engine="generic")
    assert grid["total_s"][0] == pytest.approx(point.latency.total.expected, rel=1e-12)


def test_the_generic_engine_of_pictures_is_one_fitted_to_pictures() -> None:
    est = rl.estimate("sdxl", gpu="a100")
    assert est.inputs["engine"] == "pytorch-eager"
    assert "engine-of-language-models" not in codes(est)
