"""Numbers at the edges: the fullest moment, points of grids, limits without an end, values that are none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.errors import RooflineError, UsageError

NAN, INFINITE = float("nan"), float("inf")


def test_compressed_caches_count_at_their_fullest_moment() -> None:
    """The tokens that wait for their entry take more than the entry: memory must do just before it closes."""
    held = [
        rl.estimate("deepseek-v4-pro", "gb300", prompt=2048, generate=n).memory.kv_cache_bytes for n in range(1, 260)
    ]
    assert held == sorted(held)
    once = rl.estimate("deepseek-v4-flash", "h200", prompt=2048, generate=1).memory.kv_cache_bytes
    assert once < rl.estimate("deepseek-v4-flash", "h200", prompt=2047, generate=1).memory.kv_cache_bytes


def test_a_grid_holds_no_decode_step_where_nothing_is_decoded() -> None:
    grid = rl.sweep("deepseek-v2", "a100", prompt=[1], generate=[0, 1, 2])["activation_peak_bytes"][0]
    single = [rl.estimate("deepseek-v2", "a100", prompt=1, generate=n).memory.activation_peak_bytes for n in (0, 1, 2)]
    assert grid.tolist() == single


def test_the_fullest_stage_is_found_at_every_point() -> None:
    batches = [1, 512]
    grid = rl.sweep("qwen2.5-72b", "h100", pp=4, prompt=16, batch=batches, logits="all")["total_bytes"]
    each = [rl.estimate("qwen2.5-72b", "h100", pp=4, prompt=16, batch=n, logits="all") for n in batches]
    assert grid.tolist() == [est.memory.total_bytes for est in each]


@pytest.mark.parametrize("prompt", [65, 5000])
def test_the_longest_context_is_the_same_whatever_was_asked(prompt: int) -> None:
    """Trials of other lengths used to be paged for the length that was asked."""
    found = rl.estimate("lfm2-1.2b", "tpu-v7", batch=256, generate=100, engine="vllm", prompt=prompt)
    most = found.memory.max_context - 100
    fits = [
        bool(rl.estimate("lfm2-1.2b", "tpu-v7", batch=256, generate=100, engine="vllm", prompt=n).memory.fits)
        for n in (most, most + 1)
    ]
    assert fits == [True, False]


def test_a_cache_behind_an_encoder_is_paged_by_its_prompt() -> None:
    paged = [
        rl.estimate("t5-small", "a100", prompt=2048, generate=n, kv_layout="paged:64").memory.kv_cache_bytes
        for n in (2, 3, 66)
    ]
    assert paged == sorted(paged)
    assert paged[0] < 1.1 * rl.estimate("t5-small", "a100", prompt=2048, generate=65).memory.kv_cache_bytes


def test_no_limit_is_none() -> None:
    """2^40 tokens used to be told where memory sets no limit."""
    est = rl.estimate("mamba-2.8b", "a100")
    assert est.memory.max_context is None
    assert est.to_dict()["memory"]["max_context"] is None
    assert not [row for row in est.explain() if row.quantity == "memory.max_context"]
    assert rl.fit("mamba-2.8b", "a100").to_dict()["limits"]["max_context"] is None


def test_one_token_is_a_prompt() -> None:
    """It used to be timed as a decode step, which may take longer than to read two."""
    for model, gpu in (("gpt2", "inferentia2"), ("gpt2-medium", "gb10"), ("starcoder-15b", "tpu-v5e")):
        times = [rl.estimate(model, gpu, prompt=n).latency.ttft.expected for n in (1, 2, 3)]
        assert times == sorted(times)


def test_eager_attention_of_a_ring_computes_the_full_square() -> None:
    for fusion in ("eager", "flash"):
        one, four = (rl.estimate("qwen3-8b", "h100", prompt=1024, fusion=fusion, cp=n) for n in (1, 4))
        head = next(op.flops for op in one.ops() if op.name == "head")
        shared = one.phases[0].flops - head
        assert 4.0 * (four.phases[0].flops - head) == pytest.approx(shared, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cp": 1000}, "cannot be dealt to more devices"),
        ({"tp": 10**6, "pad_heads": True}, "empty heads alone"),
        ({"tp": 64, "pad_heads": True}, "more devices than the 32"),
    ],
)
def test_devices_without_work_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        rl.estimate("mistral-7b", "a100", **options)


@pytest.mark.parametrize("view", ["to_dict", "ops", "explain", "warnings", "plot", "max_batch"])
def test_views_of_one_run_say_so_of_a_grid(view: str) -> None:
    """Times and memory are arrays where sizes are; what shows one run refuses with what to use instead."""
    est = rl.estimate("mistral-7b", "a100", prompt=np.array([128, 256]))
    assert est.latency.ttft.bound.shape == (2,)
    assert "grid" in str(est) and "grid" in repr(est)
    assert len(est.records()) == 2
    with pytest.raises(UsageError, match=r"grid|one run|single"):
        found = getattr(est.memory if view == "max_batch" else est, view)
        found()


def test_answers_of_grids_can_be_kept_and_compared() -> None:
    one, other = (rl.estimate("mistral-7b", "a100", batch=np.array([1, 2])) for _ in range(2))
    assert one != other and len({one, other, one}) == 2 and [one].index(one) == 0
    assert rl.estimate("mistral-7b", "a100") == rl.estimate("mistral-7b", "a100")
    assert rl.estimate("mistral-7b", "a100", batch=np.asarray(2)) == rl.estimate("mistral-7b", "a100", batch=2)
    grids = [rl.sweep("mistral-7b", "a100", batch=[1, 2]) for _ in range(2)]
    assert grids.index(grids[1]) == 1


@pytest.mark.parametrize(
    "name", ["tp", "pp", "cp", "dp", "ep", "gpus", "microbatches", "draft_tokens", "max_sequences"]
)
@pytest.mark.parametrize("value", [NAN, INFINITE, -1, 1.5, "x", True, b"1", 1j, Decimal("NaN"), {}, []])
def test_numbers_of_devices_are_whole(name: str, value: Any) -> None:
    with pytest.raises(UsageError):
        rl.estimate("mistral-7b", "a100", **{name: value})


@pytest.mark.parametrize(
    "options",
    [
        *({"weights": value} for value in (8, True, b"fp8", 1.0)),
        *({name: None} for name in ("engine", "logits", "latent", "work")),
        *({name: 5} for name in ("engine", "kv_layout", "node", "offload", "host", "overlap", "scheduler", "spec_dir")),
        *({"spec_dir": Path("missing")}, {"spec_dir": b"x"}, {"engine": Path("missing.yaml")}),
        *({name: NAN} for name in ("memory", "runtime_reserve", "chunk", "utilisation", "batch", "prompt", "generate")),
        *({name: INFINITE} for name in ("memory", "runtime_reserve", "chunk", "utilisation", "batch")),
        *({"batch": value} for value in (np.array([]), np.array([1 + 1j]), np.array([True]), np.array(["1"]), 2j)),
        *({"pad_heads": "yes"}, {"no_vision": 2}, {"nothing": 1}),
    ],
    ids=str,
)
def test_values_of_another_type_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RooflineError):
        rl.estimate("mistral-7b", "a100", **options)


@pytest.mark.parametrize("value", [None, 5, b"a100", 1.5, ["a100"], object()])
def test_names_are_text_paths_or_specs(value: Any) -> None:
    with pytest.raises(UsageError):
        rl.estimate(value, "a100")
    if value is not None:
        with pytest.raises(UsageError):
            rl.estimate("mistral-7b", value)


def test_numbers_of_numpy_and_paths_are_taken() -> None:
    plain = rl.estimate("llama-3-70b", "h100", tp=2, engine="vllm").latency.total
    assert rl.estimate("llama-3-70b", "h100", tp=np.int64(2), engine="vllm").latency.total == plain
    hardware = Path(__file__).parents[2] / "hardware"
    assert rl.load_gpu(hardware / "t4.yaml", spec_dir=str(hardware)).name == "t4"
    assert rl.estimate("mistral-7b", "t4", spec_dir=hardware).question.gpu.name == "t4"  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [range(1, 10**10), range(1, 10**30), iter(range(10**9))])
def test_values_are_counted_before_they_become_lists(values: Any) -> None:
    if not isinstance(values, range):
        values = range(1, 6 * 10**7)
    with pytest.raises(UsageError, match=r"values|points"):
        rl.sweep("mistral-7b", "a100", batch=values)
    with pytest.raises(UsageError, match=r"values|points"):
        rl.sweep("mistral-7b", "a100", batch=range(1, 10**5), prompt=range(1, 10**5))
