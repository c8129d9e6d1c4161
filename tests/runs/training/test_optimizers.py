"""What optimizers keep of a tensor: blocks and scales, rows and columns, and which tensors are treated otherwise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.architectures.build import build_workload
from roofline.runs.load import load_model
from roofline.runs.training.frozen import frozen_bytes, unpacked_bytes
from roofline.runs.training.optimizers import OPTIMIZERS, optimizer_of, state_bytes, typical
from roofline.runs.training.recipes import recipe_of
from roofline.runs.training.states import Sharing, gathered_bytes, states_of
from roofline.specs.engine_training import TrainingHabits
from roofline.workload.run import TextRun
from roofline.workload.storage.tensors import Tensor, parameter_tensors

HABITS = TrainingHabits(sources=("a test",))
LLAMA = parameter_tensors(build_workload(load_model("llama-2-7b"), TextRun(1.0, 1.0, 1.0)).holders())
LLAMA_PARAMETERS = 6_738_415_616.0


def _states(name: str, tensor: Tensor, moment: float = 4.0, wide: str = "none") -> float:
    return state_bytes(optimizer_of(name), tensor, moment, wide)  # type: ignore[arg-type]


def test_states_in_8_bit_have_a_scale_per_block() -> None:
    """bitsandbytes: two moments of a byte each, an fp32 scale per 256, the last block begun; small ones in fp32."""
    assert _states("adamw-8bit", Tensor("w", "l", "matrix", (64.0, 64.0))) == 2 * (4096 + 16 * 4)
    assert _states("adamw-8bit", Tensor("w", "l", "matrix", (4097.0, 1.0))) == 2 * (4097 + 17 * 4)
    assert _states("adamw-8bit", Tensor("w", "l", "vector", (4095.0,))) == 8 * 4095
    assert typical(OPTIMIZERS["adamw-8bit"], 4.0) == 2.03125


def test_embeddings_stay_wide_where_a_framework_says_so() -> None:
    """transformers' Trainer asks bitsandbytes for 32 bit of every nn.Embedding, not of the head."""
    table = Tensor("embedding", "embedding", "embedding", (32000.0, 4096.0))
    assert _states("adamw-8bit", table, wide="embeddings") == 8 * table.elements
    assert _states("adamw-8bit", table._replace(role="head"), wide="embeddings") == 2.03125 * table.elements


def test_adafactor_keeps_rows_and_columns() -> None:
    """Shazeer and Stern, section 3: 4 (rows + columns) of a matrix, all of a vector; 4 more of each with momentum."""
    matrix, vector = Tensor("w", "l", "matrix", (300.0, 200.0)), Tensor("n", "l", "vector", (50.0,))
    assert _states("adafactor", matrix) == 4 * 500
    assert _states("adafactor", vector) == 4 * 50
    assert _states("adafactor-momentum", matrix) == 4 * 500 + 4 * 60000


def test_muon_is_for_matrices_within_layers() -> None:
    """Jordan: one momentum of these, AdamW's two of embeddings, head and vectors."""
    matrix = Tensor("w", "l", "matrix", (10.0, 10.0))
    assert _states("muon", matrix) == 4 * 100
    for role in ("embedding", "head", "vector"):
        assert _states("muon", matrix._replace(role=role)) == 8 * 100


@pytest.mark.parametrize(
    ("name", "each"), [("adamw", 8), ("adamw-bf16", 4), ("lion", 4), ("sgd", 0), ("sgd-momentum", 4)]
)
def test_elementwise_optimizers(name: str, each: float) -> None:
    """Moments of 4 bytes each; of 2 where all is in bf16."""
    matrix = Tensor("w", "l", "matrix", (10.0, 10.0))
    assert _states(name, matrix) == each * 100
    assert _states(name, matrix, moment=2.0) == (each if name == "adamw-bf16" else each / 2) * 100


def test_llama_2_7b_by_recipe() -> None:
    """6,738,415,616 parameters: 18 bytes each as Megatron, 8 in bf16 alone; embeddings are an eighth of a gigabyte."""
    held = states_of(LLAMA, recipe_of("bf16", "adamw", HABITS))
    assert held.total == 18 * LLAMA_PARAMETERS
    assert states_of(LLAMA, recipe_of("bf16-pure", "adamw", HABITS)).total == 8 * LLAMA_PARAMETERS
    muon = states_of(LLAMA, recipe_of("bf16", "muon", HABITS)).optimizer
    outside = 2 * 32000 * 4096 + 65 * 4096
    assert muon == 4 * (LLAMA_PARAMETERS - outside) + 8 * outside
    adafactor = states_of(LLAMA, recipe_of("bf16", "adafactor", HABITS)).optimizer
    layer = 4 * (4096 + 4096) + 3 * (4096 + 11008) + 2 * 4096
    assert adafactor == 4 * (32 * layer + 2 * (32000 + 4096) + 4096)


