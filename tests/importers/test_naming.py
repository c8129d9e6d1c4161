"""What a model is called that a config.json describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roofline.importers.huggingface.read import read_config

from .configs import LLAMA, written

_REVISION = "0123456789abcdef0123456789abcdef01234567"


def _called(folder: Path, said: str | None) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    data: dict[str, Any] = {**LLAMA, "_name_or_path": said}
    return read_config(written(folder, data)).name


def test_the_folder_comes_before_what_the_file_says(tmp_path: Path) -> None:
    """A tune keeps the `_name_or_path` of the model that it was made from."""
    assert _called(tmp_path / "my-tune-8b", "acme/base-8b") == "my-tune-8b"


@pytest.mark.parametrize("folder", ["tmpab12_x", "snapshots", _REVISION, "config", "model", "checkpoint-500"])
def test_where_the_folder_says_nothing_the_file_is_asked(tmp_path: Path, folder: str) -> None:
    assert _called(tmp_path / folder, "acme/base-8b/") == "base-8b"


@pytest.mark.parametrize(
    "said", ["meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-32B", "./output", "/tmp/x/model", None]
)
def test_no_other_model_lends_its_name(tmp_path: Path, said: str | None) -> None:
    assert _called(tmp_path / "tmp_1", said) == "tmp_1"


def test_a_folder_may_say_the_name_of_a_bundled_model(tmp_path: Path) -> None:
    assert _called(tmp_path / "llama-3.1-8b", "acme/base") == "llama-3.1-8b"


def test_the_cache_of_the_hub_names_its_models(tmp_path: Path) -> None:
    folder = tmp_path / "models--acme--tune-8b" / "snapshots" / _REVISION
    blob = tmp_path / "models--acme--tune-8b" / "blobs" / "0123456789"
    assert _called(folder, "acme/base-8b") == "tune-8b"
    blob.parent.mkdir()
    (folder / "config.json").rename(blob)
    (folder / "config.json").symlink_to(blob)
    assert read_config(folder).name == "tune-8b"
