"""The caches that other calculators get wrong by −81 % to +682 % come out as published, in bytes of bf16."""

from __future__ import annotations

import pytest

from roofline.architectures.build import build_workload
from roofline.runs.load import load_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun, Work


def _bytes(model: str, tokens: float, work: Work = "ideal") -> float:
    spec = load_model(model)
    assert isinstance(spec, TransformerSpec)
    return 2.0 * float(build_workload(spec, TextRun(1.0, tokens, 1.0, work=work)).cache_elements())


def _per_token(model: str, work: Work = "ideal") -> float:
    """Growth of the cache at long contexts, where windows are full."""
    return _bytes(model, 40_001.0, work) - _bytes(model, 40_000.0, work)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("deepseek-v3", 61 * (512 + 64) * 2),
        ("kimi-k2", 61 * (512 + 64) * 2),
        ("falcon-40b", 60 * 2 * 8 * 64 * 2),
        ("falcon-7b", 32 * 2 * 1 * 64 * 2),
        ("gemma-3-27b", 10 * 2 * 16 * 128 * 2),
        ("gpt-oss-20b", 12 * 2 * 8 * 64 * 2),
        ("gpt-oss-120b", 18 * 2 * 8 * 64 * 2),
        ("qwen3.5-27b", 16 * 2 * 4 * 256 * 2),
        ("llama-3.1-70b", 80 * 2 * 8 * 128 * 2),
    ],
)
def test_growth_per_token(model: str, expected: int) -> None:
    assert _per_token(model) == expected


def test_the_framework_caches_falcon_sixteenfold() -> None:
    """transformers 5.23.0 caches 128 heads of Falcon 40B: 1,966,080 bytes per token instead of 122,880."""
    assert _per_token("falcon-40b") == 122_880
    assert _per_token("falcon-40b", "reference") == 1_966_080


def test_windows_cap_gemma_3() -> None:
    """Gemma 3 27B at 131,072 tokens: 21.9 GB, not the 133 GB of 62 layers at full length."""
    assert _bytes("gemma-3-27b", 131_072.0) == (10 * 131_072 + 52 * 1024) * 2 * 16 * 128 * 2