def test_gradients_are_freed_where_the_optimizer_runs_in_the_backward_pass() -> None:
    """torchtune's optimizer_in_bwd: only the largest tensor's gradient is ever there."""
    recipe = recipe_of("bf16-pure", "adamw", HABITS)
    assert states_of(LLAMA, recipe, in_backward=True).gradients == 2 * 32000 * 4096


def test_frozen_bases() -> None:
    """QLoRA, section 3: 4.5 bit, 4.127 with double quantisation; table, head and norms in 16 bit."""
    wide = 2 * 32000 * 4096 + 65 * 4096
    inner = LLAMA_PARAMETERS - wide
    assert frozen_bytes(LLAMA) == 2 * LLAMA_PARAMETERS
    assert frozen_bytes(LLAMA, "nf4") == pytest.approx(2 * wide + inner * 4.5 / 8)
    assert frozen_bytes(LLAMA, "nf4-dq") == pytest.approx(2 * wide + inner * (4 + 8 / 64 + 32 / 64 / 256) / 8)
    rows = 32 * (4 * 4096 + 2 * 11008 + 4096)
    assert frozen_bytes(LLAMA, "int8") == pytest.approx(2 * wide + inner + 4 * rows)
    assert unpacked_bytes(LLAMA, "nf4") == 2 * 4096 * 11008
    assert unpacked_bytes(LLAMA) == 0


def test_adapters_are_in_fp32_by_default() -> None:
    """PEFT casts adapters to fp32 (autocast_adapter_dtype): 16 bytes each with AdamW; in bf16 alone 8."""
    assert recipe_of("bf16", "adamw", HABITS, adapters=True).total == 16
    narrow = TrainingHabits(sources=("a test",), adapters_wide=False)
    assert recipe_of("bf16", "adamw", narrow, adapters=True).total == 8


def test_two_layers_are_gathered_at_once() -> None:
    """FSDP fetches one ahead: two largest in the format of products, and the gradient of one."""
    recipe = recipe_of("bf16", "adamw", TrainingHabits(sources=("a test",), half="shards"))
    assert gathered_bytes([100.0, 200.0, 150.0], recipe) == 2 * 350 + 2 * 200
    assert gathered_bytes([100.0, 200.0], recipe, ahead=0, reduced=4.0) == 2 * 200 + 6 * 200
    assert gathered_bytes([], recipe) == 0


_TENSORS = st.lists(
    st.builds(
        Tensor,
        st.just("w"),
        st.just("layers"),
        st.sampled_from(["matrix", "expert", "embedding", "head"]),
        st.tuples(st.integers(1, 5000).map(float), st.integers(1, 5000).map(float)),
        st.integers(1, 9).map(float),
    ),
    min_size=1,
    max_size=5,
)


@given(
    _TENSORS,
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(["bf16", "fp16", "amp", "fp32", "bf16-pure", "fp8"]),
    st.sampled_from(["master", "shards", "autocast", "pure"]),
    st.integers(1, 300),
    st.booleans(),
)
def test_a_higher_stage_never_needs_more(
    tensors: list[Tensor], optimizer: str, mode: str, half: str, devices: int, by_rows: bool
) -> None:
    """Whatever is shared out, no device has more of it; and devices together have no less than one alone.

    But for a tensor of one row, which FSDP cannot share out by rows, and gathers beside it all the same.
    """
    by_rows = by_rows and half != "shards"
    recipe = recipe_of(mode, optimizer, TrainingHabits(sources=("a test",), half=half))  # type: ignore[arg-type]
    sharings = [Sharing(zero, devices, max(1, devices // 4), by_rows=by_rows) for zero in range(4)]
    found = [states_of(tensors, recipe, sharing) for sharing in sharings]
    needed = [states.total + states.copies for states in found]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(needed))
    alone = states_of(tensors, recipe)
    assert tuple(found[0]) == pytest.approx(tuple(alone))
    assert found[3].total * devices >= alone.total * (1 - 1e-9)


@given(_TENSORS, _TENSORS, st.sampled_from(sorted(OPTIMIZERS)))
def test_states_of_two_sets_are_their_sum(ours: list[Tensor], others: list[Tensor], optimizer: str) -> None:
    """A model in parts has the states of the whole."""
    recipe = recipe_of("bf16", optimizer, HABITS)
    together = states_of([*ours, *others], recipe)
    assert tuple(states_of(ours, recipe).plus(states_of(others, recipe))) == pytest.approx(tuple(together))
