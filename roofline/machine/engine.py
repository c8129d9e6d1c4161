"""The engine: what runs the kernels, and how far from the roof it stays.

`ideal` is the roofline itself: the expected time is the bound.
"""

from __future__ import annotations

from typing import Final

from roofline.errors import UnknownNameError

ENGINES: Final = ("ideal",)


def find_engine(name: str) -> str:
    """The engine of that name. Raises UnknownNameError with the nearest names."""
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ENGINES, "roofline list engines")
    return name
