"""Doors that open fast: a command loads what it needs, a shell that completes gets its names."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from roofline.analysis.catalogue.names import list_models

HEAVY = ("matplotlib", "numpy", "pandas", "pydantic", "rich", "yaml")
LOADED = f"""
import runpy, sys
try: runpy.run_module("roofline", run_name="__main__")
except SystemExit: pass
print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""
ESTIMATE = ["estimate", "-m", "mistral-7b", "-g", "a100", "-b", "8"]


def loaded(*arguments: str, **environment: str) -> set[str]:
    """Which heavy libraries a command loads."""
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    return set(done.stderr.splitlines()[-1].split())


def completed(line: str, shell: str = "bash") -> list[str]:
    """What a shell offers at the end of a line."""
    bash = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    fish = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    environment = os.environ | {"_ROOFLINE_COMPLETE": f"complete_{shell}"} | (bash if shell == "bash" else fish)
    command = [sys.executable, "-m", "roofline"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


@pytest.mark.parametrize("what", ["models", "gpus", "nodes", "engines", "schedulers", "precisions"])
def test_a_listing_loads_nothing_heavy(what: str) -> None:
    assert loaded("list", what) == set()


def test_an_estimate_loads_what_reads_files_alone() -> None:
    assert loaded(*ESTIMATE, "--json") == loaded(*ESTIMATE) == {"pydantic", "yaml"}


@pytest.mark.parametrize("arguments", [["--help"], ["estimate", "--help"]])
def test_help_loads_what_prints_it_alone(arguments: list[str]) -> None:
    assert loaded(*arguments) <= {"rich"}


def test_completion_loads_nothing_heavy() -> None:
    line = "roofline estimate --model mist"
    assert loaded(_ROOFLINE_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD="3") == set()


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_models_complete(shell: str) -> None:
    mistral = [name for name in list_models() if name.startswith("mist")]
    assert completed("roofline estimate --model mist", shell) == mistral
    assert completed("roofline estimate -b 8 -m mist", shell) == mistral


def test_commands_and_options_complete() -> None:
    assert completed("roofline est") == ["estimate"]
    assert {"estimate", "list", "show"} <= set(completed("roofline "))
    assert {"--gpu", "--gpus"} <= set(completed("roofline estimate -m gpt2 --gp"))
    assert set(completed("roofline estimate -m gpt2 --engine gener")) == {"generic"}
    assert {"--help", "--help-all"} <= set(completed("roofline estimate -m gpt2 --he"))
