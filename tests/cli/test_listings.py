"""Listings: every name in one piece, kinds, what matches, and tables at the width of the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.analysis.catalogue import names as catalogue
from roofline.cli.app import app
from roofline.errors import UnknownNameError
from roofline.report.tables.estimate import percent
from roofline.specs.files.library import bundled, find, names
from roofline.units import format_count

SHELVES = ["models", "gpus", "nodes", "engines", "schedulers", "precisions"]


def run(*arguments: str, columns: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.stdout


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("what", SHELVES)
def test_every_name_stands_in_one_piece_at_the_start_of_a_line(what: str, columns: int) -> None:
    starts = {line.split()[0] for line in run("list", what, columns=columns).splitlines() if line.split()}
    assert set(getattr(catalogue, f"list_{what}")()) <= starts


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize(
    "command", [["list", "gpus"], ["estimate", "-m", "sdxl", "-g", "a100"], ["ops", "-m", "gpt2", "-g", "a100"]]
)
def test_piped_lines_end_where_their_text_ends(command: list[str], columns: int) -> None:
    assert all(line == line.rstrip() for line in run(*command, columns=columns).splitlines())


def test_models_are_listed_with_their_kind_and_found_by_it() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "models", "--json"))}
    kinds = {"mistral-7b": "language", "sdxl": "image", "sd-vae": "autoencoder", "sd15-unet": "unet"}
    assert {name: rows[name]["kind"] for name in kinds} == kinds
    assert all(row["parameters"] for row in rows.values())
    assert "sdxl" in run("list", "models", "image")


def test_nothing_that_matches_is_a_negative_answer() -> None:
    result = CliRunner().invoke(app, ["list", "gpus", "h800x"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "contains 'h800x'. Nearest: h" in result.stderr


def test_engines_are_listed_with_what_they_rest_on() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "engines", "--json"))}
    assert rows["vllm"]["runs"] > 0
    assert 0 < rows["vllm"]["median_error"] < 1
    assert rows["ideal"]["median_error"] is None


def test_mixes_are_listed_with_the_bits_that_an_estimate_uses() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "precisions", "--json"))}
    model = json.loads(run("estimate", "-m", "mistral-7b", "-g", "a100", "--weights", "q4_k_m", "--json"))
    used = model["memory"]["weights_bytes"] * 8 / model["parameters"]["total"]
    assert rows["q4_k_m"]["bits"] == pytest.approx(used)
    assert rows["q3_k_s"]["bits"] < rows["q3_k_m"]["bits"] < rows["q3_k_l"]["bits"]


def test_the_place_of_a_wrong_word_is_named_as_the_help_names_it() -> None:
    result = CliRunner().invoke(app, ["list", "gpu"])
    assert str(result.exception).startswith("WHAT must be one of models, gpus")


@pytest.mark.parametrize("columns", [40, 60])
def test_narrow_terminals_lose_columns_and_not_words(columns: int) -> None:
    text = run("estimate", "-m", "mistral-7b", "-g", "a100", "-b", "999999999", columns=columns)
    for word in ("prefill", "decode", "compute", "weights", "KV-cache", "999,999,999", ">999 %"):
        assert word in text or (word == ">999 %" and columns == 40)
    assert "e+" not in text


def test_the_columns_of_an_engine_are_there_with_an_engine_only() -> None:
    assert "expected" not in run("estimate", "-m", "gpt2", "-g", "a100", "--engine", "ideal")
    assert "80 % interval" in run("estimate", "-m", "gpt2", "-g", "a100", "--engine", "vllm")


def test_counts_and_shares_in_words() -> None:
    counts = {999_885_952: "1 billion", 7.24e9: "7.24 billion", 1e6: "1 million", 12_345: "12,345"}
    assert {value: format_count(value) for value in counts} == counts
    assert [percent(value) for value in (0.18, 9.99, 12.0)] == ["18.0 %", "999.0 %", ">999 %"]


def test_a_folder_of_ones_own_may_hold_models_and_accelerators_side_by_side(tmp_path: Path) -> None:
    for shelf, name, own in (("models", "mistral-7b", "my-7b"), ("hardware", "a100-sxm-80gb", "my-gpu")):
        text = (bundled(shelf) / f"{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{own}.yaml").write_text(text.replace(f"name: {name}", f"name: {own}", 1), encoding="utf-8")
    assert "my-7b" in names("models", str(tmp_path)) and "my-gpu" not in names("models", str(tmp_path))
    assert "my-gpu" in names("hardware", str(tmp_path)) and "my-7b" not in names("hardware", str(tmp_path))
    assert find("hardware", "my-gpu", str(tmp_path)).path == tmp_path / "my-gpu.yaml"
    with pytest.raises(UnknownNameError):
        find("models", "my-gpu", str(tmp_path))


def test_frameworks_that_train_are_found_by_what_they_do() -> None:
    told = run("list", "engines", "train")
    assert "megatron" in told and "torchtitan" in told and "vllm" not in told
    assert run("list", "engines", "torchtitan").startswith("1 framework that trains models")
