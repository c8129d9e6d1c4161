"""Views of the op ledger: by op, by kind, by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from roofline.answer.phase import OpRow

GROUPINGS: Final = ("op", "kind", "block")
_SUMMED: Final = (
    *("count", "flops", "vector_flops", "bytes", "weight_bytes", "cache_bytes", "activation_bytes"),
    *("kernels", "params", "bound_s", "expected_s", "share", "communication_bytes"),
)
_BOUNDS: Final = ("compute", "memory", "communication")
_KEYS: Final[dict[str, Callable[[OpRow], str]]] = {"kind": lambda row: row.kind, "block": lambda row: row.block}


def group_rows(rows: Sequence[OpRow], by: str) -> list[OpRow]:
    """Rows summed by kind or block, in the order in which each first occurs; `op` leaves them as they are.

    A sum is bound by what bounds the larger part of its time; kind and block are "mixed" where its rows differ.
    """
    if by == "op":
        return list(rows)
    key = _KEYS[by]
    groups: dict[str, list[OpRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [merged(name, members) for name, members in groups.items()]


def merged(name: str, members: Sequence[OpRow]) -> OpRow:
    """Rows as one, under a name: what they count together."""
    values = members[0]._asdict()
    for part in _SUMMED:
        values[part] = sum(getattr(row, part) for row in members)
    share = {which: sum(float(r.bound_s) for r in members if r.bound_by == which) for which in _BOUNDS}
    values |= {"name": name, "bound_by": max(share, key=lambda which: share[which])}
    values |= {"dtype": "/".join(dict.fromkeys(row.dtype for row in members))}
    for field in ("kind", "block"):
        found = {getattr(row, field) for row in members}
        values[field] = found.pop() if len(found) == 1 else "mixed"
    return OpRow(**values)


_SORT_KEYS: Final[dict[str, Callable[[OpRow], Any]]] = {
    "time": lambda row: -float(row.bound_s),
    "flops": lambda row: -float(row.flops),
    "bytes": lambda row: -float(row.bytes),
    "params": lambda row: -row.params,
    "intensity": lambda row: -float(row.intensity),
    "name": lambda row: row.name,
}
SORTS: Final = ("order", *_SORT_KEYS)


def sort_rows(rows: list[OpRow], key: str) -> list[OpRow]:
    """Rows by a column, the largest first; `order` keeps the order of execution."""
    return rows if key == "order" else sorted(rows, key=_SORT_KEYS[key])
