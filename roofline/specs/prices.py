"""What accelerators cost to rent: dated prices of providers, from `hardware/prices.csv`."""

from __future__ import annotations

import csv
from functools import cache
from typing import Final, NamedTuple

from roofline.specs.files.library import bundled

#: Rows that are read: what anybody pays per accelerator and hour without a contract.
_READ: Final = ("rent_on_demand", "USD", "per_gpu_hour")


class Price(NamedTuple):
    """The price of one accelerator for an hour, in US dollars: who asks it, on which day, and where that was read."""

    usd_per_hour: float
    provider: str
    date: str
    source: str


@cache
def cheapest() -> dict[str, Price]:
    """The lowest price of each accelerator by its name; those that nobody rents out are not in it."""
    found: dict[str, Price] = {}
    with (bundled("hardware") / "prices.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (row["kind"], row["currency"], row["unit"]) == _READ:
                price = Price(float(row["value"]), row["provider"], row["date"], row["source"])
                found[row["gpu"]] = min(price, found.get(row["gpu"], price))
    return found
