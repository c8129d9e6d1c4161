"""The file of an engine: what was known of it, what was fitted to runs, and what stays as it was written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from roofline.evidence.fits.fit_engines import DECLARED_LIMITS, OPTIONAL, EngineFitted, fit_engine
from roofline.evidence.fits.fit_engines import IMAGES as IMAGE_FACTORS
from roofline.evidence.fits.spans import fit_intervals, wider
from roofline.evidence.kernels.tables import Array
from roofline.evidence.runs.declared import of_images
from roofline.evidence.runs.declaring import HABITS, Declared, launched
from roofline.evidence.runs.phases import prefill_share, timed_of, told_by
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.engine import GENERIC, WHOLE, Cuts, Engine, engine_names, engine_path, load_engine
from roofline.machine.intervals import TIMED, Spans
from roofline.specs.engine import INHERITED, EngineSpec
from roofline.specs.files.document import read_document
from roofline.specs.files.paths import is_file
from roofline.specs.files.reader import validate
from roofline.units import format_host_time

#: The factors of an engine in the order in which its file gives them.
_RATES: Final = ("compute", "streaming", "narrow_compute", "narrow_streaming", "attention", "cache")
_OVERHEADS: Final = ("launch", "exchange", "exchange_pcie", "routing", "quantisation", "rows")
#: The blocks of an engine's file that are written by hand.
KEPT: Final = (*INHERITED, "habit_sources", "training")
_KEPT_LINES: Final = tuple(f"{key}:" for key in KEPT)
_LEFT: Final = "left at their start"
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 .,()@+_-]*[A-Za-z0-9)]")


def read_spec(path: Path) -> EngineSpec:
    """What an engine's file says. Raises SpecError."""
    return validate(read_document(path), EngineSpec)


def fit_declared(
    name: str, declared: Declared, rows: Sequence[PreparedRun], like: Engine | None = None
) -> EngineFitted:
    """An engine of which so much is known, fitted to rows."""
    habits = {habit: getattr(declared, habit) for habit in HABITS}
    base = Engine(name, declared.library, cuts=cuts_of(name), **habits)
    optional = () if of_images(rows) or name == GENERIC else None
    return fit_engine(base, rows, optional=optional, like=like, eager=declared.eager, only=declared.free)


def cuts_of(name: str) -> Cuts:
    """The kernels of an op, as the file of an engine tells them, which no fit touches."""
    return load_engine(name).cuts if name in engine_names() else WHOLE


def fitted_text(
    declared: Declared, fitted: EngineFitted, rows: Sequence[PreparedRun], source: str, kept: str = _LEFT
) -> str:
    """The file of an engine that rows are about; its intervals are those of the fit until rows are left out.

    `kept` says what became of the coefficients that the rows cannot tell.
    """
    fit = {
        "rows": len(rows),
        "coefficients": len(fitted.free),
        "date": f'"{_date(source)}"',
        "gpus": _words(row.question.gpu.name for row in rows),
        "vendors": _words(row.question.gpu.vendor for row in rows),
        "median_error": _median(fitted.errors),
    }
    told = f"Not told by these rows, and {kept}: {', '.join(fitted.undetermined) or 'none'}."
    if fitted.only and fitted.like is not None:
        told = f"Fitted to its rows: {', '.join(fitted.free)}; all else is that of {fitted.like.name}."
    spans = fit_intervals(_errors_by_timed(fitted, rows))
    return _EngineFile(declared, fitted.engine, spans, fit, source, told).text()


def borrowed_text(name: str, declared: Declared, like: EngineSpec, source: str) -> str:
    """An engine without rows: its own library's kernels, or those of a measured engine like it; the host of that one,
    a wide interval. Factors of image models are shares of what units are built for, and stay those of the one like it.
    """
    alike = launched(declared, Engine.of(like))
    plain: dict[str, Any] = dict.fromkeys(("compute", "streaming", "cache", "attention"), 1.0)
    own: dict[str, Any] = {habit: getattr(declared, habit) for habit in HABITS}
    habits = own if declared.fed else {habit: own[habit] or getattr(alike, habit) for habit in HABITS}
    habits |= {"joins": declared.joins, "mixes": declared.mixes}
    kept, library = declared.same or declared.fed, declared.library
    engine = alike._replace(name=name, library=library, cuts=cuts_of(name), **habits, **({} if kept else plain))
    spans = wider(stated_intervals(like))
    fit = {"rows": 0, "coefficients": 0, "date": f'"{_date(source)}"', "vendors": _words(like.fit.vendors)}
    what = "kernels, launches" if declared.same else "launches"
    told = f"No run of it was at hand: {what} and host times are those of {like.name}, the interval is wider."
    return _EngineFile(declared, engine, spans, fit, source, told).text()


def _date(source: str) -> str:
    words = source.split()
    return words[2] if words[1] == "of" else "not stated"


def _errors_by_timed(fitted: EngineFitted, rows: Sequence[PreparedRun]) -> dict[str, Array]:
    """The errors of a fit by what its rows timed; those of requests whose phases take alike, of both phases."""
    found: dict[str, list[float]] = {}
    for row, error in zip(rows, fitted.errors, strict=True):
        for timed in told_by(timed_of(row.run), prefill_share(row, fitted.engine)) or ("prefill", "decode"):
            found.setdefault(timed, []).append(float(error))
    return {timed: np.asarray(errors) for timed, errors in found.items()}


