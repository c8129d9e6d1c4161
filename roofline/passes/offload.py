"""Offload: weights, experts or cache that stay in host memory or on disk.

What is at `host` or on `disk` is fetched when an op needs it. What is at `cpu` stays, and the host's cores run the ops
that need it: layers as a whole, of the weights; the routed experts of a share of the layers; the attention of the
layers whose cache is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, Literal, NamedTuple, cast, get_args

from roofline.errors import UsageError
from roofline.num import is_nothing
from roofline.workload.constructors_collective import crossing, load
from roofline.workload.op import Op
from roofline.workload.shapes import ExpertsShape
from roofline.workload.workload import Phase, Workload

Place = Literal["host", "disk", "cpu"]
PARTS: Final = ("weights", "experts", "cache")
PLACES: Final = get_args(Place)
#: Blocks outside of the layers, which stay with the device until all layers are on the host.
_ENDS: Final = ("embedding", "head", "encoder", "decoder")


class Away(NamedTuple):
    """A share of something that is not in device memory, and where it is."""

    share: float = 0.0
    place: Place = "host"

    @property
    def computed(self) -> float:
        """The share that the host's cores compute with."""
        return self.share if self.place == "cpu" else 0.0

    @property
    def fetched(self) -> float:
        """The share that is fetched."""
        return 0.0 if self.place == "cpu" else self.share


class Offload(NamedTuple):
    """What is away: of the weights (all, or the routed experts alone) and of the cache."""

    weights: Away = Away()
    experts: Away = Away()
    cache: Away = Away()

    def text(self) -> str:
        """As the option takes it."""
        named = ((name, getattr(self, name)) for name in PARTS)
        return ",".join(f"{name}={away.share:g}@{away.place}" for name, away in named if away.share)

    @property
    def computed(self) -> bool:
        """Whether the host's cores compute any of it."""
        return any(away.computed for away in self)

    @property
    def fetched(self) -> bool:
        """Whether any of it is fetched."""
        return any(away.fetched for away in self)

    @property
    def on_host(self) -> bool:
        """Whether any of it stays in the host's memory."""
        return any(away.share and away.place != "disk" for away in self)

    def computed_on_host(self) -> Offload:
        """The same where the host's cores run what it keeps, as some engines do."""
        return Offload(*(away._replace(place="cpu") if away.place == "host" else away for away in self))


def read_offload(text: str) -> Offload:
    """Read `PART[=SHARE][@host|disk|cpu]`, several with commas: `experts@host`, `weights=50%,cache=1@disk`,
    `experts=9/24@cpu`.

    Raises UsageError for an unknown part, share or place, and for a part that is named twice.
    """
    found: dict[str, Away] = {}
    for item in text.split(","):
        body, at, place = item.strip().partition("@")
        name, equals, share = (word.strip() for word in body.partition("="))
        if name not in PARTS:
            raise UsageError(f"--offload {text}: {name!r} is none of {', '.join(PARTS)}")
        if name in found:
            raise UsageError(f"--offload {text}: {name} is named twice; one share in one place")
        if (at or place) and place not in PLACES:
            raise UsageError(f"--offload {text}: {place!r} is neither host nor disk nor cpu")
        if equals and not share:
            raise UsageError(f"--offload {text}: '' is no share between 0 and 1, or 0% and 100%")
        found[name] = Away(_share(text, share), cast("Place", place or "host"))
    if "weights" in found and "experts" in found:
        raise UsageError(f"--offload {text}: experts are weights; name one of the two")
    return Offload(**found)


def _share(text: str, share: str) -> float:
    """A share in per cent, as a fraction (`0.6`) or as parts of a number (`9/24`); all where none is given."""
    number, slash, whole = share.partition("/")
    try:
        if slash:
            value = int(number) / int(whole)
        else:
            value = float(share.removesuffix("%")) / (100.0 if share.endswith("%") else 1.0) if share else 1.0
    except (ValueError, ZeroDivisionError):
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise UsageError(f"--offload {text}: {share!r} is no share between 0 and 1, or 0% and 100%")
    return value


def offload(workload: Workload, away: Offload) -> Workload:
    """The workload with loads before the ops that need what is fetched, and with what the host's cores run apart.

    What stays there is no longer held here. Of what is fetched a buffer for one layer of each op stays on the device.
    """
    if not (away.computed or away.fetched):
        return workload
    return Workload(tuple(_offloaded(phase, away) for phase in workload.phases))


def _offloaded(phase: Phase, away: Offload) -> Phase:
    ops: Sequence[Op] = phase.ops
    if away.weights.computed:
        ops = list(_layers_split(ops, away.weights.computed))
    ops = [part for op in ops for part in _split(op, away)]
    if away.fetched:
        ops = [part for op in ops for part in (_fetched(op, away) if op.runs_on == "device" else (op,))]
    return replace(phase, ops=tuple(ops))


def _layers_split(ops: Sequence[Op], share: float) -> Iterator[Op]:
    """The layers that stay, then a share of them with all that belongs to them, their cache too, on the host.

    What stands outside of the layers goes with them when all of them go. Hidden states cross the link once each way.
    """
    layers = [op for op in ops if op.kind != "collective" and (share == 1.0 or op.block not in _ENDS)]
    moved = {id(op) for op in layers}
    for op in ops:
        if id(op) not in moved:
            yield op
        elif share < 1.0:
            yield op._replace(count=op.count * (1.0 - share))
    yield crossing("layers", layers[0].block, 2.0, layers[0].write)
    for op in layers:
        yield op._replace(count=op.count * share, runs_on="host")


def _split(op: Op, away: Offload) -> Iterator[Op]:
    """An op of which a share of the layers runs on the host, with what crosses the link before and after it."""
    share, elements = 0.0, op.write
    if op.runs_on == "host":
        pass
    elif op.kind == "experts":
        share = away.experts.computed
        elements = op.shape.tokens * op.shape.hidden if isinstance(op.shape, ExpertsShape) else op.write
    elif not is_nothing(op.cache_held):
        share = away.cache.computed
    if share < 1.0:
        yield op._replace(count=op.count * (1.0 - share)) if share else op
    if share:
        yield crossing(op.name, op.block, 2.0 * op.count * share, elements)
        yield op._replace(count=op.count * share, runs_on="host")


def _fetched(op: Op, away: Offload) -> Iterator[Op]:
    own = op
    weights = away.experts if op.kind == "experts" and away.experts.share else away.weights
    if weights.fetched and (op.params or op.kind == "linear"):
        assert weights.place != "cpu"
        yield load(op, weights.share, weights.place, "weights")
        own = own._replace(held=1.0 - weights.share)
    if away.cache.fetched and not is_nothing(op.cache_held):
        share, place = away.cache.share, away.cache.place
        assert place != "cpu"
        yield load(op, share, place, "cache")
        rest = 1.0 - share
        held, grows, before = own.cache_held * rest, own.cache_grows * rest, own.cache_before * rest
        own = own._replace(cache_held=held, cache_grows=grows, cache_before=before)
    yield own
