"""llama.cpp as it is: by date, by backend, and what its graph makes of an op."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import roofline as rl
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.cut import cut_of
from roofline.machine.engine import WHOLE, load_engine
from roofline.machine.expected import expected_phase_time
from roofline.machine.machine import Machine
from roofline.runs.ask import ask
from roofline.runs.load import load_gpu

OLD, NEW, METAL = "llama.cpp@2024-05", "llama.cpp", "llama.cpp-metal"
CHIPS = ("rtx-3090", "a100-sxm-80gb", "h100-sxm", "gb10", "v100-pcie-16gb")


def _ttft(engine: str, gpu: str, weights: str, prompt: int = 512) -> float:
    answer = rl.estimate("llama-3-8b", gpu=gpu, engine=engine, weights=weights, prompt=prompt, generate=1)
    return float(answer.latency.ttft.expected)


@pytest.mark.parametrize("gpu", CHIPS)
@pytest.mark.parametrize("prompt", [64, 512, 4096])
def test_writing_weights_out_in_16_bit_costs_a_prefill(gpu: str, prompt: int) -> None:
    """Builds before mid 2024 multiply q4_k_m as they multiply fp16, after they wrote it out as such."""
    assert _ttft(OLD, gpu, "q4_k_m", prompt) > _ttft(OLD, gpu, "fp16", prompt)


def test_a_layer_of_an_unfused_graph_is_26_to_33_kernels() -> None:
    """Norms and their weights, quantised activations, two rotary embeddings, two copies to the cache, scores …"""
    question = ask("llama-3-8b", "rtx-3090", {"engine": OLD, "weights": "q4_k_m", "prompt": 64, "generate": 2})
    cuts = load_engine(OLD).cuts
    decode = [op for op in question.workload().phases[1].ops if op.block.startswith("layers")]
    assert 26 <= sum(float(cut_of(op, op.kind == "linear", cuts)) for op in decode) <= 33
    assert sum(float(cut_of(op, True, WHOLE)) for op in decode) == len(decode)


@pytest.mark.parametrize(("engine", "gpu"), [*((OLD, gpu) for gpu in CHIPS), *((NEW, gpu) for gpu in CHIPS)])
@pytest.mark.parametrize("weights", ["q4_k_m", "fp16"])
def test_more_tokens_never_take_less(engine: str, gpu: str, weights: str) -> None:
    """Also where products leave the kernels for few rows, from 8 to 9, and between tiles."""
    times = [_ttft(engine, gpu, weights, prompt) for prompt in (1, 2, 7, 8, 9, 16, 64, 65, 128, 129, 512, 513, 2048)]
    assert all(later >= 0.999 * sooner for sooner, later in pairwise(times))


@pytest.mark.parametrize("engine", [OLD, NEW, "llama.cpp-vulkan"])
@pytest.mark.parametrize("model", ["llama-3-8b", "gpt-oss-20b"])
def test_more_bandwidth_never_takes_more(engine: str, model: str) -> None:
    gpu = load_gpu("rtx-4090")
    wider = gpu.model_copy(update={"memory": gpu.memory.model_copy(update={"bandwidth": 1.5 * gpu.memory.bandwidth})})
    for question in (ask(model, "rtx-4090", {"engine": engine, "weights": "q4_k_m", "prompt": 512, "generate": 8}),):
        own = load_engine(engine)
        for phase in question.workload().phases:
            before, after = (
                expected_phase_time(
                    phase, question.precision, Machine.of(spec), ChipEfficiency.of(spec, engine=own), 1.0
                )
                for spec in (gpu, wider)
            )
            assert after <= before


def test_scores_that_go_through_memory_make_long_prompts_dear() -> None:
    """In pieces every score of the rectangle is moved; fused, none is: 24 bytes each."""
    gpu, own = load_gpu("a100-sxm-80gb"), load_engine(OLD)
    question = ask("llama-3-8b", "a100-sxm-80gb", {"engine": OLD, "weights": "fp16", "prompt": 4096, "generate": 1})
    phase, machine = question.workload().phases[0], question.machine()

    def time(scores: float) -> float:
        engine = own._replace(cuts=own.cuts._replace(scores=scores))
        return float(
            expected_phase_time(phase, question.precision, machine, ChipEfficiency.of(gpu, engine=engine), 1.0)
        )

    heads, layers = 32, 32
    moved = heads * layers * 4096**2 * 24.0
    assert time(48.0) - time(24.0) == pytest.approx(moved / gpu.memory.bandwidth, rel=0.35)
    assert time(24.0) > time(1e-6) > 0.0


def test_no_run_that_was_published_is_below_its_floor() -> None:
    """3,807 tokens/s of Llama 3.1 8B Q4_K_M at 512 tokens on an RTX 3080, which multiplies q4_k in 8 bit (dmatora/
    LLM-inference-speed-benchmarks #12): products of 16 bit with sums in fp32 would not allow it.
    """
    answer = rl.estimate("llama-3.1-8b", gpu="rtx-3080", engine=NEW, weights="q4_k_m", prompt=512, generate=1)
    ttft = answer.latency.ttft
    assert ttft.floor < ttft.bound < 512 / 3807
    assert ttft.expected == pytest.approx(512 / 3807, rel=0.2)


def test_the_floor_is_that_of_the_units_that_multiply() -> None:
    """GGUF formats in 8 bit where a build does so and a chip has units for it; weights of 16 bit as they are."""
    floors = {
        (engine, gpu, weights): rl.estimate("llama-3-8b", gpu=gpu, engine=engine, weights=weights).latency.ttft.floor
        for engine in (NEW, OLD)
        for gpu in ("a100-sxm-80gb", "v100-pcie-16gb")
        for weights in ("q4_k_m", "fp16")
    }
    a100, v100 = "a100-sxm-80gb", "v100-pcie-16gb"
    assert floors[NEW, a100, "q4_k_m"] == pytest.approx(0.5 * floors[NEW, a100, "fp16"], rel=0.05)
    assert floors[OLD, a100, "q4_k_m"] == pytest.approx(floors[OLD, a100, "fp16"], rel=0.02)
    assert floors[NEW, v100, "q4_k_m"] == pytest.approx(floors[NEW, v100, "fp16"], rel=0.02)  # no units for 8 bit


def test_the_answer_says_in_which_format_weights_are_multiplied() -> None:
    told = {
        engine: rl.estimate("llama-3-8b", gpu="rtx-3090", engine=engine, weights="q4_k_m").assumptions[0]
        for engine in (NEW, OLD, "llama.cpp-vulkan")
    }
    assert told[NEW].endswith("multiplied in int8 (activations quantised)")
    assert told[OLD].endswith("widened to fp16 and multiplied there (weight-only)")
    assert told["llama.cpp-vulkan"].endswith("widened to fp16 and multiplied there (weight-only)")


@pytest.mark.parametrize(
    ("asked", "gpu", "runs"),
    [
        ("llama.cpp", "rtx-4090", "llama.cpp"),
        ("llama.cpp", "apple-m4-max", METAL),
        ("llama.cpp@2024-05", "apple-m4-max", METAL),
        ("llama.cpp", "rx-7900-xtx", "llama.cpp-hip"),
        ("llama.cpp", "arc-b580", "llama.cpp-sycl"),
        ("llama.cpp", "epyc-9654", "llama.cpp"),
        ("llama.cpp-vulkan", "rx-7900-xtx", "llama.cpp-vulkan"),
        ("ollama", "apple-m4-max", METAL),
        ("vllm", "mi300x", "vllm"),
    ],
)
def test_the_maker_of_a_chip_chooses_the_backend(asked: str, gpu: str, runs: str) -> None:
    answer = rl.estimate("llama-3-8b", gpu=gpu, engine=asked, weights="q4_k_m")
    assert answer.to_dict()["inputs"]["engine"] == runs


def test_chips_of_several_makers_in_one_sweep_run_each_its_backend() -> None:
    gpus = ["rtx-4090", "apple-m4-max", "rx-7900-xtx"]
    frame = rl.sweep("llama-3-8b", gpu=gpus, engine="llama.cpp", weights="q4_k_m", prompt=[128, 1024])
    for row in frame.records():
        alone = rl.estimate(
            "llama-3-8b", gpu=row["gpu"], engine="llama.cpp", weights="q4_k_m", prompt=int(row["prompt"])
        )
        assert row["ttft_s"] == pytest.approx(alone.latency.ttft.expected)


def test_a_grid_is_its_points() -> None:
    """Few rows and many in one grid, one token and several: each takes its own kernels."""
    for model, engine in (("llama-3-8b", OLD), ("gpt-oss-20b", OLD), ("gpt-oss-20b", NEW)):
        question = ask(model, "rtx-4090", {"engine": engine, "weights": "q4_k_m", "prompt": 64, "generate": 8})
        batches = [1.0, 2.0, 8.0, 9.0, 64.0]
        chip, machine = ChipEfficiency.of(load_gpu("rtx-4090"), engine=load_engine(engine)), question.machine()

        def decode(batch: object, question=question, chip=chip, machine=machine) -> object:  # type: ignore[no-untyped-def]
            phase = question.workload(replace(question.run, batch=batch)).phases[1]
            return expected_phase_time(phase, question.precision, machine, chip, batch)

        assert decode(np.asarray(batches)) == pytest.approx([decode(batch) for batch in batches])


def test_routing_in_kernels_of_its_own_makes_a_step_longer() -> None:
    """Top-k, gathers, weighing and sums: launches that a fused kernel does not have."""
    question = ask("gpt-oss-20b", "gb10", {"engine": NEW, "weights": "mxfp4_moe", "prompt": 512, "generate": 32})
    own, gpu = load_engine(NEW), load_gpu("gb10")
    decode, machine = question.workload().phases[1], question.machine()
    fused = own._replace(cuts=own.cuts._replace(experts=3.0))
    longer, shorter = (
        float(expected_phase_time(decode, question.precision, machine, ChipEfficiency.of(gpu, engine=engine), 1.0))
        for engine in (own, fused)
    )
    assert 24 * 11 * 1e-6 < longer - shorter < 24 * 11 * 5e-6


def test_an_engine_that_was_measured_on_one_chip_says_so() -> None:
    codes = {
        gpu: [w.code for w in rl.estimate("llama-3-8b", gpu=gpu, engine="llama.cpp", weights="q4_k_m").warnings]
        for gpu in ("apple-m1-max", "apple-m4-max")
    }
    assert "engine-of-one-chip" in codes["apple-m4-max"]
    assert "engine-of-one-chip" not in codes["apple-m1-max"]
