"""What a device holds in a training step: the published figures, and the laws that parts and moments follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.analysis.training.memory import (
    Activations,
    Around,
    allocated_bytes,
    bucket_bytes,
    fullest,
    loss_bytes,
    parts_of,
    stays,
)
from roofline.answer.memory import Part
from roofline.architectures.build import build_workload
from roofline.passes.training.in_flight import in_flight
from roofline.runs.load import load_model
from roofline.runs.training.frozen import frozen_bytes
from roofline.runs.training.recipes import recipe_of
from roofline.runs.training.states import Sharing, States, gathered_bytes, states_of
from roofline.specs.engine_training import TrainingHabits
from roofline.workload.run import TextRun
from roofline.workload.storage.tensors import Tensor, parameter_tensors

GIB = 2.0**30
MEGATRON = TrainingHabits(sources=("a test",))


class Paper(NamedTuple):
    """A model of Korthikanti et al. 2022 (arXiv:2205.05198), table 3; sequences of 2,048 tokens."""

    layers: float
    width: float
    heads: float
    pipeline: int
    chunks: int
    batch: float
    states: float
    tensor: float
    selective: float


#: Figure 1 in GiB: states, activations with tensor parallelism alone, and with its selective recompute and sequences
#: in parts; 175B and 530B interleaved.
PAPERS = {
    "22B": Paper(48, 6144, 64, 1, 1, 4, 45.5625, 59.25, 9.5625),
    "175B": Paper(96, 12288, 96, 8, 3, 1, 45.5625, 66.84375, 12.3515625),
    "530B": Paper(105, 20480, 128, 35, 3, 1, 31.640625, 114.0234375, 23.076171875),
    "1T": Paper(128, 25600, 160, 64, 1, 1, 32.958984375, 131.25, 26.5625),
}
T, S = 8, 2048.0


@pytest.mark.parametrize("name", PAPERS)
def test_states_of_korthikantis_first_figure(name: str) -> None:
    """18 bytes of the 12 h² parameters of each layer, over 8 GPUs of a group of tensors and the stages."""
    paper = PAPERS[name]
    h, layers = paper.width, paper.layers / paper.pipeline
    sides = {"qkv": (3 * h / T, h), "out": (h, h / T), "up": (4 * h / T, h), "down": (h, 4 * h / T)}
    tensors = [Tensor(known, "layers", "matrix", each, layers) for known, each in sides.items()]
    assert states_of(tensors, recipe_of("bf16", "adamw", MEGATRON)).total / GIB == pytest.approx(paper.states)


@pytest.mark.parametrize("name", PAPERS)
def test_activations_of_korthikantis_first_figure(name: str) -> None:
    """The first stage keeps its layers of as many micro-batches as there are stages; more where it is interleaved."""
    paper = PAPERS[name]
    sbh = S * paper.batch * paper.width
    scores = 5.0 * paper.heads * S / paper.width
    each = {"tensor": sbh * (10 + 24 / T + scores / T), "selective": sbh * 34 / T}
    flight = in_flight("1f1b", 0, paper.pipeline, 1024.0, paper.chunks)
    for policy, layer in each.items():
        taken = Activations(layer * paper.layers / paper.pipeline, in_flight=flight)
        assert taken.kept / GIB == pytest.approx(getattr(paper, policy))


def test_deepspeeds_estimate_of_stage_3_gathers_the_largest_layer() -> None:
    """estimate_zero3_model_states_mem_needs: 4 bytes of the largest layer, its weights and its gradient in 16 bit."""
    recipe = recipe_of("bf16", "adamw", TrainingHabits(sources=("a test",), gradients="narrow"))
    assert gathered_bytes([10.0, 100.0], recipe, ahead=0) == 4 * 100


@pytest.mark.parametrize(
    ("schedule", "stage", "chunks", "expected"),
    [("gpipe", 0, 1, 32), ("1f1b", 0, 1, 8), ("1f1b", 7, 1, 1), ("1f1b", 5, 1, 3), ("zero-bubble", 7, 1, 8)],
)
def test_micro_batches_in_flight(schedule: str, stage: int, chunks: int, expected: float) -> None:
    """Of 32 on 8 stages: GPipe keeps all, one-forward-one-backward as many as there are stages from here on."""
    assert in_flight(schedule, stage, 8, 32.0, chunks) == expected  # type: ignore[arg-type]
    assert in_flight(schedule, stage, 8, 1.0, chunks) == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize("chunks", [2, 3, 4])
def test_interleaving_keeps_more_on_the_first_stage(chunks: int) -> None:
    """Korthikanti et al., section 4.2.3: p (1 + (p - 1) / (p v)); on the last less than on the first."""
    assert in_flight("1f1b", 0, 8, 64.0, chunks) == pytest.approx(8 * (1 + 7 / (8 * chunks)))
    assert in_flight("1f1b", 7, 8, 64.0, chunks) < in_flight("1f1b", 0, 8, 64.0, chunks)


def test_logits_of_a_large_vocabulary() -> None:
    """Llama 3 8B, 2,048 tokens: log-softmax alone takes 1.05 GB, the whole loss three times that."""
    logits = 2048 * 128256
    assert loss_bytes(2048.0, 128256, "unfused") == 12 * logits == pytest.approx(3 * 1.0507e9, rel=1e-3)
    kinds = [loss_bytes(2048.0, 128256, kind) for kind in ("unfused", "in-place", "fused", "chunked")]
    assert kinds == sorted(kinds, reverse=True)
    assert loss_bytes(2048.0, 128256, "fused", devices=8.0) == 4 * logits / 8


@pytest.mark.parametrize(
    ("gigabytes", "how"),
    [
        (26.74, {}),
        (24.80, {"in_backward": True}),
        (23.41, {"in_backward": True, "offloaded": True}),
        (4.94, {"base": "nf4-dq", "offloaded": True}),
        (9.13, {"base": "bf16", "offloaded": True}),
    ],
)
def test_llama_3_2_3b_as_torchtune_trains_it(gigabytes: float, how: dict[str, Any]) -> None:
    """pytorch/torchtune @bd2a0fc7, README, optimization flags: two sequences of 4,096, layers done again, the loss in
    chunks, all in bf16; peak of what is allocated, within 3 %.
    """
    tensors = parameter_tensors(build_workload(load_model("llama-3.2-3b"), TextRun(1.0, 1.0, 1.0)).holders())
    tokens, width, layers, table = 8192.0, 3072.0, 28.0, 2.0 * 128256 * 3072
    recipe, frozen = recipe_of("bf16-pure", "adamw", MEGATRON), 0.0
    states, head = states_of(tensors, recipe, in_backward=how.get("in_backward", False)), table
    if "base" in how:
        states, frozen, head = States(), frozen_bytes(tensors, how["base"]), 0.0
    kept = 0.0 if how.get("offloaded") else 2.0 * tokens * width * layers
    live = tokens * (16 * width + 4 * width + 4 * 1024 + 8 * 8192) if not how else 0.0
    loss = loss_bytes(tokens, 128256.0, "chunked", head=head)
    parts = parts_of(states, Activations(kept, live=live, loss=loss), Around(frozen=frozen), stays=False)
    assert allocated_bytes(parts) / 1e9 == pytest.approx(gigabytes, rel=0.03)


def test_buckets_of_gradients() -> None:
    """DDP copies all gradients into buckets; Megatron and one device have none; DeepSpeed has two of 5e8 elements."""
    states = States(gradients=4e9)
    recipe = recipe_of("amp", "adamw", MEGATRON)
    assert bucket_bytes(states, recipe, Sharing(0, 8)) == 4e9
    assert bucket_bytes(states, recipe, Sharing(3, 8)) == 0
    assert bucket_bytes(states, recipe, Sharing(0, 1)) == 0
    assert bucket_bytes(states, recipe_of("bf16", "adamw", MEGATRON), Sharing(0, 8)) == 0
    deepspeed = recipe_of("bf16", "adamw", TrainingHabits(sources=("a test",), gradients="narrow"))
    assert bucket_bytes(states, deepspeed, Sharing(2, 8)) == 2e9
    assert bucket_bytes(States(gradients=1e6), deepspeed, Sharing(1, 8)) == 2e6


def _sum(parts: Iterable[Part]) -> float:
    return sum(float(part.bytes) for part in parts)


def test_pytorch_has_no_gradients_beside_the_first_activations() -> None:
    """Gradients that are freed after each step and activations are never whole at once, unless several add up."""
    pure = recipe_of("bf16-pure", "adamw", MEGATRON)
    assert not stays(pure, 1.0)
    assert stays(pure, 2.0)
    assert stays(recipe_of("bf16", "adamw", MEGATRON), 1.0), "Megatron's buffer is always there"
    states, taken = States(weights=2.0, gradients=2.0, optimizer=4.0), Activations(layers=10.0, live=0.5, loss=1.0)
    assert _sum(parts_of(states, taken, Around(), stays=False)) == 2 + 4 + 11
    assert _sum(parts_of(states, taken, Around(), stays=True)) == 2 + 4 + 11 + 2
    small = Activations(layers=1.0, live=0.5)
    assert _sum(parts_of(states, small, Around(), stays=False)) == 2 + 4 + 2 + 0.5


def test_the_moment_is_told() -> None:
    """Where gradients are widened for the optimizer, and activations are few, its step is the fullest moment."""
    states = States(weights=2.0, gradients=2.0, master=4.0, optimizer=8.0, step=4.0)
    parts = {part.name: part for part in parts_of(states, Activations(1.0), Around(), stays=True)}
    assert parts["update_bytes"].bytes == 4.0
    assert parts["activations_bytes"].note == "fullest as the optimizer runs"


_BYTES = st.floats(0.0, 1e12)


@given(
    st.builds(States, *[_BYTES] * 7),
    st.builds(Activations, *[_BYTES] * 5, st.floats(1.0, 64.0)),
    st.builds(Around, *[_BYTES] * 4, st.floats(0.0, 0.3)),
    st.booleans(),
)
def test_parts_sum_and_bound(states: States, taken: Activations, around: Around, stays: bool) -> None:
    """No moment is above the sum of parts, nor is this above everything at once; the reserve is on what is in use."""
    parts = parts_of(states, taken, around, stays=stays)
    total, used = _sum(parts), float(allocated_bytes(parts))
    assert total == pytest.approx(used * (1 + around.reserve) + float(around.runtime))
    between = states.weights + states.master + states.optimizer + states.ema + float(around.frozen + around.buffers)
    for moment in (states.gradients + states.step, float(taken.kept + taken.loss) + states.copies):
        assert used >= (between + moment) * (1 - 1e-12)
    everything = states.total + states.copies + states.step + float(taken.kept + taken.live + taken.loss)
    assert used <= (everything + float(sum(around[:3]))) * (1 + 1e-12)
    assert fullest([parts, ()], 1e12).total_bytes == pytest.approx(total)
