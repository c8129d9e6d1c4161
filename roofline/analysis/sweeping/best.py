"""The best rows: in order of some columns, or those that no other row beats in every one of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.answer.times import READINGS
from roofline.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

#: Columns of one frontier, and of one order: beyond, nearly every row is on it.
MOST_OBJECTIVES: Final = 6
#: Rows of the largest frontier.
MOST_ON_FRONTIER: Final = 100_000


#: Which end is the better one of columns that no quantity is called by, as their names end.
_BETTER: Final = (("_per_s", "high"), ("_s", "low"), ("_bytes", "low"))


class Key(NamedTuple):
    """A column to sort by, upward or downward."""

    name: str
    downward: bool


class Objective(NamedTuple):
    """A column that is better high, or better low."""

    name: str
    high: bool


def sort_keys(by: str) -> list[Key]:
    """The columns of `COL,-COL`. Raises UsageError where one has no name."""
    keys = [
        Key(word.strip().removeprefix("-").removeprefix("+"), word.strip().startswith("-")) for word in by.split(",")
    ]
    if not all(key.name for key in keys):
        raise UsageError("--sort: an empty name; columns stand apart by commas, as in --sort gpu,-total_s")
    return keys


def objectives(names: Sequence[str], better: Mapping[str, str]) -> list[Objective]:
    """The columns of a frontier. Raises UsageError where it is not known which values are the better ones."""
    words = [word.strip() for name in names for word in name.split(",")]
    if not 1 <= len(words) <= MOST_OBJECTIVES or not all(words):
        raise UsageError(
            f"--pareto takes 1 to {MOST_OBJECTIVES} columns apart by commas, such as ttft_s,output_tokens_per_s"
        )
    return [Objective(word.lstrip("+-"), _is_high(word, better)) for word in words]


def _is_high(word: str, better: Mapping[str, str]) -> bool:
    if word[0] in "+-":
        return word[0] == "+"
    base = word
    for reading in READINGS:
        base = base.removesuffix(f"_{reading}") if base not in better else base
    known = better.get(base) or next((side for ending, side in _BETTER if base.endswith(ending)), "")
    if base == "capacity_bytes" or not known:
        raise UsageError(f"--pareto {word}: say which is better: -{word} less, +{word} more (--pareto=-{word},…)")
    return known == "high"


def best_of(keys: Sequence[tuple[np.ndarray, bool]], count: int) -> np.ndarray:
    """The places of the first rows in the order of the columns, the first of them first; alike ones as they came."""
    import numpy as np

    numbers = [key for column, downward in keys for key in _numbers(column, downward)]
    if numbers and 0 < count < len(numbers[0]) // 4:
        first = np.flatnonzero(_may_be_among(numbers, count))
        order: np.ndarray = first[np.lexsort([key[first] for key in reversed(numbers)])]
    else:
        order = np.lexsort(list(reversed(numbers)))
    return order[:count]


def _may_be_among(numbers: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Rows whose first key is at most the count-th smallest one."""
    import numpy as np

    missing, values = numbers[0], numbers[1]
    ranked = np.where(missing, np.inf, values)
    among: np.ndarray = ranked <= np.partition(ranked, count - 1)[count - 1]
    return among


def _numbers(column: np.ndarray, downward: bool) -> tuple[np.ndarray, np.ndarray]:
    """Whether a value is missing, which comes last, and the value as a number that is in the wanted order."""
    import numpy as np

    if column.dtype.kind == "O":
        values = [("" if value is None else str(value)) for value in column.tolist()]
        ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
        missing = np.array([value is None for value in column.tolist()], dtype=np.bool_)
        ordered = np.array([ranks[value] for value in values], dtype=np.float64)
    else:
        ordered = column.astype(np.float64)
        missing = np.isnan(ordered)
        ordered = np.where(missing, 0.0, ordered)
    return missing, -ordered if downward else ordered


def frontier_of(losses: np.ndarray) -> np.ndarray:
    """The places, in order, of the rows that no other row beats: none is as low everywhere and lower somewhere.

    `losses` has one row per row and one column per objective; rows with a value that is not a number are out.
    """
    import numpy as np

    places = np.flatnonzero(~np.isnan(losses).any(axis=1))
    points, back = np.unique(losses[places] + 0.0, axis=0, return_inverse=True)
    kept = _of_two(points) if points.shape[1] <= 2 else _of_many(points)
    found: np.ndarray = places[kept[back.reshape(-1)]]
    return found


def _of_two(points: np.ndarray) -> np.ndarray:
    """Of different points in order: those whose last value is below all before."""
    import numpy as np

    last = points[:, -1]
    before = np.concatenate([[np.inf], np.minimum.accumulate(last)[:-1]])
    found: np.ndarray = last == last[:1] if points.shape[1] == 1 else last < before
    found[:1] = True
    return found


def _of_many(points: np.ndarray) -> np.ndarray:
    """Of different points in order, each is beaten by earlier ones only: those of least sum weed out most."""
    import numpy as np

    kept = np.ones(len(points), dtype=np.bool_)
    left = np.argsort(_ranked(points), kind="stable")
    while len(left):
        first, left = left[0], left[1:]
        beaten = np.all(points[left] >= points[first], axis=1)
        kept[left[beaten]] = False
        left = left[~beaten]
    return kept


def _ranked(points: np.ndarray) -> np.ndarray:
    """The sum of the ranks of each point: one that beats another has the lower one."""
    import numpy as np

    ranks = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in points.T]
    found: np.ndarray = np.sum(ranks, axis=0)
    return found


class Best(NamedTuple):
    """What is kept of a stream: the first `top` rows in the order `sort`, on the frontier `pareto`; None: all."""

    sort: str | None = None
    top: int | None = None
    pareto: str | None = None

    def __bool__(self) -> bool:
        return self.sort is not None or self.pareto is not None
