"""The ledger with the clock: whatever runs where, its rows sum to the time of the phase."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.ledger import GROUPINGS, SORTS, group_rows, sort_rows, top_rows
from roofline.answer.phase import OUTSIDE, OpRow

SUMMED = (
    "flops",
    "vector_flops",
    "bytes",
    "kernels",
    "params",
    "bound_s",
    "expected_s",
    "share",
    "communication_bytes",
)
TEXT = ["mistral-7b", "llama-3-70b", "deepseek-v3", "mixtral-8x7b", "gpt-oss-20b", "gemma-2-9b", "gpt2", "jamba-v0.1"]
ENGINES = ["generic", "ideal", "vllm", "sglang", "llama.cpp", "gpt-fast", "mlc-llm", "transformers", "tensorrt-llm"]
PLANS: list[dict[str, Any]] = [
    {},
    {"tp": 2},
    {"tp": 4, "overlap": "full"},
    {"pp": 2},
    {"pp": 3, "overlap": "full"},
    {"tp": 2, "pp": 2, "microbatches": 2},
    {"cp": 2},
    {"dp": 2},
    {"offload": "weights=0.5"},
    {"offload": "weights=0.5", "overlap": "full"},
    {"offload": "weights=0.3@cpu"},
    {"offload": "weights=0.3@cpu,cache=0.5@host", "overlap": "full"},
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("sdxl", {}),
    ("sdxl", {"engine": "tensorrt", "batch": 4}),
    ("sd15", {"fusion": "compiled"}),
    ("flux-1-dev", {"engine": "ideal"}),
    ("whisper-large-v3", {"batch": 3}),
    ("mamba-2.8b", {}),
    ("bge-m3", {"batch": 8}),
    ("bert-base", {"engine": "transformers"}),
    ("qwen2.5-vl-7b", {"images": 2}),
    ("qwen2.5-vl-7b", {"images": 1, "pp": 2}),
    ("llama-3-8b", {"engine": "llama.cpp", "weights": "q4_k_m"}),
    ("llama-3-8b", {"engine": "mlc-llm", "weights": "int4"}),
    ("mixtral-8x7b", {"engine": "llama.cpp", "weights": "q4_k_m", "offload": "experts@cpu"}),
    ("llama-3-70b", {"draft": "llama-3-8b", "tp": 4}),
    ("deepseek-v3", {"tp": 8, "ep": 8, "batch": 64}),
    ("deepseek-v3", {"tp": 8, "pp": 2, "batch": 64, "engine": "sglang"}),
    ("llama-3-8b", {"prompt": 60000, "chunk": 8192}),
]


def total(rows: list[OpRow], name: str) -> float:
    return sum(float(getattr(row, name)) for row in rows)


def holds(est: rl.Estimate) -> None:
    for phase in est.every_phase:
        joined, parts = est.ops(phase.name), est.ops(phase.name, split=True)
        for rows in (joined, parts):
            assert math.isclose(total(rows, "expected_s"), phase.times.expected, rel_tol=1e-9)
            assert math.isclose(total(rows, "bound_s"), phase.times.bound, rel_tol=1e-9)
            assert math.isclose(total(rows, "share"), 1.0, rel_tol=1e-9)
            assert all(row.expected_s >= 0 and row.bound_s >= 0 for row in rows if row.kind != OUTSIDE)
            own = [row.kind == OUTSIDE for row in rows]
            assert own == sorted(own)  # what is no op comes last
        for name in SUMMED:
            assert math.isclose(total(joined, name), total(parts, name), rel_tol=1e-9, abs_tol=1e-300), name
        assert math.isclose(total(joined, "flops"), phase.flops, rel_tol=1e-9)
        assert math.isclose(total(joined, "bytes"), phase.bytes, rel_tol=1e-9)
        assert math.isclose(total(joined, "kernels"), phase.kernels, rel_tol=1e-9)
        for by in GROUPINGS:
            found = top_rows(sort_rows(group_rows(joined, by), "time"), 3, by)
            assert not any(row.bound_by for row in found if row.kind == OUTSIDE)
            for name in SUMMED:
                assert math.isclose(total(found, name), total(joined, name), rel_tol=1e-9, abs_tol=1e-300), name


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(TEXT),
    st.sampled_from(ENGINES),
    st.sampled_from(PLANS),
    st.sampled_from([1, 4, 33]),
    st.sampled_from(["flash", "compiled", "eager"]),
)
def test_rows_sum_to_the_phase(model: str, engine: str, plan: dict[str, Any], batch: int, fusion: str) -> None:
    try:
        est = rl.estimate(model, "h100-sxm", engine=engine, batch=batch, prompt=700, fusion=fusion, **plan)
    except rl.UsageError:  # an engine or a model that is not spread so
        return
    holds(est)


@pytest.mark.parametrize(("model", "options"), OTHERS)
def test_rows_of_every_kind_of_run_sum_to_the_phase(model: str, options: dict[str, Any]) -> None:
    holds(rl.estimate(model, "h100-sxm", **options))


@pytest.mark.parametrize("model", ["mistral-7b", "sdxl", "deepseek-v3"])
def test_the_ideal_engine_reaches_every_roof(model: str) -> None:
    for row in rl.estimate(model, "h100-sxm", engine="ideal").ops("all"):
        assert row.expected_s == row.bound_s
        assert row.reached in (1.0, None)


def test_rows_are_the_products_that_the_engine_joins() -> None:
    names = {row.name for row in rl.estimate("mistral-7b", "h100-sxm", engine="vllm").ops("decode")}
    assert {"qkv_proj", "gate_up_proj", "o_proj"} <= names
    assert names.isdisjoint({"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"})
    names = {row.name for row in rl.estimate("mistral-7b", "h100-sxm", engine="gpt-fast").ops("decode")}
    assert {"qkv_proj", "gate_proj", "up_proj"} <= names
    names = {row.name for row in rl.estimate("deepseek-v3", "h100-sxm", tp=8).ops("decode")}
    assert {"qkv_a_proj", "q_b_proj", "shared_gate_up_proj"} <= names


def test_the_parts_of_a_joined_kernel_share_its_time_by_their_bounds() -> None:
    est = rl.estimate("mistral-7b", "h100-sxm", engine="vllm")
    joined = next(row for row in est.ops("decode") if row.name == "qkv_proj")
    parts = [row for row in est.ops("decode", split=True) if row.name in ("q_proj", "k_proj", "v_proj")]
    assert [row.count for row in parts] == [joined.count] * 3
    assert total(parts, "expected_s") == pytest.approx(joined.expected_s, rel=1e-12)
    assert [row.reached for row in parts] == pytest.approx([joined.reached] * 3)


def test_a_slow_host_is_what_a_small_model_waits_for() -> None:
    rows = {row.name: row for row in rl.estimate("gpt2", "h100-sxm", engine="transformers").ops("decode")}
    waits = rows["waiting for launches"]
    assert waits.kind == OUTSIDE and waits.share > 0.5 and waits.reached is None
    assert rows["up_proj"].share < 0.1


def test_what_is_hidden_behind_work_is_a_row_below_zero() -> None:
    est = rl.estimate("llama-3-70b", "h100-sxm", offload="weights=0.5", overlap="full")
    hidden = next(row for row in est.ops("decode") if row.name == "hidden behind work")
    assert hidden.expected_s < 0 and hidden.bound_s < 0


def test_stages_of_a_pipeline_that_are_elsewhere_have_a_row() -> None:
    rows = {row.name: row for row in rl.estimate("llama-3-70b", "h100-sxm", pp=4, batch=1).ops("prefill")}
    assert rows["other pipeline stages"].share == pytest.approx(0.75, abs=0.05)


def test_all_phases_at_once_each_row_with_its_phase() -> None:
    est = rl.estimate("llama-3-70b", "h100-sxm", tp=4, draft="llama-3-8b")
    rows = est.ops("all")
    assert list(dict.fromkeys(row.phase for row in rows)) == ["prefill", "decode", "draft"]
    for name in ("prefill", "decode", "draft"):
        assert [row for row in rows if row.phase == name] == est.ops(name)
    assert est.ops() == est.ops("prefill")
    assert {row.name for row in group_rows(rows, "kind")} >= {"linear", "host per step"}
    assert len([row for row in group_rows(rows, "kind") if row.name == "linear"]) == 3


@pytest.mark.parametrize("options", [{}, {"pp": 2, "batch": 4}, {"engine": "gpt-fast"}])
def test_a_copy_has_the_same_rows(options: dict[str, Any]) -> None:
    est = rl.estimate("mistral-7b", "h100-sxm", **options)
    assert pickle.loads(pickle.dumps(est)).ops("all") == est.ops("all")
    assert copy.deepcopy(est).ops("all") == est.ops("all")


@pytest.mark.parametrize("sort", SORTS)
def test_what_is_no_op_stays_last_however_rows_are_sorted(sort: str) -> None:
    rows = rl.estimate("mistral-7b", "h100-sxm").ops("decode")
    found = sort_rows(rows, sort)
    assert sorted(found) == sorted(rows)
    own = [row.kind == OUTSIDE for row in found]
    assert own == sorted(own)
    if sort == "time":
        times = [row.expected_s for row in found if row.kind != OUTSIDE]
        assert times == sorted(times, reverse=True)


def test_the_longest_rows_alone_and_the_rest_as_one() -> None:
    rows = rl.estimate("mistral-7b", "h100-sxm").ops("decode")
    found = top_rows(sort_rows(rows, "name"), 2)
    ops = [row for row in found if row.kind != OUTSIDE]
    assert [row.name for row in ops] == ["down_proj", "gate_up_proj", "12 other ops"]
    assert top_rows(rows, 99) == rows
    assert [row.name for row in top_rows(rows, 13) if "other" in row.name] == ["1 other op"]
