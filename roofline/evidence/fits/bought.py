"""What each coefficient that an engine need not have bought: errors of rows that were left out, with it and without.

    python -m roofline.evidence.fits.bought -o roofline/evidence/measurements/bought.csv

leaves out the rows of every engine that has one of OPTIONAL once more, fitted without it. It takes as long as
`roofline.evidence.fits.residuals` does for these engines; `--engine` renews the lines of some.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from roofline.evidence.fits.fit_engines import OPTIONAL
from roofline.evidence.fits.intervals import LeftOut, leave_out, read_left_out
from roofline.evidence.fits.residuals import shipped_fit, shipped_rows
from roofline.evidence.markdown import paragraphs, table
from roofline.evidence.runs.declared import DECLARED, least_left, rows_of, ways_of
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.engine import load_engine
from roofline.specs.files.paths import is_file

BOUGHT: Final = Path(__file__).resolve().parents[1] / "measurements" / "bought.csv"
_TOLD: Final = (
    "Limits and habits that an engine may have or not were kept where they made the error of its own rows clearly "
    "smaller. Here is what each bought on rows that were left out: medians of |log(expected / measured)|, in per cent."
)


class Bought(NamedTuple):
    """Medians of the absolute errors of an engine's rows, left out in one way, with a coefficient and without it."""

    engine: str
    coefficient: str
    out: str
    rows: int
    with_it: float
    without: float


def bought_by(name: str, coefficient: str, rows: Sequence[PreparedRun], lines: Sequence[LeftOut]) -> Iterator[Bought]:
    """What a coefficient of an engine bought, in each way of leaving rows out; `lines` are the errors with it."""
    shipped = shipped_fit(name)
    none: dict[str, Any] = {coefficient: 0.0}
    few = tuple(each for each in shipped.only if each != coefficient)
    again = replace(shipped, engine=shipped.engine._replace(**none), only=few)
    for out in ways_of(name):
        without = {line.row: line.error for line in leave_out(again, rows, (out,), least_left(rows))}
        own = {line.row: line.error for line in lines if line.engine == name and line.out == out}
        both = sorted(without.keys() & own.keys())
        if both:
            with_it, alone = (round(float(np.median([abs(each[row]) for row in both])), 4) for each in (own, without))
            yield Bought(name, coefficient, out, len(both), with_it, alone)


def read_bought(path: Path = BOUGHT) -> list[Bought]:
    """The lines of a file; none where there is no file."""
    if not is_file(path):
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [_bought(row) for row in rows]


def _bought(row: Mapping[str, str]) -> Bought:
    medians = float(row["with_it"]), float(row["without"])
    return Bought(row["engine"], row["coefficient"], row["out"], int(row["rows"]), *medians)


def bought_table() -> Iterator[str]:
    """What is told of it, in Markdown; of coefficients that the shipped engines have and do not owe to another one."""
    found = [each for each in read_bought() if getattr(load_engine(each.engine), each.coefficient)]
    if not found:
        return
    yield from paragraphs("## What coefficients bought that an engine need not have", _TOLD)
    head = ("engine", "coefficient", "left out with its", "rows", "with it", "without it")
    rows = ((*each[:3], str(each.rows), f"{100 * each.with_it:.1f}", f"{100 * each.without:.1f}") for each in found)
    yield from table(head, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: leave out without each optional coefficient, write."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.fits.bought", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV to write")
    parser.add_argument("--engine", action="append", default=[], help="renew only the lines of this one")
    options = parser.parse_args(arguments)
    wanted = options.engine or list(DECLARED)
    found = [each for each in read_bought(options.output) if each.engine not in wanted]
    lines = read_left_out()
    for name in wanted:
        for coefficient in OPTIONAL:
            if getattr(load_engine(name), coefficient) and coefficient in (DECLARED[name].free or OPTIONAL):
                found += bought_by(name, coefficient, rows_of(name, shipped_rows()), lines)
    with options.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Bought._fields)
        writer.writerows(sorted(found))


if __name__ == "__main__":
    main()
