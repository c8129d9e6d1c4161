"""What stays with a host needs room there, in a memory whose size can be said; one memory for both has none to give."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl

GIB = 2.0**30
R1 = {"gpu": "rtx-4090", "engine": "llama.cpp", "weights": "q4_k_m", "prompt": 4096, "offload": "experts@cpu"}
SMALL: dict[str, Any] = {"gpu": "rtx-4090", "engine": "llama.cpp", "offload": "weights=1@cpu"}


def test_what_the_host_cannot_take_does_not_fit() -> None:
    """395 GB of experts on a desktop that takes 206: the GPU holds the rest, and it does not fit all the same."""
    fit = rl.fit("deepseek-v3", **R1)
    memory = fit.asked.memory
    assert memory.fits_device
    assert not memory.fits
    assert not fit.fits
    assert memory.host_together_bytes == pytest.approx(395.5e9, rel=1e-3)
    assert memory.host_capacity_bytes == 192 * GIB
    assert "189 GB of host memory (395 GB stay there, ryzen-7950x takes 206 GB)" in fit.verdict
    assert fit.limits["max_batch"] == fit.limits["max_context"] == 0
    assert {trial["fits"] for trial in fit.to_dict()["remedies"]} == {False}
    assert rl.fit("deepseek-v3", **R1, host="epyc-9654:768GB").fits


@pytest.mark.parametrize("size", ["32GB", "64GB"])
def test_the_limits_are_those_of_the_fuller_room(size: str) -> None:
    """With all layers on the host nothing grows on the GPU: the host's memory sets the largest batch."""
    here = SMALL | {"host": f"ryzen-7950x:{size}"}
    most = rl.fit("llama-3.1-8b", **here).limits["max_batch"]
    assert most is not None and 1 <= most < 2000
    assert rl.estimate("llama-3.1-8b", **here, batch=most).memory.fits
    assert not rl.estimate("llama-3.1-8b", **here, batch=most + 1).memory.fits
    context = rl.estimate("llama-3.1-8b", **here).memory.max_context
    assert rl.estimate("llama-3.1-8b", **here, prompt=context - 128).memory.fits
    assert not rl.estimate("llama-3.1-8b", **here, prompt=context - 127).memory.fits


def test_a_disk_has_no_such_limit() -> None:
    est = rl.estimate("deepseek-v3", gpu="h100", weights="q4_k_m", offload="experts@disk")
    assert est.memory.host is None
    assert "host_bytes" not in est.memory.to_dict()


@pytest.mark.parametrize("plan", [{"tp": 2}, {"pp": 2}, {"dp": 2}])
def test_devices_of_one_host_share_its_memory(plan: dict[str, int]) -> None:
    """Shards and stages leave there what one device does; replicas a copy each."""
    options: dict[str, Any] = {"gpu": "h100", "offload": "experts@cpu"}
    one = rl.estimate("qwen3-30b-a3b", **options).memory.host_together_bytes
    several = rl.estimate("qwen3-30b-a3b", **options, **plan).memory.host_together_bytes
    assert several == pytest.approx(one * plan.get("dp", 1), rel=1e-9)


@pytest.mark.parametrize(
    ("named", "text", "gib"),
    [
        ("ryzen-7950x:64GB", "ryzen-7950x:64GB", 64),
        ("2x epyc-9654:768GB", "2x epyc-9654:768GB", 768),
        ("2xepyc-9654 : 1536 GB", "2x epyc-9654:1536GB", 1536),
        ("64GB", "ryzen-7950x:64GB", 64),
        ("ryzen-7950x", "ryzen-7950x", 192),
    ],
)
def test_the_size_of_its_memory_stands_behind_a_host(named: str, text: str, gib: int) -> None:
    """As memory is sold, of all sockets together; a size alone leaves the processor as it is; the answer repeats it."""
    est = rl.estimate("qwen3-30b-a3b", gpu="rtx-4090", offload="experts@cpu", host=named)
    assert est.inputs["host"] == text
    assert est.memory.host_capacity_bytes == gib * GIB
    assert ("host-memory-assumed" in [warn.code for warn in est.warnings]) == (":" not in text)
    again = rl.estimate("qwen3-30b-a3b", gpu="rtx-4090", offload="experts@cpu", host=text)
    assert again.memory.to_dict() == est.memory.to_dict()


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("64GX", "no processor named"),
        ("ryzen-7951x", "Nearest: ryzen-7950x, ryzen-9950x"),
        ("ryzen-7950x:64", "no unit"),
        ("ryzen-7950x:1MB", "between 0.1 GB and 1 PB"),
        ("", "empty name"),
    ],
)
def test_hosts_that_cannot_be_read_are_refused(host: str, reason: str) -> None:
    """A host is a processor: no accelerator is proposed in its place."""
    with pytest.raises(rl.UsageError, match=reason):
        rl.estimate("qwen3-30b-a3b", gpu="rtx-4090", offload="experts@cpu", host=host)


@pytest.mark.parametrize("gpu", ["strix-halo", "m3-max", "gb10", "jetson-agx-orin-64gb"])
@pytest.mark.parametrize("place", ["cpu", "host"])
def test_one_memory_for_both_has_no_host_to_move_to(gpu: str, place: str) -> None:
    """Nothing gets room; it is refused, and no remedy says so."""
    with pytest.raises(rl.UsageError, match="one memory for GPU and processor"):
        rl.estimate("qwen3-30b-a3b", gpu=gpu, engine="llama.cpp", offload=f"experts@{place}")
    fit = rl.fit("qwen3-235b-a22b", gpu=gpu, engine="llama.cpp", weights="q4_k_m")
    assert not any("host" in trial.words for trial in fit.remedies.each)


def test_host_memory_has_a_row_of_its_own() -> None:
    """It is no part of the GPU's sum, and the cache that stays there is no weight."""
    est = rl.estimate("llama-3.1-8b", **SMALL | {"offload": "weights=0.5@cpu"})
    assert sum(part.bytes for part in est.memory.parts) == est.memory.total_bytes
    assert "host memory" in est._repr_html_()
    assert not any("host" in part.note for part in est.memory.parts)
