"""The answer to the main question."""

from __future__ import annotations

import pytest

import roofline as rl


def test_the_main_job_is_exact() -> None:
    d = rl.estimate("mistral-7b", gpu="a100", batch=8).to_dict()
    assert d["parameters"] == {"total": 7241732096, "active": 7241732096, "embedding": 131072000}
    assert d["memory"]["kv_cache_bytes_per_token"] == 131072
    assert d["memory"]["weights_bytes"] == 2 * 7241732096
    assert d["memory"]["capacity_bytes"] == 81920 * 2**20  # what nvidia-smi reports of an "80 GB" card
    assert d["inputs"]["gpu"] == "a100-sxm-80gb"
    assert any("a100 is a100-sxm-80gb" in note for note in d["assumptions"])


FIELDS = """
    verdict schema_version inputs parameters memory phases latency throughput service cost energy machine assumptions
    warnings
    sources limits helps elasticities
"""
MEMORY = """
    weights_bytes kv_cache_bytes kv_cache_bytes_per_token kv_cache_bytes_per_token_below_windows
    state_bytes activation_peak_bytes runtime_bytes total_bytes
    capacity_bytes fits usable_bytes max_batch max_context pool
"""
PHASE = """
    name repeat flops bytes intensity vector_flops kernels bound_by floor_s bound_s expected_s expected_low_s
    expected_high_s communication_bytes
"""


def test_the_json_has_the_fields_of_the_contract() -> None:
    d = rl.estimate("mistral-7b", gpu="a100").to_dict()
    assert list(d) == FIELDS.split()
    assert list(d["memory"]) == MEMORY.split()
    for phase in d["phases"]:
        assert set(PHASE.split()) <= set(phase)
    assert list(d["latency"]) == ["ttft_s", "tpot_s", "step_s", "image_s", "total_s"]
    assert d["latency"].pop("step_s") is None and d["latency"].pop("image_s") is None
    for reading in (*d["latency"].values(), d["throughput"]["output_tokens_per_s"]):
        assert list(reading) == ["floor", "bound", "expected", "low", "high"]
    assert d["throughput"]["images_per_s"] is None


def test_total_is_prefill_and_the_decode_steps() -> None:
    latency = rl.estimate("mistral-7b", gpu="a100", batch=4, prompt=300, generate=100).latency
    assert latency.tpot is not None
    assert latency.total.bound == pytest.approx(latency.ttft.bound + 99 * latency.tpot.bound)


@pytest.mark.parametrize("generate", [0, 1])
def test_one_token_or_none_is_prefill_alone(generate: int) -> None:
    est = rl.estimate("mistral-7b", gpu="a100", generate=generate)
    assert [phase.name for phase in est.phases] == ["prefill"]
    assert est.latency.tpot is None
    assert est.memory.kv_cache_bytes == 512 * 131072


def test_two_tokens_are_one_step_over_the_prompt() -> None:
    decode = rl.estimate("mistral-7b", gpu="a100", generate=2).phase("decode")
    assert (decode.repeat, decode.context) == (1, 512)


def test_a_window_bounds_the_cache() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", prompt=8192, generate=0)
    assert est.memory.kv_cache_bytes == 4096 * 131072


def test_max_batch_and_max_context_are_the_last_that_fit() -> None:
    est = rl.estimate("llama-2-7b", gpu="a10", prompt=1000, generate=100)
    limit, context = est.memory.max_batch, est.memory.max_context
    assert rl.estimate("llama-2-7b", gpu="a10", batch=limit, prompt=1000, generate=100).memory.fits
    assert not rl.estimate("llama-2-7b", gpu="a10", batch=limit + 1, prompt=1000, generate=100).memory.fits
    assert rl.estimate("llama-2-7b", gpu="a10", prompt=context - 100, generate=100).memory.fits
    assert not rl.estimate("llama-2-7b", gpu="a10", prompt=context - 99, generate=100).memory.fits


def test_a_model_that_does_not_fit_is_still_estimated() -> None:
    est = rl.estimate("llama-2-70b", gpu="a100")
    assert not est.memory.fits
    assert (est.memory.max_batch, est.memory.max_context) == (0, 0)
    assert est.warnings[0].code == "does-not-fit"


def test_fp8_on_an_a100_is_stored_small_and_computed_wide() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", weights="fp8")
    vectors, matrices = 65 * 4096, 32 * 7 + 2  # norms stay in 16 bit; each matrix has an fp32 scale
    assert est.memory.weights_bytes == 7241732096 + vectors + 4 * matrices
    assert est.machine["peak_flops"] == 312e12
    assert "dtype-fallback" in [warn.code for warn in est.warnings]
    assert rl.estimate("mistral-7b", gpu="h100", weights="fp8").machine["peak_flops"] > 1.9e15


def test_weight_only_int4_computes_in_16_bit() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", weights="int4-g128")
    assert est.machine["peak_dtype"] == "bf16"
    vectors = 65 * 4096  # norms stay in 16 bit
    assert est.memory.weights_bytes == (7241732096 - vectors) * 4.25 / 8 + vectors * 2
    assert not est.warnings


def test_a_prompt_beyond_the_maximum_is_a_warning_with_a_code() -> None:
    est = rl.estimate("gpt2", gpu="a100", prompt=2000)
    assert "context-exceeds-maximum" in [warn.code for warn in est.warnings]


def test_a_bf16_model_runs_in_fp16_where_there_is_no_bf16() -> None:
    est = rl.estimate("mistral-7b", gpu="v100")
    assert est.inputs["weights"] == "fp16"
    assert not [warn for warn in est.warnings if warn.code == "dtype-fallback"]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e30, "8", True, 1.5, [1, 0]])
def test_a_batch_that_is_no_positive_whole_number_is_refused(value: object) -> None:
    with pytest.raises(rl.UsageError, match="batch"):
        rl.estimate("mistral-7b", gpu="a100", batch=value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpu": "a1000"}, "Nearest: a100"),
        ({"gpu": None}, "--gpu"),
        ({"weights": "fp9"}, "Nearest: fp8"),
        ({"engine": "idael"}, "ideal"),
        ({"fusion": "flsh"}, "'flash'"),
        ({"logits": "first"}, "last, all"),
        ({"prompt": 0}, "prompt"),
        ({"generate": -1}, "generate"),
    ],
)
def test_a_wrong_option_names_what_is_known(options: dict, words: str) -> None:
    with pytest.raises(rl.UsageError, match=words):
        rl.estimate("mistral-7b", **({"gpu": "a100"} | options))


def test_ops_sum_to_the_phase() -> None:
    est = rl.estimate("mixtral-8x7b", gpu="h100", batch=3)
    for phase in est.phases:
        rows = est.ops(phase.name)
        assert sum(row.flops for row in rows) == pytest.approx(phase.flops, rel=1e-12)
        assert sum(row.bytes for row in rows) == pytest.approx(phase.bytes, rel=1e-12)
        assert sum(row.bound_s for row in rows) == pytest.approx(phase.times.bound, rel=1e-12)


def test_an_estimate_reads_as_a_sentence_and_shows_itself() -> None:
    est = rl.estimate("mistral-7b", gpu="a100")
    assert str(est).startswith("Mistral 7B v0.1 on NVIDIA A100 SXM4 80GB, batch 1")
    assert est._repr_html_().startswith("<div")
