"""The measured runs nearest to an estimate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.evidence.runs.nearest import _number
from roofline.evidence.runs.rows import measured_run, read_runs, weights_of
from roofline.evidence.runs.runs import prepare
from roofline.evidence.runs.shipped import MEASUREMENTS, SHIPPED
from roofline.evidence.runs.table import read_table
from roofline.machine.engine import load_engine


@pytest.mark.parametrize("label", ["FT-001", "TRT-323", "QW25-040", "XD-038"])
def test_a_measured_run_is_the_nearest_to_itself(label: str) -> None:
    run = next(run for run in read_runs(MEASUREMENTS) if run.label == label)
    sizes = {"batch": run.batch, "prompt": run.prompt, "generate": run.generate, "gpus": run.plan.devices}
    est = rl.estimate(run.model, run.gpu, engine=run.engine, weights=run.weights, **sizes)
    first = est.nearest[0]
    assert (first.model, first.gpu, first.engine, first.distance) == (run.model, run.gpu, run.engine, 0.0)
    assert label in [row.id for row in est.nearest]
    expected = {row.id: row.expected_s for row in est.nearest}[label]
    assert expected == prepare(run).expected(load_engine(run.engine))


def test_what_a_distance_takes_of_a_row_is_what_its_run_says() -> None:
    for path in SHIPPED:
        for row in read_table(path).rows:
            run = measured_run(row)
            numbers = {"devices": run.plan.devices, "batch": run.batch, "prompt": run.prompt, **dict(run.image)}
            assert {name: _number(row, name) for name in numbers} == numbers
            assert _number(row, "generate") == max(1, run.generate)
            assert (weights_of(row), row.text("model"), row.text("gpu")) == (run.weights, run.model, run.gpu)


def test_three_rows_in_the_order_of_their_distance_with_their_errors() -> None:
    rows = rl.estimate("mistral-7b", "h200", engine="tensorrt-llm", batch=64).nearest
    assert len(rows) == 3
    assert [row.distance for row in rows] == sorted(row.distance for row in rows)
    for row in rows:
        assert row.error == pytest.approx(row.expected_s / row.measured_s - 1.0)
        assert row.engine == "tensorrt-llm" and row.source


def test_pictures_are_compared_with_pictures() -> None:
    rows = rl.estimate("sdxl", "a100", engine="pytorch-compile").nearest
    assert rows and all(row.id.startswith("IMG") and row.prompt is None for row in rows)


def test_the_ideal_engine_and_grids_have_none() -> None:
    assert rl.estimate("mistral-7b", "a100", engine="ideal").nearest == []


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_text_names_the_nearest_and_explain_all_three() -> None:
    asked = ("-m", "mistral-7b", "-g", "a100", "--engine", "vllm")
    assert "nearest measurement: " in invoke("estimate", *asked)
    assert "nearest measurement: " not in invoke("estimate", *asked[:4], "--engine", "ideal")
    assert "Nearest measurements" in invoke("explain", *asked)
    found: list[dict[str, Any]] = json.loads(invoke("explain", *asked, "--json"))["evidence"]
    assert len(found) == 3 and {"id", "source", "measured_s", "expected_s", "error"} <= found[0].keys()