def stated_intervals(spec: EngineSpec) -> dict[str, Spans]:
    """The intervals that an engine's file states, by what is timed; those of a file that states one for all, of both
    phases of language models.
    """
    own = [timed for timed in TIMED if getattr(spec.interval, timed) is not None] or ["prefill", "decode"]
    return {timed: Spans(*spec.interval.spans(timed)) for timed in own}


def interval_lines(intervals: Mapping[str, Spans]) -> list[str]:
    """The lines of an engine's file about its intervals: one for each thing that is timed."""
    lines = ["interval:"]
    for timed, spans in intervals.items():
        shown = {name: f"[{low:.3g}, {high:.3g}]" for name, (low, high) in spans._asdict().items()}
        lines.append(f"  {timed}: {_inline(shown)}")
    return lines


def _word(text: str) -> str:
    """A text in YAML: as it is where nothing in it means something else there."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false")
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _median(errors: Array) -> float:
    return round(float(np.median(np.abs(errors))), 3)


@dataclass(frozen=True)
class _EngineFile:
    """What is written of an engine: what was known and was fitted of it, its intervals, the fit, and words."""

    declared: Declared
    engine: Engine
    spans: Mapping[str, Spans]
    fit: dict[str, object]
    source: str
    told: str

    def text(self) -> str:
        """The YAML."""
        lines = [*self._about(), *self._habits(), *kept_lines(self.engine.name)]
        lines.append("factors: " + _inline({key: f"{getattr(self.engine, key):.3g}" for key in self._factors()}))
        lines.append("host: " + _inline(self._host()))
        lines += interval_lines(self.spans)
        lines.append("fit: " + _inline(self.fit))
        notes = " ".join(part for part in (self.declared.notes, self.told) if part)
        lines += ["sources:", f"  - {_quoted(self.source)}", f"notes: {_quoted(notes)}"]
        return "\n".join(lines) + "\n"

    def _about(self) -> Iterator[str]:
        yield from ("kind: engine", f"name: {_word(self.engine.name)}", f"title: {_word(self.declared.title)}")
        if self.declared.aliases:
            yield f"aliases: [{', '.join(self.declared.aliases)}]"
        yield from self._version()
        if self.declared.fusion != "flash":
            yield f"fusion: {self.declared.fusion}"
        if self.declared.library:
            yield f"library: {self.declared.library}"

    def _version(self) -> Iterator[str]:
        """Of which engine it is a version or a backend, and since and until when."""
        declared = self.declared
        if declared.of:
            yield f"of: {declared.of}"
        if declared.version:
            yield f"version: {_quoted(declared.version)}"
        yield from (f"{key}: {month}" for key in ("since", "until") if (month := getattr(declared, key)))
        if declared.vendors:
            yield f"vendors: [{', '.join(declared.vendors)}]"
        if declared.runs_on:
            yield f"runs_on: [{', '.join(declared.runs_on)}]"

    def _habits(self) -> Iterator[str]:
        """Habits and limits, where the engine has them."""
        engine = self.engine
        yield from (f"{habit}: true" for habit in ("half_sums", "fed") if getattr(engine, habit))
        if engine.unpacks != "none":
            yield f"unpacks: {engine.unpacks}"
        if engine.joins != "none":
            yield f"joins: {engine.joins}"
        yield from (
            f"{habit}: true" for habit in ("widens", "mixes", "matvec", "first_from_decode") if getattr(engine, habit)
        )
        if engine.multiplies:
            yield f"multiplies: {engine.multiplies}"
        yield from (
            f"{key}: {getattr(engine, key):.3g}" for key in (*OPTIONAL, *DECLARED_LIMITS) if getattr(engine, key)
        )
        if engine.shares:
            yield f"shares: [{', '.join(map(str, engine.shares))}]"

    def _factors(self) -> Iterator[str]:
        """Those of all engines, then those of image models that say something."""
        yield from (*_RATES, *_OVERHEADS)
        yield from (key for key in IMAGE_FACTORS if self.engine.fed or getattr(self.engine, key) != 1.0)

    def _host(self) -> dict[str, str]:
        """Times of the host, those that are not zero."""
        times = {key: getattr(self.engine, f"{key}_s") for key in ("kernel", "step", "sequence", "request")}
        return {key: format_host_time(value) for key, value in times.items() if value}


def kept_lines(name: str) -> list[str]:
    """What an engine's file says of KEPT: facts of its documentation, which no fit touches."""
    path, found, keeping = engine_path(name), [], False
    for line in path.read_text(encoding="utf-8").splitlines() if is_file(path) else ():
        if not line.startswith((" ", "-")):
            keeping = line.startswith(_KEPT_LINES)
        if keeping:
            found.append(line)
    return found


def _inline(pairs: Mapping[str, object]) -> str:
    """A mapping on one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"


def _words(words: Iterable[str]) -> str:
    """A sorted list on one line, each word once."""
    return "[" + ", ".join(sorted({_word(word) for word in words})) + "]"
