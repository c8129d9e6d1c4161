"""Views of the op ledger: by op, by kind, by block; sorted, and the longest alone. What is no op stays last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from roofline.answer.phase import OUTSIDE, OpRow
from roofline.answer.plain import counted_whole

GROUPINGS: Final = ("op", "kind", "block")
_SUMMED: Final = (
    *("count", "flops", "vector_flops", "bytes", "weight_bytes", "cache_bytes", "activation_bytes"),
    *("kernels", "params", "bound_s", "expected_s", "share", "communication_bytes"),
)
_BOUNDS: Final = ("compute", "memory", "communication")
_KEYS: Final[dict[str, Callable[[OpRow], str]]] = {"kind": lambda row: row.kind, "block": lambda row: row.block}


def group_rows(rows: Sequence[OpRow], by: str) -> list[OpRow]:
    """Rows of each phase summed by kind or block, in the order in which each first occurs; `op` leaves them as they
    are, and what is no op always is.

    A sum is bound by what bounds the larger part of its time, what is no op by nothing; kind and block are "mixed"
    where its rows differ.
    """
    if by == "op":
        return list(rows)
    key = _KEYS[by]
    groups: dict[tuple[str, bool, str], list[OpRow]] = {}
    for row in rows:
        outside = row.kind == OUTSIDE
        groups.setdefault((row.phase, outside, row.name if outside else key(row)), []).append(row)
    return [merged(name, members) for (_, _, name), members in groups.items()]


def merged(name: str, members: Sequence[OpRow]) -> OpRow:
    """Rows as one, under a name: what they count together."""
    values = members[0]._asdict()
    for part in _SUMMED:
        values[part] = sum(getattr(row, part) for row in members)
    there = [which for which in _BOUNDS if any(row.bound_by == which for row in members)]
    share = {which: sum(float(r.bound_s) for r in members if r.bound_by == which) for which in there}
    values |= {"name": name, "bound_by": max(share, key=lambda which: share[which], default="")}
    values |= {"dtype": "/".join(dict.fromkeys(row.dtype for row in members))}
    for field in ("kind", "block"):
        found = {getattr(row, field) for row in members}
        values[field] = found.pop() if len(found) == 1 else "mixed"
    return OpRow(**values)


def alike_as_one(rows: Sequence[OpRow]) -> list[OpRow]:
    """Rows of each phase with ops of the same name in the same block as one, where the first of them is."""
    groups: dict[tuple[str, str, str], list[OpRow]] = {}
    for row in rows:
        groups.setdefault((row.phase, row.block, row.name), []).append(row)
    return [merged(name, members) if len(members) > 1 else members[0] for (_, _, name), members in groups.items()]


_SORT_KEYS: Final[dict[str, Callable[[OpRow], Any]]] = {
    "time": lambda row: -float(row.expected_s),
    "bound": lambda row: -float(row.bound_s),
    "reached": lambda row: (row.reached is None, row.reached),
    "flops": lambda row: -float(row.flops),
    "bytes": lambda row: -float(row.bytes),
    "params": lambda row: -row.params,
    "intensity": lambda row: -float(row.intensity),
    "name": lambda row: row.name,
}
SORTS: Final = ("order", *_SORT_KEYS)


def sort_rows(rows: Sequence[OpRow], key: str) -> list[OpRow]:
    """Rows by a column, the largest first, but the least share of a roof; `time` is the expected one, `order` keeps the
    order of execution.
    """
    ops, outside = apart(rows)
    return [*(ops if key == "order" else sorted(ops, key=_SORT_KEYS[key])), *outside]


def top_rows(rows: Sequence[OpRow], number: int, what: str = "op") -> list[OpRow]:
    """The rows that take longest, so many of them, in the order in which they are, and all others as one behind them;
    `what` is what a row is.
    """
    ops, outside = apart(rows)
    longest = {id(row) for row in sort_rows(ops, "time")[:number]}
    rest = [row for row in ops if id(row) not in longest]
    others = [merged(counted_whole(len(rest), f"other {what}"), rest)] if rest else []
    return [*(row for row in ops if id(row) in longest), *others, *outside]


def apart(rows: Sequence[OpRow]) -> tuple[list[OpRow], list[OpRow]]:
    """The ops among rows, and what is no op."""
    return [row for row in rows if row.kind != OUTSIDE], [row for row in rows if row.kind == OUTSIDE]
