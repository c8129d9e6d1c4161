"""Hosts: whose cores compute what stays in their memory, how long that takes, and what is told of it."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.evidence.runs.hosts import HostRun, host_runs, meet, page

R1 = {"weights": "q4_k_m", "offload": "experts@cpu", "engine": "llama.cpp", "prompt": 1024, "generate": 512}


def _moe(**options: Any) -> rl.Estimate:
    return rl.estimate("qwen3-30b-a3b", **{"gpu": "rtx-4090", "prompt": 256, "generate": 32, **options})


@pytest.mark.parametrize("run", host_runs(), ids=lambda run: run.id)
def test_published_runs_beside_a_host_are_met(run: HostRun) -> None:
    """Within a quarter of the published time, which is above the bound; streamed over PCIe they would take longer."""
    met = meet(run)
    assert abs(met.error) < 0.25
    assert met.floor < met.bound < 1.0


def test_the_page_of_hosts_is_current() -> None:
    """Each figure of it is what the code gives now."""
    docs = Path(__file__).resolve().parents[2] / "docs" / "hosts.md"
    assert docs.read_text(encoding="utf-8") == page([meet(run) for run in host_runs()])


def test_engines_that_compute_on_the_host_do_so_unasked() -> None:
    """`@host` says where, `@cpu` says how: llama.cpp computes both there, other engines fetch what is at `host`."""
    here, asked = (_moe(engine="llama.cpp", offload=f"experts@{place}") for place in ("host", "cpu"))
    assert here.latency.tpot == asked.latency.tpot
    assert here.inputs["offload"] == "experts=1@cpu"
    assert here.inputs["host"] == "ryzen-7950x"
    assert any("by the cores of ryzen-7950x" in note for note in here.assumptions)
    fetched = _moe(engine="generic", offload="experts@host")
    assert fetched.inputs["offload"] == "experts=1@host"
    assert fetched.phase("decode").bound_by == "communication"
    assert any("fetched in every step" in note for note in fetched.assumptions)
    assert _moe(engine="generic", offload="experts@cpu").phase("decode").bound_by == "memory"


def test_a_host_is_named_or_that_of_the_node_or_a_usual_one() -> None:
    """A desktop for boards of desktops, two sockets for all others, and a word on how to name another."""
    usual = _moe(offload="experts@cpu")
    assert any("name yours with --host" in note for note in usual.assumptions)
    assert _moe(gpu="h100", offload="experts@cpu").inputs["host"] == "2x xeon-8480"
    assert _moe(gpu="l40s", offload="experts@cpu").inputs["host"] == "2x epyc-9654"
    assert _moe(offload="experts@cpu", host="epyc-9654").inputs["host"] == "epyc-9654"


@pytest.mark.parametrize("engine", ["ideal", "generic", "llama.cpp", "ktransformers"])
def test_a_quicker_host_is_never_slower(engine: str) -> None:
    """More bandwidth and more sockets shorten a step or leave it, in every reading."""
    hosts = ("ryzen-7950x", "epyc-9654", "2x epyc-9654")
    steps = [_moe(engine=engine, offload="experts@cpu", host=host).latency.tpot for host in hosts]
    for slow, quick in pairwise(steps):
        assert all(after <= before for before, after in zip(slow, quick, strict=True))
    assert all(times.floor <= times.bound <= times.expected for times in steps)


@pytest.mark.parametrize(
    "offload", ["experts=0.4@cpu", "weights=0.3@cpu", "cache@cpu", "weights=0.3@cpu,cache=0.5@host"]
)
def test_the_ledger_sums_to_the_phase(offload: str) -> None:
    """Rows of the device, of the host and of the link together are the bound and the FLOPs of the phase."""
    est = _moe(engine="llama.cpp", offload=offload, batch=4)
    for phase in est.phases:
        rows = est.ops(phase.name)
        assert math.isclose(sum(row.bound_s for row in rows), phase.serial_s, rel_tol=1e-9)
        assert math.isclose(sum(row.flops for row in rows), phase.flops, rel_tol=1e-9)
        assert math.isclose(sum(row.bytes for row in rows), phase.bytes, rel_tol=1e-9)
        assert any(row.name.startswith("cpu.") for row in rows)


@pytest.mark.parametrize("place", ["cpu", "host"])
def test_host_and_device_hold_all_of_it(place: str) -> None:
    """What is not on the GPU is in host memory; where it is fetched a buffer stays on the GPU beside."""
    home = _moe()
    for share in (0.25, 1.0):
        est = _moe(offload=f"experts={share}@{place}")
        both = est.memory.weights_bytes + est.memory.host_bytes
        buffer = est.memory.weights_bytes - _moe(offload=f"experts={share}@cpu").memory.weights_bytes
        assert both - buffer == pytest.approx(home.memory.weights_bytes, rel=1e-9)


def test_host_memory_that_does_not_suffice_is_told() -> None:
    """A desktop takes 192 GB, DeepSeek's experts in 4 bit take 395."""
    est = rl.estimate("deepseek-v3", gpu="rtx-4090", host="ryzen-7950x", **R1)
    assert [warn.code for warn in est.warnings].count("host-memory") == 1
    quiet = rl.estimate("deepseek-v3", gpu="rtx-4090", host="epyc-9654", **R1)
    assert "host-memory" not in [warn.code for warn in quiet.warnings]


