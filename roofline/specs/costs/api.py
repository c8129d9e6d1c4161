"""What providers ask for a model's tokens, from `hardware/api_prices.csv`."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from roofline.specs.costs.rows import read_rows
from roofline.specs.files.library import bundled

_COLUMNS: Final = (
    *("model", "release", "provider", "served_as", "currency", "input_per_million", "output_per_million"),
    *("cached_input_per_million", "date", "source", "doubt"),
)
#: The most that anybody asks for a million tokens.
_MOST: Final = 1e5


class TokenPrice(NamedTuple):
    """A provider's price of a million tokens of one release of a model, read and written.

    `model` is the library's name for the architecture, `release` what is served; `doubt` as of other prices.
    """

    model: str
    release: str
    provider: str
    served_as: str
    currency: str
    read: float
    written: float
    date: str
    source: str
    doubt: str

    def of(self, tokens_read: float, tokens_written: float) -> float:
        """What so many tokens cost, in the row's currency."""
        return (self.read * tokens_read + self.written * tokens_written) / 1e6


@cache
def token_prices() -> dict[str, tuple[TokenPrice, ...]]:
    """The prices of each model by its name."""
    found: dict[str, list[TokenPrice]] = {}
    for row in read_rows(bundled("hardware") / "api_prices.csv", _COLUMNS, _COLUMNS, "table of prices"):
        price = TokenPrice(
            model=row.text("model"),
            release=row.text("release"),
            provider=row.text("provider"),
            served_as=row.text("served_as"),
            currency=row.text("currency"),
            read=row.number("input_per_million", _MOST),
            written=row.number("output_per_million", _MOST),
            date=row.date("date"),
            source=row.text("source"),
            doubt=row.text("doubt"),
        )
        found.setdefault(price.model, []).append(price)
    return {name: tuple(prices) for name, prices in found.items()}
