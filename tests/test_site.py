"""The pages of the site: each has its place, says what the program has, and needs no network."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import COMMANDS, app
from tests.test_docs import DAY, ROOT

#: Answers that are made of all measured runs take most of a minute; tests of their own hold them.
SLOW = ("validate", "validate --training")


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def placed(nav: Any) -> Iterator[str]:
    """The pages that a navigation names."""
    if isinstance(nav, str):
        yield nav
    for entry in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from placed(entry)


def test_every_page_has_a_place_in_the_navigation() -> None:
    nav = set(placed(yaml.safe_load(read(".mkdocs.yml"))["nav"]))
    lost = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - nav
    assert not lost, f"name {', '.join(sorted(lost))} in `nav` of mkdocs.yml, or readers never find it"


def test_the_site_asks_nobody_for_fonts() -> None:
    site = yaml.safe_load(read(".mkdocs.yml"))
    assert site["theme"]["font"] is False and "offline" in site["plugins"]


def test_the_readme_is_one_screen_and_shows_both_pictures() -> None:
    readme = read("README.md")
    assert len(readme.splitlines()) <= 110
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', readme)
    assert len(pictures) == 2 and all((ROOT / picture).exists() for picture in pictures)


# warnings: every code is told, each with a command that shows it


def codes_of_the_program() -> set[str]:
    """The codes of all `Warn("code", …)` of the package."""
    found = set()
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "roofline").rglob("*.py"))
    for text in (text for text in texts if "Warn(" in text):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Warn" and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    found.add(code.value)
    return found


TOLD = re.findall(r"^#### `([\w-]+)`\n(.*?)(?=^###|\Z)", read("docs/errors.md"), re.DOTALL | re.MULTILINE)
SHOWN = [(code, line) for code, text in TOLD for line in re.findall(r"^    roofline (.+)$", text, re.MULTILINE)]


def test_every_warning_code_is_told_and_none_that_is_gone() -> None:
    told = [code for code, _ in TOLD]
    assert len(told) == len(set(told))
    known = codes_of_the_program()
    missing, gone = known - set(told), set(told) - known
    assert not missing, f"docs/errors.md says nothing of: {', '.join(sorted(missing))}"
    assert not gone, f"docs/errors.md tells of codes that the program has no more: {', '.join(sorted(gone))}"


def test_every_warning_code_says_what_to_do() -> None:
    assert all("**What to do:**" in text for _, text in TOLD)


@pytest.mark.parametrize(("code", "line"), SHOWN, ids=[code for code, _ in SHOWN])
def test_the_command_below_a_warning_code_shows_it(code: str, line: str) -> None:
    result = CliRunner(env={"SOURCE_DATE_EPOCH": DAY}).invoke(app, [*shlex.split(line), "--json"])
    assert code in {warning["code"] for warning in json.loads(result.stdout)["warnings"]}


# questions: every command is there, and each line runs

LINES = [line for line in re.findall(r"\| `roofline ([^`]+)` \|", read("docs/questions.md")) if line not in SLOW]


def test_every_command_answers_a_question() -> None:
    asked = {line.split()[0] for line in (*LINES, *SLOW)}
    assert not set(COMMANDS) - asked, f"docs/questions.md has no question for {sorted(set(COMMANDS) - asked)}"


@pytest.mark.parametrize("line", LINES)
def test_the_command_of_a_question_answers(line: str, folder: Path) -> None:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, shlex.split(line))
    assert result.exit_code == 0, result.output
    assert result.stdout or (folder / "roofline.svg").exists()


# the Python reference


def test_the_reference_has_every_public_name() -> None:
    shown = re.findall(r"^::: roofline\.([\w.]+)$", read("docs/api.md"), re.MULTILINE)
    lost = set(rl.__all__) - {"__version__", *shown}
    assert not lost, f"docs/api.md lacks `::: roofline.NAME` of {sorted(lost)}"
    for path in set(shown) - set(rl.__all__):  # what answers are made of, which has no public name
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(f"roofline.{module}"), name), path


# what the builder makes


def test_notebooks_become_pages_with_what_they_showed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebooks = importlib.import_module("docs.site.notebooks")
    cells = [
        {"cell_type": "markdown", "source": ["# A title\n", "and [text](two.ipynb)"]},
        {
            "cell_type": "code",
            "source": "show()",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "printed\n"},
                {"output_type": "stream", "name": "stdout", "text": ["in two pieces\n"]},
                {"output_type": "display_data", "data": {"text/html": "<table>\n\n</table>", "text/plain": "plain"}},
                {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}},
            ],
        },
    ]
    for name in ("SOURCES", "EXECUTED"):
        monkeypatch.setattr(notebooks, name, tmp_path / name)
        (tmp_path / name).mkdir()
    stripped = [{**cell, "outputs": []} for cell in cells]
    (tmp_path / "SOURCES" / "one.ipynb").write_text(json.dumps({"cells": stripped}), encoding="utf-8")
    assert notebooks.executed("one") is None and "printed" not in notebooks.page("one").markdown
    (tmp_path / "EXECUTED" / "one.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    page = notebooks.page("one")
    assert page.title == "A title" and page.markdown.startswith("# A title")
    assert "[text](two.md)" in page.markdown, "links lead to pages"
    assert "printed\nin two pieces\n```" in page.markdown and "<table>" not in page.markdown
    assert "<table>\n\n</table>" in page.with_parts(page.markdown)
    assert list(page.pictures.values()) == [b"\x89PNG\r\n\x1a\n"]
    (tmp_path / "SOURCES" / "one.ipynb").write_text(json.dumps({"cells": stripped[:1]}), encoding="utf-8")
    assert notebooks.executed("one") is None, "a copy of an older notebook is none of this one"


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img srcset="https://cdn.example/x.png 2x">',
        "<style>@import url(https://cdn.example/x.css);</style>",
        '<p style="background: url(//cdn.example/x.png)">',
    ],
)
def test_what_a_browser_would_fetch_is_found(text: str) -> None:
    remote_in = importlib.import_module("docs.site.remote").remote_in
    assert remote_in(text, ".html")


def test_links_that_a_reader_follows_are_not_fetched() -> None:
    remote_in = importlib.import_module("docs.site.remote").remote_in
    assert not remote_in('<a href="https://arxiv.org">a</a><script src="assets/x.js"></script>', ".html")
