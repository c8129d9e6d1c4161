"""Laws that hold for every question, over random ones of all kinds; `python -m tests.laws` asks many more."""

from __future__ import annotations

from random import Random

import pytest

import roofline as rl
from tests.laws.laws import LAWS, broken
from tests.laws.questions import Question, at_rates, chance, gpu_of

#: Questions per law: all of them together take half a minute.
COUNT = {"readings": 60, "faster_chips": 50, "more_work": 40, "no_jumps": 40, "grids": 30, "limits": 30}


@pytest.mark.parametrize("law", sorted(LAWS))
def test_law(law: str) -> None:
    """The docstring of each law in `laws.py` says what holds."""
    asked, found = 0, []
    for number in range(10 * COUNT[law]):
        random = Random(f"{law}/{number}")
        question = chance(random)
        failures = broken(question, random, (law,))
        if failures is None:
            continue
        found += [f"{question}: {text}" for _, text in failures]
        asked += 1
        if asked == COUNT[law]:
            break
    assert asked == COUNT[law]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("model", "gpu", "engine", "bandwidth", "compute"),
    [
        ("falcon-7b", "rtx-3080-ti", "tensorrt-llm", 1.5, 1.0),
        ("opt-175b", "b300-sxm", "llama.cpp", 1.0, 1.5),
        ("glm-5", "titan-rtx", "generic", 1.5, 1.0),
        ("mistral-7b", "tpu-v5e", "vllm", 1.0, 4.0),
    ],
)
def test_a_faster_chip_keeps_its_kernels(model: str, gpu: str, engine: str, bandwidth: float, compute: float) -> None:
    """Other kernels used to stand in for those of a chip at other rates, by its name or renamed, and took longer."""
    before = Question(model, gpu, {"engine": engine}).ask()
    for name in (gpu, "my-chip"):
        faster = at_rates(gpu_of(gpu), bandwidth, compute).model_copy(update={"name": name})
        after = Question(model, gpu, {"engine": engine}).ask(faster)
        assert after.latency.total.expected <= before.latency.total.expected
        assert after.latency.total.bound <= before.latency.total.bound


@pytest.mark.parametrize(
    ("model", "gpu", "options", "size", "number"),
    [
        ("codellama-70b", "a10", {"engine": "sglang", "weights": "mxfp4", "prompt": 1}, "batch", 128),
        ("llama-3-8b", "h20", {"engine": "tensorrt-llm"}, "batch", 64),
        ("llama-3.1-70b", "rtx-3090", {"engine": "generic"}, "batch", 64),
        ("llama-2-70b", "h100", {"engine": "gpt-fast", "weights": "int4-g128"}, "batch", 64),
        ("llama-3.1-8b", "rtx-3090", {"batch": 4}, "prompt", 32),
        ("qwen2-7b", "rtx-3090", {"engine": "vllm"}, "prompt", 128),
        ("falcon-40b", "mi325x", {}, "prompt", 32),
    ],
)
def test_no_tile_begins_with_a_leap(model: str, gpu: str, options: dict[str, object], size: str, number: int) -> None:
    """One row beyond a whole number of tiles used to take up to 1.86 times as long."""
    first, second = (Question(model, gpu, {**options, size: n}).ask() for n in (number, number + 1))
    for mine, other in zip(first.phases, second.phases, strict=True):
        assert 1.0 <= other.times.expected / mine.times.expected < 1.15


def test_a_new_chunk_is_told() -> None:
    """Beyond a chunk the weights are read once more: the time leaps, and the answer says why."""
    first, second = (rl.estimate("llama-3-8b", "rtx-4090", engine="llama.cpp", prompt=n) for n in (512, 513))
    assert second.phases[0].bytes > 1.5 * first.phases[0].bytes
    assert any("512 tokens at a time, each time with all weights read" in note for note in second.assumptions)


def test_more_eager_work_in_more_chunks() -> None:
    """A prompt of one token more than its chunk is no less work, though its equal parts would see fewer keys."""
    first, second = (rl.estimate("llama-3.2-3b", "a100", engine="vllm", fusion="eager", prompt=n) for n in (2048, 2049))
    assert second.phases[0].flops > first.phases[0].flops
    assert second.latency.total.bound > first.latency.total.bound
