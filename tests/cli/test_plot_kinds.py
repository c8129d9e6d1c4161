"""`roofline plot`: every kind is written and told, and what it does not take is refused before anything is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.report.plots.kinds import PLOT_KINDS

RUNNER = CliRunner(env={"COLUMNS": "400", "TERM": "dumb"})
LLAMA = "--model llama-3-8b --gpu a100"


@pytest.mark.parametrize("kind", PLOT_KINDS)
def test_help_and_the_page_on_plots_say_what_each_kind_shows(kind: str) -> None:
    text = PLOT_KINDS[kind].text
    shown = " ".join(RUNNER.invoke(app, ["plot", "--help"]).output.replace("`", "").split())
    assert f"{kind}: {text}" in shown
    page = (Path(__file__).resolve().parents[2] / "docs" / "plots.md").read_text(encoding="utf-8")
    assert f"| `{kind}` | {text}" in page.replace("`--over`", "--over")


@pytest.mark.parametrize(
    "words",
    [
        f"{LLAMA} --kind time --theme dark",
        f"{LLAMA} --gpu h100 --kind time",
        f"{LLAMA} --kind levels --phase prefill",
        f"{LLAMA} --kind memory --over context --batch 1,8,64",
        f"{LLAMA} --kind memory --over batch --prompt 512,8192",
        f"{LLAMA} --kind latency --batch 1,8,64",
    ],
)
def test_a_picture_is_written(words: str, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["plot", *words.split(), "--output", str(tmp_path / "a.svg")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a.svg").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"{LLAMA} --kind tiem", "Did you mean 'time'"),
        (f"{LLAMA} --theme drak", "Did you mean 'dark'"),
        (f"{LLAMA} --kind time --over batch", "--over goes with --kind memory, not with --kind time"),
        (f"{LLAMA} --kind time --phase decode", "--phase goes with --kind levels, not with --kind time"),
        (f"{LLAMA} --quantity tpot_s", "--quantity goes with --kind bars, not with --kind roofline"),
        (f"{LLAMA} --kind time --batch 1,8", "--batch takes one value with --kind time"),
        (f"{LLAMA} --kind throughput --batch 8", "needs several, such as --batch 1,8,64"),
        (f"{LLAMA} --kind throughput --batch 1:50000000", "at most 100 values"),
        ("--model gpt2 --gpu t4,l4,a10,a100,h100,h200,b200,4090", "8 runs in one picture of --kind roofline: 7 can be"),
        (f"{LLAMA} --kind levels --fusion flash", "--fusion: --kind levels draws every level"),
        (f"{LLAMA} --gpu h100 --kind levels", "takes one model and one GPU, not 2 runs"),
        (f"{LLAMA} --gpu h100 --kind memory --over batch", "--kind memory --over takes one model and one GPU"),
        (f"{LLAMA} --kind memory --over batch --batch 8", "--batch: --over batch draws all of them"),
        (f"{LLAMA} --kind memory --over context --prompt 8", "--prompt: --over context draws all of them"),
        ("--model sdxl --gpu 4090 --kind memory --over context", "it has batch and side"),
    ],
)
def test_what_a_kind_does_not_take_is_refused_and_nothing_is_written(words: str, told: str, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["plot", *words.split(), "--output", str(tmp_path / "a.svg")])
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)
    assert not list(tmp_path.iterdir())
