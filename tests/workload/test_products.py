"""Which units multiply a matrix: by the formats of both operands, the chip and the engine, decided in one place."""

from __future__ import annotations

import pytest

from roofline.specs.formats.dtypes import DTYPES, find_dtype
from roofline.workload.precision import Precision
from roofline.workload.storage.products import NARROW, Ways, product_of

AMPERE = frozenset({"int8", "int4"})
HOPPER = frozenset({"fp8", "int8"})
BLACKWELL = frozenset({"fp8", "int8", "fp4"})


def decided(weights: str, activations: str | None = None, *, units: frozenset[str], **habits: bool | str) -> str:
    """The format and the way, as `fp8 quantised`."""
    precision = Precision.of(weights, activations).multiplied(Ways(units=units, **habits))  # type: ignore[arg-type]
    found = precision.product(precision.weights)
    return f"{found.dtype} {found.way}"


@pytest.mark.parametrize(
    ("weights", "activations", "ampere", "hopper", "blackwell"),
    [
        ("bf16", None, "bf16 as stored", "bf16 as stored", "bf16 as stored"),
        ("fp8", None, "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("fp8-b128", None, "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("mxfp8", None, "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("fp8", "fp8", "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("fp8", "bf16", "bf16 widened", "bf16 widened", "bf16 widened"),
        ("fp8", "fp16", "fp16 widened", "fp16 widened", "fp16 widened"),
        ("fp8-a16", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("fp8", "fp32", "fp32 widened", "fp32 widened", "fp32 widened"),
        ("nvfp4", None, "bf16 widened", "bf16 widened", "fp4 quantised"),
        ("nvfp4-a16", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("nvfp4-a8", None, "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("nvfp4", "fp8", "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("mxfp4", None, "bf16 widened", "bf16 widened", "fp8 quantised"),
        ("mxfp4", "fp8", "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("mxfp4-a4", None, "bf16 widened", "bf16 widened", "fp4 quantised"),
        ("int8", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("int8", "int8", "int8 quantised", "int8 quantised", "int8 quantised"),
        ("w8a8", None, "int8 quantised", "int8 quantised", "int8 quantised"),
        ("w8a16", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("int8-a8", None, "int8 quantised", "int8 quantised", "int8 quantised"),
        ("int4-g128", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("int4-g128", "int8", "int8 quantised", "int8 quantised", "int8 quantised"),
        ("int4-g128", "fp8", "bf16 widened", "fp8 quantised", "fp8 quantised"),
        ("nf4-b64", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("q4_k", None, "bf16 widened", "bf16 widened", "bf16 widened"),
        ("int4-r32", None, "int4 quantised", "bf16 widened", "bf16 widened"),
        ("nvfp4-r32", None, "bf16 widened", "bf16 widened", "fp4 quantised"),
    ],
)
def test_formats_and_chip_decide(
    weights: str, activations: str | None, ampere: str, hopper: str, blackwell: str
) -> None:
    found = [decided(weights, activations, units=units) for units in (AMPERE, HOPPER, BLACKWELL)]
    assert found == [ampere, hopper, blackwell]


def test_an_engine_that_widens_does_so_where_nothing_else_is_asked() -> None:
    for weights in ("fp8", "nvfp4", "mxfp4"):
        assert decided(weights, units=BLACKWELL, widens=True) == "bf16 widened"
    assert decided("fp8", "fp8", units=BLACKWELL, widens=True) == "fp8 quantised"
    assert decided("fp8-a8", units=BLACKWELL, widens=True) == "fp8 quantised"
    assert decided("nvfp4-r32", units=BLACKWELL, widens=True) == "fp4 quantised"


def test_an_engine_may_have_a_format_for_the_blocks_of_its_files() -> None:
    assert decided("q4_k", units=HOPPER, widens=True, blocks="int8") == "int8 quantised"
    assert decided("q4_k", units=frozenset(), widens=True, blocks="int8") == "bf16 widened"
    assert decided("q4_k", "bf16", units=HOPPER, blocks="int8") == "bf16 widened"
    assert decided("q4_k", units=HOPPER, blocks="fp16") == "fp16 widened"
    assert decided("bf16", units=HOPPER, blocks="int8") == "bf16 as stored"
    assert decided("mxfp4", units=BLACKWELL, blocks="int8") == "fp4 quantised"


def test_an_engine_that_sums_in_half_widens_to_the_format_that_it_so_sums() -> None:
    assert decided("q4_k", units=HOPPER, half="fp16") == "fp16 widened"
    assert decided("q4_k", "bf16", units=HOPPER, half="fp16") == "bf16 widened"
    assert decided("bf16", units=HOPPER, half="fp16") == "bf16 as stored"


def test_units_that_are_wanted_and_not_there_are_named() -> None:
    assert Precision.of("fp8").multiplied(Ways(units=AMPERE)).product(find_dtype("fp8")).lacks == "fp8"
    assert Precision.of("mxfp4").multiplied(Ways(units=HOPPER)).product(find_dtype("mxfp4")).lacks == "fp4"
    assert not Precision.of("int4").multiplied(Ways(units=HOPPER)).product(find_dtype("int4")).lacks


def test_what_is_not_narrow_is_the_same_on_every_chip() -> None:
    """So that runs in 16 bit on many chips are worked out together."""
    assert Precision.of("bf16").multiplied(Ways(units=HOPPER)) == Precision.of("bf16").multiplied(Ways(units=AMPERE))
    assert Precision.of("fp8").multiplied(Ways(units=HOPPER)) != Precision.of("fp8").multiplied(Ways(units=AMPERE))


@pytest.mark.parametrize("units", [frozenset(), AMPERE, HOPPER, BLACKWELL])
def test_every_format_is_multiplied_in_one_that_the_chip_has(units: frozenset[str]) -> None:
    for name, dtype in DTYPES.items():
        for active in ("fp32", "bf16", "fp8", "int8"):
            found = product_of(dtype, DTYPES[active], Ways(units=units))
            assert found.dtype not in NARROW or found.dtype in units, (name, active)
            assert (found.way == "as stored") == (dtype.bits >= 16), (name, active)
