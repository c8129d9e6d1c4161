"""The options about prices and power, which change no time and no byte."""

from __future__ import annotations

from typing import Final

from roofline.runs.option import Option

MONEY: Final = (
    Option(
        "price",
        "str | float",
        None,
        "2.49/h per GPU, 20/h/node, 1599/unit to buy; or a bundled price: on-demand, spot, reserved, own (total "
        "cost of ownership), buy, or a provider's name. Default: the lowest on demand.",
        "PRICE",
    ),
    Option("prices", "str", None, "Prices of your own, CSV or YAML with the columns of prices.csv.", "FILE"),
    Option(
        "currency",
        "str",
        None,
        "Currency of your own prices; with a rate (EUR=0.92 for 1 USD) bundled prices are converted. Default: USD.",
        "EUR[=RATE]",
    ),
    Option(
        "electricity",
        "str | float",
        None,
        "Price of electricity, 0.12/kWh or a bundled region, us-industrial; added to a machine that you own.",
        "PRICE",
    ),
    Option("lifetime", "float", None, "Years over which what is bought is written off. Default: 4.", "YEARS"),
    Option(
        "load",
        "str | float",
        None,
        "Share of the time that the machine is busy, 0.6 or 60%; what it makes then pays for the idle time. "
        "Default: 1.",
        "SHARE",
    ),
    Option("pue", "float", None, "Watts of the building per watt of its machines. Default: 1.", "X"),
)
