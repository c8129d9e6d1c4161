"""Errors of rows that were left out: each engine fitted again without a chip, a model, a source or an engine.

    python -m roofline.evidence.fits.residuals -o roofline/evidence/measurements/left_out.csv

starts from the shipped engines, which are fits to the shipped rows, writes one line per row and way of leaving it out,
and with `--engines roofline/engines` the intervals that follow from them into the engine files. It takes minutes;
`--engine` renews the lines of some, `--keep` those of none.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from roofline.evidence.fits.engine_files import interval_lines
from roofline.evidence.fits.fit_engines import EngineFitted
from roofline.evidence.fits.intervals import LeftOut, leave_out, medians, read_left_out
from roofline.evidence.fits.spans import Evidence, intervals_of, wider
from roofline.evidence.runs.declared import DECLARED, declared_of, least_left, rows_of, timed_by, ways_of
from roofline.evidence.runs.declaring import launched
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import PreparedRun, prepare_all
from roofline.evidence.runs.shipped import SHIPPED
from roofline.machine.engine import GENERIC, load_engine, read_engine


def shipped_fit(name: str) -> EngineFitted:
    """The fit that a shipped engine is, without its errors: what is fitted again where rows are left out."""
    declared = declared_of(name)
    like = None if declared.like == GENERIC else launched(declared, load_engine(declared.like))
    return EngineFitted(load_engine(name), np.zeros(0), (), like, declared.eager, (), (), declared.free)


def residuals_of(name: str, out: str, rows: Sequence[PreparedRun]) -> list[LeftOut]:
    """The errors of the rows of an engine, left out in one way, around the shipped fit."""
    return list(leave_out(shipped_fit(name), rows, (out,), least_left(rows)))


@cache
def shipped_rows() -> Sequence[PreparedRun]:
    """The shipped rows, prepared once in each process."""
    return prepare_all([run for path in SHIPPED for run in read_runs(path)])[0]


def _residuals(task: tuple[str, str]) -> list[LeftOut]:
    name, out = task
    own = rows_of(name, shipped_rows())
    return residuals_of(name, out, own) if own else []


def all_residuals(names: Sequence[str], workers: int | None = None) -> list[LeftOut]:
    """The errors of the rows of some engines, in all ways; `workers` processes, by default one for each core."""
    counts = Counter({name: len(rows_of(name, shipped_rows())) for name in names})
    tasks = [(name, out) for name, _ in counts.most_common() for out in ways_of(name)]
    with ProcessPoolExecutor(workers) as pool:  # those of most rows first, so that no core waits for the last
        return [line for lines in pool.map(_residuals, tasks) for line in lines]


def write_left_out(lines: Sequence[LeftOut], path: Path) -> None:
    """The file, in the order of engines."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LeftOut._fields)
        ordered = sorted(lines, key=lambda line: (line.engine, line.out))
        writer.writerows(ordered)


def renew_intervals(lines: Sequence[LeftOut], folder: Path) -> None:
    """Writes into the engine files what follows from the errors: intervals, and medians of what was left out.

    An engine without rows has the intervals of the one that it is like, wider.
    """
    evidence = Evidence(lines)
    for name in (GENERIC, *DECLARED):
        spec, own = read_engine(name), [line for line in lines if line.engine == name]
        timed = timed_by(name, server=spec.server is not None)
        if spec.fit.rows:
            found = intervals_of(evidence, name, timed)
        else:
            found = wider(intervals_of(evidence, DECLARED[name].like, timed))
        if found:
            _renew(folder / f"{name}.yaml", interval_lines(found), medians(own))


def _renew(path: Path, spans: list[str], errors: dict[str, float]) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"interval:\n(  .*\n)+", "\n".join(spans) + "\n", text)
    text = re.sub(r", left_out_\w+: [\d.e-]+", "", text)
    told = "".join(f", left_out_{out}: {error}" for out, error in errors.items() if out != "engine")
    text = re.sub(r"(?m)^(fit: \{.*)\}$", rf"\g<1>{told}}}", text)
    path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: leave out, fit, write."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.fits.residuals", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV to write")
    parser.add_argument("--engine", action="append", default=[], help="renew only the lines of this one")
    parser.add_argument("--keep", action="store_true", help="renew no line")
    parser.add_argument("--engines", type=Path, help="folder of engine files whose intervals to renew")
    options = parser.parse_args(arguments)
    wanted = [] if options.keep else options.engine or [GENERIC, *DECLARED]
    lines = [line for line in read_left_out(options.output) if line.engine not in wanted]
    if wanted:
        lines += all_residuals(wanted)
        write_left_out(lines, options.output)
    if options.engines is not None:
        renew_intervals(lines, options.engines)


if __name__ == "__main__":
    main()
