"""Selective repetition as torchtitan does it: what every second product and attention give is kept."""

from __future__ import annotations

from typing import Any

import pytest

from roofline.architectures.text.training import training_ops
from roofline.passes.training.products import kept_bytes, repeated
from roofline.runs.load import load_model


def _ops(tokens: float = 128.0) -> Any:
    spec: Any = load_model("llama-3.1-8b")
    return training_ops(spec, 1.0, tokens)


def test_every_second_product_is_done_again() -> None:
    """Of q, k, v, o, gate, up and down: k, o and up, and whatever is no product; nothing outside of layers."""
    again = repeated(_ops())
    assert [op.name for op in again if op.kind == "linear"] == ["k_proj", "o_proj", "up_proj"]
    assert not any(op.kind == "attention" for op in again)
    assert {op.block.rpartition(".")[2] for op in again} == {"attention", "feed_forward"}


def test_what_is_kept_of_a_layer() -> None:
    """Two bytes of q, v, attention's output, gate and down, and four of each query's sum."""
    each = 2 * (4096 + 1024 + 4096 + 14336 + 4096) + 4 * 32
    assert kept_bytes(_ops(100.0)) == pytest.approx(32 * 100 * each)


def test_layers_that_stand_apart_are_counted_anew() -> None:
    """A first layer set apart from the others repeats what they repeat."""
    ops = _ops()
    inner = [op for op in ops if "." in op.block]
    first, rest = [op._replace(count=1.0) for op in inner], [op._replace(count=31.0) for op in inner]
    assert kept_bytes([*first, *rest]) == pytest.approx(kept_bytes(ops))
    assert len(repeated([*first, *rest])) == 2 * len(repeated(ops))
