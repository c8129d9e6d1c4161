"""Towers of multimodal models: in the weights, told apart, split over devices, left out where asked."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.analysis.explain import explain
from roofline.errors import UsageError
from roofline.runs.ask import ask

#: Parameters of Qwen3-VL-4B's tower: Qwen3VLModel.visual (transformers 5.24.0, meta device).
_QWEN3_VL_4B = 415_347_712
#: Of Gemma 3 27B's, the projector of its width included: models/gemma-3-27b.yaml.
_GEMMA_3 = 423_060_336


def test_towers_are_in_the_weights_and_told_apart() -> None:
    est = rl.estimate("qwen3-vl-4b", gpu="h100")
    assert est.memory.towers_bytes == 2 * _QWEN3_VL_4B
    assert est.memory.weights_bytes == 2 * (est.parameters.total + _QWEN3_VL_4B)
    told = est.to_dict()
    assert told["parameters"]["total"] == 4_022_468_096, "of the language model alone, as its name counts"
    assert told["parameters"]["towers"] == _QWEN3_VL_4B
    assert told["memory"]["towers_bytes"] == 2 * _QWEN3_VL_4B
    assert any("vision tower of 415 million parameters" in note and "831 MB" in note for note in est.assumptions)


def test_no_vision_leaves_them_out_and_says_so() -> None:
    est = rl.estimate("qwen3-vl-4b", gpu="h100", no_vision=True)
    assert est.memory.towers_bytes == 0
    assert est.memory.weights_bytes == 2 * est.parameters.total
    assert any("left out (--no-vision)" in note for note in est.assumptions)


def test_times_are_those_of_the_language_model() -> None:
    loaded, without = (rl.estimate("qwen3-vl-4b", gpu="h100", no_vision=left_out) for left_out in (False, True))
    assert loaded.latency.to_dict() == without.latency.to_dict()


def test_a_model_without_towers_has_none_to_leave_out() -> None:
    assert "towers_bytes" not in rl.estimate("qwen3-8b", gpu="h100").memory.to_dict()
    with pytest.raises(UsageError, match="no vision or audio tower of qwen3-8b"):
        rl.estimate("qwen3-8b", gpu="h100", no_vision=True)


@pytest.mark.parametrize(
    ("model", "held"),
    [("qwen3.5-27b", 16.054e9), ("gemma-4-26b-a4b", 15_608_614_044)],
)
def test_towers_stay_in_16_bit_beside_narrow_weights(model: str, held: float) -> None:
    """Files of mlx-community in 4 bit (exo's model cards); of Gemma 4 some matrices are wider than 4 bit."""
    assert rl.estimate(model, gpu="h200", weights="mlx-4bit").memory.weights_bytes == pytest.approx(held, rel=0.02)


def test_tensor_parallelism_splits_towers() -> None:
    """As vLLM does by default (--mm-encoder-tp-mode weights)."""
    est = rl.estimate("qwen3-vl-4b", gpu="h100", tp=4)
    assert est.memory.towers_bytes == 2 * _QWEN3_VL_4B / 4
    assert any("split over tp 4" in note for note in est.assumptions)


def test_a_pipeline_has_them_in_its_first_stage() -> None:
    first, *others = ask("gemma-3-27b", "h100", {"pp": 4}).stages().each
    assert (first.number, first.beside) == (1, 2 * _GEMMA_3)
    assert [stage.beside for stage in others] == [0.0] * len(others)
    assert sum(stage.number for stage in others) == 3


def test_room_for_a_batch_is_what_towers_leave() -> None:
    loaded, without = (rl.estimate("gemma-3-27b", gpu="h100", no_vision=left_out) for left_out in (False, True))
    assert loaded.memory.max_batch < without.memory.max_batch


def test_where_the_bytes_come_from_is_told() -> None:
    found = {derivation.quantity: derivation for derivation in explain(rl.estimate("qwen3-vl-4b", gpu="h100"))}
    assert found["memory.towers_bytes"].value == 2 * _QWEN3_VL_4B
    assert found["memory.weights_bytes"].value == 2 * (4_022_468_096 + _QWEN3_VL_4B)


def test_encoders_that_are_not_modelled_are_warned_about() -> None:
    codes = {warn.code for warn in rl.estimate("gemma-3n-e4b", gpu="h100").warnings}
    assert "tower-not-counted" in codes


def test_llama_cpp_holds_them_when_asked() -> None:
    """They stand in a file of their own, which --mmproj loads; without it no other weight changes."""
    options = {"gpu": "h100", "engine": "llama.cpp"}
    without, with_them = rl.estimate("qwen3-vl-4b", **options), rl.estimate("qwen3-vl-4b", **options, vision=True)
    assert without.memory.towers_bytes == 0
    assert any("--mmproj" in note and "--vision" in note for note in without.assumptions)
    assert with_them.memory.weights_bytes - without.memory.weights_bytes == 2 * _QWEN3_VL_4B
    assert rl.estimate("qwen3-vl-4b", gpu="h100", vision=True).memory.towers_bytes == 2 * _QWEN3_VL_4B
    with pytest.raises(UsageError, match="not both"):
        rl.estimate("qwen3-vl-4b", gpu="h100", vision=True, no_vision=True)
    with pytest.raises(UsageError, match="--vision: no vision or audio tower of qwen3-8b"):
        rl.estimate("qwen3-8b", gpu="h100", vision=True)
