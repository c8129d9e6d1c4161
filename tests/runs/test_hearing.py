"""What is told of models that hear: windows of sound, how much of it a second of work does, their own limit."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.report.tables.estimate import largest


def test_the_largest_batch_is_one_of_windows_and_the_context_the_models_own() -> None:
    """Whisper writes 448 tokens at most, whatever memory would hold."""
    memory = rl.estimate("whisper-large-v3", gpu="h100").memory
    assert memory.max_context > 448
    assert (
        largest(memory)
        == f"largest batch {memory.max_batch:,} windows of 30 s, largest context 448 tokens, the model's own limit"
    )


@pytest.mark.parametrize(("batch", "seconds", "dp"), [(1, 30.0, 1), (8, 30.0, 1), (2, 12.5, 2)])
def test_the_real_time_factor_is_sound_over_work(batch: int, seconds: float, dp: int) -> None:
    est = rl.estimate("whisper-large-v3", gpu="h100-sxm", batch=batch, seconds=seconds, dp=dp)
    factor = est.throughput["seconds_of_sound_per_s"]
    assert factor.expected == pytest.approx(seconds * batch * dp / est.latency.total.expected)
    assert factor.bound == pytest.approx(seconds * batch * dp / est.latency.total.bound)
    told = {d.quantity: d.value for d in est.question.kind.derivations(est)}
    assert told["throughput.seconds_of_sound_per_s"] == pytest.approx(factor.bound)


def test_a_model_that_reads_has_no_such_factor() -> None:
    assert "seconds_of_sound_per_s" not in rl.estimate("llama-3-8b", gpu="h100").to_dict()["throughput"]


@pytest.mark.parametrize("model", ["whisper-large-v3", "bge-m3", "llama-3-8b", "mixtral-8x7b"])
def test_one_of_a_kind_is_told_in_the_singular(model: str) -> None:
    text = str(rl.estimate(model, gpu="h100", prompt=1).explain())
    for word in ("sequence", "token", "head", "query-key pair", "kernel", "op"):
        assert f" 1 {word}s" not in text
    assert "1 sequence " in text
