"""What is held in a device's memory: parts in order, what there is room for, and the limits that can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from roofline.answer.names import unknown
from roofline.answer.plain import plain
from roofline.num import Num, first_value
from roofline.units import format_si

#: Limits that every answer's JSON names, null where they have no meaning or memory sets none.
_ALWAYS: Final = ("max_batch", "max_context")
#: How names in JSON end where attributes may leave the unit out.
_UNITS: Final = ("", "_bytes", "_px")
#: A limit that stands for none: as much as you like.
ENDLESS: Final = 2**40


class Part(NamedTuple):
    """One part of what is held: its name in JSON, its title for people, bytes per device, and a note.

    `beside` are figures that JSON names behind it, in bytes.
    """

    name: str
    title: str
    bytes: Num
    note: str = ""
    beside: tuple[tuple[str, Num], ...] = ()


class Component(NamedTuple):
    """One part of a model: its name, bytes of its weights, and of its activations where they are widest.

    `workspace` is what must be held at once beyond those activations: buffers of kernels.
    """

    name: str
    weights: float
    activations: Num
    workspace: Num = 0.0


class HostRoom(NamedTuple):
    """What stays in the memory of a host: bytes of the device that leaves most, of all devices of the host together,
    and what the host, of that name, takes.
    """

    name: str
    bytes: Num
    together: Num
    capacity: float

    @property
    def fits(self) -> Any:
        """Whether the host takes it."""
        return self.together <= self.capacity

    @property
    def text(self) -> str:
        """What stays there, and what there is room for: `17.0 GB of 206 GB`."""
        return f"{format_si(first_value(self.together), 'B')} of {format_si(self.capacity, 'B')}"


class Pool(NamedTuple):
    """What is left for the cache of requests: bytes per device, the tokens that they hold, and how many requests of
    `at_tokens` tokens run at once in it.
    """

    bytes: Num
    tokens: Num
    concurrency: Num
    at_tokens: Num


@dataclass(frozen=True)
class Limit:
    """The largest number of something that still fits, found when it is asked for: it takes some trials.

    `find` gives it, None where it has no meaning; `words` say it in a heading (`largest batch 8`), `most` in a sentence
    (`batch 8 at these lengths`).
    """

    name: str
    find: Callable[[], int | None]
    words: Callable[[int], str]
    most: Callable[[int], str]

    @cached_property
    def value(self) -> int | None:
        """The number, 0 where not even one fits, ENDLESS where memory sets no limit."""
        return self.find()

    @property
    def told(self) -> int | None:
        """The number as programs read it: None where memory sets no limit, too."""
        return None if self.value is None or self.value >= ENDLESS else self.value


@dataclass(frozen=True)
class Memory:
    """Bytes per device.

    `parts` sum to `total_bytes`; `limits` are what can be asked beyond; `by_component` says which part of the model
    holds how much; `instead` is what is needed otherwise: an option, its name in JSON, bytes or None; `usable` is
    what the engine may take of the capacity, all of it where None; `pool` is what is left for the cache, where there is
    one; `host` is what stays in a host's memory, which is no part of the sum.
    Parts, figures beside them and limits are attributes by their names in JSON: `memory.weights_bytes`,
    `memory.max_batch`.
    """

    parts: tuple[Part, ...]
    capacity_bytes: Num
    limits: tuple[Limit, ...] = field(default=(), compare=False)
    by_component: tuple[Component, ...] = ()
    instead: tuple[tuple[str, str, Num | None], ...] = ()
    usable: Num | None = None
    pool: Pool | None = None
    host: HostRoom | None = None

    @property
    def room(self) -> str:
        """What there is room for: the capacity, or what may be used of it."""
        usable, capacity = float(self.usable_bytes), format_si(float(self.capacity_bytes), "B")
        return capacity if usable == float(self.capacity_bytes) else f"{usable / 1e9:.1f} of {capacity}"

    @property
    def usable_bytes(self) -> Num:
        """What may be used of the capacity."""
        return self.capacity_bytes if self.usable is None else self.usable

    @property
    def total_bytes(self) -> Num:
        """All that must be in memory at once."""
        total: Num = 0.0
        for part in self.parts:
            total = total + part.bytes
        return total

    @property
    def fits_device(self) -> Any:
        """Whether what is held is within what may be used of the device's capacity."""
        return self.total_bytes <= self.usable_bytes

    @property
    def fits(self) -> Any:
        """Whether the device holds its part, and the host what stays with it."""
        return self.fits_device if self.host is None else self.fits_device & self.host.fits

    @property
    def asked_of_room(self) -> str:
        """What is held, and in what: `10.4 GB in 25.8 GB`, with what a host holds."""
        here = f"{format_si(float(self.total_bytes), 'B')} in {self.room}"
        return here if self.host is None else f"{here}, {self.host.text} in host memory"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for full in (name + unit for unit in _UNITS):
            for part in self.parts:
                for known, value in ((part.name, part.bytes), *part.beside):
                    if known == full:
                        return value
            for limit in self.limits:
                if limit.name == full:
                    return limit.told
            further = self._further()
            if full in further:
                return further[full]
        raise unknown("part of memory", name, self._names())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names()]

    def _names(self) -> list[str]:
        held = [name for part in self.parts for name in (part.name, *(known for known, _ in part.beside))]
        return [*held, "total_bytes", "capacity_bytes", "fits", *self._limits(), *self._further()]

    def _limits(self) -> dict[str, Limit | None]:
        return dict.fromkeys(_ALWAYS) | {limit.name: limit for limit in self.limits}

    def _further(self) -> dict[str, Any]:
        """What belongs to some kinds of run alone; the limits of the contract where they have no meaning."""
        found: dict[str, Any] = {name: None for name, limit in self._limits().items() if limit is None}
        found |= {name: value for _, name, value in self.instead}
        if self.host is not None:
            found["host_bytes"], found["host_together_bytes"] = self.host.bytes, self.host.together
            found["host_capacity_bytes"] = self.host.capacity
        if self.by_component:
            found["components_bytes"] = {component.name: component.weights for component in self.by_component}
            found["peaks_bytes"] = {component.name: component.activations for component in self.by_component}
        return found

    def held_dict(self) -> dict[str, Any]:
        """The parts, their sum, and whether there is room for it, as JSON."""
        found = {part.name: part.bytes for part in self.parts} | self._room()
        return {name: plain(value) for name, value in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {}
        for part in self.parts:
            found[part.name] = part.bytes
            found.update(part.beside)
        found |= self._room() | {name: limit and limit.told for name, limit in self._limits().items()}
        found |= self._further()
        found["pool"] = self.pool and self.pool._asdict()
        return {name: _plain(value) for name, value in found.items()}

    def _room(self) -> dict[str, Any]:
        total = self.total_bytes
        return {
            "total_bytes": total,
            "capacity_bytes": self.capacity_bytes,
            "fits": self.fits,
            "usable_bytes": self.usable_bytes,
        }


def _plain(value: Any) -> Any:
    return {name: plain(item) for name, item in value.items()} if isinstance(value, dict) else plain(value)
