"""Published training runs: every row is asked, or refused with a reason that is of its kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import roofline as rl
from roofline.architectures.text.training import training_ops
from roofline.errors import UnknownNameError, UsageError
from roofline.evidence.training.asking import ENGINES, ask
from roofline.evidence.training.rows import METRICS, read_training
from roofline.evidence.training.shapes import model_of
from roofline.runs.load import load_gpu
from roofline.runs.training.ask import train_question
from roofline.runs.training.trainers import find_trainer, list_trainers
from roofline.specs.text.transformer import TransformerSpec

ROWS = read_training()


def test_names_are_unique_and_every_metric_is_read() -> None:
    assert max(Counter(row.id for row in ROWS).values()) == 1
    assert {row.metric for row in ROWS} <= METRICS.keys()
    assert all(row.source and row.locator for row in ROWS)


@pytest.mark.parametrize("name", sorted({row.model_as_published for row in ROWS if row.family == "FND"}))
def test_shapes_of_mpt_have_the_parameters_that_their_source_counts(name: str) -> None:
    """To the unit, at every length of its table of positions."""
    for row in {r.params: r for r in ROWS if r.family == "FND" and r.model_as_published == name}.values():
        spec = model_of(row)
        assert isinstance(spec, TransformerSpec)
        assert sum(op.count * op.params for op in training_ops(spec, 1, row.sequence_length or 0)) == row.params


def test_candidates_of_bloom_have_the_size_that_their_source_states() -> None:
    """Layers that are not stated fill the stages evenly: rounded billions of parameters agree within 3 %."""
    for row in {(r.model_as_published, r.layers, r.hidden, r.pp): r for r in ROWS if r.family == "BLM"}.values():
        spec = model_of(row)
        if isinstance(spec, TransformerSpec):
            held = sum(op.count * op.params for op in training_ops(spec, 1, 16))
            assert held == pytest.approx(row.params, rel=0.03), row.id


def test_a_model_of_which_some_layers_are_left_has_so_many() -> None:
    for row in (r for r in ROWS if r.family == "SMX"):
        spec = model_of(row)
        assert isinstance(spec, TransformerSpec)
        assert sum(group.layers for group in spec.blocks) == row.layers


@pytest.mark.parametrize("family", sorted({row.family for row in ROWS}))
def test_every_row_is_a_question_or_is_refused_with_a_reason(family: str) -> None:
    asked = 0
    for row in (r for r in ROWS if r.family == family):
        try:
            found = ask(row)
        except LookupError as refused:
            assert str(refused).strip("'")
            continue
        question = train_question(found.model, found.gpu, **found.options)
        asked += 1
        if row.gpus and row.metric != "gpu_hours":
            assert question.gpus == row.gpus, row.id
        if row.global_batch:
            assert question.run.global_batch == row.global_batch, row.id
    assert asked or family in ("AMU", "PFR", "NGP")


def test_a_replica_of_which_only_the_size_is_stated_is_split_over_tokens_beyond_four() -> None:
    row = next(r for r in ROWS if r.family == "MLP4" and r.tp is None and r.gpus == 8 and r.dp == 2)
    options = ask(row).options
    assert options["tp"] == 4
    row = next(r for r in ROWS if r.family == "MLP4" and r.tp is None and r.gpus == 64 and r.dp == 8)
    assert (ask(row).options["tp"], ask(row).options["cp"]) == (4, 2)


def test_a_chip_that_is_none_on_the_list_has_the_memory_that_its_source_states() -> None:
    row = next(r for r in ROWS if r.family == "TTN")
    gpu = ask(row).gpu
    assert not isinstance(gpu, str)
    assert (gpu.memory.bandwidth, gpu.memory.capacity) == (2.4e12, load_gpu("h100-sxm-96gb").memory.capacity)
    assert gpu.links == load_gpu("h100-sxm").links


def test_every_framework_of_a_row_is_an_engine_that_trains() -> None:
    for framework, engine in ENGINES.items():
        if framework != "nanogpt":
            assert find_trainer(engine) == engine


def test_what_only_trains_is_told_so_where_a_model_is_run() -> None:
    with pytest.raises(UsageError, match="megatron trains models and runs none: roofline train --engine megatron"):
        rl.estimate("llama-2-7b", gpu="a100", engine="megatron")
    with pytest.raises(UsageError, match="trains nothing; these do"):
        train_question("llama-2-7b", "a100", engine="vllm")
    with pytest.raises(UnknownNameError, match="torchtitan"):
        train_question("llama-2-7b", "a100", engine="torchtitans")
    assert "torchtitan" not in rl.list_engines()


def test_engines_that_run_models_may_train_them_too() -> None:
    assert {"ideal", "megatron", "pytorch-eager", "deepspeed"} <= set(list_trainers())
    assert find_trainer("diffusers") == "pytorch-eager"
    assert find_trainer("megatron-lm") == "megatron"


def test_a_cell_that_is_no_number_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,metric,layers\nA-1,step_s,many\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2: layers must be a number, not 'many'"):
        read_training(path)
