"""Modules by the names that rules may use for them, and what stands at the layers of which model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

#: Whether a rule names a module of this name.
Test: TypeAlias = Callable[[str], object]

#: Words of what stands beside the layers of a language model: towers, heads that predict further tokens.
_BESIDE: Final = re.compile(r"vis|\bvit|audio|speech|image|clip|tower|mtp|talker")


class Alias(NamedTuple):
    """A name of a module that other modules have too, or that checkpoints do not use: an expression that fits it means
    it only where it fits none of `rivals`. `.*v_proj` fits `qkv_proj`, and means no query.
    """

    name: str
    rivals: tuple[str, ...]


class Named(NamedTuple):
    """A module to be matched: its layer (-1 outside of the layers) and kind, what it may be called inside the layer and
    where layers stand, the number of the expert that it belongs to, for which its names have `{e}`, and which of its
    names are `aliases`.
    """

    layer: int
    kind: str
    tails: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    expert: int = 0
    aliases: tuple[Alias, ...] = ()

    def names(self, tails: Iterable[str] | None = None) -> list[str]:
        """All whole names, or those of some names inside the layer."""
        inside = [tail.replace("{e}", str(self.expert)) for tail in (self.tails if tails is None else tails)]
        return [f"{prefix}.{self.layer}.{tail}" for prefix in self.prefixes for tail in inside] or inside

    def spelled(self) -> Spelled:
        """Its names, and beside each alias those of its rivals."""
        aliases = {alias.name for alias in self.aliases}
        own = self.names(tail for tail in self.tails if tail not in aliases)
        return Spelled(own, [(self.names((alias.name,)), self.names(alias.rivals)) for alias in self.aliases])


class Spelled(NamedTuple):
    """The whole names of a module: its own, and those of each alias with the names of its rivals."""

    own: list[str]
    aliases: list[tuple[list[str], list[str]]]

    def meant_by(self, test: Test) -> bool:
        """Whether an expression or a glob means this module."""
        if any(map(test, self.own)):
            return True
        return any(any(map(test, names)) and not any(map(test, rivals)) for names, rivals in self.aliases)


@lru_cache(maxsize=1024)
def stands_at(prefix: str, prefixes: tuple[str, ...]) -> bool:
    """Whether the layers of a rule are those that stand at `prefixes`: of the model, or of what stands beside it."""
    beside = [known for known in prefixes if _BESIDE.search(known)]
    if not beside:
        return not _BESIDE.search(prefix)
    return any(f".{known}".endswith(f".{prefix}") or f".{prefix}".endswith(f".{known}") for known in beside)


@lru_cache(maxsize=1024)
def beginnings(tails: tuple[str, ...]) -> tuple[str, ...]:
    """Beginnings of names inside a layer, from none of it to the whole."""
    out: dict[str, None] = {"": None}
    for tail in tails:
        parts = tail.split(".")
        out.update(dict.fromkeys(".".join(parts[:end]) for end in range(1, len(parts) + 1)))
    return tuple(out)


@lru_cache(maxsize=1024)
def runs(tails: tuple[str, ...], prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Parts of names between dots, one or several in a row, before the layer and behind it."""
    out: dict[str, None] = {}
    for text in (*tails, *prefixes):
        parts = text.split(".")
        ends = range(len(parts))
        out.update(dict.fromkeys(".".join(parts[i : j + 1]) for i in ends for j in ends[i:]))
    return tuple(out)
