"""Sizes, lists and quantities that no model and no machine has are refused where they stand, in no time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import roofline as rl
from roofline.errors import SpecError, UsageError
from roofline.machine.kernels.common import smooth_maximum
from roofline.specs.files.library import bundled
from roofline.units import LIMITS, UNITS, parse_quantity


def changed(tmp_path: Path, shelf: Any, name: str, change: dict[str, Any]) -> str:
    """A bundled file with the values at dotted paths changed."""
    data = yaml.safe_load((bundled(shelf) / f"{name}.yaml").read_text(encoding="utf-8"))
    for path, value in change.items():
        *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        holder = data
        for key in parents:
            holder = holder[key]
        holder[last] = value
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(file)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"blocks.0.layers": 10**9}, "blocks.0.layers"),
        ({"blocks.0.layers": 20_000}, "blocks.0.layers"),
        ({"width": 10**10}, "width"),
        ({"vocabulary": 2 * 10**9}, "vocabulary"),
        ({"blocks.0.feed_forward.width": 10**12}, "width"),
        ({"max_context": 10**10}, "max_context"),
    ],
)
def test_sizes_that_no_model_has(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError, match="less than or equal") as caught:
        rl.estimate(changed(tmp_path, "models", "mistral-7b", change), "a100", weights="q4_k_m")
    assert field in caught.value.field
    assert caught.value.place is not None
    assert caught.value.place.line > 1


def test_layers_count_together(tmp_path: Path) -> None:
    group = yaml.safe_load((bundled("models") / "mistral-7b.yaml").read_text())["blocks"][0] | {"layers": 6000}
    with pytest.raises(SpecError, match="10000 layers in all"):
        rl.estimate(changed(tmp_path, "models", "mistral-7b", {"blocks": [group, group]}), "a100")


def test_products_that_no_model_has(tmp_path: Path) -> None:
    change = {"width": 10**7, "blocks.0.feed_forward.width": 10**9, "blocks.0.layers": 10_000}
    with pytest.raises(SpecError, match=r"1e\+15") as caught:
        rl.estimate(changed(tmp_path, "models", "mistral-7b", change), "a100")
    assert "x.yaml" in str(caught.value)
    assert "_proj" in caught.value.hint


def test_a_thousand_layers_and_a_million_tokens_are_read(tmp_path: Path) -> None:
    change = {"blocks.0.layers": 1000, "max_context": 10_485_760}
    est: Any = rl.estimate(changed(tmp_path, "models", "mistral-7b", change), "a100", weights="q4_k_m")
    assert est.parameters.total > 2e11


def test_an_encoder_decoder_draws_tokens(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="vocabulary"):
        rl.estimate(changed(tmp_path, "models", "t5-large", {"vocabulary": None}), "a100", generate=0)


@pytest.mark.parametrize("dimension", list(UNITS))
def test_quantities_are_those_of_machines(dimension: str) -> None:
    unit, scale = next(iter(UNITS[dimension].items()))
    least, most = LIMITS[dimension]
    for value in (least * 0.9, most * 1.1, 1e300, 5e-324):
        with pytest.raises(ValueError, match="of a machine"):
            parse_quantity(f"{value / scale!r} {unit}", dimension)
    assert parse_quantity(f"{least * 2 / scale!r} {unit}", dimension) == pytest.approx(least * 2)


@pytest.mark.parametrize("text", ["1" * 2000 + " x y", "1" * 60 + "." * 60, "9" * 10**6, " " * 10**6, "1e" * 10**5])
def test_a_long_quantity_is_read_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="write"):
        parse_quantity(text, "power")
    assert time.process_time() - start < 0.2
    with pytest.raises(UsageError, match="runtime-reserve"):
        rl.estimate("mistral-7b", "a100", runtime_reserve=text)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"peak": {"tensor": {}}}, "peak"),
        ({"peak.vector.fp32": "1e201 TFLOP/s"}, "fp32"),
        ({"memory.bandwidth": "1e-27 GB/s"}, "bandwidth"),
        ({"links.pcie.generation": " "}, "generation"),
        ({"links.pcie.generation": "-1e9"}, "generation"),
        ({"links.pcie.generation": "fast"}, "generation"),
    ],
)
def test_machines_that_there_are_not(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as caught:
        rl.estimate("mistral-7b", changed(tmp_path, "hardware", "a100-sxm-80gb", change))
    assert field in str(caught.value)


@pytest.mark.parametrize("text", ["Gen4 x16", "PCIe 4.0 x16", "4", "gen 4", "4.0 x16"])
def test_generations_of_pcie_as_people_write_them(tmp_path: Path, text: str) -> None:
    mine: Any = rl.estimate(
        "mistral-7b", changed(tmp_path, "hardware", "a100-sxm-80gb", {"links.pcie.generation": text})
    )
    assert mine.latency.total.expected == rl.estimate("mistral-7b", "a100").latency.total.expected


def test_an_engine_whose_host_needs_an_age(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    text = (Path(rl.__file__).parent / "engines" / "vllm.yaml").read_text(encoding="utf-8")
    file.write_text(yaml.safe_dump(yaml.safe_load(text) | {"host": {"kernel": "1e80 s"}}))
    with pytest.raises(SpecError, match=r"host\.kernel"):
        rl.estimate("mistral-7b", "a100", engine=str(file))


@pytest.mark.parametrize(("a", "b"), [(1e40, 1e39), (1e-40, 1e-41), (1e200, 0.0), (0.0, 0.0), (1e15, 1e16)])
def test_a_smooth_maximum_is_a_number_at_any_size(a: float, b: float) -> None:
    assert max(a, b) <= smooth_maximum(a, b, 20.0) <= (a + b) * (1 + 1e-12)
