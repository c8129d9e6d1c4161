"""Grids of sizes and stacks of chips: what each point and each chip gives alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.architectures.build import build_workload
from roofline.architectures.image.pipeline import image_workload
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import load_engine
from roofline.machine.expected import expected_phase_time
from roofline.machine.intervals import TIMED
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.load import load_gpu, load_model
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun, TextRun
from roofline.workload.workload import Phase, Workload

#: With and without fp8, fp4 and vector units alone, with and without links, of several makers and classes.
GPUS = ("a100", "h100", "mi300x", "b200", "rtx-3090", "v100", "m2-ultra", "t4")
MODELS = ("mistral-7b", "mixtral-8x7b", "deepseek-v3", "gemma-2-9b", "mamba-2.8b", "gpt2")
FORMATS = ("bf16", "fp8", "nvfp4", "int4-g128", "mxfp4")
ENGINES = ("generic", "vllm", "llama.cpp", "sglang", "tensorrt-llm")
PICTURES = ("generic", "pytorch-eager", "tensorrt")
FIELDS = ("flops", "vector_flops", "bytes", "kernels", "floor_s", "bound_s", "compute_bound_s", "memory_bound_s")

size = st.integers(1, 9000).map(float)
sizes = st.lists(size, min_size=2, max_size=3, unique=True)
some_gpus = st.lists(st.sampled_from(GPUS), min_size=2, max_size=3, unique=True)
formats = st.sampled_from(FORMATS)


class Place(NamedTuple):
    """Where something runs: one chip, or several stacked, as an engine drives them."""

    machine: Machine
    chip: ChipEfficiency

    @classmethod
    def of(cls, gpu: str, engine: str) -> Place:
        habits = load_engine(engine)
        spec = load_gpu(gpu)
        return cls(Machine.of(spec, half_sums=habits.half_sums and habits.fed), ChipEfficiency.of(spec, engine=habits))

    @classmethod
    def stacked(cls, places: list[Place], axes: int) -> Place:
        machine = Machine.stacked([place.machine for place in places], axes)
        return cls(machine, ChipEfficiency.stacked([place.chip for place in places], axes))


def text(model: str, batch: Any, prompt: Any, fusion: Any = "flash") -> Workload:
    return apply_fusion(build_workload(load_model(model), TextRun(batch, prompt, 9.0)), fusion)


def times(phase: Phase, weights: str, place: Place, batch: Any) -> list[Any]:
    """Everything that a phase gives: its counts, bounds and floor, and the expected time."""
    precision = Precision.of(weights)
    cost = phase_cost(phase, precision, place.machine)
    expected = expected_phase_time(phase, precision, place.machine, place.chip, batch)
    return [getattr(cost, name) for name in FIELDS] + [expected]


def assert_point(grid: list[Any], shape: tuple[int, ...], index: tuple[int, ...], alone: list[Any]) -> None:
    scale = alone[FIELDS.index("bound_s")]
    for name, values, value in zip((*FIELDS, "expected"), grid, alone, strict=True):
        point = np.broadcast_to(values, shape)[index]
        # Ops that are of one size at a point are expected as one there, whatever the last digits of their formats;
        # what is left of a bound when its part in memory is taken away has only the digits of the bound.
        digits = 1e-8 if name == "expected" else 1e-12
        assert point == pytest.approx(value, rel=digits, abs=1e-14 * scale), name


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(GPUS), formats, st.sampled_from(ENGINES), sizes, sizes)
def test_a_grid_of_sizes_gives_what_each_size_gives(
    model: str, gpu: str, weights: str, engine: str, batches: list[float], prompts: list[float]
) -> None:
    place, shape = Place.of(gpu, engine), (len(batches), len(prompts))
    batch, prompt = np.asarray(batches).reshape(-1, 1), np.asarray(prompts)
    grids = [times(phase, weights, place, batch) for phase in text(model, batch, prompt).phases]
    for i, one in enumerate(batches):
        for j, other in enumerate(prompts):
            for grid, phase in zip(grids, text(model, one, other).phases, strict=True):
                assert_point(grid, shape, (i, j), times(phase, weights, place, one))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODELS), some_gpus, formats, st.sampled_from(ENGINES), sizes, size)
def test_stacked_chips_give_what_each_chip_gives(
    model: str, gpus: list[str], weights: str, engine: str, batches: list[float], prompt: float
) -> None:
    places = [Place.of(gpu, engine) for gpu in gpus]
    stack, shape = Place.stacked(places, 2), (len(gpus), len(batches), 1)
    batch = np.asarray(batches).reshape(-1, 1)
    for phase in text(model, batch, np.asarray([prompt])).phases:
        together = times(phase, weights, stack, batch)
        for i, place in enumerate(places):
            alone = times(phase, weights, place, batch)
            for j in range(len(batches)):
                assert_point(together, shape, (i, j, 0), [np.broadcast_to(v, shape[1:])[j, 0] for v in alone])


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(MODELS[:4]), some_gpus, st.sampled_from(["eager", "compiled"]), size, size)
def test_stacked_chips_run_one_point_at_every_level_of_fusion(
    model: str, gpus: list[str], fusion: str, batch: float, prompt: float
) -> None:
    places = [Place.of(gpu, "generic") for gpu in gpus]
    stack = Place.stacked(places, 0)
    for phase in text(model, batch, prompt, fusion).phases:
        together = times(phase, "bf16", stack, batch)
        for i, place in enumerate(places):
            assert_point(together, (len(gpus),), (i,), times(phase, "bf16", place, batch))


@settings(max_examples=8, deadline=None)
@given(some_gpus, st.sampled_from(["fp16", "tf32"]), st.sampled_from(PICTURES), st.lists(size, min_size=2, max_size=2))
def test_pictures_on_stacked_chips(gpus: list[str], weights: str, engine: str, batches: list[float]) -> None:
    places = [Place.of(gpu, engine) for gpu in gpus]
    stack, shape = Place.stacked(places, 1), (len(gpus), len(batches))
    spec, many = load_model("sd-1.5"), np.asarray(batches)
    grids = [times(phase, weights, stack, many) for phase in image_workload(spec, ImageRun(many)).phases]
    for j, batch in enumerate(batches):
        for grid, phase in zip(grids, image_workload(spec, ImageRun(batch)).phases, strict=True):
            for i, place in enumerate(places):
                assert_point(grid, shape, (i, j), times(phase, weights, place, batch))


def test_what_is_kept_with_a_phase_is_that_of_its_precision() -> None:
    """One phase, asked in several formats and by several engines in turn, answers each as a fresh one does."""
    phase = text("mixtral-8x7b", 4.0, 300.0).phases[0]
    for weights in (*FORMATS, *FORMATS):
        for engine in ENGINES:
            place = Place.of("h100", engine)
            fresh = text("mixtral-8x7b", 4.0, 300.0).phases[0]
            assert times(phase, weights, place, 4.0) == times(fresh, weights, place, 4.0)


def test_intervals_of_stacked_chips_are_those_of_each() -> None:
    places = [Place.of(gpu, "generic") for gpu in GPUS]
    for timed in TIMED:
        low, high = Place.stacked(places, 1).chip.interval(timed)
        assert np.ravel(low).tolist() == [place.chip.interval(timed)[0] for place in places]
        assert np.ravel(high).tolist() == [place.chip.interval(timed)[1] for place in places]


def test_chips_of_several_engines_are_not_stacked() -> None:
    with pytest.raises(ValueError, match="one engine"):
        Place.stacked([Place.of("a100", "vllm"), Place.of("a100", "generic")], 0)
