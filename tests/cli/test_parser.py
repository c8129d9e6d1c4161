"""What the parser refuses: one line in the words of every other message, exit code 2, nothing dropped silently."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from roofline.cli.app import app
from roofline.cli.options import PANELS

MAIN = ["estimate", "-m", "gpt2", "-g", "a100"]


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "roofline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([*MAIN, "-b", "abc"], "roofline: --batch must be a whole number, not 'abc'"),
        ([*MAIN, "--tp", "1.5"], "roofline: --tp must be a whole number, not '1.5'"),
        ([*MAIN, "--guidance", "x"], "roofline: --guidance must be a number, not 'x'"),
        ([*MAIN, "-g", "h100"], "roofline: --gpu is given twice"),
        ([*MAIN, "--model", "gpt2"], "roofline: --model is given twice"),
        ([*MAIN, "-b", "1", "--batch", "2"], "roofline: --batch is given twice"),
        ([*MAIN, "--weights", ""], "roofline: --weights: an empty name or value"),
        ([*MAIN, "--json", "--csv"], "roofline: --json and --csv: standard output holds one of the two"),
        (["estimate", "-g", "a100"], "roofline: --model is missing"),
        (["list"], "roofline: WHAT is missing"),
        (["estimat"], "roofline: no such command 'estimat'"),
    ],
)
def test_errors_of_the_parser_are_one_line(arguments: list[str], line: str) -> None:
    done = shell(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert len(done.stderr.splitlines()) == 1


def test_help_version_and_nothing_keep_their_exit_codes() -> None:
    assert [shell(*words).returncode for words in (["--help"], ["--version"], ["estimate", "-h"], [])] == [0, 0, 0, 2]


def test_plot_takes_several_models_and_gpus(tmp_path: Path) -> None:
    output = tmp_path / "p.svg"
    words = ["plot", "-m", "gpt2", "-m", "mistral-7b", "-g", "a100", "-g", "h100", "-o", str(output)]
    assert CliRunner().invoke(app, words).exit_code == 0
    text = output.read_text()
    for name in ("GPT-2", "Mistral", "A100", "H100"):
        assert name in text


def test_every_shared_option_has_its_heading_in_the_help() -> None:
    for parameter in get_command(app).commands["estimate"].params:  # type: ignore[attr-defined]
        assert parameter.name in PANELS[parameter.rich_help_panel]
