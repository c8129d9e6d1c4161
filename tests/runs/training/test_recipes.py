"""What is kept of a parameter, by the way to train: the published tables, to the byte."""

from __future__ import annotations

import pytest

from roofline.errors import UsageError
from roofline.runs.training.recipes import Recipe, recipe_of
from roofline.runs.training.states import ALONE, Sharing, States, states_of
from roofline.specs.engine_training import TrainingHabits
from roofline.workload.plan import Plan
from roofline.workload.storage.tensors import Tensor

_SOURCES = ("a test",)
MEGATRON = TrainingHabits(sources=_SOURCES)
NARROW = TrainingHabits(sources=_SOURCES, gradients="narrow")
FSDP = TrainingHabits(sources=_SOURCES, half="shards")
TRAINER = TrainingHabits(sources=_SOURCES, half="autocast", wide_embeddings=True)
TORCHTUNE = TrainingHabits(sources=_SOURCES, half="pure", gradients="narrow", adapters_wide=False)
#: A matrix of 2^20 parameters, of which bytes are bytes per parameter.
ONE = Tensor("w", "layers", "matrix", (1024.0, 1024.0))


def _each(recipe: Recipe, sharing: Sharing = ALONE) -> States:
    return States(*(value / ONE.elements for value in states_of([ONE], recipe, sharing)))


@pytest.mark.parametrize(
    ("mode", "habits", "expected"),
    [
        ("fp32", MEGATRON, (4, 4, 0, 8, 16)),
        ("tf32", TRAINER, (4, 4, 0, 8, 16)),
        ("amp", MEGATRON, (4, 4, 0, 8, 16)),  # PyTorch's autocast
        ("bf16", TRAINER, (4, 4, 0, 8, 16)),
        ("fp16", NARROW, (2, 2, 4, 8, 16)),  # ZeRO, arXiv:1910.02054, section 3.1
        ("bf16", MEGATRON, (2, 4, 4, 8, 18)),  # Megatron Core, Distributed Optimizer
        ("bf16", FSDP, (4, 4, 0, 8, 16)),  # torchtitan, docs/fsdp.md
        ("bf16", TORCHTUNE, (2, 2, 0, 4, 8)),
        ("bf16-pure", MEGATRON, (2, 2, 0, 4, 8)),
        ("fp8", MEGATRON, (2, 4, 4, 8, 18)),
    ],
)
def test_bytes_per_parameter(mode: str, habits: TrainingHabits, expected: tuple[float, ...]) -> None:
    """Weights, gradients, master copy, moments and their sum, of AdamW."""
    recipe = recipe_of(mode, "adamw", habits)
    assert (recipe.weights, recipe.gradients, recipe.master, recipe.optimizer, recipe.total) == expected
    assert _each(recipe).total == pytest.approx(expected[-1])


def test_what_is_beside_them() -> None:
    """Casts of autocast are 2 bytes more, two formats of fp8 2; DeepSeek-V3 keeps both moments in bf16."""
    assert recipe_of("amp", "adamw", MEGATRON).copies == 2
    assert recipe_of("fp8", "adamw", MEGATRON).copies == 2
    assert recipe_of("bf16", "adamw", MEGATRON).copies == 0
    assert recipe_of("bf16", "adamw-bf16", MEGATRON).optimizer == 4
    assert recipe_of("bf16", "adamw", TRAINER, ema=True).ema == 4
    assert recipe_of("bf16", "adamw", TORCHTUNE, ema=True).ema == 2


@pytest.mark.parametrize("d", [1, 2, 8, 64])
def test_megatrons_distributed_optimizer(d: int) -> None:
    """Megatron Core, Distributed Optimizer: 6 + 12/d with gradients in fp32, 4 + 16/d in fp16, 8 + 8/d all in fp32."""
    sharing = Sharing(1, d)
    assert _each(recipe_of("bf16", "adamw", MEGATRON), sharing).total == pytest.approx(6 + 12 / d)
    half = _each(recipe_of("fp16", "adamw", MEGATRON), sharing)
    assert half.total + half.step == pytest.approx(4 + 16 / d)
    assert _each(recipe_of("fp32", "adamw", MEGATRON), sharing).total == pytest.approx(8 + 8 / d)


@pytest.mark.parametrize("d", [1, 4, 16])
def test_deepspeeds_estimators(d: int) -> None:
    """DeepSpeed: estimate_zero2_model_states_mem_needs says 2 + 18/d; that of stage 3 18/d, and 4 of the largest
    layer, for weights that are gathered: it leaves its own shard of them out.
    """
    recipe = recipe_of("bf16", "adamw", NARROW)
    second, third = _each(recipe, Sharing(2, d)), _each(recipe, Sharing(3, d))
    assert second.total + second.step == pytest.approx(2 + 18 / d)
    assert third.total + third.step - third.weights == pytest.approx(18 / d)


