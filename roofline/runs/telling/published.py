"""Where the parameters that a file says are published are not those counted from its shapes."""

from __future__ import annotations

from collections.abc import Iterator

from roofline.answer.phase import Warn
from roofline.specs.base import Published


def published_warnings(name: str, published: tuple[Published, ...], parameters: float) -> Iterator[Warn]:
    """A warning for every published number of parameters that is not the one counted."""
    for row in published:
        apart = abs(parameters - row.value) > max(row.tolerance, 1e-9) * row.value
        if row.quantity == "parameters" and apart:
            counted = f"{parameters:,.0f} parameters are counted from the shapes"
            yield Warn("published-differs", f"{name}: {counted}, {row.value:,.0f} published ({row.source})")
