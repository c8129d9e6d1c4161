"""The engine files of the package: fitted to measured runs.

    python -m roofline.evidence.fits.all_engines RUNS.csv … -o roofline/engines --date 2026-11-28

writes one YAML per engine; `roofline.evidence.fits.residuals` then adds what leaving rows out says of them. The
same rows give the same digits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from roofline.evidence.fits.engine_files import borrowed_text, fit_declared, fitted_text, read_spec
from roofline.evidence.fits.fit_engines import LEAST_ROWS
from roofline.evidence.runs.declared import DECLARED, declared_of, rows_of
from roofline.evidence.runs.declaring import launched
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import PreparedRun, prepare_all
from roofline.machine.engine import GENERIC, Engine


class Fitting(NamedTuple):
    """What every fit is told: the files of rows, where engines are written, the day, and a folder of specs."""

    files: tuple[Path, ...]
    output: Path
    date: str
    spec_dir: str | None = None

    @property
    def source(self) -> str:
        """What an engine's file says of its fit."""
        return f"fit of {self.date} to published runs; see docs/validation.md"


@cache
def _rows(files: tuple[Path, ...], spec_dir: str | None) -> list[PreparedRun]:
    """The rows of all files, prepared once in each process."""
    return prepare_all([run for file in files for run in read_runs(file)], spec_dir)[0]


def _text(fitting: Fitting, name: str) -> str:
    """The file of an engine, fitted to its rows or borrowed from one like it, which is written already."""
    own, declared = rows_of(name, _rows(fitting.files, fitting.spec_dir)), declared_of(name)
    path = fitting.output / f"{declared.like}.yaml"
    if len(own) < LEAST_ROWS:
        return borrowed_text(name, declared, read_spec(path), fitting.source)
    like = None if declared.like == GENERIC else launched(declared, Engine.of(read_spec(path)))
    return fitted_text(declared, fit_declared(name, declared, own, like), own, fitting.source)


def _waves(fitting: Fitting, names: Sequence[str]) -> Iterator[list[str]]:
    """The engines one after the other, each after the one that it is like; those of most rows first in each wave."""
    rows = _rows(fitting.files, fitting.spec_dir)
    left = sorted(names, key=lambda name: -len(rows_of(name, rows)))
    while left:
        ready = [name for name in left if not _waits(name, left, rows)]
        yield ready
        left = [name for name in left if name not in ready]


def _waits(name: str, left: Sequence[str], rows: Sequence[PreparedRun]) -> bool:
    """Whether an engine needs the file of another that is still to be written."""
    like = declared_of(name).like
    starts = like != GENERIC or len(rows_of(name, rows)) < LEAST_ROWS
    return starts and like != name and like in left


def write_all(fitting: Fitting, only: Sequence[str] = (), workers: int | None = None) -> None:
    """Fit and write every declared engine, or `only` some; `workers` processes, by default one for each core."""
    fitting.output.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        for wave in _waves(fitting, only or (GENERIC, *DECLARED)):
            for name, text in zip(wave, pool.map(_text, [fitting] * len(wave), wave), strict=True):
                (fitting.output / f"{name}.yaml").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: fit files of runs and write the engines."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.fits.all_engines", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="CSV files of measured runs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--date", required=True, help="of the fit")
    parser.add_argument("--engine", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--spec-dir", help="folder of further specs")
    options = parser.parse_args(arguments)
    write_all(Fitting(tuple(options.runs), options.output, options.date, options.spec_dir), options.engine)


if __name__ == "__main__":
    main()
