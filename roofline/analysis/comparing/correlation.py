"""How far the errors of two expected times go together, by what the two runs share.

The figures are made of the shipped measured runs by `python -m roofline.evidence.fits.correlation`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from roofline.runs.kind import Question

#: What two runs may share, beside sizes and the number of GPUs: engine and level of fusion, chip, model, formats.
FACETS: Final = ("engine", "chip", "model", "format")
SHIPPED: Final = Path(__file__).with_name("correlation.json")


class Correlation(NamedTuple):
    """The correlation of the logarithms of errors of runs that share these facets, and how it was found.

    `pairs` of measured runs; `moment`: 2 Σ ab / Σ (a² + b²) over them; `covering`: the largest correlation with which
    at least four fifths of the pairs lie in the interval of their ratio; `value`: the smaller of both, and no larger
    than that of runs that share more; `coverage`: the share of the pairs that lie in the interval with it.
    """

    shared: tuple[str, ...]
    pairs: int
    moment: float
    covering: float
    value: float
    coverage: float


@cache
def correlations() -> dict[tuple[str, ...], Correlation]:
    """The shipped figures by what is shared."""
    found = json.loads(SHIPPED.read_text(encoding="utf-8"))["correlations"]
    rows = (Correlation(**row | {"shared": tuple(row["shared"])}) for row in found)
    return {row.shared: row for row in rows}


def shared_of(one: Question, other: Question) -> tuple[str, ...]:
    """The facets that two questions share."""
    both = zip(FACETS, _facets(one), _facets(other), strict=True)
    return tuple(name for name, mine, theirs in both if mine == theirs)


def _facets(q: Question) -> tuple[object, ...]:
    formats = q.precision.label, q.precision.cache.name
    return (q.engine, q.execution.level), q.gpu.name, q.spec.name, formats


def correlation_of(one: Question, other: Question) -> Correlation:
    """How far the errors of two runs go together."""
    return correlations()[shared_of(one, other)]
