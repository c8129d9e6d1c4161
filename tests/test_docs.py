"""The docs say what the program does: generated pages are current, console blocks are real output.

`python tests/test_docs.py [PAGE …]` writes the output of today into the pages that have such blocks.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app
from roofline.cli.reference import reference
from roofline.evidence.runs.rows import METRICS, read_runs
from roofline.evidence.runs.runs import prepare_all

#: The day by which ages of prices are told: 2026-11-28.
DAY = "1795824000"
ROOT = Path(__file__).resolve().parent.parent
#: Pages whose console blocks are real output.
PAGES = (
    "README.md",
    "docs/compare.md",
    "docs/counting.md",
    "docs/counting_runs.md",
    "docs/counting_time.md",
    "docs/counting_work.md",
    "docs/decisions.md",
    "docs/errors.md",
    "docs/fit.md",
    "docs/flops.md",
    "docs/index.md",
    "docs/ops.md",
    "docs/parallel.md",
    "docs/questions.md",
    "docs/start.md",
    "docs/train.md",
)
_BLOCK = re.compile(r"```console\n\$ roofline (.*?)\n(.*?)```", re.DOTALL)
#: Command lines that are refused, and what they are told.
_REFUSED = re.compile(r"```text\n\$ roofline (.*?)\n(.*?)```", re.DOTALL)
BLOCKS = [block for page in PAGES for block in _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))]
REFUSALS = [block for page in PAGES for block in _REFUSED.findall((ROOT / page).read_text(encoding="utf-8"))]


def test_the_command_reference_is_current() -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == reference()


def output_of(command: str) -> list[str]:
    result = CliRunner(env={"COLUMNS": "80", "TERM": "dumb", "SOURCE_DATE_EPOCH": DAY}).invoke(
        app, shlex.split(command)
    )
    assert result.exit_code in (0, 1), result.output
    return [line.rstrip() for line in result.stdout.rstrip().splitlines()]


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command[:60] for command, _ in BLOCKS])
def test_pages_show_real_output(command: str, shown: str) -> None:
    real = output_of(command)
    told = [line.rstrip() for line in shown.rstrip().splitlines()]
    if told and told[-1] == "...":
        told = told[:-1]
        real = real[: len(told)]
    assert told == real


def refusal_of(command: str) -> str:
    """What the program itself says, which one has only from outside of it."""
    line = [sys.executable, "-m", "roofline", *shlex.split(command)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and not done.stdout, command
    return done.stderr.rstrip()


@pytest.mark.parametrize(("command", "told"), REFUSALS, ids=[command[:60] for command, _ in REFUSALS])
def test_pages_show_real_refusals(command: str, told: str) -> None:
    assert told.rstrip() == refusal_of(command)


def test_readme_has_output_to_show() -> None:
    assert BLOCKS and REFUSALS


def test_the_page_on_measurements_names_every_metric_and_its_example_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"| `{metric}` |" in page
    example = tmp_path / "runs.csv"
    example.write_text(page.partition("```text\n")[2].partition("```")[0], encoding="utf-8")
    rows, refused = prepare_all(read_runs(example))
    assert len(rows) == 4 and not refused


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_runs(page: str) -> None:
    names: dict[str, object] = {}  # the blocks of a page follow each other
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("page", sorted(ROOT.glob("**/*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    if any(part.startswith(".") and part != ".github" for part in page.relative_to(ROOT).parts):
        return
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def renew(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for command, shown in _BLOCK.findall(text):
        real, told = output_of(command), shown.rstrip().splitlines()
        if told and told[-1] == "...":
            real = [*real[: len(told) - 1], "..."]
        text = text.replace(f"$ roofline {command}\n{shown}", f"$ roofline {command}\n" + "\n".join(real) + "\n")
    for command, shown in _REFUSED.findall(text):
        text = text.replace(f"$ roofline {command}\n{shown}```", f"$ roofline {command}\n{refusal_of(command)}\n```")
    (ROOT / page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        renew(name)
