"""Whether a run fits: what is said, what it rests on, and that all of it holds when it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl

FIELDS = """
    verdict schema_version inputs fits memory pool limits fewest_gpus widest_format remedies machines assumptions
    warnings sources
"""
TEXT = st.sampled_from(["mistral-7b", "llama-2-13b", "mixtral-8x7b", "gpt2"])
#: What tools that quantise leave in 16 bit.
WIDE = "embedding=bf16,head=bf16"
GPUS = st.sampled_from(["rtx-4090", "l4", "a100", "h100"])


@pytest.mark.parametrize(
    ("model", "options"), [("mistral-7b", {}), ("bert-base", {}), ("sdxl", {}), ("clip-l", {}), ("mamba-2.8b", {})]
)
def test_the_json_has_the_fields_of_the_contract_for_every_kind_of_run(model: str, options: dict[str, Any]) -> None:
    d = rl.fit(model, gpu="a100", **options).to_dict()
    assert list(d) == FIELDS.split()
    assert list(d["pool"]) == ["bytes", "tokens", "concurrency", "at_tokens"]
    assert list(d["limits"]) == ["max_batch", "max_context", "max_concurrency", "max_side_px"]
    assert list(d["fewest_gpus"]) == ["gpus", "plan"]
    assert {"change", "total_bytes", "fits"} <= set(d["remedies"][0])
    assert {"gpu", "gpus", "plan", "fits"} <= set(d["machines"][0])
    est = rl.estimate(model, gpu="a100", **options)
    assert d["inputs"] == est.inputs
    assert {name: d["memory"][name] for name in ("weights_bytes", "total_bytes", "capacity_bytes")} == {
        name: est.to_dict()["memory"][name] for name in ("weights_bytes", "total_bytes", "capacity_bytes")
    }
    assert d["memory"]["usable_bytes"] == est.memory.usable_bytes


def test_the_verdict_tells_the_room_and_by_how_much_one_gpu_fewer_misses() -> None:
    fit = rl.fit("llama-3-70b", gpu="h100", gpus=2, prompt=7168, generate=1024)
    room, alone = fit.limits["max_concurrency"], rl.estimate("llama-3-70b", gpu="h100", prompt=7168, generate=1024)
    missing = (alone.memory.total_bytes - alone.memory.usable_bytes) / 1e9
    assert fit.verdict == (
        f"Llama 3 70B in bf16 fits on 2 × H100 SXM5 80GB with room for {room} request{'s' * (room != 1)} of 8k tokens; "
        f"on one it misses by {missing:.1f} GB."
    )
    assert str(fit) == fit.verdict


def test_a_run_that_does_not_fit_is_told_what_would_help() -> None:
    fit = rl.fit("llama-3-70b", gpu="h100")
    assert not fit.fits
    missing = (fit.asked.memory.total_bytes - fit.asked.memory.usable_bytes) / 1e9
    assert fit.verdict.startswith(
        f"Llama 3 70B in bf16 does not fit on one H100 SXM5 80GB: it misses by {missing:.1f} GB. "
        "With weights in fp8 it fits"
    )
    assert "as asked it takes 2 × H100 SXM5 80GB" in fit.verdict
    assert fit.to_dict()["widest_format"]["options"] == {"weights": f"fp8,{WIDE}"}
    assert fit.to_dict()["fewest_gpus"]["gpus"] == 2


def test_a_narrower_format_on_fewer_gpus_is_a_remedy() -> None:
    """38 GB need two cards of 24; the 141 as asked need six or seven."""
    fit = rl.fit("llama-3-70b", gpu="rtx-4090")
    by = {trial.words: trial for trial in fit.remedies.each if trial.fits}
    assert by["weights in int4-g128 on 2 GPUs"].options == {"weights": f"int4-g128,{WIDE}", "tp": 2, "pp": 1}
    assert "With weights in fp8 on " in fit.verdict
    assert fit.remedies.widest is None


def test_more_gpus_than_needed_are_told() -> None:
    assert "one H100 SXM5 80GB would hold it" in rl.fit("mistral-7b", gpu="h100", gpus=4).verdict


def test_the_formats_are_those_of_chip_and_engine() -> None:
    """No fp8 units on an A100; llama.cpp reads GGUF, MLX its own."""

    def formats(gpu: str, engine: str) -> list[str]:
        fit = rl.fit("mistral-7b", gpu=gpu, engine=engine)
        return [trial.options["weights"] for trial in fit.remedies.each if "weights" in trial.options]

    assert formats("a100", "vllm") == [f"int4-g128,{WIDE}", f"int8,{WIDE}"]
    assert formats("h100", "vllm") == [f"int4-g128,{WIDE}", f"fp8,{WIDE}"]
    assert formats("b200", "vllm") == [f"nvfp4,{WIDE}", f"fp8,{WIDE}"]
    assert formats("rtx-4090", "llama.cpp")[-1] == "q8_0"
    assert formats("m3-max", "mlx")[-1] == "mlx-8bit"


@settings(max_examples=20, deadline=None)
@given(TEXT, GPUS, st.integers(1, 64), st.integers(1, 900), st.integers(0, 100))
def test_the_limits_fit_and_one_more_does_not(model: str, gpu: str, batch: int, prompt: int, generate: int) -> None:
    fit = rl.fit(model, gpu=gpu, batch=batch, prompt=prompt, generate=generate)
    lengths = {"prompt": prompt, "generate": generate}
    most, context = fit.limits["max_batch"], fit.limits["max_context"]
    assert most is not None
    assert fit.fits == (batch <= most) == ("does not fit" not in fit.verdict)
    if most:
        assert rl.estimate(model, gpu=gpu, batch=most, **lengths).memory.fits
    assert not rl.estimate(model, gpu=gpu, batch=most + 1, **lengths).memory.fits
    if context is None:  # nothing decoded, or a window, and prompts in chunks: memory sets no limit
        return
    if context:
        assert rl.estimate(model, gpu=gpu, batch=batch, prompt=context - generate, generate=generate).memory.fits
    assert not rl.estimate(
        model, gpu=gpu, batch=batch, prompt=max(context - generate, 0) + 1, generate=generate
    ).memory.fits


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["sd-1.5", "sdxl"]), st.sampled_from(["rtx-4090", "rtx-3060", "l4"]), st.integers(1, 6))
def test_the_largest_picture_fits_and_the_next_does_not(model: str, gpu: str, batch: int) -> None:
    side = rl.fit(model, gpu=gpu, batch=batch).limits["max_side_px"]
    assert side
    assert rl.estimate(model, gpu=gpu, batch=batch, height=side, width=side).memory.fits
    assert not rl.estimate(model, gpu=gpu, batch=batch, height=side + 8, width=side + 8).memory.fits


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([("llama-3-70b", {}), ("mixtral-8x7b", {"batch": 300}), ("sdxl", {"batch": 4}), ("flux-dev", {})]),
    st.sampled_from(["rtx-4090", "a100", "h100"]),
)
def test_a_remedy_holds_what_it_says_when_it_is_asked(asked: tuple[str, dict[str, Any]], gpu: str) -> None:
    model, options = asked
    fit = rl.fit(model, gpu=gpu, **options)
    remedies = fit.to_dict()["remedies"]
    savings = [trial["saved_bytes"] for trial in remedies if "total_s" not in trial or not trial["fits"]]
    seconds = [trial["total_s"] for trial in remedies if "total_s" in trial and trial["fits"]]
    assert savings == sorted(savings, reverse=True)
    assert seconds == sorted(seconds)
    assert all(trial["saved_bytes"] > 0 for trial in remedies)
    for trial in fit.remedies.each:
        again = rl.estimate(model, gpu=gpu, **{**options, **trial.options}).memory
        assert (again.total_bytes, again.fits) == (trial.memory.total_bytes, trial.fits)
        assert again.max_batch == trial.memory.max_batch


def test_pictures_are_told_of_offload_and_tiling() -> None:
    """The largest picture and batch by where the parts wait and how the autoencoder works."""
    fit = rl.fit("sdxl", gpu="rtx-4090")
    by = {tuple(sorted(trial.options)): trial.limits() for trial in fit.remedies.each}
    assert {("offload",), ("tiling",), ("offload", "tiling")} <= set(by)
    assert by[("offload", "tiling")]["max_side_px"] > by[("offload",)]["max_side_px"] > fit.limits["max_side_px"]


def test_pictures_are_told_the_quickest_way_first() -> None:
    """Offload by leaves saves most and takes several times as long as any other way."""
    fit = rl.fit("flux-dev", gpu="rtx-4090")
    found = fit.to_dict()["remedies"]
    fitting = [each for each in found if each["fits"]]
    assert found[: len(fitting)] == fitting
    assert "leaf" in fitting[-1]["change"]
    assert fit.remedies.mildest is not None
    kept = [each for each in fitting if "weights" not in each["options"]]
    assert fit.remedies.mildest.words == kept[0]["change"]
    for trial in fit.remedies.each:
        assert trial.seconds == rl.estimate("flux-dev", gpu="rtx-4090", **trial.options).latency.total.expected
    assert all("total_s" not in each for each in rl.fit("llama-3-70b", gpu="h100").to_dict()["remedies"])


def test_pictures_are_offered_the_formats_that_diffusers_loads() -> None:
    """Layerwise casting of the denoiser to fp8, and bitsandbytes; as they go where bitsandbytes does not run."""

    def formats(model: str, gpu: str, **options: Any) -> list[str]:
        question = rl.estimate(model, gpu=gpu, **options).question
        return [change.options["weights"] for change in question.kind.formats(question)]

    assert formats("sdxl", "rtx-3060") == ["fp16,denoiser=fp8", "bnb-int8", "nf4"]
    assert formats("flux-dev", "a100", weights="bf16,vae=fp32")[0] == "bf16,autoencoder=fp32,denoiser=fp8"
    assert formats("flux-dev-transformer", "a100") == ["fp8", "bnb-int8", "nf4"]
    assert formats("t5-xxl", "a100") == ["bnb-int8", "nf4"]
    assert formats("sdxl", "apple-m4-max") == ["int8", "int4-g128"]
    assert "q8_0" in formats("sdxl", "a100", engine="llama.cpp")
    assert "nf4" not in formats("sdxl", "a100", engine="llama.cpp")


def test_no_remedy_does_only_what_a_part_of_it_does() -> None:
    fit = rl.fit("sdxl", gpu="rtx-3060", batch=4, height=2048, width=2048)
    assert "tiling, slicing" not in [trial.words for trial in fit.remedies.each]


def test_concurrency_counts_all_replicas() -> None:
    one, four = (rl.fit("mistral-7b", gpu="h100", dp=dp).limits for dp in (1, 4))
    assert four["max_concurrency"] == 4 * one["max_concurrency"]
    assert four["max_batch"] == one["max_batch"]


def test_pictures_are_no_requests() -> None:
    assert rl.fit("sdxl", gpu="a100").limits["max_concurrency"] is None


def test_the_pool_is_what_is_left() -> None:
    fit = rl.fit("llama-2-7b", gpu="a100", engine="vllm")
    memory, pool = fit.asked.memory, fit.asked.memory.pool
    assert pool is not None
    assert pool.bytes == pytest.approx(memory.usable_bytes - memory.total_bytes + memory.kv_cache_bytes, rel=1e-9)
    assert pool.tokens == pytest.approx(pool.bytes / memory.kv_cache_bytes_per_token, rel=3e-3)
    assert pool.concurrency == pytest.approx(pool.tokens / pool.at_tokens, rel=3e-3)


def test_nothing_is_left_for_the_cache_of_an_encoder() -> None:
    assert rl.fit("bert-base", gpu="a100", engine="vllm").asked.memory.pool is None
    assert rl.fit("mamba-2.8b", gpu="a100", engine="vllm").asked.memory.pool is not None


@pytest.mark.parametrize("model", ["llama-3-70b", "sdxl"])
def test_any_accelerator_the_cheapest_first(model: str) -> None:
    fit = rl.fit(model, gpu="any")
    assert fit.fits
    rows = fit.to_dict()["machines"]
    assert {row["gpu"] for row in rows} == set(rl.list_gpus())
    holding = [row for row in rows if row["fits"]]
    assert rows[: len(holding)] == holding
    costs = [row["cost_per_hour"] for row in holding if row["cost_per_hour"] is not None]
    assert costs == sorted(costs)
    assert [row["cost_per_hour"] for row in holding[: len(costs)]] == costs
    assert fit.answer.question.gpu.name == holding[0]["gpu"]
    assert f"{len(holding)} of {len(rows)}" in fit.verdict
    for row in holding[:5]:
        plan = {} if row["gpus"] == 1 else row["plan"]
        assert rl.estimate(model, gpu=row["gpu"], **{k: v for k, v in plan.items() if v > 1}).memory.fits


def test_any_accelerator_with_a_plan_is_asked_for_that_plan() -> None:
    fit = rl.fit("llama-3-70b", gpu="any", tp=2)
    assert {row["gpus"] for row in fit.to_dict()["machines"] if row["fits"]} == {2}
    refused = {row["gpu"]: row["refusal"] for row in fit.to_dict()["machines"] if row["refusal"]}
    assert "link" in refused["apple-m3-max"]


def test_none_of_all_accelerators() -> None:
    fit = rl.fit("deepseek-v3", gpu="any", batch=100_000_000)
    assert not fit.fits
    assert "fits on none of" in fit.verdict


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpu": None}, "--gpu"),
        ({"gpu": "any", "batch": 0}, "--batch"),
        ({"gpu": "any", "model": "mistral-7c"}, "mistral-7b"),
        ({"gpu": "a100", "batch": np.array([1, 2])}, "one value"),
        ({"gpu": "a100", "batch": [1, 2]}, "one value"),
        ({"gpu": "a100", "offload": "weights=2"}, "between 0 and 1"),
        ({"gpu": "a100", "gpus": 3}, "--gpus 3"),
        ({"gpu": "a100", "height": 512}, "--height"),
    ],
)
def test_bad_input_is_one_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(rl.UsageError, match=words):
        rl.fit(**({"model": "mistral-7b"} | options))


def test_it_shows_itself() -> None:
    fit = rl.fit("llama-3-70b", gpu="h100")
    shown = fit._repr_html_()
    for words in ("does not fit on one H100", "What would help", "weights in fp8"):
        assert words in shown
