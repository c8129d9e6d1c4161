"""Parameters, decode FLOPs by class and cache bytes of real models equal a framework's own count, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun
from roofline.workload.workload import Phase, Workload

ORACLE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_core.json").read_text())["models"]
STEPS: Final = [
    pytest.param(name, batch, cache, id=f"{name}-b{batch}-c{cache}")
    for name in ORACLE
    for batch in (1, 8)
    for cache in (512, 2047)
]


def _workload(name: str, batch: float, prompt: float, generate: float) -> Workload:
    spec = read_model(bundled("models") / f"{name}.yaml")
    assert isinstance(spec, TransformerSpec)
    return transformer_workload(spec, TextRun(batch, prompt, generate, "all"))


def _flops_by_class(phase: Phase) -> dict[str, float]:
    sums = {"linear": 0.0, "attention": 0.0, "experts": 0.0, "head": 0.0}
    for op in phase.ops:
        if op.flops:
            sums["head" if op.name == "head" else op.kind] += op.count * float(op.flops)
    return sums


@pytest.mark.parametrize("name", ORACLE)
def test_parameters_are_those_of_the_framework(name: str) -> None:
    workload = _workload(name, 1.0, 512.0, 1.0)
    assert workload.parameters == ORACLE[name]["parameters"]
    assert workload.embedding_parameters == ORACLE[name]["input_embedding"]


@pytest.mark.parametrize(("name", "batch", "cache"), STEPS)
def test_a_decode_step_computes_what_the_framework_counts(name: str, batch: int, cache: int) -> None:
    step = _workload(name, float(batch), float(cache), 2.0)["decode"]
    assert _flops_by_class(step) == ORACLE[name]["decode_flops"][f"batch {batch}, cache {cache}"]


@pytest.mark.parametrize("name", ORACLE)
def test_the_cache_after_512_tokens_has_the_frameworks_size(name: str) -> None:
    assert _workload(name, 1.0, 512.0, 1.0).cache_elements() * 2 == ORACLE[name]["cache_bytes_at_512"]
