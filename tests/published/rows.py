"""The fixture as rows, and how a computed value is held against one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import yaml

HERE: Final = Path(__file__).parent
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Row(NamedTuple):
    """One published number: `right` is what an erratum should say, `provenance` how the text is known."""

    id: str
    article: str
    source: str
    quantity: str
    value: Any
    unit: str
    role: str
    tolerance: dict[str, float]
    conditions: str = ""
    right: Any = None
    note: str = ""
    provenance: str = "opened"

    @property
    def expected(self) -> Any:
        """What to hold a computation against."""
        return self.value if self.right is None else self.right

    def agrees(self, ours: Any) -> bool:
        """Whether a computed value is the expected one within the row's tolerance, element by element."""
        got, want = np.asarray(ours, dtype=float), np.asarray(self.expected, dtype=float)
        if got.shape != want.shape:
            return False
        slack = self.tolerance.get("abs", 0.0) + self.tolerance.get("rel", 0.0) * np.abs(want)
        return bool(np.all(np.abs(got - want) <= slack))

    def exceeds(self, ours: Any) -> bool:
        """Whether the published value is not below a lower limit, element by element: no tolerance."""
        return bool(np.all(np.asarray(ours, dtype=float) <= np.asarray(self.leading(ours), dtype=float)))

    def stays_below(self, ours: Any) -> bool:
        """Whether the published value is not above an upper limit, element by element: no tolerance."""
        return bool(np.all(np.asarray(ours, dtype=float) >= np.asarray(self.leading(ours), dtype=float)))

    def leading(self, ours: Any) -> Any:
        """The part of the value that a computation speaks about: its first element where ours is a single number."""
        if isinstance(self.expected, Sequence) and not isinstance(ours, Sequence):
            return self.expected[0]
        return self.expected


@cache
def rows() -> dict[str, Row]:
    """All rows by id, in the order of the file."""
    articles = yaml.load((HERE / "published_numbers.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
    return {
        row["id"]: Row(article=article["article"], source=article["source"], **row)
        for article in articles
        for row in article["rows"]
    }
