"""One engine fitted to a file of one's own runs: what `roofline calibrate` tells and writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from roofline.errors import SpecError, UnknownNameError, UsageError
from roofline.evidence.fits.engine_files import fit_declared, fitted_text
from roofline.evidence.fits.fit_engines import EngineFitted
from roofline.evidence.runs.declared import declared_of
from roofline.evidence.runs.rows import MeasuredRun, by_reason, read_file
from roofline.evidence.runs.runs import PreparedRun, prepare_all
from roofline.evidence.runs.suspects import suspect
from roofline.machine.engine import IDEAL, Engine, bundled_engine, engine_names, load_engine
from roofline.specs.engine import EngineSpec
from roofline.specs.files.document import parse_document
from roofline.specs.files.reader import validate
from roofline.units import format_time

#: Rows without which nothing is fitted.
_LEAST = 2
_SHOWN = 8


class Calibration(NamedTuple):
    """A fit, the text of its YAML, and what of the file it rests on.

    The engine of `fitted` is the one that the text describes, and `fitted.free` are the coefficients that the rows
    tell. `like` is the shipped engine whose values the others keep, if it is one; `refused` are rows that were not
    used, and why; `ignored` columns that nothing was made of.
    """

    fitted: EngineFitted
    text: str
    rows: int
    like: str | None
    refused: tuple[str, ...]
    ignored: tuple[str, ...]


def fit_file(path: Path, engine: str | None = None, spec_dir: str | None = None, today: str = "") -> Calibration:
    """One engine fitted to its rows of a CSV. Coefficients that they cannot tell stay those of the shipped engine.

    `today` is the date that the YAML states. Raises UsageError where the file is not clear about the engine, has too
    few possible rows of it, or rows so far off that no engine file can be made of them.
    """
    table = read_file(path)
    name, runs = _of_engine(path, table.runs, engine)
    prepared, refused = prepare_all(runs, spec_dir)
    rows, impossible = _possible(prepared, spec_dir)
    refused += impossible
    if len(rows) < _LEAST:
        count = "no usable row" if not rows else "1 usable row"
        raise UsageError(f"{path}: {count} of engine {name}, and a fit needs {_LEAST}{listed(refused)}")
    like = load_engine(name) if name in engine_names() else None
    declared, own = declared_of(name), _slug(name)
    fitted = _told(fit_declared(own, declared, rows, like), rows)
    source = f"fit of {today or date.today().isoformat()} to {len(rows)} runs of {path.name}"
    kept = "left at their start" if like is None else f"kept from {name} as shipped"
    text = fitted_text(declared, fitted, rows, source, kept)
    fitted = replace(fitted, engine=_loaded(path, text, fitted, rows))
    return Calibration(fitted, text, len(rows), name if like else None, tuple(refused), table.ignored)


def listed(refused: Sequence[str]) -> str:
    """Why rows were refused, as the end of a message: a line for each reason."""
    reasons = by_reason(refused)
    more = [f"and {len(reasons) - _SHOWN} reasons more"] if len(reasons) > _SHOWN else []
    return "".join(f"\n  not used: {reason}" for reason in reasons[:_SHOWN]) + "".join(f"\n  {text}" for text in more)


def _of_engine(path: Path, runs: Sequence[MeasuredRun], engine: str | None) -> tuple[str, list[MeasuredRun]]:
    """The engine to fit and its rows: the one that is asked for, else the only one. Aliases are one engine."""
    named = [run._replace(engine=_name(run.engine)) for run in runs]
    names = list(dict.fromkeys(run.engine for run in named))
    if engine is None and len(names) > 1:
        raise UsageError(f"{path}: rows of {len(names)} engines ({_some(names)}); choose one with --engine")
    name = names[0] if engine is None else _name(engine)
    if name == IDEAL:
        raise UsageError(f"{path}: engine {IDEAL!r} is the roofline itself; name the engine that ran the rows")
    if name not in names:
        raise UsageError(f"{path}: no row of engine {name}; there are rows of {_some(names)}")
    return name, [run for run in named if run.engine == name]


def _name(engine: str) -> str:
    """The shipped engine of a name or alias, or the name."""
    try:
        return bundled_engine(engine)
    except UnknownNameError:
        return engine


def _some(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:12]) + (" …" if len(names) > 12 else "")


def _possible(rows: Sequence[PreparedRun], spec_dir: str | None) -> tuple[list[PreparedRun], list[str]]:
    """The rows that are not below their floor, and what may be wrong with the others."""
    possible, refused = [], []
    for row in rows:
        floor, _ = row.bounds()
        if row.run.seconds >= floor:
            possible.append(row)
            continue
        told = f"{format_time(row.run.seconds)} is below its floor of {format_time(floor)}"
        refused.append(f"{row.run.place}: {told}; suspect is {suspect(row.run, floor, spec_dir)}")
    return possible, refused


def _told(fitted: EngineFitted, rows: Sequence[PreparedRun]) -> EngineFitted:
    """The fit with the coefficients that moved no row put back, and counted as not fitted."""
    loose = [name for name in fitted.free if name in fitted.undetermined]
    start = {name: getattr(fitted.like, name) for name in loose} if fitted.like is not None else {}
    engine = fitted.engine._replace(**start)
    errors = np.log(np.asarray([row.expected(engine) / row.run.seconds for row in rows]))
    return replace(fitted, engine=engine, errors=errors, free=tuple(n for n in fitted.free if n not in loose))


def _slug(name: str) -> str:
    """A name that an engine file may have."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name)[:100].strip("-._+") or "engine"


def _loaded(path: Path, text: str, fitted: EngineFitted, rows: Sequence[PreparedRun]) -> Engine:
    """The engine as its file will be read. Raises UsageError where it would be refused."""
    try:
        return Engine.of(validate(parse_document(text, str(path)), EngineSpec))
    except SpecError as error:
        worst = int(np.argmax(np.abs(fitted.errors)))
        run, off = rows[worst].run, float(np.exp(fitted.errors[worst]))
        raise UsageError(
            f"{path}: no engine file can be made of these rows ({error.field or 'text'}: {error.reason}). "
            f"{run.place} misses most, {format_time(run.seconds)} measured and {format_time(run.seconds * off)} "
            "expected: check its unit and conditions"
        ) from None
