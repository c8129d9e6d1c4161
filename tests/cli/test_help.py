"""Help begins with an example that works, and shows what matters; all options are one word away."""

from __future__ import annotations

import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from roofline.cli.app import COMMANDS, app
from roofline.cli.examples import QUESTIONS, SHOWN, example

FEW = 10
PROGRAM = get_command(app).commands  # type: ignore[attr-defined]


def text_of(*arguments: str, columns: int = 80) -> str:
    done = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_command_has_an_example_and_belongs_to_one_question() -> None:
    belonging = [name for names in QUESTIONS.values() for name in names]
    assert sorted(belonging) == sorted(COMMANDS) == sorted(SHOWN)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_that_help_shows_are_options_of_the_command(command: str) -> None:
    there = {flag.lstrip("-") for each in PROGRAM[command].params for flag in each.opts}
    assert set(SHOWN[command].options) <= there
    assert len(SHOWN[command].options) <= FEW


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_begins_with_an_example_and_tells_of_all_other_options(command: str, columns: int) -> None:
    lines = text_of(command, "--help", columns=columns).splitlines()
    assert " ".join(lines[:2]).startswith(f"Example: {example(command)}"[: columns - 1])
    assert max(map(len, lines)) <= columns
    listed = [each for each in PROGRAM[command].params if not each.hidden]
    every = " ".join(text_of(command, "--help-all", columns=columns).split())
    assert all(max(each.opts, key=len) in every for each in listed if each.opts[0].startswith("-"))
    if SHOWN[command].options:
        rest = len(listed) - len(SHOWN[command].options)
        assert f"--help-all shows the rest, {rest} more:" in " ".join(lines)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_commands_stand_under_their_questions_each_on_two_lines(columns: int) -> None:
    lines = text_of("--help", columns=columns).splitlines()
    for question, names in QUESTIONS.items():
        start = lines.index(question) + 1
        for place, name in enumerate(names):
            assert lines[start + 2 * place].split()[0] == name
            assert lines[start + 2 * place + 1].strip() == example(name)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("folder")
def test_every_example_works(command: str) -> None:
    done = CliRunner().invoke(app, shlex.split(example(command))[1:])
    assert done.exit_code in (0, 1), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_the_version_has_a_letter() -> None:
    assert text_of("-V") == text_of("--version")
