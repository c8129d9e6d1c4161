"""The cache as an engine allocates it is never less than the ideal one, and equals it where nothing is wasted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.architectures.build import build_workload
from roofline.errors import UsageError
from roofline.runs.load import load_model
from roofline.workload.allocation import CacheLayout, read_layout
from roofline.workload.run import TextRun


def _held(model: str, tokens: float, layout: CacheLayout | None, batch: float = 1.0) -> float:
    return float(build_workload(load_model(model), TextRun(batch, tokens, 1.0, layout=layout)).cache_elements())


@given(st.integers(1, 5000), st.integers(1, 256), st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_engine_never_holds_less(tokens: int, block: int, full: bool) -> None:
    for model in ("llama-3-8b", "gemma-3-1b", "deepseek-v3"):
        ideal, real = _held(model, tokens, None), _held(model, tokens, CacheLayout(block, full))
        assert ideal <= real


def test_blocks_are_rounded_up_per_sequence() -> None:
    per_token = _held("llama-3-8b", 1.0, None)
    assert _held("llama-3-8b", 17.0, CacheLayout(16.0), batch=3.0) == 3 * 32 * per_token


def test_a_cache_that_fills_its_blocks_is_the_ideal_one() -> None:
    assert _held("llama-3-8b", 4096.0, CacheLayout(16.0)) == _held("llama-3-8b", 4096.0, None)
    assert _held("gpt-oss-20b", 4096.0, CacheLayout()) == _held("gpt-oss-20b", 4096.0, None)


def test_full_windows_hold_what_the_complaints_say() -> None:
    """Gemma 3 27B at 128k: 62 layers at full length hold 6 times what 10 global and 52 sliding ones need."""
    tokens = 131_072.0
    ideal, full = _held("gemma-3-27b", tokens, None), _held("gemma-3-27b", tokens, CacheLayout(full_windows=True))
    width = 2 * 16 * 128
    assert full == 62 * tokens * width
    assert ideal == (10 * tokens + 52 * 1024) * width


def test_layouts_are_written_as_they_are_read() -> None:
    for text in ("paged:16", "full-windows", "paged:32,full-windows"):
        assert str(read_layout(text)) == text
    assert read_layout("ideal") is None
    assert str(read_layout("paged")) == "paged:16"
    for text in ("", "page", "paged:0", "paged:x", "paged:1.5", "full-windows:2", "ideal,paged"):
        with pytest.raises(UsageError, match="--kv-layout"):
            read_layout(text)


def test_a_grid_equals_its_scalars() -> None:
    tokens = np.array([1.0, 15.0, 16.0, 17.0, 5000.0])
    run = TextRun(2.0, tokens, 1.0, layout=CacheLayout(16.0, True))
    grid = build_workload(load_model("gemma-3-1b"), run).cache_elements()
    assert list(np.asarray(grid)) == [_held("gemma-3-1b", t, CacheLayout(16.0, True), 2.0) for t in tokens]
