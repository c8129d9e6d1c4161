"""The command line over several GPUs: tables, JSON, listings, and one clear message where something is wrong."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app

FORMATS = ["--weights", "fp8", "--kv-cache", "fp8"]
SIZES = ["--batch", "64", "--prompt", "2048", "--generate", "512"]
ROW = ["--model", "llama-3-70b", "--gpu", "h100", "--tp", "4", *FORMATS, *SIZES]


def _run(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "100", "TERM": "dumb"}).invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.stdout


def test_an_estimate_over_four_gpus_says_where_it_runs_and_what_communication_takes() -> None:
    text = _run("estimate", *ROW)
    for part in ("4 GPUs (tp 4) on hgx-h100", "Communication, per run", "Memory per GPU", "bound, hidden"):
        assert part in text


def test_the_json_of_a_spread_run_has_its_plan_and_both_bounds() -> None:
    data = json.loads(_run("estimate", *ROW, "--json"))
    inputs = data["inputs"]
    assert (inputs["gpus"], inputs["tp"], inputs["pp"], inputs["node"]) == (4, 4, 1, "hgx-h100")
    for phase in data["phases"]:
        assert phase["communication_bytes"] > 0
        assert phase["bound_overlapped_s"] <= phase["bound_s"] == phase["bound_serial_s"]
    assert data["machine"]["links"]["scale_up"]["bandwidth_bytes_per_s"] == 450e9


def test_the_ledger_and_the_derivations_name_the_collectives() -> None:
    assert "o_proj.all_reduce" in _run("ops", *ROW, "--phase", "decode")
    assert "all_reduce of" in _run("explain", *ROW, "--only", "communication_bytes")


def test_nodes_are_listed_and_shown() -> None:
    names = {row["name"] for row in json.loads(_run("list", "nodes", "--json"))}
    assert names >= {"hgx-h100", "dgx-a100", "gb200-nvl72", "l40s-pcie-4", "mi300x-8", "tpu-v5e-8", "tpu-v5p-64"}
    assert "NVLink4" in _run("show", "hgx-h100")


@pytest.mark.parametrize("fusion", ["eager", "flash", "compiled"])
@pytest.mark.parametrize("options", [["--pp", "2"], ["--cp", "2"], ["--dp", "2"], ["--offload", "weights=0.25"]])
def test_all_kinds_of_spread_print_at_each_fusion_level(fusion: str, options: list[str]) -> None:
    assert "time to first token" in _run("estimate", "-m", "llama-2-7b", "-g", "h100", "--fusion", fusion, *options)
