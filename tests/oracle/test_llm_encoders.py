"""Encoders, and encoders with a decoder: counts from a config equal a framework's own, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun

from .reading import spec_and_back

ORACLE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_encoders.json").read_text())["models"]


def _spec(folder: Path, name: str) -> TransformerSpec:
    return spec_and_back(folder, ORACLE[name]["config"], name)


@pytest.mark.parametrize("name", ORACLE)
def test_counts_are_those_of_the_framework(name: str, tmp_path: Path) -> None:
    spec, facts = _spec(tmp_path, name), ORACLE[name]
    ideal = transformer_workload(spec, TextRun(1.0, 64.0, 2.0))
    eager = apply_fusion(ideal, "eager")
    assert ideal.parameters == facts["parameters"]
    assert ideal.embedding_parameters == facts["embedding"]
    assert eager["prefill"].flops == facts["prefill"]
    if "decode" in facts:
        assert eager["decode"].flops == facts["decode"]
        assert 2 * ideal.cache_elements() == facts["cache_bytes"]
    else:
        assert ideal.cache_elements() == 0


def test_the_prompt_is_encoded_once(tmp_path: Path) -> None:
    """A step costs the same whatever was encoded, but for the keys of the prompt that it reads."""
    spec = _spec(tmp_path, "bart-large")
    short, long = (transformer_workload(spec, TextRun(1.0, tokens, 2.0))["decode"].flops for tokens in (64.0, 65.0))
    layers, width = 12, 1024
    assert long - short == layers * 4 * width
