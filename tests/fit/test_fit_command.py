"""`roofline fit` as a user meets it: exit codes, tables, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app


def run(*arguments: str, code: int = 0, columns: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, ["fit", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-m", "mistral-7b", "-g", "a100"], 0),
        (["-m", "llama-3-70b", "-g", "a100"], 1),
        (["-m", "llama-3-70b", "-g", "a100", "--gpus", "2"], 0),
        (["-m", "mistral-7b", "-g", "a100", "-b", "100000"], 1),
        (["-m", "flux-dev", "-g", "rtx-4090"], 1),
        (["-m", "bert-base", "-g", "t4"], 0),
        (["-m", "deepseek-v3", "-g", "any"], 0),
    ],
)
def test_verdict_exit_code_and_json_agree(arguments: list[str], code: int) -> None:
    d = json.loads(run(*arguments, "--json", code=code))
    assert d["fits"] == (code == 0)
    assert next(iter(d)) == "verdict"
    assert " ".join(run(*arguments, code=code).split()).startswith(" ".join(d["verdict"].split()))


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("arguments", [["-m", "llama-3-70b", "-g", "any"], ["-m", "sdxl", "-g", "rtx-3060", "-b", "9"]])
def test_no_line_is_wider_than_the_terminal(arguments: list[str], columns: int) -> None:
    code = 1 if "sdxl" in arguments else 0
    assert all(len(line) <= columns for line in run(*arguments, code=code, columns=columns).splitlines())


def test_csv_has_a_row_for_each_way_to_run_it() -> None:
    rows = list(csv.DictReader(io.StringIO(run("-m", "llama-3-70b", "-g", "h100", "--csv", code=1))))
    d = json.loads(run("-m", "llama-3-70b", "-g", "h100", "--json", code=1))
    assert [row["change"] for row in rows] == ["as asked", *(remedy["change"] for remedy in d["remedies"])]
    assert float(rows[0]["total_bytes"]) == d["memory"]["total_bytes"]


def test_times_are_not_warned_of() -> None:
    assert "interval" not in run("-m", "sdxl", "-g", "rtx-4090")
