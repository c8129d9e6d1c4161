"""Answers that read as their verdict."""

from __future__ import annotations

from typing import Any


class Spoken:
    """An answer that reads as its verdict."""

    verdict: Any

    def __str__(self) -> str:
        return str(self.verdict)

    __repr__ = __str__
