"""`roofline flops` as it is typed: tables in two widths, JSON, CSV, and refusals in one line."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

import roofline as rl


def _run(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "roofline", "flops", *arguments]
    env = os.environ | {"COLUMNS": str(columns)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("more", [(), ("--gpu", "h100", "--gpus", "8", "--tokens-per-s", "90000")])
def test_tables_fit_the_terminal_and_cut_no_reason(columns: int, more: tuple[str, ...]) -> None:
    done = _run("-m", "llama-3-8b", "--sequence", "8192", *more, columns=columns)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Training Llama 3 8B at 8k tokens takes 51.5 GFLOP a token")
    assert max(map(len, done.stdout.splitlines())) <= columns
    words = " ".join(done.stdout.split())
    assert "attention in full" in words and "input embedding" in words
    assert ("MFU" in words) == bool(more)


def test_json_is_what_python_has() -> None:
    done = _run("-m", "mixtral-8x7b", "--sequence", "4096", "--gpu", "a100", "--mfu", "0.5", "--json")
    answer = rl.flops("mixtral-8x7b", sequence=4096, gpu="a100", mfu=0.5).to_dict()
    assert json.loads(done.stdout) == json.loads(json.dumps(answer))
    assert answer["utilisation"]["peak_of"] == "bf16"
    assert answer["utilisation"]["peak_flops"] == 312e12


def test_csv_has_one_line_for_each_convention_or_law() -> None:
    rows = list(csv.DictReader(io.StringIO(_run("-m", "gpt2", "--sequence", "1024", "--csv").stdout)))
    assert {"key", "per_token", "of_causal", "reason"} <= set(rows[0])
    laws = list(csv.DictReader(io.StringIO(_run("--budget", "1e21", "--csv").stdout)))
    assert laws[0]["key"] == "approach_1"
    assert float(laws[0]["parameters"]) == pytest.approx(2.86e9, rel=0.002)


def test_laws_alone_need_no_model() -> None:
    done = _run("--gpu", "h100", "--gpu-hours", "1e4", "--mfu", "0.4")
    assert done.returncode == 0
    assert done.stdout.startswith("1.42e+22 FLOP (10,000 GPU-hours) train ")


def test_a_format_without_units_is_told() -> None:
    done = _run("-m", "gpt2", "--gpu", "a100", "--mfu", "0.4", "--precision", "fp8", "--json")
    assert "peak-of-another-format" in done.stderr
    assert json.loads(done.stdout)["utilisation"]["peak_of"] == "bf16"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "gpt2", "--sequence", "0"),
        ("-m", "no-such-model"),
        ("-m", "sdxl"),
        ("--budget", "-1"),
        ("-m", "gpt2", "--gpu", "h100", "--mfu", "1.2"),
        (),
    ],
)
def test_refusals_are_one_line(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("roofline: ") and len(done.stderr.splitlines()) == 1


def test_large_counts_are_written_as_people_say_them() -> None:
    said = _run("flops", "--params", "7B", "--tokens", "1.5T", "--json")
    assert said.stdout == _run("flops", "--params", "7e9", "--tokens", "1.5e12", "--json").stdout
    assert "must be a number, not '7x'" in _run("flops", "--params", "7x").stderr


def test_more_than_the_peak_is_warned_of_and_told_without_exponents() -> None:
    found = rl.flops("llama-3-8b", gpu="h100", tokens_per_s=9e9)
    assert [warn.code for warn in found.warnings] == ["faster-than-peak"]
    assert found.to_dict()["warnings"][0]["code"] == "faster-than-peak"
    assert "e+" not in found.verdict


def test_a_utilisation_may_be_a_percentage() -> None:
    share = ("flops", "--model", "gpt2", "--gpu", "h100", "--mfu")
    assert _run(*share, "40%").stdout == _run(*share, "0.4").stdout


def test_one_convention_is_no_range_and_short_runs_have_no_hours() -> None:
    told = rl.flops("t5-large", sequence=512, decoder=128).verdict
    assert "a published convention says" in told and told.count("HF Trainer") == 1
    short = rl.flops("llama-3-8b", gpu="h100", gpus=8, tokens_per_s=90000, tokens=100).verdict
    assert "100 tokens take" in short and "GPU-hours" not in short
    assert "1,870 each" in rl.flops("llama-3-8b", tokens=15e12).verdict
