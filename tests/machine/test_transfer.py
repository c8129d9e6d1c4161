"""From chip to chip: what limits a kernel per clock and unit goes along, a share of a peak where the peak limits."""

from __future__ import annotations

import math

import pytest

from roofline.evidence.kernels.ranges import EXPECTED, RANGES
from roofline.machine.chips.coefficients import COEFFICIENTS, Likeness, likeness, measured_ceilings
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.chips.stand_ins import stand_in
from roofline.machine.chips.transfer import transferred
from roofline.machine.engine import Engine
from roofline.machine.kernels.attention import (
    NO_WINDOW,
    DecodeCoefficients,
    DecodeWork,
    PrefillCoefficients,
    PrefillWork,
    decode_time,
    prefill_time,
)
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.kernels.experts import ExpertsCoefficients, ExpertsWork, experts_time
from roofline.machine.kernels.matmul import MatmulCoefficients, matmul_time
from roofline.runs.load import locate_gpu

H100 = likeness(locate_gpu("h100")[0])
SHARES = ("ceiling", "streaming", "routing", "skipping", "quantise", "reread")
#: Chips of every maker and age.
CHIPS = (
    *("v100-sxm2-32gb", "t4", "a10", "rtx-3090", "rtx-4090", "rtx-5090", "l4", "a100-pcie-40gb", "h200", "h20", "b300"),
    *(
        "gb300",
        "rtx-pro-6000",
        "mi300x",
        "mi355x",
        "arc-b580",
        "max-1550",
        "gaudi3",
        "tpu-v5e",
        "tpu-v7",
        "apple-m4-max",
    ),
    *("cerebras-wse3", "groq-lpu-v1", "trainium2", "k80", "jetson-thor-t5000", "ascend-910b", "gb10"),
)


def as_at(kind: str, own: Likeness, kernel: str = "") -> tuple[float, ...]:
    """A measured row of the H100 as a chip of such facts would have it."""
    row = next(r for r in measured_ceilings().rows[kind]["h100-sxm"] if kernel in r.kernel)
    return tuple(transferred(kind, COEFFICIENTS[kind]._fields, row.values, H100, own, row.kernel))


def test_a_chip_of_the_same_facts_has_the_same_coefficients() -> None:
    for kind, by_chip in measured_ceilings().rows.items():
        for chip, rows in by_chip.items():
            of = measured_ceilings().known[chip]
            for row in rows:
                names = COEFFICIENTS[kind]._fields
                assert transferred(kind, names, row.values, of, of, row.kernel) == pytest.approx(list(row.values))


@pytest.mark.parametrize("kind", ["matmul", "prefill", "decode", "experts", "mamba-2"])
def test_waits_of_a_kernel_are_cycles(kind: str) -> None:
    """At half the clock, and with as much work per clock, every wait lasts twice as long; shares stay."""
    slow = H100._replace(clock=H100.clock / 2, rate=H100.rate / 2, stream=H100.stream / 2, dense=0.0)
    same, halved = as_at(kind, H100._replace(dense=0.0)), as_at(kind, slow)
    for name, a, b in zip(COEFFICIENTS[kind]._fields, same, halved, strict=False):
        assert b == pytest.approx(a * (2.0 if name.endswith("_s") else 1.0)), name


def test_unknown_facts_change_nothing() -> None:
    for kind in ("matmul", "prefill", "decode", "experts"):
        assert as_at(kind, H100._replace(clock=0.0, dense=0.0)) == pytest.approx(as_at(kind, H100))


def test_kernels_for_all_generations_feed_wider_units_no_better() -> None:
    """A Triton kernel keeps most of its FLOPs per clock and unit, a kernel of the generation its share of the peak."""
    wide = H100._replace(rate=2.0 * H100.rate)
    ceiling = PrefillCoefficients._fields.index("ceiling")

    def gained(kernel: str) -> float:
        return 2.0 * as_at("prefill", wide, kernel)[ceiling] / as_at("prefill", H100, kernel)[ceiling]

    assert 1.0 < gained("triton") < 1.3
    assert gained("torch_flow") >= 2.0


def test_what_the_power_limit_costs_goes_with_clock_and_flops_per_watt() -> None:
    droop = MatmulCoefficients._fields.index("droop")
    base = as_at("matmul", H100)[droop]
    assert as_at("matmul", H100._replace(dense=1.5 * H100.dense))[droop] == pytest.approx(1.5 * base)
    faster = H100._replace(clock=1.2 * H100.clock)
    assert as_at("matmul", faster)[droop] == pytest.approx(1.44 * base)


