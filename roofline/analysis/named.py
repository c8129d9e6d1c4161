"""The derivations of a number that is called by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from roofline.answer.derivation import Derivation
from roofline.answer.names import unknown, without_unit

#: How names of derivations end that are readings of a number.
_READINGS: Final = ("_expected", "_bound", "_floor", "_high", "_low")
#: What a bare name means first, where several groups have it: `total` is a time before it is memory.
_FIRST: Final = ("latency", "throughput", "step", "memory", "parameters")


def named(derivations: Sequence[Derivation], name: str) -> list[Derivation]:
    """Those of a quantity (`tpot`, `tpot_s`), of one reading of it (`tpot_expected_s`), of all of a phase or of a group
    (`decode`, `memory`), or of a full name (`memory.weights_bytes`).

    Raises UsageError for a name that there is not, with the one that may be meant.
    """
    name = name.strip().lower()
    exact = [each for each in derivations if each.quantity == name or each.quantity.partition(".")[0] == name]
    if exact:
        return exact
    if found := list(_of_quantity(derivations, name)):
        return found
    raise unknown("derivation", name, _names(derivations))


def _of_quantity(derivations: Sequence[Derivation], name: str) -> Iterator[Derivation]:
    """Those whose last part is called so, of the first group that has it."""
    group, _, last = name.rpartition(".")
    found = [each for each in derivations if last in _called(each) and each.quantity.startswith(group)]
    groups = list(dict.fromkeys(each.quantity.partition(".")[0] for each in found))
    first = next((each for each in _FIRST if each in groups), "")
    return (each for each in found if not first or each.quantity.partition(".")[0] == first)


def _called(derivation: Derivation) -> set[str]:
    """By which names a number is asked for: in full, without its unit, without its reading."""
    last = derivation.quantity.rpartition(".")[2]
    bare = without_unit(last)
    unit = last.removeprefix(bare)
    reading = next((each for each in _READINGS if bare.endswith(each)), "")
    base = bare.removesuffix(reading)
    return {last, bare, base, base + unit}


def _names(derivations: Iterable[Derivation]) -> Iterator[str]:
    for each in derivations:
        group, _, last = each.quantity.rpartition(".")
        yield from (name for name in (without_unit(last), group) if name)
