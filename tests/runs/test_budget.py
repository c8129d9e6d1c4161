"""How an engine uses the memory: chunks of prompts, shares, pools, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import UsageError

MODELS = ["llama-3.1-8b", "mixtral-8x7b", "gemma-3-27b", "qwen3-next-80b-a3b", "jamba-v0.1", "gpt-oss-20b"]
GPU = "h100"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 5), st.integers(1, 5000), st.integers(1, 4000))
def test_chunks_change_how_often_weights_are_read_and_nothing_that_is_held(
    model: str, batch: int, prompt: int, chunk: int
) -> None:
    sizes = {"batch": batch, "prompt": prompt, "generate": 1, "engine": "ideal"}
    whole, cut = rl.estimate(model, gpu=GPU, **sizes), rl.estimate(model, gpu=GPU, **sizes, chunk=chunk)
    for name in ("weights_bytes", "kv_cache_bytes", "state_bytes"):
        assert getattr(cut.memory, name) == getattr(whole.memory, name)
    assert cut.memory.activation_peak_bytes <= whole.memory.activation_peak_bytes
    before, after = whole.phases[0], cut.phases[0]
    assert after.flops == pytest.approx(before.flops, rel=1e-9)
    assert after.times.floor == before.times.floor
    assert after.times.bound >= before.times.bound * (1 - 1e-9)
    assert after.bytes >= before.bytes * (1 - 1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_one_chunk_for_all_is_no_chunk(model: str) -> None:
    sizes = {"batch": 3, "prompt": 700, "engine": "ideal"}
    assert rl.estimate(model, gpu=GPU, **sizes).phases == rl.estimate(model, gpu=GPU, **sizes, chunk=2100).phases


def test_latents_are_expanded_anew_in_every_chunk() -> None:
    """Up-projections of what earlier chunks cached are the only FLOPs that chunks add."""
    whole, cut = (rl.estimate("deepseek-v2-lite", gpu=GPU, prompt=4096, generate=1, chunk=c) for c in ("none", 1024))
    extra = cut.phases[0].flops - whole.phases[0].flops
    layers, rank, heads, widths, past = 27, 512, 16, 128 + 128, 1024 + 2048 + 3072
    assert extra == pytest.approx(layers * 2 * past * rank * heads * widths, rel=1e-9)


def test_a_grid_of_prompts_is_its_single_prompts() -> None:
    prompts = [100, 2048, 2049, 5000, 16384]
    grid = rl.sweep("qwen3-30b-a3b", gpu=["h100", "a100"], prompt=prompts, engine="vllm", batch=2)
    for gpu, row in zip(("h100", "a100"), np.asarray(grid["ttft_s"]), strict=True):
        for prompt, found in zip(prompts, row, strict=True):
            one = rl.estimate("qwen3-30b-a3b", gpu=gpu, prompt=prompt, engine="vllm", batch=2)
            assert found == pytest.approx(one.latency.ttft.expected, rel=1e-9)


def test_a_peak_is_that_of_a_chunk_or_of_a_decode_step() -> None:
    """Llama 3.1 8B: the widest op of a chunk holds its input, the two halves of a gated layer, and their product."""
    chunked = rl.estimate("llama-3.1-8b", gpu=GPU, prompt=100_000, generate=1, engine="ideal", chunk=512)
    short = rl.estimate("llama-3.1-8b", gpu=GPU, prompt=512, generate=1, engine="ideal")
    assert chunked.memory.activation_peak_bytes == short.memory.activation_peak_bytes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"utilisation": 0}, "--utilisation 0"),
        ({"utilisation": 1.2}, "--utilisation 1.2"),
        ({"utilisation": True}, "--utilisation"),
        ({"utilisation": "0%"}, "--utilisation 0%"),
        ({"utilisation": "101%"}, "--utilisation 101%"),
        ({"utilisation": "nan%"}, "--utilisation nan%"),
        ({"utilisation": "%"}, "--utilisation %"),
        ({"chunk": 0}, "--chunk"),
        ({"chunk": "many"}, "--chunk many"),
        ({"chunk": -5}, "--chunk"),
        ({"max_sequences": 0, "engine": "vllm"}, "--max-sequences"),
        ({"max_sequences": 8, "engine": "llama.cpp"}, "--max-sequences"),
        ({"max_sequences": 8, "engine": "vllm", "runtime_reserve": "7%"}, "--max-sequences"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rl.estimate("llama-3.1-8b", gpu=GPU, **options)


def test_a_share_may_be_written_in_percent() -> None:
    assert rl.estimate("llama-3.1-8b", gpu=GPU, engine="vllm", utilisation="85 %").inputs["utilisation"] == 0.85


def test_an_encoder_takes_no_chunks() -> None:
    with pytest.raises(UsageError, match="--chunk"):
        rl.estimate("bert-base-uncased", gpu=GPU, chunk=512)
    with pytest.raises(UsageError, match="--chunk"):
        rl.estimate("t5-large", gpu=GPU, chunk=512)
    assert rl.estimate("t5-large", gpu=GPU, prompt=100_000).inputs["chunk"] is None


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt-llm", "llama.cpp", "generic", "ideal"])
@pytest.mark.parametrize("options", [{}, {"utilisation": 0.6}, {"tp": 2}, {"pp": 2}])
def test_the_largest_batch_fits_and_one_more_does_not(engine: str, options: dict[str, Any]) -> None:
    asked = {"prompt": 3000, "generate": 200, "engine": engine} | options
    most = rl.estimate("llama-3.1-8b", gpu="a100", **asked).memory.max_batch
    assert rl.estimate("llama-3.1-8b", gpu="a100", **asked, batch=most).memory.fits
    assert not rl.estimate("llama-3.1-8b", gpu="a100", **asked, batch=most + 1).memory.fits


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_the_pool_holds_as_many_sequences_as_fit(engine: str) -> None:
    """Where activations are those of a chunk, they do not grow with the batch: the pool says the largest batch."""
    memory = rl.estimate("llama-3.1-8b", gpu=GPU, prompt=8000, generate=192, engine=engine).memory
    assert int(memory.pool.concurrency) == memory.max_batch
    assert memory.pool.at_tokens == 8192


def test_a_reserve_stands_in_the_place_of_all_that_the_engine_keeps() -> None:
    memory = rl.estimate("llama-3.1-8b", gpu=GPU, engine="vllm", runtime_reserve="7%").memory
    assert memory.runtime_bytes == pytest.approx(0.07 * memory.capacity_bytes)
    assert memory.usable_bytes == memory.capacity_bytes - 480 * 2**20


@pytest.mark.parametrize(
    ("gpu", "options", "aside"),
    [
        ("h100", {}, 512 + 8192 * 1.5 + 256 * 2 + 128),
        ("h100", {"tp": 4}, 512 + 8192 * 1.5 + 512 * 2 + 4 * 128),
        ("h100", {"chunk": 512}, 512 + 2048 * 1.5 + 256 * 2 + 128),
        ("rtx-4090", {}, 512 + 2048 * 1.5 + 24 * 2 + 128),
        ("b200", {}, 512 + 16384 * 1.5 + 512 * 2 + 128),
    ],
)
def test_the_share_of_sglang_follows_from_what_it_sets_aside(gpu: str, options: dict[str, Any], aside: float) -> None:
    """MiB by the rules of its server_args.py, worked out by hand."""
    share = rl.estimate("llama-3.1-8b", gpu=gpu, engine="sglang", **options).inputs["utilisation"]
    assert share == round(1 - aside * 2**20 / rl.load_gpu(gpu).memory.capacity, 3)


def test_states_stand_in_pages_as_large_as_those_of_keys() -> None:
    """Qwen3-Next in vLLM: a state of 2.1 MB needs a page of 1,056 tokens of 2,048 B."""
    asked = {"gpu": "h200", "prompt": 4000, "generate": 1, "weights": "fp8"}
    plain = rl.estimate("qwen3-next-80b-a3b", **asked, engine="ideal").memory
    padded = rl.estimate("qwen3-next-80b-a3b", **asked, engine="vllm").memory
    page = 1056 * 2048
    assert plain.state_bytes <= padded.state_bytes == pytest.approx(36 * page)
    assert padded.kv_cache_bytes == pytest.approx(12 * 4 * page)


def test_json_tells_the_share_and_the_pool() -> None:
    told = json.loads(json.dumps(rl.estimate("llama-3.1-8b", gpu=GPU, engine="vllm").to_dict()))
    assert told["inputs"]["utilisation"] == 0.9
    assert told["inputs"]["chunk"] == 8192
    assert told["memory"]["usable_bytes"] < told["memory"]["capacity_bytes"]
    assert set(told["memory"]["pool"]) == {"bytes", "tokens", "concurrency", "at_tokens"}


@pytest.mark.parametrize("engine", ["generic", "vllm", "sglang"])
def test_a_card_smaller_than_what_its_driver_keeps_has_nothing_to_use(engine: str) -> None:
    tiny = rl.load_gpu("rtx-2080").model_copy(update={"name": "tiny"})
    tiny = tiny.model_copy(update={"memory": tiny.memory.model_copy(update={"capacity": 1000.0})})
    memory = rl.estimate("mistral-7b", tiny, engine=engine).memory
    assert memory.usable_bytes == 0
    assert not memory.fits
