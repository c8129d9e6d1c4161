"""Every family of softmax attention: counts from a config equal a framework's own, to the last digit.

The framework's cache keeps one key less of a window than an attention step needs; its needless work (Llama 4 runs every
expert, Falcon caches repeated heads) is counted with `work="reference"`, and left out of the default.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.importers.huggingface.read import import_config, read_config, validated
from roofline.importers.model_file import model_text
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.files.document import parse_document
from roofline.specs.files.reader import validate_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun
from roofline.workload.workload import Phase

_DATA: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_all.json").read_text())
MODELS: Final[dict[str, Any]] = _DATA["models"]
VARIANTS: Final[dict[str, Any]] = _DATA["variants"]
EVERY: Final = [*MODELS, *VARIANTS]
RUNS: Final = [
    pytest.param(name, run, id=f"{name}-{run.replace(' ', '')}")
    for name, facts in MODELS.items()
    for run in facts["flops"]
]
CACHES: Final = [
    pytest.param(name, int(tokens), id=f"{name}-{tokens}")
    for name, facts in MODELS.items()
    for tokens in facts["cache_bytes"]
]


@pytest.fixture(scope="session", name="path_of")
def _path_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("configs")

    @cache
    def path_of(name: str) -> Path:
        path = folder / f"{name}.json"
        path.write_text(json.dumps((MODELS.get(name) or VARIANTS[name])["config"]))
        return path

    return path_of


@pytest.fixture(scope="session", name="spec_of")
def _spec_of(path_of: Any) -> Any:
    @cache
    def spec_of(name: str) -> TransformerSpec:
        spec = read_config(path_of(name))
        assert isinstance(spec, TransformerSpec)
        return spec

    return spec_of


def _phase(spec: TransformerSpec, run: str) -> Phase:
    phase, batch, _, tokens = run.split()
    question = TextRun(float(batch), float(tokens), 2.0 if phase == "decode" else 1.0, "all", work="reference")
    return apply_fusion(transformer_workload(spec, question), "eager")[phase]


def _flops(phase: Phase) -> dict[str, float]:
    sums: dict[str, float] = {}
    for op in phase.ops:
        if float(op.flops):
            name = "head" if op.name == "head" else op.kind
            sums[name] = sums.get(name, 0.0) + op.count * float(op.flops)
    return sums


def _held_bytes(spec: TransformerSpec, tokens: float) -> float:
    """Bytes of the cache after a prefill, with one key less in each window that is full, as the framework keeps it."""
    elements = float(transformer_workload(spec, TextRun(1.0, tokens, 1.0, work="reference")).cache_elements())
    for group in spec.blocks:
        attention: Any = group.attention
        limit = attention.chunk or attention.window
        if limit and tokens >= limit and not attention.shared_cache and attention.reference_cache != "full":
            width = attention.head_dim + (attention.value_dim or attention.head_dim)
            elements -= group.layers * attention.kv_heads * width
    return 2.0 * elements


@pytest.mark.parametrize("name", EVERY)
def test_parameters_are_those_of_the_framework(name: str, spec_of: Any) -> None:
    workload = transformer_workload(spec_of(name), TextRun(1.0, 1.0, 1.0))
    facts = MODELS.get(name) or VARIANTS[name]
    assert workload.parameters == facts["parameters"]
    assert workload.embedding_parameters == facts["embedding"]
    assert workload.active_parameters == facts.get("active", workload.active_parameters)


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_unfused_products_are_those_that_a_counter_sees(name: str, run: str, spec_of: Any) -> None:
    assert _flops(_phase(spec_of(name), run)) == MODELS[name]["flops"][run]


@pytest.mark.parametrize(("name", "tokens"), CACHES)
def test_cache_has_the_frameworks_size(name: str, tokens: int, spec_of: Any) -> None:
    assert _held_bytes(spec_of(name), float(tokens)) == MODELS[name]["cache_bytes"][str(tokens)]


@pytest.mark.parametrize("name", [name for name, facts in VARIANTS.items() if "prefill" in facts])
def test_variants_of_every_family_agree(name: str, spec_of: Any) -> None:
    spec, facts = spec_of(name), VARIANTS[name]
    assert _phase(spec, "prefill 1 x 64").flops == facts["prefill"]
    assert _phase(spec, "decode 1 x 64").flops == facts["decode"]
    assert _held_bytes(spec, 64.0) == facts["cache_bytes"]


@pytest.mark.parametrize("name", EVERY)
def test_a_written_model_file_reads_back_the_same(name: str, path_of: Any, spec_of: Any) -> None:
    data = import_config(path_of(name))
    again = validate_model(parse_document(model_text(data), name))
    assert again.model_dump() == validated(data, name).model_dump() == spec_of(name).model_dump()


def test_llama_4_computes_only_the_routed_expert(spec_of: Any) -> None:
    """The reference code multiplies every token with all 16 experts; the ideal is a sixteenth."""
    spec = spec_of("llama-4-scout")
    ideal = transformer_workload(spec, TextRun(1.0, 512.0, 1.0, "all"))
    routed = sum(op.count * op.flops for op in ideal["prefill"].ops if op.kind == "experts")
    assert routed * 16 == MODELS["llama-4-scout"]["flops"]["prefill 1 x 512"]["experts"]


def test_falcon_caches_the_heads_it_has(spec_of: Any) -> None:
    """8 of 232 heads hold keys of their own: 80 x 2 x 8 x 64 x 2 bytes per token."""
    held = transformer_workload(spec_of("falcon-180b"), TextRun(1.0, 512.0, 1.0)).cache_elements()
    assert held * 2 == 512 * 80 * 2 * 8 * 64 * 2


def test_gemma_3_and_gpt_oss_stop_growing_where_they_slide(spec_of: Any) -> None:
    """Complaints: a cache of full length everywhere overstates Gemma 3 and gpt-oss severalfold at long contexts."""
    for name, full_layers, heads, dim in (("gemma-3-1b", 4, 1, 256), ("gpt-oss-120b", 18, 8, 64)):
        spec = spec_of(name)
        sizes = [float(transformer_workload(spec, TextRun(1.0, t, 1.0)).cache_elements()) for t in (8192.0, 16384.0)]
        assert sizes[1] - sizes[0] == 8192 * full_layers * 2 * heads * dim
