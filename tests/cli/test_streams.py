"""Standard output that is closed, full, or short of letters: one message or none, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roofline.specs.files.library import bundled

COMMAND = [sys.executable, "-m", "roofline", "estimate", "-m", "mistral-7b", "-g", "a100"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_one_message() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "roofline: standard output: No space left on device\n"


def test_letters_that_a_stream_does_not_have_are_question_marks() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=True, env=environment)
    assert "Mistral 7B v0.1 on NVIDIA A100" in done.stdout
    assert "?" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_answer_that_goes_nowhere_is_no_success(more: list[str]) -> None:
    shell = ["sh", "-c", '"$@" >&-', "sh", *COMMAND, *more]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "roofline: standard output: is closed, and the answer is lost\n"


@pytest.mark.parametrize("arguments", [["estimate", "--help"], ["list", "models"], ["schema", "model"]])
def test_a_reader_that_has_enough_is_no_negative_answer(arguments: list[str]) -> None:
    line = 'set -o pipefail; "$@" | head -1 >/dev/null'
    done = subprocess.run(
        ["bash", "-c", line, "sh", *COMMAND[:3], *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert not done.stderr


@pytest.mark.parametrize("name", [b"caf\xe9.yaml", "漢字.yaml".encode()])
def test_names_of_files_need_not_be_text(tmp_path: Path, name: bytes) -> None:
    file = os.fsencode(tmp_path) + b"/" + name
    with open(file, "wb") as model:  # noqa: PTH123
        model.write((bundled("models") / "gpt2.yaml").read_bytes())
    command = [*COMMAND[:4], "-m", file, "-g", "a100", "--json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["parameters"]["total"]


def test_a_stop_while_modules_load_is_one_word(tmp_path: Path) -> None:
    """As a signal comes while an import runs: the import of the program's parts raises."""
    (tmp_path / "pydantic.py").write_text("raise KeyboardInterrupt\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.strip()) == (130, "roofline: stopped")
