"""Small configs with unusual shapes: families with latent, sparse or linear attention, a state space, or experts.

The configs give every head, group and width a number of its own, so that a formula that mixes two of them up is seen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.text.transformer import BlockGroup, SoftmaxAttention, TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.workload import Phase

from .reading import spec_of

FILES: Final = ("llm_exotic_small.json", "llm_families_small.json")
MODELS: Final[dict[str, Any]] = {
    name: model
    for file in FILES
    for name, model in json.loads((Path(__file__).parent / file).read_text())["models"].items()
}
TOKENS: Final = 64.0
#: What a counter sees of the recurrent core in one step of the reference code; a convolution shows one output more.
SHOWN: Final = {"selective": 1.0, "decay": 0.5, "delta": 0.0, "mlstm": 1.0}
#: Families whose reference code, called without a cache object of its own, forgets the prefill.
FORGETFUL: Final = {"recurrent_gemma"}
#: One key more of each window, and one copy of it where the reference code keeps two (tensors of 2 x 32 bytes).
V4_CACHE: Final = {"deepseek_v4": (5 - 15) * 32 * 2, "deepseek_v4-2": 0}


@pytest.fixture(name="spec", params=MODELS)
def _spec(request: pytest.FixtureRequest, tmp_path: Path) -> TransformerSpec:
    return spec_of(tmp_path, MODELS[request.param]["config"], request.param)


def _phase(spec: TransformerSpec, name: str) -> Phase:
    run = TextRun(1.0, TOKENS, 2.0 if name == "decode" else 1.0, "all", "naive")
    return apply_fusion(transformer_workload(spec, run), "eager")[name]


def _sum(phase: Phase, *kinds: str) -> float:
    return sum(op.count * float(op.flops) for op in phase.ops if op.kind in kinds)


def test_parameters(spec: TransformerSpec) -> None:
    assert transformer_workload(spec, TextRun(1.0, TOKENS, 1.0)).parameters == MODELS[spec.name]["parameters"]


def test_cache_and_state(spec: TransformerSpec) -> None:
    expected = MODELS[spec.name]["cache_bytes"]
    if expected is None:
        pytest.skip("the reference code keeps its state in the model")
    workload = transformer_workload(spec, TextRun(1.0, TOKENS, 1.0))
    held = float(workload.cache_elements()) * 2 + float(workload.state_bytes(Precision.of("bf16")))
    assert held == expected + V4_CACHE.get(spec.name, 0) + _one_key_more(spec)


def _one_key_more(spec: TransformerSpec) -> float:
    """Bytes of one key and value of every window: the reference code keeps one less between steps."""
    slides = [group for group in spec.blocks if getattr(group.attention, "window", None) and _softmax(group)]
    pairs = (group.layers * group.attention.kv_heads * 2 * group.attention.head_dim for group in slides)  # type: ignore[union-attr]
    return 2.0 * sum(pairs)


def _softmax(group: BlockGroup) -> bool:
    return isinstance(group.attention, SoftmaxAttention) and not group.attention.shared_cache


def test_a_decode_step(spec: TransformerSpec) -> None:
    if spec.name in FORGETFUL or MODELS[spec.name]["decode"] is None:
        pytest.skip("the reference code forgets the prefill, or decides by the tokens what it computes")
    phase = _phase(spec, "decode")
    seen = float(phase.flops) + _sum(phase, "convolution") - _sum(phase, "scan")
    for op in phase.ops:
        if op.kind == "scan" and op.flops:
            fixed = any(g.attention is not None and g.attention.kind == "lightning" for g in spec.blocks)
            seen += op.count * float(op.flops) * (1.0 if fixed else SHOWN[op.shape.rule])
    assert seen == MODELS[spec.name]["decode"]


def test_a_prefill_computes_no_more_than_the_reference(spec: TransformerSpec) -> None:
    """Equal but for the core: a convolution is counted over its padding too, and a scan may be chunked."""
    phase, expected = _phase(spec, "prefill"), MODELS[spec.name]["prefill"]
    if expected is None:
        pytest.skip("the reference code decides by the tokens what it computes")
    taps = {op.shape.kernel for op in phase.ops if op.kind == "convolution"}
    padded = _sum(phase, "convolution") * (taps.pop() - 1.0) / TOKENS if taps else 0.0
    chunked = any(op.kind == "scan" and op.shape.rule not in ("selective", "gated", "rwkv") for op in phase.ops)
    if chunked:
        assert float(phase.flops) + padded < expected
    else:
        assert float(phase.flops) + padded == expected
