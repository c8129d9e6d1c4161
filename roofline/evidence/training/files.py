"""The file of a framework: what stands in it by hand, and the coefficients that were fitted to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from roofline.evidence.fits.fit_engines import interval
from roofline.evidence.training.fit import LIMITS, PRIORS, Fitted, LeftOut, current, moved, shipped, start_of
from roofline.evidence.training.prepared import TrainingRun
from roofline.machine.engine import engine_path
from roofline.machine.intervals import Range
from roofline.units import format_host_time

#: Which coefficients stand where, by the names that the file gives them.
_FACTORS: Final = {
    name: name for name in ("compute", "streaming", "attention", "launch", "rows", "exchange", "quantisation")
}
_HOST: Final = {"kernel": "kernel_s", "step": "step_s"}
_HABITS: Final = {
    "hidden": "shown",
    "network": "network",
    "backward": "backward",
    "experts": "experts",
    "update": "update",
}
#: By how much the logarithms of an interval grow for chips that no row is of. Assumed (unverified).
_UNSEEN: Final = 1.25
_SOURCE: Final = "fit of {date} to published training runs; see docs/training.md"
#: Errors, and groups left out, without which an interval is that of all frameworks.
_LEAST: Final = 6
_GROUPS: Final = 3


def fitted_text(name: str, fitted: Fitted, runs: Sequence[TrainingRun], out: Sequence[LeftOut], date: str) -> str:
    """The file of a framework after a fit: blocks by hand stay as they are."""
    blocks = blocks_of(engine_path(name).read_text(encoding="utf-8"))
    blocks["training"] = _habits(blocks["training"], fitted)
    factors = {key: _shown(current(fitted.framework, own)) for key, own in _FACTORS.items()}
    blocks["factors"] = [_line("factors", factors)]
    limits = {name: current(fitted.framework, name) for name in LIMITS}
    for limit in LIMITS:
        blocks.pop(limit, None)
    host = {key: format_host_time(current(fitted.framework, own)) for key, own in _HOST.items()}
    blocks["host"] = [_line("host", host)]
    blocks["fit"] = [_line("fit", _figures(fitted, runs, out, date))]
    blocks["sources"] = ["sources:", f'  - "{_SOURCE.format(date=date)}"']
    left = [each for each in PRIORS if each not in fitted.free]
    note = f"Left at their start, for want of rows that tell them: {', '.join(left)}." if left else ""
    blocks.pop("notes", None)
    if note:
        blocks["notes"] = [f'notes: "{note}"']
    blocks |= {limit: [f"{limit}: {value:g}"] for limit, value in limits.items() if value}
    return "\n".join(line for lines in blocks.values() for line in lines) + "\n"


def borrowed_text(name: str, like: str, date: str) -> str:
    """The file of a framework that no row is of, with the coefficients of another."""
    other = shipped(like)
    values = {each: current(other, each) for each in PRIORS}
    fitted = Fitted(moved(start_of(name), values), np.asarray([]), tuple(PRIORS), ())
    blocks = blocks_of(fitted_text(name, fitted, [], [], date))
    blocks["notes"] = [f'notes: "No run tells the time of its steps: coefficients are those of {like}."']
    return "\n".join(line for lines in blocks.values() for line in lines) + "\n"


def with_interval(text: str, spans: tuple[Range, Range, Range]) -> str:
    """A file with other intervals: for a measured chip, for one of its class, for others."""
    blocks = blocks_of(text)
    named = zip(("measured", "sibling", "other"), spans, strict=True)
    blocks["interval"] = [_line("interval", {name: f"[{low:g}, {high:g}]" for name, (low, high) in named})]
    return "\n".join(line for lines in blocks.values() for line in lines) + "\n"


def spans_of(own: Sequence[LeftOut], every: Sequence[LeftOut]) -> tuple[Range, Range, Range]:
    """The intervals of a framework from the errors of its rows that were left out, or of all where it has few.

    Those of a chip that was left out widen the interval of chips that no row is of.
    """
    chips = [line.error for line in own if line.way == "gpu"]
    others = [line.error for line in own if line.way != "gpu"]
    groups = {(line.way, line.group) for line in own if line.way != "gpu"}
    if len(others) < _LEAST or len(groups) < _GROUPS:
        others = [line.error for line in every if line.way != "gpu"]
    measured = interval(np.asarray(others))
    further = interval(np.asarray(chips)) if len(chips) >= _LEAST else _wider(measured)
    low, high = min(measured[0], further[0]), max(measured[1], further[1])
    return measured, (low, high), (low, high)


def _wider(span: Range) -> Range:
    low, high = span
    return float(f"{low**_UNSEEN:.3g}"), float(f"{high**_UNSEEN:.3g}")


def blocks_of(text: str) -> dict[str, list[str]]:
    """The lines of each key at the top of a file."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines():
        if line and not line.startswith((" ", "-", "#")):
            key = line.partition(":")[0]
        found.setdefault(key, []).append(line)
    return found


def _habits(lines: Sequence[str], fitted: Fitted) -> list[str]:
    """The block of habits with its coefficients before the sources."""
    kept = [line for line in lines if line.strip().partition(":")[0] not in _HABITS]
    at = next(place for place, line in enumerate(kept) if line.strip() == "sources:")
    values = {name: current(fitted.framework, own) for name, own in _HABITS.items()}
    values["hidden"] = 1.0 - values["hidden"]
    return [*kept[:at], *(f"  {name}: {value:.3g}" for name, value in values.items()), *kept[at:]]


def _figures(fitted: Fitted, runs: Sequence[TrainingRun], out: Sequence[LeftOut], date: str) -> dict[str, Any]:
    errors = np.abs(fitted.errors)
    found: dict[str, Any] = {
        "rows": len(runs),
        "coefficients": len(fitted.free) if runs else 0,
        "date": f'"{date}"',
        "gpus": "[" + ", ".join(sorted({run.gpu for run in runs})) + "]",
        "vendors": "[" + ", ".join(sorted({run.question.gpu.vendor for run in runs}) or ["nvidia"]) + "]",
    }
    if len(errors):
        found["median_error"] = f"{np.median(errors):.3f}"
    for way in ("gpu", "model", "source"):
        each = [abs(line.error) for line in out if line.way == way]
        if each:
            found[f"left_out_{way}"] = f"{np.median(each):.3f}"
    return found


def _shown(value: float) -> str:
    return f"{value:.3g}"


def _line(key: str, values: Mapping[str, Any]) -> str:
    return f"{key}: {{" + ", ".join(f"{name}: {value}" for name, value in values.items()) + "}"