@pytest.mark.parametrize(
    ("zero", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)], ids=["baseline", "os", "os+g", "os+g+p"]
)
def test_the_first_figure_of_the_zero_paper(zero: int, gigabytes: float) -> None:
    """ZeRO (arXiv:1910.02054), figure 1: 7.5 billion parameters over 64 devices."""
    states = _each(recipe_of("fp16", "adamw", NARROW), Sharing(zero, 64))
    assert states.total * 7.5 == pytest.approx(gigabytes, abs=0.05)


@pytest.mark.parametrize(
    ("devices", "expected"),
    [(1, (120, 120, 120)), (4, (52.5, 41.3, 30)), (16, (35.6, 21.6, 7.5)), (1024, (30.1, 15.1, 0.12))],
)
def test_the_first_table_of_the_zero_paper(devices: int, expected: tuple[float, ...]) -> None:
    """ZeRO (arXiv:1910.02054), table 1: 7.5 billion parameters, stages 1 to 3; the paper cuts some digits off."""
    recipe = recipe_of("fp16", "adamw", NARROW)
    found = [7.5 * _each(recipe, Sharing(zero, devices)).total for zero in (1, 2, 3)]
    assert found == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("d", [1, 8, 256])
def test_fsdp_shares_out_everything(d: int) -> None:
    """torchtitan: 16/d with full shards, no copies; where weights stay gathered (SHARD_GRAD_OP) 2 more on each."""
    recipe = recipe_of("bf16", "adamw", FSDP)
    full, gathered = _each(recipe, Sharing(3, d)), _each(recipe, Sharing(2, d))
    assert full.total + full.copies == pytest.approx(16 / d)
    assert gathered.total + gathered.copies == pytest.approx(16 / d + 2)


def test_what_bloom_kept() -> None:
    """BLOOM's notes: 4 + 12/d in fp16; in bf16 gradients in fp32 come to those in 16 bit: 4 bytes more."""
    fp16 = _each(recipe_of("fp16", "adamw", NARROW), Sharing(1, 8))
    assert fp16.total == pytest.approx(4 + 12 / 8)
    assert _each(recipe_of("bf16", "adamw", MEGATRON), Sharing(1, 8)).total == pytest.approx(6 + 12 / 8)
    both = TrainingHabits(sources=_SOURCES, gradients="both")
    assert _each(recipe_of("bf16", "adamw", both), Sharing(1, 8)).total == pytest.approx(8 + 12 / 8)
    assert _each(recipe_of("fp16", "adamw", both), Sharing(1, 8)).total == pytest.approx(4 + 12 / 8)


def test_an_optimizer_that_does_not_exist_is_refused_with_the_nearest() -> None:
    """A slip of the pen is told, not guessed."""
    with pytest.raises(UsageError, match="adamw"):
        recipe_of("bf16", "adamww", MEGATRON)


def test_gradients_that_are_summed_up_before_they_are_shared() -> None:
    """FSDP without exchanges between micro-batches (`no_sync`) has whole gradients on each device."""
    recipe = recipe_of("bf16", "adamw", FSDP)
    assert _each(recipe, Sharing(3, 8, whole=True)).gradients == 4
    assert _each(recipe, Sharing(3, 8)).gradients == 0.5


def test_experts_are_shared_by_their_own_replicas() -> None:
    """32 devices, tp 2: 16 replicas of the dense weights; over ep 8 four of each expert; within tp as many as all."""
    plan = Plan(tp=2, dp=16, ep=8)
    assert Sharing.of(plan, 1)[1:3] == (16, 4)
    assert Sharing.of(plan._replace(ep=1), 1)[1:3] == (16, 16)
    assert Sharing.of(plan._replace(ep=2), 1)[1:3] == (16, 16)
    assert Sharing.of(Plan(tp=2, cp=2, dp=8), 1).devices == 16, "those that share a sequence hold the same weights"
    assert Sharing.of(Plan(dp=64), 3, group=8).devices == 8


def test_rows_are_whole_with_fsdp2() -> None:
    """FSDP2 shards the first side: of 10 rows over 4 devices one has 3; of a vector of 4 over 8 an element."""
    assert Sharing(3, 4, by_rows=True).share(Tensor("a", "b", "matrix", (10.0, 7.0))) == pytest.approx(0.3)
    assert Sharing(3, 8, by_rows=True).share(Tensor("a", "b", "vector", (4.0,))) == 0.25
