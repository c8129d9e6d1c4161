"""Offload: weights, experts or cache that stay in host memory or on disk and are fetched when an op needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, NamedTuple, cast

from roofline.errors import UsageError
from roofline.workload.constructors_collective import load
from roofline.workload.op import Op
from roofline.workload.workload import Workload

Place = Literal["host", "disk"]
PARTS: Final = ("weights", "experts", "cache")


class Away(NamedTuple):
    """A share of something that is not in device memory, and where it is."""

    share: float = 0.0
    place: Place = "host"


class Offload(NamedTuple):
    """What is away: of the weights (all, or the routed experts alone) and of the cache."""

    weights: Away = Away()
    experts: Away = Away()
    cache: Away = Away()

    def text(self) -> str:
        """As the option takes it."""
        named = ((name, getattr(self, name)) for name in PARTS)
        return ",".join(f"{name}={away.share:g}@{away.place}" for name, away in named if away.share)


def read_offload(text: str) -> Offload:
    """Read `PART[=SHARE][@host|disk]`, several with commas: `experts@host`, `weights=50%,cache=1@disk`.

    Raises UsageError for an unknown part, share or place.
    """
    found: dict[str, Away] = {}
    for item in text.split(","):
        body, _, place = item.strip().partition("@")
        name, _, share = body.partition("=")
        if name not in PARTS:
            raise UsageError(f"--offload {text}: {name!r} is none of {', '.join(PARTS)}")
        if place not in ("", "host", "disk"):
            raise UsageError(f"--offload {text}: {place!r} is neither host nor disk")
        try:
            value = float(share.removesuffix("%")) / (100.0 if share.endswith("%") else 1.0) if share else 1.0
        except ValueError:
            value = -1.0
        if not 0.0 < value <= 1.0:
            raise UsageError(f"--offload {text}: {share!r} is no share between 0 and 1, or 0% and 100%")
        found[name] = Away(value, cast("Place", place or "host"))
    if "weights" in found and "experts" in found:
        raise UsageError(f"--offload {text}: experts are weights; name one of the two")
    return Offload(**found)


def offload(workload: Workload, away: Offload) -> Workload:
    """The workload with loads before the ops that need what is away; what stays there is no longer held here.

    A buffer for one layer of each op stays on the device.
    """
    if not (away.weights.share or away.experts.share or away.cache.share):
        return workload
    phases = []
    for phase in workload.phases:
        ops: list[Op] = []
        for op in phase.ops:
            ops += _fetched(op, away)
        phases.append(replace(phase, ops=tuple(ops)))
    return Workload(tuple(phases))


def _fetched(op: Op, away: Offload) -> list[Op]:
    ops: list[Op] = []
    own = op
    weights = away.experts if op.kind == "experts" and away.experts.share else away.weights
    if weights.share and (op.params or op.kind == "linear"):
        ops.append(load(op, weights.share, weights.place, "weights"))
        own = own._replace(params=own.params * (1.0 - weights.share))
    if away.cache.share and not (isinstance(op.cache_held, float) and op.cache_held == 0.0):
        share = away.cache.share
        ops.append(load(op, share, away.cache.place, "cache"))
        own = own._replace(cache_held=own.cache_held * (1.0 - share), cache_grows=own.cache_grows * (1.0 - share))
    return [*ops, own]
