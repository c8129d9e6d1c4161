"""Files of weights on the command line: estimate, import and show; a bad one is one message and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.importers.stored.gguf_writer import write
from tests.importers.stored.test_gguf_hostile import KEYS, RAW, TENSORS


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "roofline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_gguf_file_is_estimated_imported_and_shown(tmp_path: Path) -> None:
    file = str(write(tmp_path / "tiny.gguf", KEYS, TENSORS))
    done = shell("estimate", "--model", file, "--gpu", "h100", "--prompt", "8", "--generate", "2", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (
        answer["memory"]["weights_bytes"] == 2 * (32 * 64 + 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 96)) + 4 * 5 * 64
    )
    own = tmp_path / "own.yaml"
    assert shell("import", file, "--output", str(own)).returncode == 0
    again = shell("estimate", "--model", str(own), "--gpu", "h100", "--prompt", "8", "--generate", "2", "--json")
    assert json.loads(again.stdout)["memory"] == answer["memory"]
    assert shell("show", file).stdout == own.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cut.gguf", "absent.gguf", "cut.safetensors", "text.gguf", "folder.gguf"])
@pytest.mark.parametrize("command", [("estimate", "--gpu", "h100", "--model"), ("import",), ("show",)])
def test_a_bad_file_is_one_message_and_exit_code_2(tmp_path: Path, name: str, command: tuple[str, ...]) -> None:
    (tmp_path / "cut.gguf").write_bytes(RAW[: len(RAW) // 2])
    (tmp_path / "cut.safetensors").write_bytes((10**10).to_bytes(8, "little") + b"{" * 100)
    (tmp_path / "text.gguf").write_text("no model")
    (tmp_path / "folder.gguf").mkdir()
    done = shell(*command, str(tmp_path / name))
    assert done.returncode == 2
    assert not done.stdout
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3
