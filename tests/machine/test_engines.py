"""Engines: files, names, and what they make of a phase."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import roofline as rl
from roofline.errors import SpecError, UnknownNameError
from roofline.machine.chips.coefficients import measured_ceilings
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import (
    BARE,
    IDEAL,
    Engine,
    engine_names,
    engine_path,
    find_engine,
    load_engine,
    read_engine,
)
from roofline.machine.expected import expected_op_time, expected_phase_time
from roofline.machine.intervals import TIMED, Spans
from roofline.machine.machine import Machine
from roofline.runs.load import load_gpu
from roofline.workload.constructors import linear
from roofline.workload.precision import Precision

NAMES = [name for name in engine_names() if name != IDEAL]


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_file_says_what_it_rests_on(name: str) -> None:
    spec = read_engine(name)
    assert spec.name == name
    assert spec.sources
    for timed in TIMED:
        spans = Spans(*spec.interval.spans(timed))
        for low, high in spans:
            assert low <= 1.0 <= high
        assert spans.other[1] >= spans.sibling[1] >= spans.measured[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("model", "gpu"), [("mistral-7b", "a100"), ("mixtral-8x7b", "h200"), ("gpt2", "rtx-4090")])
def test_floor_bound_expected_in_this_order_within_the_interval(name: str, model: str, gpu: str) -> None:
    est = rl.estimate(model, gpu=gpu, batch=4, prompt=300, generate=20, engine=name)
    for times in (est.latency.ttft, est.latency.tpot, est.latency.total):
        assert times.floor <= times.bound <= times.expected
        assert times.low <= times.expected <= times.high
        assert math.isfinite(times.high)
    rate = est.throughput.output_tokens
    assert rate.low <= rate.expected <= rate.high


def test_the_ideal_engine_expects_the_bound() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", engine="ideal")
    assert est.latency.total.expected == est.latency.total.bound


@pytest.mark.parametrize("axis", ["batch", "prompt", "generate"])
def test_a_grid_expects_what_its_scalars_expect(axis: str) -> None:
    """As sweeps broadcast: each point of a grid is the estimate of that point."""
    values = [1, 7, 200]
    grid = rl.estimate("mistral-7b", gpu="h100", engine="generic", **{axis: np.asarray(values, dtype=float)})
    for i, value in enumerate(values):
        one = rl.estimate("mistral-7b", gpu="h100", engine="generic", **{axis: value})
        got = np.broadcast_to(np.asarray(grid.latency.total.expected), (3,))[i]
        assert got == pytest.approx(one.latency.total.expected, rel=1e-9)


def test_tensor_parallelism_is_slower_than_its_share() -> None:
    one = rl.estimate("llama-2-70b", gpu="h100", engine="tensorrt-llm", batch=1)
    eight = rl.estimate("llama-2-70b", gpu="h100", engine="tensorrt-llm", batch=1, tp=8)
    assert one.latency.tpot.expected / 8 < eight.latency.tpot.expected < one.latency.tpot.expected


def test_more_batch_costs_more_per_step_and_less_per_token() -> None:
    steps = [rl.estimate("mistral-7b", gpu="a100", engine="vllm", batch=b).latency.tpot.expected for b in (1, 8, 64)]
    assert steps == sorted(steps)
    assert steps[0] / 1 > steps[1] / 8 > steps[2] / 64


def test_names_aliases_and_nearest_names() -> None:
    assert find_engine("TRTLLM") == "tensorrt-llm"
    with pytest.raises(UnknownNameError, match="vllm"):
        find_engine("vlm")


def test_a_file_of_ones_own_is_an_engine(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "mine.yaml"
    file.write_text(
        "kind: engine\nname: mine\ntitle: Mine\nhost: {step: 5 ms}\n"
        "interval: {measured: [0.9, 1.1], sibling: [0.8, 1.2], other: [0.5, 2.0]}\n"
        "fit: {rows: 0, coefficients: 0, date: today}\nsources: [me]\n"
    )
    est = rl.estimate("gpt2", gpu="a100", engine=str(file))
    assert est.latency.tpot.expected > 5e-3
    bad = tmp_path / "bad.yaml"
    bad.write_text(file.read_text().replace("host:", "hosts:"))
    with pytest.raises(SpecError, match="hosts"):
        rl.estimate("gpt2", gpu="a100", engine=str(bad))


def test_factors_scale_the_chip_and_never_exceed_its_peaks() -> None:
    gpu = load_gpu("h100")
    quick = ChipEfficiency.of(gpu, engine=Engine("quick", compute=9.0, streaming=9.0, attention=9.0, cache=9.0))
    for kind in ("matmul", "narrow", "stream", "experts"):
        assert quick.coefficients(kind, "bf16").ceiling <= 1.0
        assert quick.coefficients(kind, "bf16").streaming <= 1.0
    plain = ChipEfficiency.of(gpu, engine=BARE)
    slow = ChipEfficiency.of(gpu, engine=Engine("slow", launch=3.0))
    assert slow.coefficients("matmul", "bf16").fixed_s == 3.0 * plain.coefficients("matmul", "bf16").fixed_s


def test_kernels_of_an_engine_come_from_its_own_library() -> None:
    rows = measured_ceilings().rows["decode"]["h100-sxm"]
    own = {m.values for m in rows if m.engine == "sglang" and m.format == "bf16"}
    chip = ChipEfficiency.of(load_gpu("h100"), engine=Engine("x", "sglang"))
    assert tuple(chip.coefficients("decode", "bf16")) in own or load_engine("sglang").library == "sglang"


def step(engine: Engine, gpu: str, model: str = "llama-3-8b", **options):  # type: ignore[no-untyped-def]
    """Seconds of a prefill and of a decode step of an engine that is not in a file."""
    est = rl.estimate(model, gpu=gpu, engine="ideal", **{"batch": 1, "prompt": 2048, "generate": 2} | options)
    spec = load_gpu(gpu)[0] if isinstance(load_gpu(gpu), tuple) else load_gpu(gpu)
    q, chip = est.question, ChipEfficiency.of(spec, engine=engine)
    phases, batch = est.workload.phases, q.run.batch
    return [float(expected_phase_time(phase, q.precision, q.machine(), chip, batch)) for phase in phases]


PLAIN = Engine("plain")


def test_a_limit_per_clock_slows_the_chip_that_goes_beyond_it() -> None:
    """A100 and RTX 3090 read alike per unit and clock; H100 asks for more than kernels of 4 bytes per clock give."""
    slower = {gpu: step(PLAIN._replace(unit_stream=6.0), gpu)[1] / step(PLAIN, gpu)[1] for gpu in ("h100", "rtx-4090")}
    assert slower["h100"] > 1.5
    assert 1.0 <= slower["rtx-4090"] < 1.1
    fast, capped = step(PLAIN, "h100")[0], step(PLAIN._replace(unit_rate=600.0), "h100")[0]
    assert capped > 2.0 * fast


def test_prompts_in_chunks_read_the_weights_again() -> None:
    whole, chunks = step(PLAIN, "rtx-4090"), step(PLAIN, "rtx-4090", chunk=128)
    assert chunks[0] > whole[0]
    assert chunks[1] == whole[1]
    assert step(PLAIN, "rtx-4090", chunk=4096) == whole


def test_a_cache_that_is_read_again_costs_grouped_heads_only() -> None:
    again = PLAIN._replace(reread=0.5)
    long = {"prompt": 16384, "batch": 16}
    assert step(again, "h100", **long)[1] > 1.2 * step(PLAIN, "h100", **long)[1]
    assert step(again, "h100", "llama-2-7b", **long)[1] == step(PLAIN, "h100", "llama-2-7b", **long)[1]


def test_tokens_that_choose_alike_touch_fewer_experts_but_never_cost_less_than_the_roofline() -> None:
    alike = PLAIN._replace(routing=0.7)
    for batch in (1, 16, 64):
        apart, together = (step(e, "h100", "gpt-oss-120b", batch=batch)[1] for e in (PLAIN, alike))
        bound = rl.estimate("gpt-oss-120b", gpu="h100", batch=batch, prompt=2048, generate=2, engine="ideal")
        assert bound.latency.tpot.bound <= together <= apart
        assert (together < 0.95 * apart) == (batch > 1)


def test_few_rows_on_a_chip_without_matrix_units_run_as_dot_products() -> None:
    """A decode step reads the weights: tiles of a matrix unit would be nearly empty, and are not what runs."""
    est = rl.estimate("llama-2-7b", gpu="apple-m2-ultra", weights="q4_0", engine="llama.cpp")
    assert est.latency.tpot.expected < 2.5 * est.latency.tpot.bound


@pytest.mark.parametrize(
    ("engine", "gpu", "code"),
    [
        ("vllm", "apple-m2-ultra", "engine-of-other-vendor"),
        ("tensorrt-llm", "apple-m2-ultra", "engine-not-there"),
        ("pytorch-eager", "h100", "engine-of-image-models"),
        ("lmdeploy", "h100", "engine-not-measured"),
        ("vllm", "rtx-4090", "efficiency-of-class"),
    ],
)
def test_an_expectation_that_rests_on_less_says_so(engine: str, gpu: str, code: str) -> None:
    assert code in {warn.code for warn in rl.estimate("llama-3-8b", gpu=gpu, engine=engine).warnings}
    assert not rl.estimate("llama-3-8b", gpu="h100", engine="vllm").warnings


def test_joined_projections_save_launches() -> None:
    apart, joined = step(PLAIN, "h100"), step(PLAIN._replace(joins="all"), "h100")
    assert joined[1] < apart[1]


def test_hosts_of_later_years_are_quicker() -> None:
    """The same step of the same engine, where the host rules: PCIe 3, 4 and 5."""
    eager = PLAIN._replace(kernel_s=1e-4)
    times = [step(eager, gpu, "gpt2")[1] for gpu in ("v100-sxm2-32gb", "a100", "h100")]
    assert times[0] > 1.3 * times[1] > 1.6 * times[2]


def test_collectives_over_pcie_have_a_factor_of_their_own() -> None:
    for gpu, factor, other in (("l40s", "exchange_pcie", "exchange"), ("h100", "exchange", "exchange_pcie")):
        base, own, not_own = (
            float(ChipEfficiency.of(rl.load_gpu(gpu), engine=PLAIN._replace(**change)).exchange)
            for change in ({}, {factor: 2.0}, {other: 2.0})
        )
        assert (base, own, not_own) == (1.0, 2.0, 1.0)


def test_engines_of_ones_own_folders_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = engine_path("vllm").read_text(encoding="utf-8")
    (tmp_path / "engines").mkdir()
    for place, name in ((tmp_path, "my-server"), (tmp_path / "engines", "other"), (tmp_path, "sglang")):
        (place / f"{name}.yaml").write_text(
            text.replace("name: vllm", f"name: {name}").replace("kind: engine", f"kind: engine\naliases: [{name}-x]"),
            encoding="utf-8",
        )
    (tmp_path / "mlx.yaml").write_text("family: transformer\n", encoding="utf-8")
    for name in ("my-server", "MY-SERVER", "other", "other-x", "sglang"):
        assert load_engine(find_engine(name, str(tmp_path))).streaming == load_engine("vllm").streaming
    assert find_engine("sglang") == "sglang"  # without the folder
    assert find_engine("mlx", str(tmp_path)) == "mlx"  # a file of another kind is no engine
    monkeypatch.setenv("ROOFLINE_PATH", str(tmp_path))
    est = rl.estimate(model="gpt2", gpu="a100", engine="my-server")
    assert est.question.engine == str(tmp_path / "my-server.yaml")
    with pytest.raises(UnknownNameError, match="my-server"):
        find_engine("my-servr")


def test_few_rows_fill_a_tile_of_a_warp_group_but_in_kernels_of_their_own() -> None:
    """H20: 37 FLOP/B, so that 64 rows of a matrix instruction take longer than the weights that they multiply."""
    gpu, precision = rl.load_gpu("h20"), Precision.of("bf16")
    moved, flops = 4096.0 * 4096.0, 2.0 * 4096.0 * 4096.0

    def seconds(name: str, rows: float) -> float:
        op = linear("projection", "block", rows, 4096, 4096)
        chip = ChipEfficiency.of(gpu, engine=load_engine(name))
        return float(expected_op_time(op, precision, Machine.of(gpu), chip))

    assert flops * 64 / gpu.peak.tensor.bf16 > moved * 2 / gpu.memory.bandwidth
    assert seconds("vllm", 16.0) == pytest.approx(seconds("vllm", 64.0), rel=0.02)
    assert seconds("llama.cpp", 1.0) < 0.8 * seconds("llama.cpp", 64.0)
