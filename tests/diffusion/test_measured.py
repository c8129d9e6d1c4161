"""Measured times never lie below the floor, and measured memory is little above what is predicted."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl

from .measured import complete, rows, timing

#: OneDiff on GeForce, at 81 to 96 % of the bound of products that are summed in 32 bit, as PyTorch sums: it sums in 16,
#: at twice the rate, which a floor counts for every engine.
SUMMED_IN_HALF = {1024, 1025, 1030, 1031, 1042, 1048, 1082, 1084, 1124, 1126}
#: Rows between their floor and the bound of their kernels: V100 in fp32, whose convolutions as Winograd's multiply less
#: than direct ones; a text encoder (AITemplate, 98 % of the bound) whose activations stay in the cache.
BELOW_BOUND = {471, 472, 473, 474, 475, 598}


def test_no_measured_time_lies_below_the_floor() -> None:
    timings = [timing(row) for row in rows() if complete(row)]
    assert len(timings) >= 800
    assert not {t.row for t in timings if t.measured_s < t.floor_s}
    below_bound = {t.row for t in timings if t.measured_s < t.bound_s}
    assert below_bound == BELOW_BOUND | SUMMED_IN_HALF


#: Peak memory in GiB: case, options, tensors alone by the reference table, measured, source.
MEMORY = [
    ("sd15", {"weights": "fp32", "fusion": "classic"}, 6.08, 6.12, "sayakpaul/sample-datasets"),
    ("sd15", {"weights": "bf16", "fusion": "classic"}, 3.04, 3.07, "sayakpaul/sample-datasets"),
    ("sd15", {"weights": "fp32"}, 4.72, 4.95, "sayakpaul/sample-datasets"),
    ("sd15", {}, 2.36, 2.62, "sayakpaul/sample-datasets; OneDiff README"),
    ("sd-2.1-base", {}, 2.78, 3.02, "OneDiff README"),
    ("sd-2.1", {}, 3.25, 3.77, "OneDiff README"),
    ("sdxl", {}, 9.62, 10.47, "OneDiff README"),
    ("sd3-medium", {}, 17.70, 18.78, "OneDiff README"),
    ("pixart-alpha", {}, 13.54, 14.45, "OneDiff README"),
    ("sd3.5-large", {}, 27.06, 28.52, "OneDiff README"),
    ("flux.1-dev", {}, 32.92, 33.85, "OneDiff README"),
]


@pytest.mark.parametrize(("model", "options", "predicted", "measured", "source"), MEMORY)
def test_memory_is_at_most_measured_and_within_15_percent(
    model: str, options: dict[str, Any], predicted: float, measured: float, source: str
) -> None:
    total = float(rl.estimate(model, gpu="a100", engine="ideal", **options).memory.total_bytes) / 2**30
    assert total == pytest.approx(predicted, abs=0.0051)
    assert 0.85 * measured <= total <= measured


@pytest.mark.parametrize(("model", "options", "predicted", "measured", "source"), MEMORY)
def test_with_the_workspace_of_convolutions_memory_is_within_3_percent(
    model: str, options: dict[str, Any], predicted: float, measured: float, source: str
) -> None:
    """What torch.cuda.max_memory_allocated counts: no driver, and these runs left the safety checker out."""
    memory: Any = rl.estimate(model, gpu="a100", **options).memory
    allocated = float(memory.weights_bytes + memory.activation_peak_bytes + memory.workspace_bytes) / 2**30
    assert allocated == pytest.approx(measured, rel=0.03)
    beside = memory.context_bytes + memory.safety_checker_bytes
    assert memory.total_bytes == pytest.approx(allocated * 2**30 + beside)


@pytest.mark.parametrize(
    ("level", "needs"),
    [
        ("classic", (3.04, 4.51, 7.17, 11.53, 18.20, 27.89, 41.38, 83.47, 258.85)),
        ("slice-auto", (2.36, 2.69, 3.39, 4.51, 6.23, 8.70, 12.13, 22.77, 66.94)),
        ("slice-max", (2.36, 2.57, 2.83, 3.23, 4.08, 5.31, 7.02, 12.32, 34.36)),
        ("flash", (2.36, 2.57, 2.83, 3.13, 3.49, 3.88, 4.33, 5.36, 7.99)),
    ],
)
def test_what_a_picture_size_needs_by_attention(level: str, needs: tuple[float, ...]) -> None:
    """Weights and peak of Stable Diffusion 1.5 in fp16, batch 1, GiB; where scores are stored, the decoder's too."""
    for side, need in zip((512, 640, 768, 896, 1024, 1152, 1280, 1536, 2048), needs, strict=True):
        est: Any = rl.estimate("sd15", gpu="a100", height=side, width=side, fusion=level, engine="ideal")
        assert float(est.memory.total_bytes) / 2**30 == pytest.approx(need, abs=0.006)


#: FLOPs of whole pictures with one call per step, in TFLOP: denoiser at twice the batch, text encoders, decoder.
PICTURES = [
    ("sd15", 20, 34.67),
    ("sd15", 30, 50.74),
    ("sd15", 50, 82.87),
    ("sdxl", 20, 281.14),
    ("sdxl", 30, 416.37),
    ("sdxl", 50, 686.82),
]


@pytest.mark.parametrize(("model", "steps", "tflop"), PICTURES)
def test_whole_pictures(model: str, steps: int, tflop: float) -> None:
    est: Any = rl.estimate(model, gpu="a100", steps=steps, scheduler="ddim")
    total = sum(float(phase.flops * phase.repeat) for phase in est.phases)
    assert total / 1e12 == pytest.approx(tflop, abs=0.01)
