"""Fits of kernels: what rows tell is found, what they do not tell stays where another chip can take it from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from roofline.evidence.kernels.fit import Group, chip_of, fit_group
from roofline.evidence.kernels.problems import matmul_problem
from roofline.evidence.kernels.ranges import EXPECTED
from roofline.evidence.kernels.report import errors_of, left_out_of
from roofline.machine.kernels.matmul import MatmulCoefficients

NAMES = MatmulCoefficients._fields


def group(chip: str, sides: list[float], rows: list[float], truth: MatmulCoefficients) -> Group:
    """Products [m, side] @ [side, side] that take exactly as long as the model says for some coefficients."""
    m, side = (np.asarray(x, dtype=np.float64).ravel() for x in np.meshgrid(rows, sides))
    table: dict[str, Any] = {"m": m, "k": side, "n": side, "latency_ms": np.ones_like(m)}
    table["gemm_dtype"] = np.asarray(["bfloat16"] * len(m), dtype=object)
    known = chip_of(chip)
    table["latency_ms"] = matmul_problem(table, known).predict(np.asarray(truth)) * 1e3
    return Group("matmul", chip, "vllm", "bf16", "linear", table, matmul_problem(table, known))


TRUTH = MatmulCoefficients(0.85, 0.3, 0.8, 3e-6, 2e-7, 150.0, 3.0, 60.0, 600.0)


def test_coefficients_that_made_the_times_are_found_again() -> None:
    sides, rows = [512.0, 2048.0, 4096.0, 8192.0], [1.0, 8.0, 64.0, 128.0, 512.0, 1024.0, 4096.0, 8192.0, 16384.0]
    found = fit_group(group("h100-sxm", sides, rows, TRUTH))
    assert found is not None
    assert np.median(np.abs(errors_of([found]))) < 0.01
    fitted = dict(zip(NAMES, found.values, strict=False))
    assert fitted["ceiling"] == pytest.approx(TRUTH.ceiling, rel=0.05)
    assert fitted["streaming"] == pytest.approx(TRUTH.streaming, rel=0.05)


def test_what_no_row_tells_stays_where_it_was_expected() -> None:
    """Small products know nothing of the power limit: the H100 keeps what is expected, an L4 more for its few watts."""
    rows = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0]
    droops = {}
    for chip in ("h100-sxm", "l4"):
        found = fit_group(group(chip, [256.0, 512.0, 768.0, 1024.0, 1536.0], rows, TRUTH))
        assert found is not None
        droops[chip] = found.values[NAMES.index("droop")]
    assert droops["h100-sxm"] == pytest.approx(EXPECTED["matmul"]["droop"][0], rel=0.05)
    assert droops["l4"] > 1.2 * droops["h100-sxm"]


def test_siblings_are_left_out_with_a_chip_where_that_is_asked() -> None:
    sides, rows = [512.0, 4096.0, 8192.0], [1.0, 8.0, 64.0, 128.0, 512.0, 1024.0, 4096.0, 8192.0, 16384.0]
    slow = TRUTH._replace(ceiling=0.5)
    made = {"b200-sxm": TRUTH, "gb200": TRUTH, "h100-sxm": slow}
    fitted = [fit_group(group(chip, sides, rows, truth)) for chip, truth in made.items()]
    own = [g for g in fitted if g is not None]
    assert len(own) == 3
    near, far = (left_out_of(own[:1], own, siblings=away) for away in (False, True))
    assert np.median(np.abs(near)) < 0.05
    assert np.max(far) > 0.3
