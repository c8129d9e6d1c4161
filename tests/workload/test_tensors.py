"""The tensors behind a ledger's parameters are all of them, with the sides that the libraries give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roofline.architectures.build import build_workload
from roofline.architectures.image.pipeline import image_workload
from roofline.runs.load import load_model
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import ImageRun, TextRun
from roofline.workload.storage.tensors import Tensor, parameter_tensors
from roofline.workload.workload import Workload

_RUN = TextRun(batch=1.0, prompt=1.0, generate=1.0)


def _workload(path: Path) -> Workload:
    spec: Any = read_model(path)
    return build_workload(spec, _RUN) if isinstance(spec, TransformerSpec) else image_workload(spec, ImageRun())


def _tensors(name: str) -> tuple[Tensor, ...]:
    return parameter_tensors(build_workload(load_model(name), _RUN).holders())


def test_tensors_of_every_bundled_model_sum_to_its_parameters() -> None:
    """Nothing is lost and nothing invented, op by op; sides are whole."""
    for path in sorted(bundled("models").glob("*.yaml")):
        for op in _workload(path).holders():
            tensors = parameter_tensors([op])
            assert sum(tensor.elements for tensor in tensors) == pytest.approx(op.count * op.params, rel=1e-15), op
            assert all(side > 0.0 and side == int(side) for tensor in tensors for side in tensor.sides), (path.stem, op)


def test_llama_2_7b_has_the_tensors_of_its_state_dict() -> None:
    """Meta's checkpoint: 7 matrices and 2 norms a layer, a table, a head and a last norm."""
    tensors = _tensors("llama-2-7b")
    assert sum(tensor.count for tensor in tensors) == 32 * 9 + 3
    sides = {tensor.name: tensor.sides for tensor in tensors}
    assert sides["embedding"] == (32000.0, 4096.0)
    assert sides["gate_proj"] == (11008.0, 4096.0)
    assert sides["down_proj"] == (4096.0, 11008.0)
    assert {tensor.role for tensor in tensors} == {"embedding", "head", "matrix", "vector"}


def test_biases_are_vectors_of_their_own() -> None:
    """GPT-2: 12 tensors of a layer (2 norms and 4 products with a bias each), two tables and a last norm."""
    tensors = _tensors("gpt2")
    vectors = sum(tensor.count for tensor in tensors if tensor.role == "vector")
    matrices = sum(tensor.count for tensor in tensors if tensor.role == "matrix")
    assert vectors == 12 * (4 + matrices / 12) + 2
    assert sum(tensor.count for tensor in tensors if tensor.role == "embedding") == 2


def test_experts_are_matrices_each() -> None:
    """Mixtral 8x7B: gate, up and down of 8 experts in 32 layers."""
    experts = [tensor for tensor in _tensors("mixtral-8x7b") if tensor.role == "expert"]
    assert sum(tensor.count for tensor in experts) == 32 * 8 * 3
    assert {tensor.sides for tensor in experts} == {(14336.0, 4096.0), (4096.0, 14336.0)}


def test_convolutions_have_four_sides() -> None:
    """SD 1.5's first convolution: 320 outputs of 4 inputs, 3 by 3."""
    spec: Any = load_model("sd15-unet")
    ops = image_workload(spec, ImageRun()).holders()
    found = {tensor.name: tensor.sides for tensor in parameter_tensors(ops) if tensor.role == "convolution"}
    assert found["conv_in"] == (320.0, 4.0, 3.0, 3.0)


def test_a_factored_moment_has_rows_and_columns() -> None:
    """Adafactor: one mean per row and one per column; of four sides over the last two; a vector is whole."""
    assert Tensor("a", "b", "matrix", (30.0, 20.0)).factored == 50.0
    assert Tensor("a", "b", "convolution", (8.0, 4.0, 3.0, 3.0)).factored == 2 * 8 * 4 * 3
    assert Tensor("a", "b", "vector", (7.0,)).factored == 7.0
