"""The spec of a transformer with those kinds of attention that a file uses."""

from __future__ import annotations

import copyreg
from functools import cache
from typing import Annotated, Any

from pydantic import Field, create_model

from roofline.specs.base import AsTuple
from roofline.specs.text.transformer import BlockGroup, TransformerSpec


def transformer_class(data: Any = None) -> type[TransformerSpec]:
    """The spec of a transformer with the kinds of attention that `data` names, or with all kinds without `data`.

    A class of pydantic takes a millisecond to build, so a file pays for the kinds that it uses.
    """
    kinds = _kinds_named(data)
    return TransformerSpec if kinds == ("softmax",) else _with_kinds(_all_known(kinds))


def _all_known(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds; none, which stands for all, where one of them is unknown."""
    from roofline.specs.text.attention import KINDS

    return kinds if all(kind in KINDS for kind in kinds) else ()


def _kinds_named(data: Any) -> tuple[str, ...]:
    blocks = data.get("blocks") if isinstance(data, dict) else None
    if data is None or not isinstance(blocks, (list, tuple)):
        return () if data is None else ("softmax",)
    kinds = {"softmax"}
    for block in (*blocks, data.get("mtp")):
        attention = block.get("attention") if isinstance(block, dict) else None
        if isinstance(attention, dict):
            kinds.add(str(attention.get("kind")))
    return tuple(sorted(kinds))


@cache
def _with_kinds(kinds: tuple[str, ...]) -> type[TransformerSpec]:
    """A TransformerSpec whose attention is one of `kinds`; one of all kinds where none is given."""
    group: Any = _group_with_kinds(kinds)
    blocks: Any = Annotated[tuple[group, ...], AsTuple, Field(min_length=1, max_length=1000)]
    made = create_model("TransformerSpec", __base__=TransformerSpec, blocks=(blocks, ...), mtp=(group | None, None))
    copyreg.pickle(made, lambda spec: (_empty, ("spec", kinds), spec.__getstate__()))
    return made


@cache
def _group_with_kinds(kinds: tuple[str, ...]) -> Any:
    from roofline.specs.text.attention import KINDS, union_of

    known = list(kinds or KINDS)
    made = create_model("BlockGroup", __base__=BlockGroup, attention=(union_of(known) | None, None))
    copyreg.pickle(made, lambda group: (_empty, ("group", kinds), group.__getstate__()))
    return made


def _empty(part: str, kinds: tuple[str, ...]) -> Any:
    """What `pickle` fills: these classes have no name in a module that it could find them by."""
    made = _with_kinds(kinds) if part == "spec" else _group_with_kinds(kinds)
    return made.__new__(made)
