"""Prices of accelerators: dated, sourced, and the lowest is found."""

from __future__ import annotations

import csv
import re

from roofline.specs.files.library import bundled, names
from roofline.specs.prices import cheapest

ROWS = list(csv.DictReader((bundled("hardware") / "prices.csv").open(encoding="utf-8", newline="")))


def test_every_price_has_a_day_a_provider_and_a_source() -> None:
    for row in ROWS:
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["date"]), row
        assert row["provider"] and row["source"]
        assert 0.01 < float(row["value"]) < 100


def test_the_lowest_is_found() -> None:
    h100 = [float(row["value"]) for row in ROWS if row["gpu"] == "h100-sxm"]
    assert cheapest()["h100-sxm"].usd_per_hour == min(h100)


def test_most_prices_are_of_bundled_accelerators() -> None:
    known = set(names("hardware"))
    assert sum(row["gpu"] in known for row in ROWS) > len(ROWS) / 2
