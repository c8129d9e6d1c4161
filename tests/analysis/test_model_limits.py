"""What a model's file says about the model itself: its longest context, its published size, whether it generates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.errors import UsageError
from roofline.report.tables.estimate import largest
from roofline.specs.files.library import bundled
from roofline.specs.text.transformer import TransformerSpec


@pytest.mark.parametrize("name", ["bert", "roberta-base", "distilbert-base"])
def test_an_encoder_has_a_prefill_alone(name: str) -> None:
    est = rl.estimate(name, gpu="a100", prompt=128)
    assert [phase.name for phase in est.phases] == ["prefill"]
    assert est.inputs["generate"] == 0
    assert float(est.memory.kv_cache_bytes) == 0
    assert any(text.startswith("an encoder:") for text in est.assumptions)
    assert "context-exceeds-maximum" not in [warn.code for warn in est.warnings]


def test_the_one_answer_of_an_encoder_is_its_prefill() -> None:
    asked: tuple[dict[str, Any], ...] = ({}, {"generate": 0}, {"generate": 1}, {"generate": None})
    assert len({float(rl.estimate("bert", gpu="a100", **options).latency.total.bound) for options in asked}) == 1


@pytest.mark.parametrize("name", ["bge-m3", "e5-mistral-7b"])
@pytest.mark.parametrize("generate", [2, 100, 128])
def test_what_only_encodes_tells_that_it_generates_nothing(name: str, generate: Any) -> None:
    """128 too, which is the default of models that generate."""
    est = rl.estimate(name, gpu="h100", generate=generate)
    assert [warn.text for warn in est.warnings if warn.code == "option-idle" and f"{name} only encodes" in warn.text]
    assert [phase.name for phase in est.phases] == ["prefill"]


@pytest.mark.parametrize("option", [{"kv_cache": "fp8"}, {"kv_layout": "paged"}])
def test_what_only_encodes_has_no_cache_to_speak_of(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="e5-mistral-7b only encodes: it has no cache"):
        rl.estimate("e5-mistral-7b", gpu="h100", **option)


def test_a_prompt_that_is_asked_for_is_taken_even_where_it_is_the_usual_one() -> None:
    heard = rl.estimate("whisper-tiny", gpu="t4")
    assert heard.inputs["prompt"] == 4
    assert rl.estimate("whisper-tiny", gpu="t4", prompt=512).inputs["prompt"] == 512


def test_a_decoder_without_a_longest_context_is_not_warned_about() -> None:
    est = rl.estimate("mamba-130m", gpu="a100", prompt=10_000_000)
    assert "context-exceeds-maximum" not in [warn.code for warn in est.warnings]
    assert largest(est.memory).endswith(", any context")


def test_the_table_says_both_limits_of_the_context() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=1, chunk="none")
    held = est.memory.max_context
    assert held > 32_768
    assert largest(est.memory).endswith(f"context {held:,} tokens by memory; the model's own limit is 32,768")
    tight = rl.estimate("llama-3.1-8b", gpu="a100", batch=64)
    assert largest(tight.memory).endswith(f", largest context {tight.memory.max_context:,} tokens")


def test_a_cache_that_does_not_grow_sets_no_limit() -> None:
    """Mistral 7B v0.1 caches a window in every layer, and a chunk's activations are those of any other chunk."""
    endless = rl.estimate("mistral-7b", gpu="a100", batch=64)
    assert largest(endless.memory).endswith("any context; the model's own limit is 32,768")
    assert largest(rl.estimate("mamba-1.4b", gpu="a100", engine="vllm").memory).endswith("any context")


@pytest.mark.parametrize(("value", "warned"), [(7_241_732_096, False), (7_000_000_000, True)])
def test_a_published_size_that_is_not_the_one_counted_is_said(tmp_path: Path, value: int, warned: bool) -> None:
    text = (bundled("models") / "mistral-7b.yaml").read_text()
    assert "value: 7241732096" in text
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("value: 7241732096", f"value: {value}", 1))
    codes = [warn.code for warn in rl.estimate(str(path), gpu="a100").warnings]
    assert ("published-differs" in codes) is warned


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("phi-4", 16_384),
        ("granite-3.3-8b", 131_072),
        ("granite-4.0-h-small", 131_072),
        ("glm-4-9b", 32_768),
        ("smollm3", 65_536),
        ("command-a", 256_000),
        ("command-r7b", 128_000),
        ("qwen3-4b", 40_960),
        ("yi-6b", 4_096),
        ("mamba-2.8b", None),
        ("recurrentgemma-2b", None),
        ("falcon-mamba-7b", None),
        ("xlstm-7b", None),
    ],
)
def test_the_longest_context_is_that_of_the_released_model(name: str, context: int | None) -> None:
    spec = rl.load_model(name)
    assert isinstance(spec, TransformerSpec)
    assert spec.max_context == context


def test_seed_oss_has_the_parameters_of_its_released_files() -> None:
    assert rl.estimate("seed-oss-36b", gpu="h100").parameters.total == 36_151_104_512
