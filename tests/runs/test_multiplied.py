"""In which format matrices are multiplied: bound and floor count those units, and the answer says which."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl

GPUS = ("h100", "b200", "a100", "rtx-4090", "rtx-3090", "v100", "mi300x", "l40s", "t4")
PROMPT = {"prompt": 4096, "batch": 4, "generate": 2}


def asked(model: str, gpu: str, **options: Any) -> Any:
    return rl.estimate(model, gpu=gpu, **options)


def prefill(gpu: str, reading: str = "bound", **options: Any) -> float:
    return float(getattr(asked("llama-3-8b", gpu, **PROMPT, **options).phase("prefill").times, reading))


def said(est: Any) -> str:
    return next(text for text in est.assumptions if text.startswith("weights"))


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("weights", ["fp8", "nvfp4", "mxfp4"])
def test_quantised_activations_are_never_slower_in_the_bound_than_weights_alone(gpu: str, weights: str) -> None:
    for reading in ("floor", "bound"):
        assert (
            prefill(gpu, reading, weights=weights)
            <= prefill(gpu, reading, weights=weights, activations="bf16") * 1.0001
        )


@pytest.mark.parametrize("gpu", ["a100", "rtx-3090", "v100"])
def test_a_chip_without_units_multiplies_fp8_as_weights_alone(gpu: str) -> None:
    assert prefill(gpu, weights="fp8") == prefill(gpu, weights="fp8-a16")
    assert prefill(gpu, "expected", weights="fp8") == pytest.approx(prefill(gpu, "expected", weights="fp8-a16"))


def test_weights_alone_run_at_the_rate_of_16_bits() -> None:
    wide, alone, both = (prefill("h100", "floor", weights=w) for w in ("bf16", "fp8-a16", "fp8"))
    assert alone == pytest.approx(wide, rel=1e-9)
    assert both < 0.6 * wide


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("engine", ["generic", "llama.cpp", "mlx", "vllm", "ideal"])
@pytest.mark.parametrize("weights", ["fp16", "fp8", "int4-g128", "w8a8", "mxfp4"])
def test_floor_bound_and_expected_are_in_order(gpu: str, engine: str, weights: str) -> None:
    for phase in asked("llama-3-8b", gpu, **PROMPT, weights=weights, engine=engine).phases:
        assert phase.times.floor <= phase.times.bound * 1.000001
        assert phase.times.bound <= phase.times.expected * 1.000001


@pytest.mark.parametrize("engine", ["generic", "pytorch-eager", "tensorrt", "ideal"])
def test_a_floor_of_fp16_counts_sums_in_16_bit_for_every_engine(engine: str) -> None:
    """GeForce cards list them at twice the rate; whoever sums in fp32 is bound by half of it."""
    floor = asked("sdxl", "rtx-4090", engine=engine, weights="fp16").phase("denoise").times.floor
    assert floor == pytest.approx(
        asked("sdxl", "rtx-4090", weights="bf16").phase("denoise").times.floor / 2.0, rel=1e-2
    )


def test_a_floor_of_fp8_counts_them_too() -> None:
    """An RTX 4090 lists fp8 at 330 TFLOP/s, and at 661 with sums in 16 bit."""
    phase = asked("llama-3-8b", "rtx-4090", prompt=8192, generate=2, weights="fp8", activations="fp8").phase("prefill")
    assert phase.times.floor == pytest.approx(float(phase.flops) / 660.6e12, rel=1e-3)


def test_floors_differ_from_bounds_by_half_sums_only_where_products_may_be_in_fp16() -> None:
    """The format of widened weights is the engine's choice; weights in bf16 are multiplied in bf16."""
    assert prefill("rtx-4090", "floor", weights="int4-g128") == pytest.approx(
        prefill("rtx-4090", "floor", weights="fp16")
    )
    asked_for = prefill("rtx-4090", "floor", weights="int4-g128", activations="bf16")
    assert asked_for == pytest.approx(prefill("rtx-4090", "floor", weights="bf16"))
    assert asked_for == pytest.approx(2.0 * prefill("rtx-4090", "floor", weights="fp16"), rel=1e-2)


