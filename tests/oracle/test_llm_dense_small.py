"""Small configs of dense families with unusual shapes and flags: what a class ignores, and what it builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload.run import TextRun

from .reading import spec_of

MODELS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_dense_small.json").read_text())["models"]
TOKENS: Final = 64.0
BYTES: Final = 2.0


@pytest.fixture(name="spec", params=MODELS)
def _spec(request: pytest.FixtureRequest, tmp_path: Path) -> TransformerSpec:
    return spec_of(tmp_path, MODELS[request.param]["config"], request.param)


def test_parameters(spec: TransformerSpec) -> None:
    assert transformer_workload(spec, TextRun(1.0, TOKENS, 1.0)).parameters == MODELS[spec.name]["parameters"]


@pytest.mark.parametrize("name", ["prefill", "decode"])
def test_flops(spec: TransformerSpec, name: str) -> None:
    facts = MODELS[spec.name]
    if name not in facts:
        pytest.skip("the class keeps no cache")
    run = TextRun(1.0, TOKENS, 2.0 if name == "decode" else 1.0, "all", "naive")
    phase = apply_fusion(transformer_workload(spec, run), "eager")[name]
    attention = sum(op.count * float(op.flops) for op in phase.ops if op.kind == "attention")
    assert float(phase.flops) == facts[name]
    assert attention == facts.get(f"{name}_attention", attention)


def test_cache(spec: TransformerSpec) -> None:
    expected = MODELS[spec.name].get("cache_bytes")
    if expected is None:
        pytest.skip("the class keeps no cache")
    workload = transformer_workload(spec, TextRun(1.0, TOKENS, 1.0))
    assert BYTES * (float(workload.cache_elements()) - _last_keys(spec)) == expected


def _last_keys(spec: TransformerSpec) -> float:
    """Elements of the one key per full window that the framework drops between steps."""
    dropped = 0.0
    for group in spec.blocks:
        attention = group.attention
        if isinstance(attention, SoftmaxAttention) and attention.window and attention.window <= TOKENS:
            dropped += 0 if attention.shared_cache else 2 * group.layers * attention.kv_heads * attention.head_dim
    return dropped
