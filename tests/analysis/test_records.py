"""Estimates as rows and as values: the same keys everywhere, totals in each row, copies and pickles."""

from __future__ import annotations

import copy
import csv
import io
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app

MODELS = ["mistral-7b", "deepseek-v3", "jamba-v0.1", "bert-base", "sd15"]
WAYS: list[dict[str, Any]] = [
    {},
    {"weights": "int4-g128,head=bf16", "engine": "generic"},
    {"tp": 2},
    {"kv_layout": "paged:16", "work": "reference"},
    {"logits": "all"},
    {"generate": 1},
    {"pp": 2, "batch": 4, "microbatches": 2},
    {"offload": "weights=0.5@host"},
]


def _keys(value: Any) -> Any:
    return {name: _keys(member) for name, member in value.items()} if isinstance(value, dict) else None


def test_inputs_have_the_same_keys_whatever_is_asked() -> None:
    found = [rl.estimate("mistral-7b", gpu="a100", **way).to_dict() for way in WAYS]
    found.append(rl.estimate("deepseek-v3", gpu="a100", latent="naive").to_dict())
    assert found[-1]["inputs"]["latent"] == "naive"
    for answer in found[1:]:
        assert list(answer["inputs"]) == list(found[0]["inputs"])
        assert list(answer["machine"]) == list(found[0]["machine"])
        assert list(answer["latency"]) == list(found[0]["latency"])
    inputs = found[0]["inputs"]
    assert (inputs["latent"], inputs["work"], inputs["kv_layout"]) == ("absorbed", "ideal", "ideal")
    assert (inputs["offload"], inputs["overlap"], inputs["pad_heads"], inputs["microbatches"]) == (
        None,
        "none",
        False,
        1,
    )
    assert found[3]["inputs"]["kv_layout"] == "paged:16"
    assert found[6]["inputs"]["microbatches"] == 2


def test_inputs_name_every_option() -> None:
    from roofline.keywords import Options

    inputs = rl.estimate("mistral-7b", gpu="a100").inputs
    pictures = {
        "height",
        "width",
        "steps",
        "guidance",
        "scheduler",
        "strength",
        "tiling",
        "slicing",
        "no_safety_checker",
    }
    assert set(Options.__annotations__) - pictures - {"runtime_reserve", "spec_dir"} <= set(inputs)
    assert "runtime_reserve_bytes" in inputs


def test_text_and_images_have_the_same_latency_and_throughput() -> None:
    text, image = rl.estimate("mistral-7b", gpu="a100"), rl.estimate("sd15", gpu="a100")
    assert set(text.latency.to_dict()) <= set(image.latency.to_dict())
    assert list(text.throughput.to_dict()) == list(image.throughput.to_dict())
    assert text.latency.step is None
    assert text.throughput.images is None
    assert text.inputs["offload"] is image.inputs["offload"] is None


@pytest.mark.parametrize("model", MODELS)
def test_every_record_carries_the_totals(model: str) -> None:
    est = rl.estimate(model, gpu="h100")
    records = est.records()
    assert [row["name"] for row in records] == [phase.name for phase in est.phases]
    for row, phase in zip(records, est.phases, strict=True):
        assert row["total_s"] == pytest.approx(est.latency.total.expected)
        assert row["total_s_floor"] == pytest.approx(est.latency.total.floor)
        assert row["total_bytes"] == est.memory.total_bytes
        assert row["fits"] == est.memory.fits
        assert row["bound_s"] == phase.times.bound
        assert row["flops"] == phase.flops
    assert sum(row["repeat"] * row["bound_s"] for row in records) == pytest.approx(records[0]["total_s_bound"])


def test_totals_hide_no_input_and_no_count_of_a_phase() -> None:
    from roofline.analysis.estimate import totals

    est = rl.estimate("mistral-7b", gpu="a100")
    assert not set(totals(est)) & (set(est.inputs) | set(est.phases[0].to_dict()))
    grid = rl.sweep("mistral-7b", gpu="a100", batch=[1, 2])
    assert set(grid.columns) <= set(totals(est))


def test_csv_carries_the_totals() -> None:
    done = CliRunner().invoke(app, ["estimate", "-m", "mistral-7b", "-g", "a100", "--csv"])
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    est = rl.estimate("mistral-7b", gpu="a100")
    assert [float(row["total_s"]) for row in rows] == [est.latency.total.expected] * 2
    assert [row["fits"] for row in rows] == ["true", "true"]
    assert rows[0]["images_per_s"] == ""


@pytest.mark.parametrize("model", MODELS)
def test_an_estimate_survives_pickle_and_copy(model: str) -> None:
    ways: list[dict[str, Any]] = WAYS[:2] if model == "sd15" else WAYS[:3]
    for way in ways if model != "bert-base" else [{}]:
        options = {name: value for name, value in way.items() if model != "sd15" or name != "weights"}
        est = rl.estimate(model, gpu="h100", **options)
        for twin in (pickle.loads(pickle.dumps(est)), copy.deepcopy(est), copy.copy(est)):
            assert twin == est
            assert hash(twin) == hash(est)
            assert twin.to_dict() == est.to_dict()
            assert len(twin.ops()) == len(est.ops())


def test_a_pickle_is_read_by_a_fresh_process() -> None:
    for model in ("deepseek-v3", "sd15"):
        est = rl.estimate(model, gpu="h100")
        code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).latency.total.bound)"
        done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(est), capture_output=True, check=True)
        assert float(done.stdout) == est.latency.total.bound


def test_a_sweep_survives_pickle() -> None:
    grid = rl.sweep("mistral-7b", gpu=["a100", "h100"], batch=[1, 2])
    assert list(pickle.loads(pickle.dumps(grid)).records()) == list(grid.records())


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "python.md").read_text(encoding="utf-8")


def test_the_page_about_python_runs_and_names_the_columns() -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "python.md", "exec"), {})
    from roofline.analysis.estimate import totals

    named = set(re.findall(r"`(\w+)`", PAGE))
    whole = totals(rl.estimate("mistral-7b", gpu="a100"))
    assert {name for name in whole if not re.search(r"_(floor|bound|low|high)$", name)} <= named
