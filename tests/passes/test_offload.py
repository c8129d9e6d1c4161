"""Offload as a pass: what is held here and what elsewhere, in every format; what the host runs is a whole share."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.passes.offload import Away, Offload, Place, offload, read_offload
from roofline.specs.formats.dtypes import DTYPES
from roofline.specs.formats.mixes import ModelFacts
from roofline.workload.precision import Precision
from roofline.workload.workload import Workload

MODELS = ("qwen3-30b-a3b", "gpt-oss-20b", "mixtral-8x7b", "llama-3-8b")
STORED = sorted(name for name, dtype in DTYPES.items() if dtype.bits <= 32)
SHARES = st.floats(0.001, 1.0)


@cache
def _workload(model: str) -> Workload:
    return rl.estimate(model, gpu="h200", prompt=64, generate=4, weights="bf16").workload


def _precision(name: str) -> Precision:
    return Precision.of(name, facts=ModelFacts())


def _away(part: str, share: float, place: Place) -> Offload:
    return Offload()._replace(**{part: Away(share, place)})


def _parts(model: str) -> tuple[str, ...]:
    return ("weights",) if model == "llama-3-8b" else ("weights", "experts")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODELS), st.sampled_from(STORED), SHARES, SHARES)
def test_a_share_of_any_format_holds_that_share(model: str, name: str, one: float, other: float) -> None:
    """Scales and vectors are shared like the rest: (1 - share) of the bytes, and the buffer of one layer where fetched.

    Their number comes from shapes; taken off a share of the parameters it gave negative and complex bytes.
    """
    whole, precision = _workload(model), _precision(name)
    in_all = whole.weight_bytes(precision)
    low, high = sorted((one, other))
    for part in _parts(model):
        ops = [op for op in whole.holders() if part == "weights" or op.kind == "experts"]
        taken = sum(op.count * precision.held_bytes(op) for op in ops)
        layer = sum(precision.held_bytes(op) for op in ops if op.kind != "gather")
        for share in (low, high):
            held = offload(whole, _away(part, share, "host")).weight_bytes(precision)
            assert isinstance(held, float)
            assert math.isclose(held, in_all - share * taken + share * layer, rel_tol=1e-9)
        less, more = (offload(whole, _away(part, share, "cpu")).weight_bytes(precision) for share in (high, low))
        assert 0.0 <= less <= more <= in_all * (1 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(MODELS), SHARES)
def test_what_the_host_runs_is_conserved(model: str, share: float) -> None:
    """FLOPs, parameters and streamed weights of a phase are the same wherever its ops run."""
    whole = _workload(model)
    for part in _parts(model):
        split = offload(whole, _away(part, share, "cpu"))
        for before, after in zip(whole.phases, split.phases, strict=True):
            assert math.isclose(before.flops, after.flops, rel_tol=1e-9)
            for quantity in ("params", "weights", "cache_held"):
                amounts = [p.total(lambda op, q=quantity: getattr(op, q)) for p in (before, after)]
                assert math.isclose(*amounts, rel_tol=1e-9)


def test_layers_take_their_cache_along() -> None:
    """llama.cpp keeps the cache of a layer where its weights are: `-ngl` moves both."""
    whole = _workload("llama-3-8b")
    split = offload(whole, _away("weights", 0.25, "cpu"))
    assert split.cache_elements() == pytest.approx(0.75 * whole.cache_elements())
    assert {op.name for op in split.phases[1].on_host}.isdisjoint({"embedding", "head"})
    assert not offload(whole, _away("weights", 1.0, "cpu")).phases[1].on_device.total(lambda op: op.flops)


def test_experts_alone_leave_the_cache() -> None:
    """`--n-cpu-moe` moves the routed experts of some layers and nothing else."""
    whole = _workload("mixtral-8x7b")
    split = offload(whole, _away("experts", 0.5, "cpu"))
    assert split.cache_elements() == whole.cache_elements()
    assert {op.kind for op in split.phases[1].on_host} == {"experts"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("experts=1.5@cpu", "no share between 0 and 1"),
        ("experts=-0.5", "no share between 0 and 1"),
        ("experts=nan", "no share between 0 and 1"),
        ("experts=", "no share between 0 and 1"),
        ("weights=0.5@", "neither host nor disk nor cpu"),
        ("experts=0.2@cpu,experts=0.3@host", "experts is named twice"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, reason: str) -> None:
    """One clear error instead of a share that is dropped or grows the model."""
    with pytest.raises(rl.UsageError, match=reason):
        read_offload(text)


def test_places_are_read() -> None:
    """The host where nothing is said, as before."""
    assert read_offload("experts").experts == Away(1.0, "host")
    assert read_offload("experts=60%@cpu").text() == "experts=0.6@cpu"
