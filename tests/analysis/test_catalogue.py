"""Listings: the index is what the files say, and every file of one's own or that has changed is read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roofline.analysis.catalogue import index, shelves
from roofline.analysis.catalogue.computed import ROWS
from roofline.machine.chips import library
from roofline.specs.files.library import files

ROOT = Path(__file__).resolve().parents[2]


def test_the_index_is_what_the_files_say() -> None:
    """Where this fails: `python -m roofline.analysis.catalogue.index`."""
    assert index.INDEX.read_text(encoding="utf-8") == index.text()


def test_what_suits_each_chip_is_what_the_files_say() -> None:
    """Where this fails: `python -m roofline.analysis.catalogue.index`."""
    assert library.LIBRARY.read_text(encoding="utf-8") == library.text()


def test_rows_of_the_index_are_those_computed() -> None:
    path = files("models")["sdxl"]
    row = next(row for row in shelves.model_rows() if row.name == "sdxl")
    assert row == ROWS["models"](path)
    assert isinstance(row.aliases, tuple)


def test_a_bundled_listing_reads_no_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "_computed", lambda shelf, path: pytest.fail(f"{path} is read"))
    for rows in (shelves.model_rows, shelves.gpu_rows, shelves.node_rows, shelves.engine_rows):
        assert len(list(rows())) > 5
    monkeypatch.setattr(shelves, "_mean_bits", lambda mix, model: pytest.fail(f"{mix} is computed"))
    assert [row for row in shelves.precision_rows() if row.mix]


def test_a_file_of_ones_own_shows_and_shadows_the_bundled_one(tmp_path: Path) -> None:
    text = files("models")["gpt2"].read_text(encoding="utf-8")
    (tmp_path / "gpt2.yaml").write_text(text.replace("title: ", "title: My own "), encoding="utf-8")
    (tmp_path / "new.yaml").write_text(text.replace("name: gpt2\n", "name: new\n"), encoding="utf-8")
    rows = {row.name: row for row in shelves.model_rows(str(tmp_path))}
    assert rows["gpt2"].title.startswith("My own ")
    assert rows["new"].parameters == rows["gpt2"].parameters


def test_an_alias_of_a_file_of_ones_own_shadows_a_bundled_name(tmp_path: Path) -> None:
    text = files("models")["gpt2"].read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("aliases:")]
    own = "\n".join(kept).replace("name: gpt2", "name: mine\naliases: [mistral-7b]", 1)
    (tmp_path / "mine.yaml").write_text(own, encoding="utf-8")
    names = [row.name for row in shelves.model_rows(str(tmp_path))]
    assert "mistral-7b" not in names and names.count("mine") == 2


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which somebody works."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("roofline", "models", "hardware"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def listed(checkout: Path, what: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "roofline", "list", what, "--json"]
    environment = os.environ | {"PYTHONPATH": str(checkout), "XDG_CONFIG_HOME": str(checkout / "none")}
    environment.pop("ROOFLINE_PATH", None)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=checkout)
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_what_changes_in_a_checkout_shows_at_once(checkout: Path) -> None:
    before = listed(checkout, "models")
    unet = checkout / "models" / "sdxl-unet.yaml"
    unet.write_text(unet.read_text().replace("channels: 320", "channels: 640"), encoding="utf-8")
    gpt2 = checkout / "models" / "gpt2.yaml"
    (checkout / "models" / "gpt2-copy.yaml").write_text(gpt2.read_text().replace("name: gpt2", "name: gpt2-copy"))
    gpt2.write_text(gpt2.read_text().replace("title: ", "title: Changed "), encoding="utf-8")
    (checkout / "models" / "gpt-j-6b.yaml").unlink()
    after = listed(checkout, "models")
    assert after["gpt2"]["title"].startswith("Changed ")
    assert after["gpt2-copy"]["parameters"] == before["gpt2"]["parameters"]
    assert "gpt-j-6b" not in after
    assert after["sdxl"]["parameters"] > before["sdxl"]["parameters"], "a pipeline rests on its parts"


def test_without_an_index_all_is_computed(checkout: Path) -> None:
    before = listed(checkout, "nodes")
    (checkout / index.INDEX.relative_to(ROOT)).write_text("no index", encoding="utf-8")
    assert listed(checkout, "nodes") == before
