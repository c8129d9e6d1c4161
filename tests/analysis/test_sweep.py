"""A sweep is its estimates."""

from __future__ import annotations

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
