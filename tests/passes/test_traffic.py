"""The eager pass moves the bytes and launches the kernels that were recorded of the reference code."""

from __future__ import annotations

import re

import pytest

from roofline.passes.fusion.traffic import by_class, by_operator

from .traffic_tables import BF16, DOCUMENT, FIXTURE, OTHER_CODE, RUNS, Run, filled, phase_at, spec_of

EXACT = [run for run in RUNS if run.model not in (*OTHER_CODE, "small-mixture")]
FLOPS = [(model, name, count) for model, counts in FIXTURE["flops"].items() for name, count in counts.items()]


@pytest.mark.parametrize("run", EXACT, ids=lambda run: f"{run.label}, {run.attention}")
def test_every_class_has_the_recorded_kernels_and_bytes_to_the_last_one(run: Run) -> None:
    assert run.counted() == run.recorded()


def test_a_mixture_differs_in_nothing_but_experts_that_no_token_visits() -> None:
    run = next(run for run in RUNS if run.model == "small-mixture")
    ours, theirs = run.counted(), run.recorded()
    all_experts = 2 * 6 * 3 * 64 * 96 * 2
    untouched = (1 - 2 / 6) ** 40
    missing = theirs["matmul"].read - ours["matmul"].read
    assert missing == pytest.approx(all_experts * untouched, rel=1e-6)
    assert ours["matmul"]._replace(read=0.0) == theirs["matmul"]._replace(read=0.0)
    assert {**ours, "matmul": None} == {**theirs, "matmul": None}


@pytest.mark.parametrize(("model", "most"), [("opt-125m", 0.02), ("gpt-j-6b", 0.05)])
def test_other_reference_code_stays_within_what_the_documentation_says(model: str, most: float) -> None:
    for run in RUNS:
        if run.model == model:
            ours, theirs = (sum(part.bytes for part in side.values()) for side in (run.counted(), run.recorded()))
            assert abs(ours / theirs - 1) < most


@pytest.mark.parametrize(("model", "name", "count"), FLOPS, ids=str)
def test_eager_flops_are_what_the_frameworks_counter_says(model: str, name: str, count: int) -> None:
    batch, tokens = map(int, re.findall(r"\d+", name))
    new, past = (tokens, 0) if "prefill" in name else (1, tokens)
    assert phase_at(model, batch, new, past, "eager").flops == count


@pytest.mark.parametrize("model", ["gpt2", "mistral-7b", "mixtral-8x7b", "gpt-j-6b", "opt-350m", "bert-large-block"])
def test_the_kernels_one_by_one_add_up_to_the_ledger(model: str) -> None:
    for attention in ("eager", "sdpa"):
        phase = phase_at(model, 3, 7, 0 if model.startswith("bert") else 20, "eager", attention)
        for parts in (by_operator(phase, BF16), by_class(phase, BF16)):
            assert sum(part.bytes for part in parts.values()) == pytest.approx(phase.bytes(BF16), rel=1e-14)
            assert sum(part.kernels for part in parts.values()) == phase.kernels


def test_a_packed_projection_is_launched_and_fed_once() -> None:
    ops = {op.name: op for op in phase_at("gpt2", 2, 16, 0, "flash").ops}
    assert spec_of("gpt2").blocks[0].attention.packed
    assert [ops[name].kernels for name in ("q_proj", "k_proj", "v_proj")] == [1, 0, 0]
    assert [ops[name].read for name in ("q_proj", "k_proj", "v_proj")] == [2 * 16 * 768, 0, 0]


def test_the_documented_tables_are_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == filled(text)
