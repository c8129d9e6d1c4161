"""Names that no file has, pipes, folders and dead links in the place of specs: the answer is that there is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.analysis.catalogue.shelves import model_rows
from roofline.errors import RooflineError, SpecError

NAMES = ("~nobody-here/x.yaml", "a" * 5000, "a" * 5000 + ".yaml", "x\0.yaml", "/dev/null/x.yaml", "~nobody-here")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["model", "gpu", "node", "spec_dir", "engine", "host", "draft"])
def test_names_that_no_file_has(name: str, option: str) -> None:
    given: dict[str, Any] = {"model": "mistral-7b", "gpu": "a100", option: name}
    if option == "host":
        given["offload"] = "weights@cpu"
    with pytest.raises(RooflineError) as caught:
        rl.estimate(**given)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("name", ["~nobody-here/", "a" * 5000, "\udcff"])
def test_a_search_path_of_folders_that_are_not_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ROOFLINE_PATH", name)
    assert rl.estimate("mistral-7b", "a100").memory.fits


@pytest.mark.parametrize("kind", ["pipe", "folder", "dead link", "loop", "binary"])
@pytest.mark.parametrize("below", [".", "nodes", "hardware"])
def test_what_stands_in_a_folder_of_specs_and_is_none(tmp_path: Path, kind: str, below: str) -> None:
    place = tmp_path / below / "x.yaml"
    place.parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "binary":
        place.write_bytes(b"\xff\xfe\0kind")
    else:
        place.symlink_to(place if kind == "loop" else "/nowhere/x")
    est: Any = rl.estimate("mistral-7b", "a100", tp=2, spec_dir=str(tmp_path))
    assert est.question.spread.node.name == "dgx-a100"
    if below == ".":  # what says no kind may be a model
        with pytest.raises(SpecError, match=r"x\.yaml"):
            list(model_rows(str(tmp_path)))
    else:
        assert len(list(model_rows(str(tmp_path)))) > 200


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert rl.estimate("mistral-7b", "a100").memory.fits
    with pytest.raises(RooflineError):
        rl.estimate("x.yaml", "a100")