def test_blackwell_ultra_exponentiates_twice_as_fast() -> None:
    """Attention of a long prompt is quicker than on a B200, though no matrix rate of its formats differs."""
    soft = {
        name: ChipEfficiency.of(locate_gpu(name)[0]).coefficients("prefill", "bf16/bf16") for name in ("b200", "b300")
    }
    assert 0.55 < soft["b300"].softmax / soft["b200"].softmax < 0.75
    facts = ChipFacts(2.25e15, 8e12, 148.0)
    work = PrefillWork(32.0, 32768.0, 0.0, NO_WINDOW, 1.0, 256.0, 1e8)
    times = {name: prefill_time(work, facts, c) for name, c in soft.items()}
    assert 0.6 * times["b200"] < times["b300"] < 0.98 * times["b200"]


FASTER = [("rate", k) for k in (1.1, 2.0, 8.0)] + [("stream", k) for k in (1.1, 2.0, 8.0)]


@pytest.mark.parametrize(("fact", "by"), FASTER)
def test_a_faster_chip_takes_no_longer(fact: str, by: float) -> None:
    """More FLOP/s or more bandwidth, with the coefficients that follow from them: no kernel takes longer."""
    own = H100._replace(**{fact: getattr(H100, fact) * by, **({"dense": H100.dense * by} if fact == "rate" else {})})
    slow = ChipFacts(989.5e12, 3.35e12, 132.0)
    fast = slow._replace(
        **{"peak" if fact == "rate" else "bandwidth": by * (slow.peak if fact == "rate" else slow.bandwidth)}
    )

    def times(facts: ChipFacts, like: Likeness) -> list[float]:
        matmul = MatmulCoefficients(*as_at("matmul", like))
        prefill, decode = PrefillCoefficients(*as_at("prefill", like)), DecodeCoefficients(*as_at("decode", like))
        experts = ExpertsCoefficients(*as_at("experts", like))
        found = [
            matmul_time(m, 4096.0, 8192.0, 2.0 * 4096 * (8192 + m), facts, matmul) for m in (1.0, 64.0, 500.0, 16384.0)
        ]
        found += [
            prefill_time(PrefillWork(32.0, n, 0.0, NO_WINDOW, 1.0, 256.0, 2e4 * n), facts, prefill)
            for n in (64.0, 8192.0)
        ]
        found += [
            decode_time(DecodeWork(b, 32.0, 8.0, 4096.0, NO_WINDOW, 256.0, 512.0, 1e5), facts, decode)
            for b in (1.0, 64.0)
        ]
        work = [
            ExpertsWork(r, min(r, 128.0), 4096.0, 1536.0, 2.0, 6.0 * min(r, 128.0) * 4096 * 1536, 3e4 * r)
            for r in (8.0, 4096.0)
        ]
        return [float(t) for t in (*found, *(experts_time(w, facts, experts) for w in work))]

    for before, after in zip(times(slow, H100), times(fast, own), strict=True):
        assert after <= before * (1.0 + 1e-9)


@pytest.mark.parametrize("name", CHIPS)
def test_every_chip_has_sound_coefficients(name: str) -> None:
    """Of every maker and age: shares between 0 and 1, waits below a tenth of a millisecond, only numbers."""
    eff = ChipEfficiency.of(locate_gpu(name)[0], engine=Engine("own", library="vllm"))
    kinds = {"matmul": "bf16", "prefill": "bf16/bf16", "decode": "bf16", "experts": "bf16", "encoder": "bf16"}
    for kind, dtype in kinds.items():
        c = eff.coefficients(kind, dtype)
        for field, value in c._asdict().items():
            assert math.isfinite(value), (kind, field)
            if field in SHARES:
                assert 0.01 < value <= 1.0, (kind, field)
            if field.endswith("_s"):
                assert 0.0 <= value < 1e-4, (kind, field)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(
            (name, "class")
            for name in ("h200", "gh200-144gb", "h800-sxm", "b300", "gb300", "a30", "rtx-6000-ada", "l4")
        ),
        *((name, "other") for name in ("h20", "rtx-4090", "rtx-3090", "t4", "v100-sxm2-32gb", "mi300x", "arc-pro-b60")),
    ],
)
def test_a_class_is_the_same_family_within_an_octave(name: str, known: str) -> None:
    """One card with slow memory that was measured is no class of all such cards."""
    assert stand_in(locate_gpu(name)[0]).quality == known


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_is_expected_before_any_row_is_physical(kind: str) -> None:
    assert set(EXPECTED[kind]) == set(RANGES[kind])
    for name, (value, belief) in EXPECTED[kind].items():
        _, low, high = RANGES[kind][name]
        assert low < value < high
        assert belief > 0.0
