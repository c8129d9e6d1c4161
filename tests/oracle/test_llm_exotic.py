"""Latent, sparse and linear attention, state spaces and their hybrids: counts from a config equal a framework's own.

Parameters, products by class and cached bytes are equal to the last digit. What state spaces and linear attention do
beside their projections, their *core*, is counted in its recurrent form; the reference code computes it otherwise, and
the tests say by how much wherever that has a closed form.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.importers.huggingface.read import read_config
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.run import Latent, TextRun
from roofline.workload.workload import Phase, Workload

ORACLE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_exotic.json").read_text())["models"]
RUNS: Final = [
    pytest.param(name, run, id=f"{name}-{run.replace(' ', '')}")
    for name, facts in ORACLE.items()
    for run in facts["flops"]
]
CACHES: Final = [
    pytest.param(name, int(tokens), id=f"{name}-{tokens}")
    for name, facts in ORACLE.items()
    for tokens in facts["cache_bytes"]
]
#: DeepSeek V4's own code keeps one key of the window less between steps, and two copies of it in the two layers that
#: have a window alone; both are the same tensor there, and one is enough.
V4_CACHE: Final = 43 * 512 * 2 - 2 * 127 * 512 * 2
#: Share of the recurrent core that the reference code's decode step shows to a counter: Mamba and Lightning attention
#: are products throughout, Mamba-2 updates its state element-wise, the delta rule does everything element-wise.
SHOWN: Final = {"selective": 1.0, "decay": 0.5, "delta": 0.0, "lightning": 1.0}


@pytest.fixture(scope="session", name="spec_of")
def _spec_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("configs")

    @cache
    def spec_of(name: str) -> TransformerSpec:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(ORACLE[name]["config"]))
        spec = read_config(path)
        assert isinstance(spec, TransformerSpec)
        return spec

    return spec_of


def _phase(spec: TransformerSpec, run: str, latent: Latent = "naive", level: str = "eager") -> Phase:
    phase, batch, _, tokens = run.split()
    question = TextRun(float(batch), float(tokens), 2.0 if phase == "decode" else 1.0, "all", latent)
    return apply_fusion(transformer_workload(spec, question), level)[phase]  # type: ignore[arg-type]


def _class_of(op: Op) -> str:
    if op.name == "head":
        return "head"
    if op.kind in ("scan", "convolution"):
        return "core"
    return "mix" if op.kind == "pointwise" else op.kind


def _flops(phase: Phase) -> dict[str, float]:
    sums: dict[str, float] = {}
    for op in phase.ops:
        if float(op.flops):
            name = _class_of(op)
            sums[name] = sums.get(name, 0.0) + op.count * float(op.flops)
    return sums


def _prefill(spec: TransformerSpec, tokens: float = 512.0) -> Workload:
    return transformer_workload(spec, TextRun(1.0, tokens, 1.0))


@pytest.mark.parametrize("name", ORACLE)
def test_parameters_are_those_of_the_framework(name: str, spec_of: Any) -> None:
    workload, facts = _prefill(spec_of(name)), ORACLE[name]
    assert workload.parameters == facts["parameters"]
    assert workload.active_parameters == facts["active"]
    assert workload.embedding_parameters == facts["embedding"]


@pytest.mark.parametrize(("name", "tokens"), CACHES)
def test_cache_and_state_have_the_frameworks_size(name: str, tokens: int, spec_of: Any) -> None:
    workload = _prefill(spec_of(name), float(tokens))
    held = float(workload.cache_elements()) * 2 + float(workload.state_bytes(Precision.of("bf16")))
    expected = ORACLE[name]["cache_bytes"][str(tokens)]
    assert held == expected + (V4_CACHE if name == "deepseek-v4-flash" else 0)


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_unfused_products_are_those_that_a_counter_sees(name: str, run: str, spec_of: Any) -> None:
    ours, expected = _flops(_phase(spec_of(name), run)), dict(ORACLE[name]["flops"][run])
    ours.pop("core", None)
    expected.pop("core", None)
    if "mamba" in _kinds(spec_of(name)):
        ours["linear"] -= _step_projection(_phase(spec_of(name), run))  # counted in the core by the reference
    assert ours == expected


@pytest.mark.parametrize(("name", "run"), [row for row in RUNS if "decode" in str(row.values[1])])
def test_the_core_of_a_decode_step_is_explained(name: str, run: str, spec_of: Any) -> None:
    """The reference convolves over one more output than a step needs, and shows a part of the recurrence."""
    phase, expected = _phase(spec_of(name), run), ORACLE[name]["flops"][run].get("core", 0)
    seen = 0.0
    for op in phase.ops:
        flops = op.count * float(op.flops)
        if op.kind == "convolution":
            seen += 2.0 * flops
        elif op.kind == "scan":
            seen += flops * SHOWN["lightning" if "lightning" in _kinds(spec_of(name)) else op.shape.rule]
    if "mamba" in _kinds(spec_of(name)):
        seen += _step_projection(phase)
    assert seen == expected


@pytest.mark.parametrize(("name", "run"), [row for row in RUNS if "prefill" in str(row.values[1])])
def test_the_core_of_a_prefill_is_less_than_the_references(name: str, run: str, spec_of: Any) -> None:
    """Chunked code computes squares inside its chunks that the recurrent form does without; Mamba-1 has none."""
    spec, expected = spec_of(name), ORACLE[name]["flops"][run].get("core")
    if expected is None:
        return
    phase, tokens = _phase(spec, run), float(run.split()[3])
    core = {
        kind: sum(op.count * float(op.flops) for op in phase.ops if op.kind == kind) for kind in ("scan", "convolution")
    }
    if "mamba" in _kinds(spec):
        assert core["convolution"] * (tokens + 3) / tokens + core["scan"] + _step_projection(phase) == expected
    elif "lightning" in _kinds(spec):
        block = min(tokens, 256.0)
        assert core["scan"] + 70 * tokens * 4 * 64 * block * 128 == expected
    else:
        assert core["scan"] + core["convolution"] < expected


def _kinds(spec: TransformerSpec) -> set[str]:
    return {group.attention.kind for group in spec.blocks if group.attention is not None}


def _step_projection(phase: Phase) -> float:
    return sum(op.count * float(op.flops) for op in phase.ops if op.name == "dt_proj")


@pytest.mark.parametrize("name", ["deepseek-v3", "kimi-k2", "deepseek-v2-lite", "deepseek-v3.2", "glm-5"])
def test_absorbed_decode_expands_no_cache(name: str, spec_of: Any) -> None:
    """2 t W_kv_b instead of 2 t (C + 1) W_kv_b, and 2 (2 r + d_rope) per head and key instead of 2 (d_k + d_v)."""
    spec, keys = spec_of(name), 2048
    naive, absorbed = (_phase(spec, "decode 1 x 2047", latent) for latent in ("naive", "absorbed"))
    a = next(group.attention for group in spec.blocks)
    up = a.kv_rank * a.heads * (a.key_dim + a.value_dim)
    layers = sum(group.layers for group in spec.blocks)
    saved = 2 * (keys - 1) * up - 2 * a.heads * keys * (2 * a.kv_rank - a.key_dim - a.value_dim)
    assert float(naive.flops) - float(absorbed.flops) == layers * saved
    assert sum(op.count * op.params for op in absorbed.ops) == sum(op.count * op.params for op in naive.ops)


def test_sparse_attention_computes_the_chosen_keys_alone(spec_of: Any) -> None:
    """Beyond 2048 keys a step of DeepSeek V3.2 costs as much in the attention proper as at 2048."""
    for tokens in (2047, 4096, 100_000):
        phase = _phase(spec_of("deepseek-v3.2"), f"decode 1 x {tokens}", "absorbed", "flash")
        cost = next(op for op in phase.ops if op.name == "attention").flops
        assert cost == 2 * 128 * 2048 * (576 + 512)
