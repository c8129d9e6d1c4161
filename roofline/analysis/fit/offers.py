"""One kind of accelerator for a model: how fast the fewest of it run it, and what a dollar of rent makes."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from roofline.analysis.fit.machines import Machine
from roofline.analysis.fit.shelf import pace_dict
from roofline.answer.quantity import Quantity

#: By what they can be sorted; the first where nothing is said.
SORTS: Final = ("value", "speed", "price", "memory", "name")
_HOUR: Final = 3600.0


class Offer(NamedTuple):
    """One kind of accelerator for a model: the run on the fewest of it that hold it, and how fast that is."""

    machine: Machine
    pace: Quantity | None

    @property
    def speed(self) -> float:
        """What is made per second, as expected: tokens or pictures; 0 where it does not run."""
        if self.pace is None or self.pace.times is None:
            return 0.0
        expected = float(self.pace.times.expected)
        replicas = self.machine.trial.plan.dp if self.machine.trial is not None else 1
        return expected if self.pace.better == "high" else replicas / expected

    @property
    def per_dollar(self) -> float | None:
        """What a unit of money makes at that speed: tokens or pictures; None without such a price or a run."""
        cost = self.cost
        return self.speed * _HOUR / cost if cost and self.speed else None

    @property
    def cost(self) -> float | None:
        """What an hour of them costs, in the currency in which prices are compared."""
        return self.machine.cost_per_hour if self.machine.money.compared else None

    def order(self, by: str) -> tuple[Any, ...]:
        """What runs comes first; then, by what is asked, what has no price behind what has one."""
        machine, cost = self.machine, self.cost
        found: dict[str, tuple[Any, ...]] = {
            "value": (self.per_dollar is None, -(self.per_dollar or 0.0)),
            "speed": (),
            "price": (cost is None, cost or 0.0),
            "memory": (float(machine.gpu.memory.capacity) * machine.gpus,),
            "name": (machine.gpu.name,),
        }
        misses = () if machine.fits or by == "name" else machine.order
        return (not machine.fits and by != "name", *(misses or found[by]), -self.speed, machine.gpu.name)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: as `roofline fit --gpu any` has it, with its pace and what a dollar makes."""
        return {
            **self.machine.to_dict(),
            "pace": pace_dict(self.pace),
            "per_dollar": self.per_dollar,
        }

    def record(self) -> dict[str, Any]:
        """As a flat row."""
        found = self.to_dict()
        plan, price = found.pop("plan"), found.pop("price") or {}
        pace = {f"pace_{name}": value for name, value in found.pop("pace").items()}
        named = {f"price_{name}": price.get(name) for name in ("provider", "date", "source")}
        return {**found, **plan, **pace, **named}
