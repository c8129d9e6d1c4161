"""Rows of a sweep: picked, put in order, the frontier, and as tables of other libraries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.sweeping.best import Best, best_of, frontier_of
from roofline.analysis.sweeping.plan import planned
from roofline.analysis.sweeping.rows import joined
from roofline.analysis.sweeping.stream import Keeper, batches

GRID = rl.sweep("mistral-7b", gpu=["a100", "h100", "l4"], batch=[1, 8, 300], prompt=range(100, 900, 100))
value = st.one_of(st.integers(0, 4).map(float), st.just(math.nan), st.just(math.inf))


def beats(a: Any, b: Any) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[value] * n), min_size=1, max_size=30)))
def test_the_frontier_is_what_no_other_row_beats(points: list[tuple[float, ...]]) -> None:
    found = frontier_of(np.array(points)).tolist()
    real = [place for place, point in enumerate(points) if not any(map(math.isnan, point))]
    assert found == [place for place in real if not any(beats(points[other], points[place]) for other in real)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(value, value), min_size=1, max_size=40), st.integers(1, 45), st.booleans(), st.booleans())
def test_the_best_are_the_first_of_all_in_order(
    points: list[tuple[float, float]], count: int, down: bool, second: bool
) -> None:
    keys = [(np.array([a for a, _ in points]), down), (np.array([b for _, b in points]), second)]

    def rank(place: int) -> list[tuple[bool, float]]:
        pairs = zip(points[place], (down, second), strict=True)
        return [(math.isnan(x), 0.0 if math.isnan(x) else -x if d else x) for x, d in pairs]

    assert best_of(keys, count).tolist() == sorted(range(len(points)), key=rank)[:count]


@pytest.mark.parametrize(
    "best",
    [
        Best("ttft_s", 7),
        Best("-output_tokens_per_s,batch", 5),
        Best("gpu,-prompt", None),
        Best(None, None, "ttft_s,output_tokens_per_s"),
        Best("-batch", 3, "ttft_s,output_tokens_per_s,-batch"),
    ],
)
def test_a_stream_keeps_what_the_whole_would(best: Best, monkeypatch: pytest.MonkeyPatch) -> None:
    from roofline.analysis import grids
    from roofline.analysis.sweeping import stream

    plan = planned("mistral-7b", ["a100", "h100", "l4"], {"batch": [1, 8, 300], "prompt": range(100, 900, 100)})
    whole = joined([rows for batch in batches(plan, plan.parts(), None) for rows in batch.rows])
    monkeypatch.setattr(grids, "BLOCK", 7)
    monkeypatch.setattr(stream, "_BESIDE", 5)
    monkeypatch.setattr(stream, "_ROWS", 4)
    keeper = Keeper(plan, best)
    for batch in batches(plan, plan.parts(), None):
        for rows in batch.rows:
            keeper.take(rows)
    rows = whole if best.pareto is None else whole.pareto(best.pareto)
    rows = rows if best.sort is None else rows.top(best.top or len(rows), best.sort)
    said = [sorted(map(str, each.records())) for each in (keeper.finished(), rows)]
    assert said[0] == said[1]


def test_rows_show_the_points_of_the_grid() -> None:
    assert [dict(row) for row in GRID.rows.records()] == list(GRID.records())
    assert len(GRID.rows) == len(GRID) == 72
    with pytest.raises(rl.UsageError, match="no column 'tft_s'; did you mean 'ttft_s'"):
        GRID.top(3, "tft_s")


@pytest.mark.parametrize("names", [("gpu",), ("batch",), ("capacity_bytes",), ("nothing",), ("",), ("ttft_s",) * 7])
def test_a_frontier_of_what_has_no_better_end_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(rl.UsageError):
        GRID.pareto(*names)


def test_high_is_better_of_a_rate_and_low_of_a_time_in_every_reading() -> None:
    found = GRID.pareto("ttft_s_high,output_tokens_per_s_low")
    assert list(found.records()) == list(GRID.pareto("-ttft_s_high", "+output_tokens_per_s_low").records())
    assert 0 < len(found) < len(GRID)


def test_costs_and_rates_of_a_service_have_a_better_end() -> None:
    """As columns of a sweep they are quantities like others: low of what is paid, high of what a user sees."""
    grid = rl.sweep("mistral-7b", gpu="a100", engine="vllm", users=[1, 8, 64], price="on-demand", electricity="0.1/kWh")
    for name, side in (
        ("cost_per_million_output_tokens", "-"),
        ("joules_per_output_token_high", "-"),
        ("served_output_tokens_per_s_per_user", "+"),
        ("served_requests_per_s_low", "+"),
        ("served_tpot_s", "-"),
    ):
        assert list(grid.pareto(name, "served_tpot_s").records()) == list(
            grid.pareto(f"{side}{name}", "-served_tpot_s").records()
        )


def test_pandas_arrow_and_polars_have_the_same_rows() -> None:
    pandas, pyarrow, polars = (pytest.importorskip(name) for name in ("pandas", "pyarrow", "polars"))
    grid = rl.sweep("mistral-7b", gpu=["a100", "h100"], generate=[1, 2], weights=["bf16", None], batch=[1, 2])
    wanted = list(grid.records())
    assert grid.to_arrow().to_pylist() == wanted
    assert grid.to_polars().to_dicts() == wanted
    frame = grid.to_frame().astype(object)
    assert frame.where(frame.notna(), None).to_dict("records") == wanted
    assert pandas and pyarrow and polars


def test_a_column_that_does_not_vary_is_held_once() -> None:
    assert GRID.rows.columns["gpu"].size == 3
    assert GRID.rows.columns["prompt"].size == 8
