"""Headline quantities: what people ask for first, each with its name, title, unit and readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from roofline.answer.names import unknown
from roofline.answer.times import Times

Group: TypeAlias = Literal["latency", "throughput", "cost", "energy"]


class Quantity(NamedTuple):
    """A headline figure.

    name      in JSON, with its unit at the end: `ttft_s`, `images_per_s`
    group     latency, cost, energy (lower is better) or throughput (higher is better)
    title     for people, in tables; empty where tables leave it out
    unit      `s`, what is counted per second, the currency, or `J`
    times     its readings; None where it has no meaning in this run
    meaning   of a grid: where it has a meaning
    phases    the phases that it is the sum of, if its expected time is explained by theirs
    """

    name: str
    group: Group
    title: str
    unit: str
    times: Times | None
    meaning: Any = True
    phases: tuple[str, ...] = ()

    @property
    def better(self) -> str:
        """Which values are the better ones: `low` or `high`."""
        return "high" if self.group == "throughput" else "low"


class _Names(NamedTuple):
    """The quantities that every answer's JSON names, null where they have no meaning, and how their names end."""

    always: tuple[str, ...]
    ending: str


_GROUPS: Final[dict[Group, _Names]] = {
    "latency": _Names(("ttft_s", "tpot_s", "step_s", "image_s", "total_s"), "_s"),
    "throughput": _Names(
        (
            *("output_tokens_per_s", "output_tokens_per_s_per_user", "decode_tokens_per_s"),
            *("decode_tokens_per_s_per_user", "tokens_per_s", "images_per_s", "images_per_hour"),
        ),
        "_per_s",
    ),
    "cost": _Names((), ""),
    "energy": _Names((), ""),
}


@dataclass(frozen=True)
class Headlines:
    """The quantities of one group by name: `latency.ttft`, `latency["ttft_s"]`; None where it has no meaning."""

    group: Group
    quantities: tuple[Quantity, ...]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        full = name if name.endswith(_GROUPS[self.group].ending) else name + _GROUPS[self.group].ending
        if full not in self:
            raise unknown(self.group, name, dir(self))
        return self[full]

    def __getitem__(self, name: str) -> Times | None:
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity.times
        if name in _GROUPS[self.group].always:
            return None
        raise unknown(self.group, name, self)

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*_GROUPS[self.group].always, *(quantity.name for quantity in self.quantities)])

    def __dir__(self) -> Iterable[str]:
        return [name.removesuffix(_GROUPS[self.group].ending) for name in self]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: every name of the contract, and of the others those that have a meaning."""
        found: dict[str, Any] = dict.fromkeys(_GROUPS[self.group].always)
        for quantity in self.quantities:
            if quantity.times is not None:
                found[quantity.name] = quantity.times.to_dict()
        return found


def headlines(group: Group, quantities: Iterable[Quantity]) -> Headlines:
    """The quantities of one group."""
    return Headlines(group, tuple(quantity for quantity in quantities if quantity.group == group))
