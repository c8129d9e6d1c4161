"""Answers that read as their verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from roofline.answer.names import unknown
from roofline.api.objects.rows import Frames
from roofline.api.objects.summary import Fact, Summary


class Spoken(Frames):
    """An answer that reads as its verdict; `to_pandas()` and `to_polars()` are its `records()`."""

    verdict: Any

    def __str__(self) -> str:
        return str(self.verdict)

    __repr__ = __str__

    def summary(self) -> Summary:
        """The verdict and a few figures, as text that prints well."""
        return Summary.of(str(self.verdict), list(self._facts()))

    def _facts(self) -> Iterable[Fact]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = (each for each in dir(type(self)) if not each.startswith("_"))
        raise unknown("attribute", name, [*known, *vars(self)])
