"""What a run makes that is paid for: how many of what, in whose time."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num


class Sold(NamedTuple):
    """Something that a run makes and that is paid for.

    name     of its cost, `cost_per_million_output_tokens`, with the title for people
    lot      how many of it the cost is of
    amount   how many of it the whole run makes, in all replicas
    phases   those whose time makes it; empty: all of the run
    joules   the name of the energy of one, where that is told, and its title
    tokens   those that the run reads and writes, where providers sell them
    """

    name: str
    title: str
    lot: float
    amount: Num
    phases: tuple[str, ...] = ()
    joules: str = ""
    joules_title: str = ""
    tokens: tuple[Num, Num] | None = None

    @property
    def per(self) -> str:
        """What its cost is of, as part of a name: `million_output_tokens`."""
        return self.name.removeprefix("cost_per_")
