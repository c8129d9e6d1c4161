"""What a shell completes to, see `roofline --install-completion`."""

from __future__ import annotations

from collections.abc import Callable


def complete(listing: str) -> Callable[[str], list[str]]:
    """What a shell completes to: the names of a listing in `catalogue.names`."""

    def completions(incomplete: str) -> list[str]:
        from roofline.analysis.catalogue import names

        return [name for name in getattr(names, listing)() if name.startswith(incomplete)]

    return completions
