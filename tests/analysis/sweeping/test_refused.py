"""Points that cannot be are told; what is wrong in itself is refused."""

from __future__ import annotations

import numpy as np
import pytest

import roofline as rl
from roofline.analysis import grids


def test_a_plan_that_does_not_divide_is_left_out_and_told() -> None:
    grid = rl.sweep("mistral-7b", gpu=["a100", "h100"], tp=[1, 3, 2], batch=[1, 2], prompt=range(1, 9))
    assert sum(each.points for each in grid.refused) == 32
    assert all("--tp 3 does not divide" in each.reason and each.options["tp"] == 3 for each in grid.refused)
    assert np.isnan(grid["ttft_s"][:, 1]).all() and not grid["fits"][:, 1].any()
    assert np.isfinite(grid["ttft_s"][:, [0, 2]]).all()
    alone = rl.sweep("mistral-7b", gpu=["a100", "h100"], tp=[1, 2], batch=[1, 2], prompt=range(1, 9))
    assert np.array_equal(alone["total_s"], grid["total_s"][:, [0, 2]])


@pytest.mark.parametrize("tp", [[3, 1], [1, 3], [1, 3, 3]])
def test_a_stream_tells_them_with_a_block(tp: list[int]) -> None:
    blocks = list(rl.sweep_blocks("mistral-7b", gpu="a100", tp=tp, batch=[1, 2]))
    assert [len(block) for block in blocks] == [2]
    assert sum(each.points for block in blocks for each in block.refused) == 2 * tp.count(3)


def test_sides_that_a_model_refuses_are_left_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = rl.sweep("sdxl", gpu="a100", height=[512, 1001, 1024], width=[512, 1003], steps=2)
    assert len(grid.where("step_s > 0")) == 2
    assert sum(each.points for each in grid.refused) == 4
    monkeypatch.setattr(grids, "MOST_REFUSED", 5)
    with pytest.raises(rl.UsageError, match="more than 5 points cannot be, such as: --height"):
        rl.sweep("sdxl", gpu="a100", height=range(512, 530), steps=2)


def test_only_refused_points_are_a_refusal() -> None:
    for call in (rl.sweep, rl.sweep_blocks):
        with pytest.raises(rl.UsageError, match="does not divide"):
            call("mistral-7b", gpu="a100", tp=[3, 5], batch=[1, 2])


@pytest.mark.parametrize("wrong", [{"weights": ["bf16", "bf61"]}, {"engine": ["vllm", "vlm"]}, {"gpu": ["a100", "a1"]}])
def test_a_name_that_there_is_not_is_wrong_beside_others_too(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(rl.UnknownNameError):
        rl.sweep("mistral-7b", **{"gpu": "a100", "batch": [1, 2], **wrong})  # type: ignore[arg-type]


def test_a_large_grid_is_not_halved_down_to_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason that has nothing to do with sizes holds for a whole part."""
    asked: list[object] = []
    real = grids.ask
    monkeypatch.setattr(grids, "ask", lambda *given: asked.append(given) or real(*given))
    grid = rl.sweep("mistral-7b", gpu="a100", tp=[3, 1], batch=range(1, 200), prompt=range(1, 400))
    assert sum(each.points for each in grid.refused) == 199 * 399
    assert len(asked) < 60
