"""The parts of a question's memory: what every framework holds of Llama 2 7B, and who gathers what."""

from __future__ import annotations

from typing import Any

import pytest

from roofline.analysis.training.activations import activations_of
from roofline.analysis.training.answer import TrainAnswer
from roofline.analysis.training.evaluate import evaluate_training
from roofline.analysis.training.held import units_of
from roofline.analysis.training.stages import stages_of
from roofline.analysis.training.step import shared_weights
from roofline.architectures.text.training import training_ops
from roofline.runs.load import load_model
from roofline.runs.training.ask import train_question

PARAMETERS = 6_738_415_616.0


def _parts(**options: Any) -> dict[str, float]:
    asked = {"sequence": 2048, "micro_batch": 1, **options}
    question = train_question("llama-2-7b", gpu="h100", **asked)
    memory = evaluate_training(question, TrainAnswer).memory
    assert float(memory.total_bytes) == pytest.approx(sum(float(part.bytes) for part in memory.parts))
    return {part.name: float(part.bytes) / PARAMETERS for part in memory.parts}


@pytest.mark.parametrize(
    ("engine", "each"),
    [
        ("megatron", {"weights_bytes": 2, "gradients_bytes": 4, "master_bytes": 4 / 8, "optimizer_bytes": 1}),
        ("torchtitan", {"weights_bytes": 4 / 8, "optimizer_bytes": 8 / 8}),
        ("torchtune", {"weights_bytes": 2 / 8, "optimizer_bytes": 4 / 8}),
        ("hf-trainer", {"weights_bytes": 4, "optimizer_bytes": 8}),
        ("deepspeed", {"weights_bytes": 2, "gradients_bytes": 2 / 8, "master_bytes": 4 / 8, "optimizer_bytes": 1}),
    ],
)
def test_states_by_framework(engine: str, each: dict[str, float]) -> None:
    """Bytes per parameter of Llama 2 7B on 8 GPUs, by what each framework shares out where nothing is asked."""
    found = _parts(engine=engine, gpus=8)
    assert {name: found[name] for name in each} == pytest.approx(each)


def test_a_stage_holds_its_layers() -> None:
    """Two stages: neither has more than half of the layers and one table; together they have all states."""
    alone, halved = _parts(engine="megatron", zero=0), _parts(engine="megatron", zero=0, pp=2)
    assert halved["optimizer_bytes"] == pytest.approx(alone["optimizer_bytes"] / 2)


def test_units_are_gathered_in_order() -> None:
    """A table, two of the layers that are alike, and what stands behind them: the last norm and the head."""
    units = units_of(training_ops(load_model("llama-2-7b"), 1.0, 128.0))  # type: ignore[arg-type]
    layer = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096
    assert units == [32000 * 4096, layer, layer, 32000 * 4096 + 4096]


def test_ideal_reserves_nothing() -> None:
    """The ideal engine has no runtime and no reserve; a reserve that is asked for is there all the same."""
    found = _parts(engine="ideal")
    assert not {"runtime_bytes", "reserve_bytes"} & set(found)
    assert _parts(engine="megatron", runtime_reserve="2 GB")["runtime_bytes"] == pytest.approx(2e9 / PARAMETERS)


def test_fsdp_in_a_pipeline_leaves_weights_gathered() -> None:
    """torchtitan, 2 stages of 4 shards: 16 bit of all weights of a stage, and their gradients in fp32, stay whole."""
    piped = _parts(engine="torchtitan", gpus=8, pp=2, global_batch=64)
    assert piped["gradients_bytes"] == pytest.approx(4 / 2)
    assert piped["optimizer_bytes"] == pytest.approx(8 / 2 / 4)
    assert piped["gathered_bytes"] == pytest.approx(2 / 2)


def test_experts_are_exchanged_by_their_own_replicas() -> None:
    """Mixtral on 16 GPUs: within groups of tp 2 each GPU has half of each expert, of which there are 8;
    over ep 4 they are 4, four GPUs apart.
    """
    for options, devices, stride in (({"tp": 2}, 8, 2), ({"ep": 4}, 4, 4), ({"tp": 2, "ep": 4}, 4, 4)):
        question = train_question("mixtral-8x7b", gpu="h100", gpus=16, sequence=2048, engine="megatron", **options)
        experts = shared_weights(question, stages_of(question)[0])[1]
        assert (experts.devices, experts.stride) == (devices, stride)


def test_sequence_parallelism_divides_once() -> None:
    """Llama 3.1 70B over tp 8, layers done again: each GPU keeps an eighth of every layer's input, once divided."""
    asked: dict[str, Any] = {"gpus": 8, "tp": 8, "sequence": 8192, "micro_batch": 4, "recompute": "full"}
    question = train_question("llama-3.1-70b", gpu="h100", engine="megatron", zero=0, **asked)
    taken = activations_of(question, stages_of(question)[0], 0.0)
    assert taken.layers == pytest.approx(80 * 2 * 4 * 8192 * 8192 / 8)
