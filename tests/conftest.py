"""Examples of hypothesis and ages of prices are the same in every run.

`HYPOTHESIS_PROFILE=search` looks for new examples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
#: The day by which ages of prices are told in tests and on pages: 2026-11-28.
DAY: Final = "1795824000"
os.environ["SOURCE_DATE_EPOCH"] = DAY


@pytest.fixture
def own_settings() -> Iterator[None]:
    """Texts of figures are measured as they are drawn."""
    from roofline.report.plots.style import styled

    with styled():
        yield


#: Of a model that is small, and is none that there is.
_CONFIG: Final = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 2048,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the files that examples on pages and in `--help` name: runs.csv and config.json."""
    page = Path(__file__).resolve().parent.parent / "docs" / "measurements.md"
    runs = page.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    (tmp_path / "runs.csv").write_text(runs, encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps(_CONFIG), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