def test_counts_are_the_same_whichever_units_multiply() -> None:
    each = [asked("llama-3-8b", "h100", **PROMPT, weights=w).phase("prefill") for w in ("fp8", "fp8-a16", "fp8-a8")]
    assert len({(phase.flops, phase.bytes) for phase in each}) == 1


def test_experts_of_gpt_oss_are_widened_on_hopper_and_met_by_mxfp8_on_blackwell() -> None:
    hopper, blackwell = (asked("gpt-oss-20b", gpu) for gpu in ("h100", "b200"))
    assert "experts mxfp4, widened to bf16 and multiplied there (weight-only); all else in bf16" in said(hopper)
    assert "experts mxfp4, multiplied in fp8 (activations quantised); all else in bf16" in said(blackwell)
    assert "experts mxfp4, multiplied in fp8 (activations quantised)" in said(
        asked("gpt-oss-20b", "h100", activations="fp8")
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "fp8"}, "weights fp8, multiplied in fp8 (activations quantised)"),
        ({"weights": "fp8", "activations": "fp8"}, "weights fp8, multiplied in fp8 (activations quantised)"),
        ({"weights": "fp8", "activations": "bf16"}, "weights fp8, widened to bf16 and multiplied there (weight-only)"),
        ({"weights": "w8a8"}, "weights int8, multiplied in int8 (activations quantised)"),
        ({"weights": "int4-g128"}, "weights int4-g128, widened to bf16 and multiplied there (weight-only)"),
        ({"weights": "bf16"}, "matrices multiplied in bf16"),
    ],
)
def test_an_answer_says_how_weights_are_multiplied(options: dict[str, str], words: str) -> None:
    assert said(asked("llama-3-8b", "h100", **options)).endswith(words)


def test_json_tells_it_for_each_class_of_matrices() -> None:
    found = asked("llama-3-8b", "h100", weights="fp8,head=bf16").to_dict()["machine"]["multiplied_in"]
    rows = {row.pop("matrices"): row for row in found}
    fp8 = {"weights": "fp8", "multiplied_in": "fp8", "way": "quantised_activations"}
    assert rows["attention"] == rows["feed_forward"] == fp8
    assert rows["head"] == {"weights": "bf16", "multiplied_in": "bf16", "way": "as_stored"}


def test_pictures_store_fp8_and_multiply_in_16_bit_unless_more_is_asked() -> None:
    def dtype(**options: str) -> str:
        return str(asked("flux.1-dev", "h100", **options).machine["peak_dtype"])

    assert dtype(weights="fp8") == dtype(weights="fp8", engine="ideal") == "bf16"
    assert dtype(weights="fp8", activations="fp8") == dtype(weights="fp8-a8") == "fp8"
    assert dtype(weights="fp8", engine="tensorrt") == "fp8"
    parts = asked("flux.1-dev", "h100", weights="bf16,denoiser=fp8").machine["multiplied_in"]
    assert {(row["matrices"], row["multiplied_in"]) for row in parts if row["weights"] == "fp8"} == {
        ("denoiser", "bf16")
    }


def test_a_change_to_narrower_weights_does_not_ask_for_weights_alone() -> None:
    """Activations that nobody asked for are not asked for in a way that would widen the weights."""
    question = asked("gpt-j-6b", "h100").question
    options = next(change.options for change in question.kind.formats(question) if "fp8" in change.words)
    assert "activations" not in options


def test_runs_that_happened_are_above_the_floor_of_the_computation_that_they_were() -> None:
    """llama.cpp on an RTX 3080, Llama 3.1 8B in q4_k_m: 3,807 tokens/s of 512 (dmatora/LLM-inference-speed-benchmarks
    #12);
    diffusers on an L20, FLUX.1-dev in fp8 with quantised activations: 13.37 s of 28 steps (vipshop/cache-dit).
    """
    llama = asked("llama-3.1-8b", "rtx-3080", weights="q4_k_m", engine="llama.cpp", prompt=512, generate=1)
    assert llama.phase("prefill").times.floor < 512 / 3807
    sizes = {"steps": 28, "height": 1024, "width": 1024}
    quantised, alone = (asked("flux.1-dev", "l20", weights=f"bf16,denoiser={w}", **sizes) for w in ("fp8-a8", "fp8"))
    assert quantised.latency.total.floor < 13.37 < alone.latency.total.floor
