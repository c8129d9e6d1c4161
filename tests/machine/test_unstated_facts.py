"""What a file about a chip leaves out is left out of its time: nothing is borrowed that would limit its units."""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline as rl
from roofline.specs.gpu import GPUSpec

OWN = """\
kind: gpu
name: own-gpu
title: a GPU of one's own
vendor: intel
peak:
  tensor: {fp16: 98 TFLOP/s, bf16: 98 TFLOP/s, int8: 197 TOP/s}
  vector: {fp32: 12.3 TFLOP/s}
memory: {capacity: 24 GiB, bandwidth: 456 GB/s}
sources: [own]
"""
#: Fields that a file may leave out and that a time could rest on.
OPTIONAL = dict.fromkeys(("units", "clock", "base_clock", "cache", "power", "links", "measured_matmul"))
CHIPS = ("h100", "a100", "rtx-4090", "rtx-3090", "t4", "l4", "mi300x", "b200", "rx-7900-xtx", "m2-ultra", "gb10")


def _stripped(name: str) -> tuple[GPUSpec, GPUSpec]:
    """A chip under a name of its own, as nobody measured, and with all left out that may be."""
    own = rl.load_gpu(name).model_copy(update={"name": "own", "aliases": ()})
    return own, own.model_copy(update=OPTIONAL)


@pytest.mark.parametrize("text", [OWN, OWN + "clock: 2400 MHz\n", OWN + "units: {kind: Xe core, count: 20}\n"])
def test_decode_on_a_chip_of_ones_own_is_near_its_bound(tmp_path: Path, text: str) -> None:
    """llama.cpp has limits per unit and clock; on borrowed ones decode came out 3 to 17 times too slow."""
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    tpot = rl.estimate("llama-3.1-8b", gpu=str(path), engine="llama.cpp", weights="q4_k_m").latency.tpot
    assert tpot.bound <= tpot.expected <= 2.0 * tpot.bound


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
@pytest.mark.parametrize("name", CHIPS)
def test_a_stripped_chip_is_about_as_quick_as_the_whole_one(name: str, engine: str) -> None:
    """At most slower by the waves of tiles, and quicker by what llama.cpp's limits per unit cost."""
    whole, stripped = (rl.estimate("llama-3.1-8b", gpu=spec, engine=engine).latency for spec in _stripped(name))
    assert 0.4 * whole.tpot.expected <= stripped.tpot.expected <= 1.15 * whole.tpot.expected
    assert 0.3 * whole.ttft.expected <= stripped.ttft.expected <= 1.3 * whole.ttft.expected


def test_a_warning_names_the_fields_that_would_sharpen_the_time() -> None:
    own, stripped = _stripped("rtx-4090")
    asked = {"model": "llama-3.1-8b", "engine": "llama.cpp"}
    warned = {warn.code: warn.text for warn in rl.estimate(gpu=stripped, **asked).warnings}
    assert "units, clock, power, links.pcie" in warned["gpu-facts-missing"]
    assert "gpu-facts-missing" not in {warn.code for warn in rl.estimate(gpu=own, **asked).warnings}
    ideal = rl.estimate("llama-3.1-8b", gpu=stripped, engine="ideal").warnings
    assert "gpu-facts-missing" not in {warn.code for warn in ideal}
    assert "gpu-facts-missing" in {warn.code for warn in rl.estimate("sd15", gpu=stripped).warnings}


@pytest.mark.parametrize("name", ["epyc-9654", "tpu-v5e", "ascend-910b"])
def test_units_of_processors_and_tensor_accelerators_limit_nothing(name: str) -> None:
    """Their cores are no units that kernels are dealt to; nor is there a field that would make them so."""
    est = rl.estimate("llama-3.1-8b", gpu=name, engine="llama.cpp", weights="q4_k_m")
    assert est.latency.tpot.expected < 6.0 * est.latency.tpot.bound
    assert "gpu-facts-missing" not in {warn.code for warn in est.warnings}
