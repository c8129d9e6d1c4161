"""Levels of execution side by side, of text as of pictures."""

from __future__ import annotations

import pytest

from roofline.analysis.levels import levels


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_more_fusion_takes_fewer_kernels_and_bytes(phase: str) -> None:
    rows = levels("mistral-7b", "a100", phase=phase, batch=4)
    assert [row["level"] for row in rows] == ["eager", "flash", "compiled"]
    for name in ("kernels", "bytes", "bound_s"):
        values = [row[name] for row in rows]
        assert values == sorted(values, reverse=True)


def test_the_default_is_the_last_phase_of_a_language_model() -> None:
    assert {row["phase"] for row in levels("gpt2", "t4")} == {"decode"}
