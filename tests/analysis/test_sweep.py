"""A sweep is its estimates."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl

sizes = st.lists(st.integers(1, 3000), min_size=1, max_size=3, unique=True)


@settings(max_examples=15, deadline=None)
@given(
    sizes,
    sizes,
    st.lists(st.integers(0, 300), min_size=1, max_size=3, unique=True),
    st.sampled_from(["eager", "flash", "compiled"]),
)
def test_every_point_is_the_estimate(batch: list[int], prompt: list[int], generate: list[int], fusion: str) -> None:
    gpus = ["a100", "t4"]
    grid = rl.sweep("mistral-7b", gpu=gpus, batch=batch, prompt=prompt, generate=generate, fusion=fusion)
    for index in np.ndindex(grid.shape):
        gpu, b, p, n = (values[i] for values, i in zip(grid.axes.values(), index, strict=True))
        est = rl.estimate("mistral-7b", gpu=gpu, batch=b, prompt=p, generate=n, fusion=fusion)
        point = grid[index]
        assert point["ttft_s"] == pytest.approx(est.latency.ttft.expected, rel=1e-12)
        assert point["total_s_bound"] == pytest.approx(est.latency.total.bound, rel=1e-12)
        if est.latency.tpot is None:
            assert point["tpot_s"] is None
        else:
            assert point["tpot_s_floor"] == pytest.approx(est.latency.tpot.floor, rel=1e-12)
        assert point["kv_cache_bytes"] == est.memory.kv_cache_bytes
        assert point["fits"] == est.memory.fits


def test_a_single_value_is_no_axis() -> None:
    grid = rl.sweep("mistral-7b", gpu="a100", batch=[1, 2, 4], prompt=range(128, 4096, 128))
    assert list(grid.axes) == ["batch", "prompt"]
    assert grid.shape == (3, 31) == grid["ttft_s"].shape
    assert len(list(grid.records())) == len(grid) == 93
    assert next(grid.records())["gpu"] == "a100"


@pytest.mark.parametrize("values", [[], [0], [1.5], ["8"], [True], [float("nan")]])
def test_a_wrong_value_is_refused(values: list) -> None:
    with pytest.raises(rl.UsageError, match="batch"):
        rl.sweep("mistral-7b", gpu="a100", batch=values)


def test_too_many_points_are_refused() -> None:
    with pytest.raises(rl.UsageError, match="at most"):
        rl.sweep("mistral-7b", gpu="a100", batch=range(1, 10**5), prompt=range(1, 10**5))


GPUS = ["a100", "h100", "l4", "rtx-4090", "mi300x", "t4", "v100-sxm2-32gb", "b200", "apple-m2-ultra", "a10g"]


@pytest.mark.parametrize(
    ("model", "options", "sizes"),
    [
        ("mistral-7b", {"engine": ["generic", "ideal", "vllm"]}, {"batch": [1, 9], "prompt": [1, 700]}),
        ("mixtral-8x7b", {"weights": ["bf16", "fp8", "int4-g128"]}, {"batch": [1, 300]}),
        ("deepseek-v2-lite", {"fusion": ["flash", "eager"]}, {"prompt": [3, 4000], "generate": [0, 1, 9]}),
        ("qwen3-next-80b-a3b", {"kv_cache": [None, "fp8"]}, {"batch": [2, 64], "prompt": [100]}),
        ("mistral-7b", {"tp": [1, 2]}, {"batch": [8]}),
        ("sdxl", {"engine": ["generic", "tensorrt"]}, {"batch": [1, 3], "height": [512, 1024], "steps": [7]}),
        ("bert-base", {}, {"batch": [1, 70], "prompt": [128]}),
    ],
)
def test_accelerators_on_an_axis_are_each_on_its_own(
    model: str, options: dict[str, list[str]], sizes: dict[str, list[int]]
) -> None:
    """Chips with and without units of a format, measured ones and others: stacked where they can be."""
    gpus = GPUS if "tp" not in options else GPUS[:2]  # those that have links
    grid = rl.sweep(model, gpu=gpus, **options, **sizes)  # type: ignore[arg-type]
    for row in grid.records():
        given = {name: row[name] for name in (*options, *sizes)}
        est = rl.estimate(model, gpu=row["gpu"], **given)
        for name, times in {**est.latency.to_dict(), **est.throughput.to_dict()}.items():
            for reading, value in (times or {}).items():
                key = name if reading == "expected" else f"{name}_{reading}"
                if key in row and row[key] is not None:
                    assert row[key] == pytest.approx(value, rel=1e-12), (row["gpu"], given, key)
        assert row["total_bytes"] == est.memory.total_bytes
        assert row["fits"] == est.memory.fits


@pytest.mark.parametrize("block", [1, 7, 64, 10_000])
def test_blocks_together_are_the_grid(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from roofline.analysis import grids

    monkeypatch.setattr(grids, "BLOCK", block)
    asked: dict[str, Any] = {"batch": [1, 2, 5], "prompt": range(100, 900, 100), "generate": [0, 4]}
    asked |= {"gpu": ["a100", "t4", "h100"]}
    whole = rl.sweep("mistral-7b", **asked)
    parts = [row for part in rl.sweep_blocks("mistral-7b", **asked) for row in part.records()]
    places = {tuple(row[name] for name in whole.axes): row for row in parts}
    assert len(parts) == len(places) == len(whole)
    for row in whole.records():
        part = places[tuple(row[name] for name in whole.axes)]
        assert set(part) == set(row)
        for name in whole.columns:
            assert part[name] == (None if row[name] is None else pytest.approx(row[name], rel=1e-12))


def test_a_stream_of_blocks_takes_the_memory_of_one() -> None:
    """Twice as many blocks take no more memory than a few."""
    peaks = []
    for points in (150_000, 300_000):
        tracemalloc.start()
        seen = sum(len(part) for part in rl.sweep_blocks("mistral-7b", gpu="a100", prompt=range(1, points + 1)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert seen == points
    assert peaks[1] < 1.1 * peaks[0]


def test_more_points_than_a_sweep_takes_can_be_streamed() -> None:
    first = next(iter(rl.sweep_blocks("mistral-7b", gpu="a100", batch=range(1, 10**4), prompt=range(1, 10**4))))
    assert first[0, 0]["batch"] == 1


def test_engines_beside_the_ideal_one_have_columns_of_their_own() -> None:
    """Without an engine what is expected is the bound, and one array; with another engine beside it, it is not."""
    alone = rl.sweep("mistral-7b", gpu="a100", batch=[1, 2], engine="ideal")
    assert np.array_equal(alone["total_s"], alone["total_s_bound"])
    for engines in (["ideal", "generic"], ["generic", "ideal"]):
        both = rl.sweep("mistral-7b", gpu="a100", batch=[1, 2], engine=engines)
        place = engines.index("ideal")
        assert np.array_equal(both["total_s"][place], alone["total_s"])
        assert np.array_equal(both["total_s_high"][place], alone["total_s"])
        assert np.all(both["total_s"][1 - place] > alone["total_s"])
        assert np.array_equal(both["total_s_bound"][0], both["total_s_bound"][1])


def test_models_of_tokens_and_of_pictures_share_a_grid() -> None:
    grid = rl.sweep(["sdxl", "mistral-7b"], gpu="a100", batch=[1, 2], engine="ideal")
    assert np.isnan(grid["ttft_s"][0]).all() and np.isfinite(grid["ttft_s"][1]).all()
    assert np.isfinite(grid["step_s"][0]).all() and np.isnan(grid["step_s"][1]).all()


@pytest.mark.parametrize(
    "axes", [{"prompt": [128, 256]}, {"generate": [1, 2, 3]}, {"prompt": [100, 2000], "batch": [1, 3]}]
)
def test_grids_of_lengths_with_eager_attention_are_single_answers(axes: dict[str, list[int]]) -> None:
    options: dict[str, Any] = {"gpu": "h100", "fusion": "eager", "engine": "vllm"}
    for row in rl.sweep("llama-3.1-8b", **options, **axes).records():
        single = rl.estimate("llama-3.1-8b", **options, **{name: row[name] for name in axes}).latency.total
        assert row["total_s"] == pytest.approx(single.expected, rel=1e-12)


def test_values_in_rows_of_rows_are_refused() -> None:
    with pytest.raises(rl.UsageError, match="--batch takes its values in a row"):
        rl.sweep("gpt2", gpu="h100", batch=np.array([[1, 2], [3, 4]]))
