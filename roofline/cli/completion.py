"""What a shell completes to, see `roofline --install-completion`."""

from __future__ import annotations

from collections.abc import Callable


def complete(listing: str) -> Callable[[str], list[str]]:
    """What a shell completes to: the names of a listing in `catalogue`."""

    def names(incomplete: str) -> list[str]:
        from roofline.analysis import catalogue

        return [name for name in getattr(catalogue, listing)() if name.startswith(incomplete)]

    return names
