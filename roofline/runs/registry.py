"""All kinds of run, and which of them a spec is run as."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from roofline.errors import UsageError
from roofline.runs.kind import Kind

#: The modules of the kinds, in the order in which they are asked; each is loaded when a spec gets that far.
HOMES: Final = ("roofline.runs.text.kind", "roofline.runs.text.encoder", "roofline.runs.image.kind")


@cache
def _kind(home: str) -> Kind:
    kind: Kind = import_module(home).KIND
    return kind


def kinds() -> tuple[Kind, ...]:
    """All kinds of run."""
    return tuple(map(_kind, HOMES))


def kind_of(spec: Any) -> Kind:
    """The kind of run of a spec. Raises UsageError where there is none."""
    for home in HOMES:
        kind = _kind(home)
        if kind.takes(spec):
            return kind
    raise UsageError(f"{type(spec).__name__} is neither a language model nor an image model")
