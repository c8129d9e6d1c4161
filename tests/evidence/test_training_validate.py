"""`roofline validate --training`: errors of frameworks on training rows, of those that are shipped or of a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.evidence.training.rows import TRAINING_ROWS
from roofline.evidence.training.validate import validate_training


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of the shipped rows: dense on A100, one without a GPU."""
    with TRAINING_ROWS.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    chosen = [row for row in rows if row["id"].startswith("FND-")][:4] + [row for row in rows if not row["gpu"]][:1]
    path = tmp_path_factory.mktemp("rows") / "some.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return path


def test_rows_are_judged_and_refused_rows_told(some: Path) -> None:
    """Each row has its error; what cannot be asked has its reason."""
    found = validate_training(some)
    assert found.errors.rows == len(found.rows) == 4
    assert all(row.floor < row.measured for row in found.rows) and not found.below_floor
    assert [each.reason for each in found.refused] == ["the GPU is not stated"]
    assert set(found.groups("engine")) == {"llm-foundry"}
    assert found.within(1.0) and not found.within(0.0)


def test_the_command_tells_them(some: Path) -> None:
    """A table, JSON and CSV; beyond a tolerance the exit code is 1."""
    told = CliRunner().invoke(app, ["validate", str(some), "--training", "--tolerance", "0"])
    assert told.exit_code == 1 and "llm-foundry" in told.stdout and "the GPU is not stated" in told.stdout
    data = json.loads(CliRunner().invoke(app, ["validate", str(some), "--training", "--json"]).stdout)
    assert data["rows"] == 4 and data["refused"][0]["reason"] == "the GPU is not stated"
    lines = CliRunner().invoke(app, ["validate", str(some), "--training", "--csv"]).stdout.splitlines()
    assert len(lines) == 5 and lines[0].startswith("row,source,model")


def test_a_file_without_steps_is_refused(tmp_path: Path) -> None:
    """Nothing to judge is no answer."""
    path = tmp_path / "none.csv"
    with TRAINING_ROWS.open(encoding="utf-8") as file:
        path.write_text(file.readline(), encoding="utf-8")
    with pytest.raises(UsageError, match="no row tells"):
        validate_training(path)
