"""Text of files and command lines reaches the terminal without what the terminal would obey, and reads as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import RooflineError, SpecError
from roofline.specs.files.library import bundled
from roofline.visible import LONGEST, shortened, visible

HOSTILE = "[/] [bold]x[/bold] \\e[2J\\x9b \\u202etxt"
MISTRAL = (bundled("models") / "mistral-7b.yaml").read_text(encoding="utf-8")


def run(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "roofline", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    title = next(line for line in MISTRAL.splitlines() if line.startswith("title:"))
    text = MISTRAL.replace(title, f'title: "{HOSTILE}"')
    file = tmp_path / "x.yaml"
    file.write_text(f'{text}\nunverified: ["{HOSTILE}"]\n', encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    "command", [["estimate"], ["estimate", "--json"], ["estimate", "--csv"], ["ops"], ["explain"], ["fit"], ["levels"]]
)
def test_titles_and_notes_of_a_file_are_text(hostile: str, command: list[str]) -> None:
    code, out, told = run(*command, "-m", hostile, "-g", "a100")
    assert code == 0
    assert visible(out) == out
    assert visible(told) == told


def test_markup_of_a_file_is_shown_and_json_holds_the_file_s_text(hostile: str) -> None:
    _, out, _ = run("explain", "-m", hostile, "-g", "a100")
    assert "[/] [bold]x[/bold] \\x1b[2J\\x9b \\u202etxt" in out
    _, out, _ = run("estimate", "-m", hostile, "-g", "a100", "--json")
    warnings = json.loads(out)["warnings"]
    assert any("\x1b[2J\x9b \u202etxt" in warning["text"] for warning in warnings)


def test_an_excerpt_of_a_broken_line_is_text_with_its_caret_in_place(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"model_type":"llama","a":"\x1b[31mX"}')
    with pytest.raises(SpecError) as caught:
        rl.estimate(str(file), "a100")
    _, line, caret = str(caught.value).splitlines()[:3]
    assert "\\x1b[31mX" in line
    assert caret.index("^") == line.index("\\x1b")


def test_messages_are_shortened_in_their_middle() -> None:
    text = str(RooflineError("wrong " + "x" * 5000 + " mend it"))
    assert len(text) <= LONGEST
    assert text.startswith("wrong ")
    assert text.endswith(" mend it")
    assert shortened("short") == "short"


def test_a_quantity_that_is_a_mapping_is_told_of_in_few_words(tmp_path: Path) -> None:
    many = ", ".join(f"k{number}: 1" for number in range(3000))
    gpu = (bundled("hardware") / "a100-sxm-80gb.yaml").read_text(encoding="utf-8")
    power = next(line for line in gpu.splitlines() if line.startswith("power:"))
    file = tmp_path / "x.yaml"
    file.write_text(gpu.replace(power, f"power: {{{many}}}"))
    with pytest.raises(SpecError) as caught:
        rl.estimate("mistral-7b", str(file))
    assert len(str(caught.value)) < 500
