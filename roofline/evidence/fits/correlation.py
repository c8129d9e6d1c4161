"""How far the errors of two measured runs go together, by what the runs share: for intervals of ratios.

    python -m roofline.evidence.fits.correlation -o roofline/analysis/comparing/correlation.json

takes the shipped errors of rows that were left out, and every pair of them of one source and one metric that was left
out in the same way: whoever compares two runs has one machine room, too. Pairs of a cell, which is a way, a source, a
metric and two engines, are no independent evidence: n of them count as the root of n. With a and b the logarithms of
the two errors and s, t half the widths of the logarithms of their 80 % intervals,

    moment    2 Σ ab / Σ (a² + b²), the correlation about an error of nothing
    covering  the largest r with which at least 80 % of pairs have |a - b| <= √(s² + t² - 2 r s t)

and the smaller of both is taken, 0 at least, and no more than that of pairs that share more.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from roofline.analysis.comparing.correlation import FACETS, Correlation
from roofline.evidence.fits.intervals import LeftOut, read_left_out, shipped_interval
from roofline.evidence.fits.robust import Array
from roofline.evidence.runs.rows import MeasuredRun, read_runs
from roofline.evidence.runs.shipped import SHIPPED

Shared: TypeAlias = tuple[str, ...]
#: The pairs of each cell: the two errors, and half the widths of the two intervals.
Cells: TypeAlias = list[Array]
#: The part of pairs that an interval is to hold; how finely correlations are tried.
_HELD: Final = 0.8
_STEPS: Final = 100
#: Fewer pairs tell nothing.
_LEAST: Final = 20


def cells(lines: Iterable[LeftOut], runs: Mapping[str, MeasuredRun]) -> dict[Shared, Cells]:
    """The pairs of left-out rows, cell by cell, by what their runs share."""
    together: dict[tuple[str, str, str], list[LeftOut]] = defaultdict(list)
    for line in lines:
        if line.out != "engine":  # those rows are the same ones again, by another engine
            together[line.out, runs[line.row].source, runs[line.row].metric].append(line)
    found: dict[Shared, dict[Any, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for key, members in together.items():
        facets = [_facets(line, runs[line.row]) for line in members]
        widths = [_half_width(line) for line in members]
        for i, j in combinations(range(len(members)), 2):
            shared = tuple(name for name, a, b in zip(FACETS, facets[i], facets[j], strict=True) if a == b)
            one, other = members[i], members[j]
            engines = tuple(sorted((one.engine, other.engine)))
            found[shared][key, engines].append([one.error, other.error, widths[i], widths[j]])
    return {shared: [np.asarray(pairs) for pairs in each.values()] for shared, each in found.items()}


def _facets(line: LeftOut, run: MeasuredRun) -> tuple[object, ...]:
    return (line.engine, run.fusion), run.gpu, run.model, (run.weights, run.kv_cache)


def _half_width(line: LeftOut) -> float:
    low, high = shipped_interval(line)
    return float(np.log(high / low)) / 2.0


def moment(found: Cells) -> float:
    """The correlation about 0, each cell of n pairs with the weight of √n."""
    weights = [len(pairs) ** -0.5 for pairs in found]
    both = sum(w * float(np.sum(2.0 * p[:, 0] * p[:, 1])) for w, p in zip(weights, found, strict=True))
    each = sum(w * float(np.sum(p[:, 0] ** 2 + p[:, 1] ** 2)) for w, p in zip(weights, found, strict=True))
    return both / each if each else 0.0


def coverage(found: Cells, correlation: float) -> float:
    """The share of pairs in the interval of their ratio."""
    weights: list[float] = [len(pairs) ** -0.5 for pairs in found]
    inside = sum(w * _inside(pairs, correlation) for w, pairs in zip(weights, found, strict=True))
    return inside / sum(w * len(pairs) for w, pairs in zip(weights, found, strict=True))


def _inside(pairs: Array, correlation: float) -> int:
    """How many pairs lie in the interval of their ratio."""
    a, b, s, t = pairs.T
    width = np.sqrt(np.maximum(s**2 + t**2 - 2.0 * correlation * s * t, 0.0))
    return int(np.count_nonzero(np.abs(a - b) <= width))


def covering(found: Cells) -> float:
    """The largest correlation with which the interval holds enough of the pairs; 0 where none does."""
    tried = (step / _STEPS for step in range(_STEPS - 1, 0, -1))
    return next((r for r in tried if coverage(found, r) >= _HELD), 0.0)


def derived(found: Mapping[Shared, Cells]) -> list[Correlation]:
    """The correlation for each set of shared facets, those that share most first."""
    made: dict[Shared, Correlation] = {}
    sets = [each for size in range(len(FACETS), -1, -1) for each in combinations(FACETS, size)]
    for shared in sets:
        own = found.get(shared, [])
        number = sum(map(len, own))
        about, held = (moment(own), covering(own)) if number >= _LEAST else (0.0, 0.0)
        limit = min((each.value for more, each in made.items() if set(shared) < set(more)), default=1.0)
        value = round(max(0.0, min(about, held, limit)), 2)
        inside = coverage(own, value) if own else 0.0
        made[shared] = Correlation(shared, number, round(about, 2), held, value, round(inside, 2))
    return list(made.values())


def shipped() -> list[Correlation]:
    """What follows from the shipped rows."""
    runs = {run.label: run for path in SHIPPED for run in read_runs(path)}
    return derived(cells(read_left_out(), runs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: derive and write."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.fits.correlation", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    rows = ",\n    ".join(json.dumps(row._asdict()) for row in shipped())
    date = datetime.now(UTC).date().isoformat()
    made = "python -m roofline.evidence.fits.correlation"
    head = f'"made_by": "{made}",\n  "date": "{date}",\n  "correlations"'
    options.output.write_text(f"{{\n  {head}: [\n    {rows}\n  ]\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
