"""Models that only encode: in what words they are told, what stands beside them, and models that give a score."""

from __future__ import annotations

import io
from typing import Any

import pytest

import roofline as rl
from roofline.evidence.runs.nearest import nearest
from roofline.report.tables.console import Console
from roofline.report.tables.estimate import print_estimate, sentence

GPU = "h100-sxm"


def _table(est: Any) -> str:
    stream = io.StringIO()
    print_estimate(est, Console(stream, 200), [], est.verdict)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["bge-m3", "e5-mistral-7b", "bge-reranker-base"])
def test_an_encoder_is_told_without_tokens_and_cache(name: str) -> None:
    est = rl.estimate(name, gpu=GPU, batch=4)
    told = "\n".join([_table(est), sentence(est), *est.assumptions, *map(str, est.question.kind.derivations(est))])
    for words in ("first token", "generate ", "KV-cache", "fed back", " 0 out"):
        assert words not in told, words
    assert "time of the batch" in told
    assert "sequences per second" in told
    assert est.inputs["kv_cache"] is None


def test_sequences_per_second_are_those_of_all_replicas() -> None:
    one, two = (rl.estimate("bge-m3", gpu=GPU, batch=8, dp=dp) for dp in (1, 2))
    rate = one.throughput["sequences_per_s"].expected
    assert rate == pytest.approx(8 / one.latency.total.expected)
    assert two.throughput["sequences_per_s"].expected == pytest.approx(2 * rate)
    assert one.throughput.tokens.expected == pytest.approx(512 * rate)
    assert one.to_dict()["throughput"]["sequences_per_s"]["expected"] == rate
    assert "sequences_per_s" not in rl.estimate("llama-3-8b", gpu=GPU).to_dict()["throughput"]


@pytest.mark.parametrize("name", ["bge-m3", "bert-base", "e5-mistral-7b"])
def test_an_encoder_is_compared_with_runs_that_decode_nothing(name: str) -> None:
    found = nearest(rl.estimate(name, gpu=GPU, engine="tensorrt-llm"), 12)
    assert found
    for run in found:
        assert run.generate is not None and run.generate <= 1
        assert run.metric not in ("tpot_ms", "served_tpot_ms", "output_tokens_per_s")


def _of_width(est: Any) -> list[str]:
    return [note for note in est.assumptions if "is in fp32" in note]


def test_a_file_in_32_bit_is_noted_with_what_16_would_give() -> None:
    """67 TFLOP/s of fp32 against 989.5 of fp16 units."""
    (note,) = _of_width(rl.estimate("bge-m3", gpu=GPU))
    assert "--weights fp16" in note
    assert "14.8 times the peak" in note
    assert not _of_width(rl.estimate("bge-m3", gpu=GPU, weights="fp16"))
    assert not _of_width(rl.estimate("e5-mistral-7b", gpu=GPU))


def test_a_file_in_32_bit_is_offered_in_16_first() -> None:
    found = rl.fit("bge-m3", gpu="t4", batch=1500)
    assert not found.fits
    assert "With weights in fp16" in str(found)
    assert "sequences of 512 tokens" in str(found)
    assert "request" not in str(found)
    assert "weights in fp16" not in str(rl.fit("llama-2-70b", gpu=GPU))


@pytest.mark.parametrize("size", ["0.6b", "4b", "8b"])
def test_a_score_is_one_token(size: str) -> None:
    name = f"qwen3-reranker-{size}"
    est = rl.estimate(name, gpu=GPU)
    assert est.inputs["generate"] == 1
    assert [phase.name for phase in est.phases] == ["prefill"]
    assert f"{name} is asked for 1 token, as its file says (default_generate)" in est.assumptions
    asked = rl.estimate(name, gpu=GPU, generate=128)
    assert asked.inputs["generate"] == 128
    assert not any("default_generate" in note for note in asked.assumptions)
