"""The totals of an estimate as flat columns, so that each row of a table of phases says what the whole run gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.result import plain

if TYPE_CHECKING:
    from roofline.analysis.estimate import Estimate

READINGS: Final = ("floor", "bound", "expected", "low", "high")
#: What is held, under its names in JSON. The largest batch and context are left out: each takes thirty trials.
HELD: Final = (
    "weights_bytes", "kv_cache_bytes", "state_bytes", "activation_peak_bytes", "runtime_bytes", "total_bytes",
    "capacity_bytes", "fits",
)  # fmt: skip


def column(name: str, reading: str) -> str:
    """The column of one reading of a quantity: what is expected goes by the quantity's own name."""
    return name if reading == "expected" else f"{name}_{reading}"


def totals(est: Estimate) -> dict[str, Any]:
    """Latency and throughput in all readings, and memory; the same keys for every estimate, None without meaning."""
    return {**dict(_timed(est)), **{name: plain(getattr(est.memory, name)) for name in HELD}}


def _timed(est: Estimate) -> Iterator[tuple[str, Any]]:
    for name, times in {**est.latency.to_dict(), **est.throughput.to_dict()}.items():
        for reading in READINGS:
            yield column(name, reading), times[reading] if times is not None else None
