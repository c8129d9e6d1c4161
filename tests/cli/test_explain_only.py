"""`roofline explain --only`: every number has its derivation, and nothing is told that does not belong to it."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.explain import explain
from roofline.cli.app import app
from roofline.report.tables.belonging import BEGINNINGS, assumptions_of, sources_of

PLANS: list[dict[str, Any]] = [{}, {"tp": 4}, {"pp": 4}, {"tp": 2, "pp": 2}, {"dp": 2}, {"runtime_reserve": "10%"}]


@pytest.mark.parametrize("options", PLANS)
@pytest.mark.parametrize("fusion", ["flash", "eager"])
def test_the_peak_of_activations_is_explained_wherever_the_run_happens(options: dict[str, Any], fusion: str) -> None:
    est = rl.estimate("mixtral-8x7b", "h100", batch=16, fusion=fusion, **options)
    found = {d.quantity: d for d in explain(est)}
    assert found["memory.activation_peak_bytes"].value == est.memory.activation_peak_bytes
    assert "experts" in found["memory.activation_peak_bytes"].substituted


def test_the_source_of_the_total_is_a_source() -> None:
    for gpu, verdict in (("h100", "does not fit in"), ("h200", "fits in")):
        total = {d.quantity: d for d in explain(rl.estimate("llama-3-70b", gpu))}["memory.total_bytes"]
        assert verdict in total.substituted
        assert "ledger" in total.source


def test_only_what_belongs_to_a_number_is_told() -> None:
    est = rl.estimate("llama-3-70b", "h100", tp=4)
    of_parameters = assumptions_of(est, ["parameters.total"])
    assert [note.partition(":")[0] for note in of_parameters] == ["4 devices"]
    assert sources_of(est, ["parameters.total"]) == list(est.question.spec.sources)
    assert set(sources_of(est, ["machine.ridge_flops_per_byte"])).isdisjoint(est.question.spec.sources)
    cache = " ".join(assumptions_of(est, ["memory.kv_cache_bytes"]))
    assert "KV-cache bf16" in cache
    assert "engine" not in cache.replace("no engine is taken to pad", "")
    assert "fusion" not in cache
    links = assumptions_of(est, ["prefill.communication_s"])
    assert any(note.startswith("collectives at nominal bandwidth") for note in links)
    assert not any(note.startswith("collectives") for note in assumptions_of(est, ["prefill.flops"]))


def test_all_numbers_together_have_all_assumptions_and_sources() -> None:
    for options in PLANS:
        est = rl.estimate("deepseek-v3", "h200", **options)
        names = [d.quantity for d in explain(est)]
        assert assumptions_of(est, names) == est.assumptions
        assert sources_of(est, names) == est.sources


def test_each_beginning_is_one_of_an_assumption() -> None:
    engines = ({"engine": "ideal"}, {"engine": "vllm"})
    asked = [rl.estimate("deepseek-v3", "h200", **options) for options in (*PLANS, *engines)]
    asked.append(rl.estimate("llama-3-70b", "h200", tp=2, pp=2))
    notes = [note for est in asked for note in est.assumptions]
    assert [start for start in BEGINNINGS if not any(note.startswith(start) for note in notes)] == []


def test_the_command_prints_only_that() -> None:
    run = CliRunner().invoke(app, ["explain", "-m", "llama-3-70b", "-g", "h100", "--tp", "4", "--only", "activation"])
    assert run.exit_code == 0
    assert "memory.activation_peak_bytes" in run.stdout
    assert "engine ideal" not in run.stdout
    assert "the last generated token" not in run.stdout
