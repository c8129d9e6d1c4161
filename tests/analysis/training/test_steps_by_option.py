"""What single options do to a step: formats, Muon's products, weights that a pipeline leaves gathered, intervals."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.passes.training.optimizer import orthogonal_ops
from roofline.workload.storage.tensors import Tensor


def _flops(answer: rl.TrainAnswer, name: str) -> float:
    return float(next(phase.flops for phase in answer.phases if phase.name == name))


@pytest.mark.parametrize("gpu", ["a100", "h100", "l40s"])
def test_tf32_is_between_bf16_and_fp32(gpu: str) -> None:
    times = [
        float(rl.train("llama-3.2-1b", gpu=gpu, precision=each, sequence=512).times.bound)
        for each in ("bf16", "tf32", "fp32")
    ]
    assert times[0] < times[1] < times[2]


def test_muon_multiplies_matrices_and_adamw_does_not() -> None:
    assert _flops(rl.train("llama-3.2-1b", gpu="h100"), "optimizer") == 0
    done = rl.train("llama-3.2-1b", gpu="h100", optimizer="muon")
    width, inner, keys, layers = 2048.0, 8192.0, 512.0, 16
    each = [(width, width)] * 2 + [(keys, width)] * 2 + [(width, inner)] * 3
    assert _flops(done, "optimizer") == sum(5 * (4 * m * m * n + 2 * m**3) for m, n in each) * layers
    shared = rl.train("llama-3.2-1b", gpu="h100", gpus=8, optimizer="muon", zero=1)
    assert _flops(shared, "optimizer") == pytest.approx(_flops(done, "optimizer") / 8)


def test_vectors_and_tables_are_not_made_orthogonal() -> None:
    tensors = [Tensor("norm", "layers", "vector", (64.0,)), Tensor("embedding", "in", "embedding", (100.0, 64.0))]
    assert orthogonal_ops(tensors, 1.0) == ()


def test_a_pipeline_gathers_weights_once_a_step() -> None:
    plan = {"gpus": 64, "tp": 8, "pp": 4, "zero": 3, "engine": "torchtitan", "sequence": 4096}
    moved = [
        sum(float(phase.communication_bytes) for phase in answer.phases if phase.name == "exchange")
        for answer in (rl.train("llama-2-70b", gpu="h100", global_batch=batch, **plan) for batch in (8, 64))
    ]
    assert moved[0] == moved[1] > 0


def test_the_interval_is_wider_on_a_gpu_that_no_run_was_on() -> None:
    seen = rl.train("llama-3.1-8b", gpu="h100", gpus=64, engine="megatron").times
    other = rl.train("llama-3.1-8b", gpu="a100", gpus=64, engine="megatron")
    assert other.times.high / other.times.expected > seen.high / seen.expected
    assert "framework-not-measured" in {warn.code for warn in other.warnings}


def test_a_framework_that_was_chosen_is_told() -> None:
    chosen = rl.train("llama-2-7b", gpu="a100", gpus=8, zero=3)
    assert any("engine torchtitan" in each for each in chosen.assumptions)
    assert (
        rl.train("llama-2-7b", gpu="a100", zero=3).question.engine == rl.train("llama-2-7b", gpu="a100").question.engine
    )


@pytest.mark.parametrize(
    ("model", "more", "side"),
    [
        ("eai-mnist-vqvae", {"part": "vae"}, 28),
        ("eai-celebhq-unet", {}, 256),
        ("flux-dev-transformer", {}, 1024),
        ("sdxl", {"part": "vae"}, 1024),
        ("stable-diffusion-v1-5", {}, 512),
    ],
)
def test_pictures_are_as_large_as_the_model_is_made_for(model: str, more: dict[str, str], side: int) -> None:
    run = rl.train(model, gpu="a100", **more).question.run
    assert (run.height, run.width) == (side, side)


def test_what_the_allocator_reserves_keeps_nothing_from_fitting() -> None:
    asked = {"gpus": 8, "micro_batch": 2, "sequence": 2048, "engine": "internevo"}
    whole = rl.train("internlm2.5-7b", gpu="a100", **asked).memory
    reserve = next(part.bytes for part in whole.parts if part.name == "reserve_bytes")
    assert whole.fits and reserve > 0
    assert float(whole.total_bytes) <= float(whole.usable_bytes)


def test_what_vector_units_multiply_is_told_with_their_rate() -> None:
    said = [warn.text for warn in rl.train("llama-3.2-1b", gpu="v100", precision="fp32").warnings]
    assert "v100-sxm2-32gb has no matrix units for fp32: its vector units multiply, at 15.7 TFLOP/s" in said