@pytest.mark.parametrize("host", [None, "epyc-9654"])
def test_the_host_is_among_the_sources(host: str | None) -> None:
    """Assumed or named: its figures stand in the answer, so their sources do."""
    found = _moe(offload="experts@cpu", host=host)
    assert set(rl.load_gpu(host or "ryzen-7950x").sources) <= set(found.sources)


def test_devices_of_a_node_share_their_host() -> None:
    """Four devices that run at once have a quarter of the cores each; pipeline stages follow each other."""
    options = {"gpu": "h100", "engine": "ideal", "offload": "experts@cpu", "host": "2x xeon-8480"}
    one, four = (_moe(**options, dp=dp).question.spread.cores for dp in (1, 4))
    assert one is not None and four is not None
    assert four.machine.bandwidth == pytest.approx(one.machine.bandwidth / 4)
    piped = _moe(**options, pp=2).question.spread.cores
    assert piped is not None and piped.machine.bandwidth == one.machine.bandwidth


def test_a_long_prompt_may_be_fetched_where_the_engine_does_so() -> None:
    """llama.cpp takes products of 32 tokens or more to the GPU; a desktop's cores are slower than its link."""
    q4 = {"weights": "q4_k_m", "offload": "experts@cpu"}
    long, short = (_moe(engine="llama.cpp", **q4, prompt=n, chunk="none") for n in (2048, 16))
    assert long.phase("prefill").communication_bytes > 0.5 * long.memory.host_bytes
    assert short.phase("prefill").communication_bytes < 0.01 * short.memory.host_bytes
    other = _moe(engine="generic", **q4, prompt=2048)
    assert other.phase("prefill").communication_bytes < 0.05 * other.memory.host_bytes


def test_a_grid_is_what_single_estimates_give() -> None:
    """Which way a prompt takes is decided point by point."""
    options: dict[str, Any] = {"gpu": "rtx-4090", "engine": "llama.cpp", "offload": "experts=0.5@host", "generate": 8}
    sweep = rl.sweep("qwen3-30b-a3b", batch=[1, 40], prompt=[8, 40, 3000], **options)
    for i, batch in enumerate((1, 40)):
        for j, prompt in enumerate((8, 40, 3000)):
            est = rl.estimate("qwen3-30b-a3b", batch=batch, prompt=prompt, **options)
            assert sweep["ttft_s"][i, j] == pytest.approx(est.latency.ttft.expected, rel=1e-9)
            assert sweep["tpot_s"][i, j] == pytest.approx(est.latency.tpot.expected, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"host": "epyc-9654"}, "nothing stays with the host"),
        ({"host": "epyc-9654", "offload": "experts@disk"}, "nothing stays with the host"),
        ({"host": "rtx-3090", "offload": "experts@cpu"}, "is no processor"),
        ({"host": "0x epyc-9654", "offload": "experts@cpu"}, "sockets are 1 to 16"),
        ({"gpu": "epyc-9654", "offload": "experts@cpu"}, "no link to host memory"),
    ],
)
def test_hosts_that_make_no_sense_are_refused(options: dict[str, Any], reason: str) -> None:
    """One error that says what to do."""
    with pytest.raises(rl.UsageError, match=reason):
        _moe(**options)


@pytest.mark.parametrize("gpu", ["epyc-9654", "ryzen-7950x", "xeon-8480"])
def test_a_processor_runs_a_model_by_itself(gpu: str) -> None:
    """Its cores read weights at a share of its bandwidth, and it says that nobody measured it."""
    est = rl.estimate("llama-3-8b", gpu=gpu, weights="q4_k_m", engine="llama.cpp")
    step = est.latency.tpot
    assert step.floor <= step.bound < step.expected < 3 * step.bound
    assert "efficiency-of-cores" in [warn.code for warn in est.warnings]
    assert sum(term.value for d in est.explain() for term in d.terms if d.quantity == "latency.tpot_expected_s") == (
        pytest.approx(step.expected, rel=1e-6)
    )
    both = rl.sweep("llama-3-8b", gpu=[gpu, "rtx-4090"], weights="q4_k_m", engine="llama.cpp", batch=[1, 2])
    assert both["tpot_s"][0, 0] == pytest.approx(step.expected, rel=1e-9)


def test_what_the_host_takes_is_explained() -> None:
    """The causes of a step sum to it, its host's cores among them."""
    est = _moe(engine="llama.cpp", offload="experts@cpu")
    found = {d.quantity: d for d in est.explain()}["latency.tpot_expected_s"]
    assert sum(term.value for term in found.terms) == pytest.approx(est.latency.tpot.expected, rel=1e-6)
    assert found.terms[0].name == "host's cores"
