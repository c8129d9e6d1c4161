"""Standard output that is closed, full, or short of letters: one message or none, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_closed_stream_swallows_what_it_is_given() -> None:
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *COMMAND], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert not done.stderr
