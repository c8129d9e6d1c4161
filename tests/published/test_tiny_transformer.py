"""The FLOPs of the ledger are those that a forward pass in numpy executes, op by op."""

from __future__ import annotations

import numpy as np
import pytest

import roofline as rl

from . import tiny_transformer as tiny
from .ask import run
from .rows import rows


@pytest.fixture(scope="module")
def executed() -> tiny.Calculator:
    calculator = tiny.Calculator()
    out = tiny.encoder_block(calculator)
    assert out.shape == (2, 4)
    assert np.allclose(out.mean(axis=-1), 0, atol=1e-12)
    return calculator


def _ledger(fusion: str) -> rl.Estimate:
    return run("tiny-transformer", "a100", prompt=2, generate=1, fusion=fusion)


def test_the_forward_pass_starts_from_the_articles_matrix() -> None:
    assert np.array_equal(tiny.EMBEDDED, np.asarray(rows()["rt_embed_plus_pos"].value, dtype=float))


def test_every_contraction_of_the_ledger_is_executed_and_none_beside_it(executed: tiny.Calculator) -> None:
    ledger = {row.name: row.flops for row in _ledger("eager").ops(split=True) if row.flops}
    assert ledger == dict(executed.flops)
    assert sum(ledger.values()) == sum(executed.flops.values()) == 736


def test_without_a_mask_fused_attention_does_the_same_work(executed: tiny.Calculator) -> None:
    ledger = {row.name: row.flops for row in _ledger("flash").ops(split=True) if row.flops}
    assert ledger["attention"] == executed.flops["attention.scores"] + executed.flops["attention.values"]
    assert sum(ledger.values()) == sum(executed.flops.values())


def test_sums_biases_and_relu_are_counted_as_executed(executed: tiny.Calculator) -> None:
    ledger = {row.name: row.vector_flops for row in _ledger("eager").ops(split=True)}
    assert {name: ledger[name] for name in executed.vector_flops} == dict(executed.vector_flops)


def test_parameters_are_the_matrices_of_the_forward_pass() -> None:
    matrices = [*tiny.WQ, *tiny.WK, *tiny.WV, tiny.WO]
    feed_forward = 4 * 8 + 8 + 8 * 4 + 4
    assert _ledger("eager").parameters.total == sum(matrix.size for matrix in matrices) + feed_forward


def test_a_counting_product_is_a_product() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
    calculator = tiny.Calculator()
    assert np.allclose(calculator.matmul("product", a, b), a @ b)
    assert calculator.flops["product"] == 2 * 3 * 5 * 2
