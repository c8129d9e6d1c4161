"""A table says what its words mean the first time that an output has them, in few words and two lines at most."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.analysis.levels import levels
from roofline.cli.app import app
from roofline.report.glossary import LEVELS, OPS, TERMS, page, told_of
from roofline.report.tables.console import Console
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_legend, print_table

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUTS = (
    "estimate -m mistral-7b -g a100",
    "estimate -m sdxl -g rtx-4090",
    "estimate -m llama-3.1-70b -g h100 --gpus 4 --users 16",
    "estimate -m mistral-7b -g a100 --engine ideal",
    "fit -m llama-3.1-70b -g h100",
    "cost -m llama-3.1-8b -g h100",
    "compare -m mistral-7b -g a100,h100",
    "recommend -m mistral-7b -g a100,h100 --users 4",
    "levels -m sd15 -g rtx-4090",
    "sweep -m mistral-7b -g a100 -b 1,2",
    "flops -m llama-2-7b",
    "train -m llama-3.1-8b -g h100 --gpus 8",
    "list gpus --for gpt2",
)


def printed(command: str) -> list[str]:
    done = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(app, command.split())
    assert done.exit_code in (0, 1), done.output
    return done.stdout.splitlines()


@pytest.mark.parametrize("command", OUTPUTS)
def test_every_word_of_a_table_is_explained_once_on_two_lines(command: str) -> None:
    lines = printed(command)
    text = " ".join(" ".join(lines).split())
    for term in TERMS:
        told = f"{term.word}: {term.few}"
        if term.few:
            assert text.count(told) <= 1
    starts = [place for place, line in enumerate(lines) if _begins(line)]
    for start in starts:
        assert not lines[start + 1] or not lines[start + 2] or not lines[start].startswith(" ")


def _begins(line: str) -> bool:
    return any(term.few and line.lstrip().startswith(f"{term.word}: ") for term in TERMS)


def test_the_main_words_are_explained_where_they_stand() -> None:
    text = " ".join(" ".join(printed(OUTPUTS[0])).split())
    for word in ("floor", "bound", "expected", "80 % interval", "phase", "fusion", "engine", "MFU", "MBU", "FLOP/B"):
        assert f"{word}: " in text


def test_a_legend_has_only_words_that_the_table_shows() -> None:
    assert "expected: " not in "\n".join(printed(OUTPUTS[3]))
    stream = StringIO()
    console = Console(stream, 80)
    print_table(grid("Boundless phaseless floors", [("a", "left"), ("bound by", "left")], [["x", "floor-9"]]), console)
    assert ": " not in stream.getvalue()
    print_legend("the floor, the floor", console)
    print_legend("the floor again", console)
    assert stream.getvalue().count("floor: ") == 1


def test_words_have_a_meaning_and_are_few() -> None:
    every = (*TERMS, *OPS, *LEVELS)
    assert len({term.word for term in every}) == len(every)
    for term in every:
        meaning = term.meaning or told_of(term)
        assert (meaning.endswith(".") and meaning[0].isupper()) or meaning[0].isdigit()
        assert len(term.few) <= (80 if term in LEVELS else 48)


def test_every_level_that_is_printed_is_explained() -> None:
    for model in ("sd15", "mistral-7b"):
        lines = printed(f"levels -m {model} -g rtx-4090")
        for row in levels(model, "rtx-4090"):
            assert sum(line.startswith(f"{row['level']}: ") for line in lines) == 1


def test_the_page_of_words_is_current() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert text == page(text) and "## Of machines" in text
