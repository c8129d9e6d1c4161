"""A second set of models: families with unusual flags, files as released, wrappers, and keys that a class ignores.

What is read has the reference's parameters, products and cache, to the last digit. The core of recurrences is counted
by another convention than the counter sees (docs/models.md), so there the products of a phase are not compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun

from .reading import spec_of

MODELS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_second.json").read_text())["models"]
#: Kinds of attention whose products are a matter of convention.
_SOFTMAX: Final = {"softmax", "latent", "block_sparse", "compressed", None}


@pytest.fixture(name="spec", params=MODELS)
def _spec(request: pytest.FixtureRequest, tmp_path: Path) -> TransformerSpec:
    return spec_of(tmp_path, MODELS[request.param]["config"], request.param)


def _flops(spec: TransformerSpec, phase: str) -> float:
    run = TextRun(1.0, 512.0, 2.0 if phase == "decode" else 1.0, "all", "naive", work="reference")
    return float(apply_fusion(transformer_workload(spec, run), "eager")[phase].flops)


def test_parameters(spec: TransformerSpec) -> None:
    assert transformer_workload(spec, TextRun(1.0, 1.0, 1.0)).parameters == MODELS[spec.name]["parameters"]


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_products(spec: TransformerSpec, phase: str) -> None:
    expected = MODELS[spec.name].get(phase)
    kinds = {group.attention.kind if group.attention else None for group in spec.blocks}
    if expected is None or not kinds <= _SOFTMAX:
        pytest.skip("not counted, or the core of a recurrence")
    assert _flops(spec, phase) == expected


def test_cache(spec: TransformerSpec) -> None:
    expected = MODELS[spec.name].get("cache_bytes")
    if expected is None:
        pytest.skip("without a cache")
    workload = transformer_workload(spec, TextRun(1.0, 512.0, 1.0, work="reference"))
    assert float(workload.cache_elements()) * 2 + float(workload.state_bytes(Precision.of("bf16"))) == expected
