"""Levels of execution side by side, of text as of pictures."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from roofline.analysis.levels import levels
from roofline.cli.app import app


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_more_fusion_takes_fewer_kernels_and_bytes(phase: str) -> None:
    rows = levels("mistral-7b", "a100", phase=phase, batch=4)
    assert [row["level"] for row in rows] == ["eager", "flash", "compiled"]
    for name in ("kernels", "bytes", "bound_s"):
        values = [row[name] for row in rows]
        assert values == sorted(values, reverse=True)


def test_the_default_is_the_last_phase_of_a_language_model() -> None:
    assert {row["phase"] for row in levels("gpt2", "t4")} == {"decode"}


def test_the_title_is_that_of_the_model_and_the_accelerator() -> None:
    text = CliRunner().invoke(app, ["levels", "-m", "mistral-7b", "-g", "4090"]).stdout
    assert text.startswith("Mistral 7B v0.1 on NVIDIA GeForce RTX 4090: one call of decode")
