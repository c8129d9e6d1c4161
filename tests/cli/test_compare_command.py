"""`roofline compare` as a user meets it: several values of any option, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app
from roofline.errors import RooflineError


def run(*arguments: str, columns: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.stdout


PAIR = ("compare", "-m", "mistral-7b", "-g", "a100,h100")


def test_few_runs_stand_in_columns_with_the_verdict_first() -> None:
    text = run(*PAIR)
    assert text.startswith("H100 SXM5 80GB is the quickest: ")
    heading = next(line for line in text.splitlines() if "a100  " in line and "h100" in line)
    assert heading.split() == ["a100", "h100"]
    for words in ("80 % interval", "to the first", "* best", "errors go together", "In all of them: mistral-7b"):
        assert words in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    for more in ((), ("--weights", "bf16,fp8"), ("--batch", "1:256:x2"), ("--tp", "1,3")):
        text = run(*PAIR, *more, columns=columns)
        assert max(map(len, text.splitlines())) <= columns


def test_many_runs_stand_in_rows() -> None:
    text = run(*PAIR, "--weights", "bf16", "--weights", "fp8", "--batch", "1:4:x2")
    assert "12 runs by GPU, batch and weights" in text
    assert "What else is compared" in text


def test_what_cannot_be_is_marked() -> None:
    text = run("compare", "-m", "llama-3.1-70b", "-g", "a100", "--tp", "1,2,3")
    for words in (
        "tp 1 does not\nfit: it misses by",
        "NO",
        "refused (tp 3): --tp 3 does not divide",
        "( ) does not fit",
    ):
        assert words in text


def test_json_and_csv_have_every_run() -> None:
    made = json.loads(run(*PAIR, "--weights", "bf16,fp8", "--json"))
    assert list(made)[:3] == ["verdict", "schema_version", "varied"]
    assert made["varied"] == ["gpu", "weights"]
    assert [row["label"] for row in made["rows"]] == ["a100, bf16", "a100, fp8", "h100, bf16", "h100, fp8"]
    assert made["winners"]["tpot_s"] == 3
    assert made["rows"][3]["ratio"]["tpot_s"]["expected"] < 1
    rows = list(csv.DictReader(io.StringIO(run(*PAIR, "--weights", "bf16,fp8", "--csv"))))
    assert [row["gpu"] for row in rows] == ["a100-sxm-80gb"] * 2 + ["h100-sxm"] * 2
    assert [row["tpot_s_best"] for row in rows] == ["false", "false", "false", "true"]
    assert float(rows[3]["tpot_s"]) == made["rows"][3]["tpot_s"]["expected"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--batch", "8:1"), "backward"),
        (("--batch", "1:8:+0"), "above 0"),
        (("--batch", "1:1000"), "at most 100"),
        (("--batch", "@nowhere"), "cannot be read"),
        (("-g", "b100x"), "no GPU named"),
        (("--tp", "3"), "does not divide"),
    ],
)
def test_bad_values_are_refused(more: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(app, [*PAIR, *more])
    assert isinstance(result.exception, RooflineError)
    assert says in str(result.exception)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\xfe\x00\x80")
    for path in (tmp_path, tmp_path / "noise"):
        result = CliRunner().invoke(app, ["compare", "-m", "mistral-7b", "-g", "a100", "-g", str(path)])
        assert isinstance(result.exception, RooflineError), path


def test_bars_are_drawn_of_any_quantity(tmp_path: Path) -> None:
    path = tmp_path / "bars.svg"
    plot = ("plot", *PAIR[1:], "--kind", "bars", "-o", str(path))
    run(*plot)
    assert path.stat().st_size > 5000
    run(*plot, "--quantity", "total_bytes")
    for wrong, says in (
        ((*plot, "--quantity", "tpot"), "did you mean 'tpot_s'"),
        (("plot", *PAIR[1:], "-o", str(path), "--quantity", "tpot_s"), "goes with --kind bars"),
        (("plot", *PAIR[1:], "-o", str(path), "--batch", "1,2"), "takes one value with --kind roofline"),
    ):
        result = CliRunner().invoke(app, list(wrong))
        assert isinstance(result.exception, RooflineError)
        assert says in str(result.exception)
