"""From measured runs to the coefficients of an engine.

Coefficients start from what the chip's measured kernels say (factors of 1) and move away from it only as far as the
rows insist. A coefficient that no row is about stays where it started and is named. How far to trust the result is
judged by leaving out, in turn, each chip, each model and each source, and fitting again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Final

import numpy as np

from roofline.errors import UsageError
from roofline.evidence.fits.robust import Search, fit_robust
from roofline.evidence.kernels.tables import Array
from roofline.evidence.runs.declaring import HABITS
from roofline.evidence.runs.expecting import Expecting
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.engine import Engine
from roofline.workload.shapes import ExpertsShape

#: Where the search starts, the least and most that physics allows, and how far (in logarithms) a coefficient may stray
#: before that costs as much as five rows that are off by a tenth. In order of importance.
PRIORS: Final[dict[str, tuple[float, float, float, float]]] = {
    "streaming": (1.0, 0.3, 1.2, 0.25),
    "compute": (0.95, 0.1, 1.0, 0.25),
    "step_s": (5e-4, 1e-7, 5e-2, 1.2),
    "narrow_streaming": (1.0, 0.2, 1.2, 0.25),
    "narrow_compute": (1.0, 0.05, 1.0, 0.4),
    "exchange": (1.0, 0.2, 20.0, 0.7),
    "exchange_pcie": (1.0, 0.1, 20.0, 0.7),
    "routing": (0.85, 0.5, 1.0, 0.2),
    "quantisation": (0.8, 0.02, 3.0, 0.7),
    "kernel_s": (2e-6, 1e-7, 1e-4, 1.5),
    "launch": (1.0, 0.1, 5.0, 0.5),
    "sequence_s": (1e-5, 1e-9, 1e-3, 2.0),
    "cache": (1.0, 0.1, 1.5, 0.25),
    "attention": (1.0, 0.1, 1.5, 0.25),
    "rows": (0.8, 0.05, 5.0, 0.5),
    "request_s": (5e-4, 1e-7, 0.1, 2.0),
}
#: In place of the above where the host launches every kernel of a step: 5 to 60 us each.
EAGER: Final[dict[str, tuple[float, float, float, float]]] = {"kernel_s": (1.5e-5, 1e-6, 1e-4, 0.7)}
#: Of image models further: convolutions, and what runs in fp32.
IMAGES: Final[dict[str, tuple[float, float, float, float]]] = {
    "convolution": (1.0, 0.3, 1.5, 0.25),
    "wide_attention": (0.5, 0.05, 1.2, 0.5),
    "vector": (1.0, 0.3, 1.2, 0.25),
}
#: Limits and habits that an engine may have or not: each is kept where it makes the rows' mean error clearly smaller.
OPTIONAL: Final[dict[str, tuple[float, float, float, float]]] = {
    "unit_rate": (700.0, 50.0, 8192.0, 1.0),
    "unit_stream": (8.0, 1.0, 100.0, 1.0),
    "reread": (0.1, 1e-3, 1.0, 1.0),
}
#: Limits of engines of which it is known that they have them.
DECLARED_LIMITS: Final[dict[str, tuple[float, float, float, float]]] = {
    "unit_keys": (1.0, 0.05, 50.0, 1.0),
    "unit_unpack": (8.0, 0.5, 100.0, 0.5),
    "unit_feed": (2200.0, 100.0, 30000.0, 0.7),
    "per_watt": (500.0, 20.0, 5000.0, 0.7),
}
#: In place of the above for single engines, of which more is known.
OWN: Final[dict[str, dict[str, tuple[float, float, float, float]]]] = {
    "mlx": {"unit_feed": (900.0, 100.0, 30000.0, 0.7)},
    "llama.cpp": {"narrow_compute": (0.3, 0.05, 1.0, 0.7)},  # operands are unpacked on the way to the units
    "llama.cpp-metal": {  # simdgroup products: short of the rate of vector units; a key is a simdgroup's
        "unit_feed": (900.0, 100.0, 30000.0, 0.7),
        "attention": (0.3, 0.05, 1.5, 0.7),
        "unit_keys": (0.4, 0.05, 50.0, 0.7),
    },
}
#: What is known of an engine and not fitted.
_HABITS: Final = ("name", "library", "cuts", *HABITS)
_ROWS_PER_COEFFICIENT: Final = 2
#: So few rows tell nothing of an engine.
LEAST_ROWS: Final = 2
_GAIN: Final = 0.94
_ENOUGH: Final = 20  # rows without which no limit is looked for
_ITERATIONS: Final = 25
_NEAR: Final = 8  # where the search starts from a fit to nearly the same rows


@dataclass(frozen=True)
class EngineFitted:
    """Coefficients, the log errors (expected over measured) of the rows, and what the rows could not tell."""

    engine: Engine
    errors: Array
    free: tuple[str, ...]
    like: Engine | None
    eager: bool
    at_bound: tuple[str, ...]
    undetermined: tuple[str, ...]
    only: tuple[str, ...] = ()


def fit_engine(
    base: Engine,
    rows: Sequence[PreparedRun],
    *,
    optional: Sequence[str] | None = None,
    like: Engine | None = None,
    near: bool = False,
    eager: bool = False,
    only: Sequence[str] = (),
) -> EngineFitted:
    """The engine's coefficients from rows; what is known of it (_HABITS) is that of `base`.

    `optional` names the coefficients of OPTIONAL that are fitted; by default each is tried, and kept where it makes the
    rows' mean error smaller by `1 - _GAIN`. `like` is an engine from which coefficients stray instead of from the
    measured kernels; `near`: look first where `base` is; `eager`: the host launches each kernel; `only`: those that
    stray from `like`, all others are its own. Raises UsageError for fewer rows than two.
    """
    if len(rows) < LEAST_ROWS:
        raise UsageError(f"engine {base.name}: {len(rows)} rows cannot tell any coefficient; give at least two")
    free = _free(rows, only)
    if only:
        few = (*free, *(name for name in (*OPTIONAL, *DECLARED_LIMITS) if name in only))
        return replace(_fit(base, rows, few, like, near, eager), only=tuple(only))
    if optional is not None:
        return _fit(base, rows, (*free, *optional), like, near, eager)
    best = _fit(base, rows, free, like, near, eager)
    for name in OPTIONAL if len(rows) >= _ENOUGH else ():
        tried = _fit(best.engine, rows, (*best.free, name), like, True, eager)
        if _mean(tried, rows) < _GAIN * _mean(best, rows):
            best = tried
    return best


def _mean(fitted: EngineFitted, rows: Sequence[PreparedRun]) -> float:
    return float(np.average(np.abs(fitted.errors), weights=weights_of(rows)))


def _free(rows: Sequence[PreparedRun], only: Sequence[str] = ()) -> tuple[str, ...]:
    """As many coefficients as the rows can tell, and none about formats that they do not hold."""
    formats = [(row.question.precision.weights, row.question.precision.matrix_dtype()) for row in rows]
    narrow = sum(weights.bits < 16 and dtype not in ("fp8", "fp4") for weights, dtype in formats)
    wanted = [name for name in PRIORS if narrow or not name.startswith("narrow")]
    if not any(isinstance(op.shape, ExpertsShape) for row in rows for part in row.parts for op in part.phase.ops):
        wanted.remove("routing")
    if all(dtype not in ("fp8", "fp4") for _, dtype in formats):
        wanted.remove("quantisation")
    spread = [row.question.gpu.links for row in rows if not row.run.plan.single]
    if all(links is None or links.scale_up is None for links in spread):
        wanted.remove("exchange")
    if all(links is not None and links.scale_up is not None for links in spread):
        wanted.remove("exchange_pcie")
    if all(row.run.image for row in rows):  # convolutions: few rows say more of the ceiling than of the bandwidth
        first = ("compute", "streaming", "convolution")
        wanted = [*first, *(name for name in wanted if name not in (*first, "cache", "sequence_s"))]
        if any(row.question.precision.weights.bits >= 32 for row in rows):
            wanted += ["wide_attention", "vector"]
    if narrow == len(rows):
        wanted = [name for name in wanted if name not in ("streaming", "compute")]
    wanted = [name for name in wanted if name in only] if only else wanted
    return tuple(wanted[: len(rows) // _ROWS_PER_COEFFICIENT])


def _fit(
    base: Engine, rows: Sequence[PreparedRun], free: tuple[str, ...], like: Engine | None, near: bool, eager: bool
) -> EngineFitted:
    own = OWN.get(base.name, {})
    beliefs = PRIORS | IMAGES | OPTIONAL | DECLARED_LIMITS | (EAGER if eager else {}) | own
    priors = [beliefs[coefficient] for coefficient in free]

    def engine(values: Array) -> Engine:
        named: dict[str, Any] = dict(zip(free, map(float, values), strict=True))
        start_from = like or Engine("")
        return start_from._replace(**{habit: getattr(base, habit) for habit in _HABITS}, **named)

    expecting = Expecting(rows)

    def predict(values: Array) -> Array:
        return expecting.seconds(engine(values))

    measured = np.asarray([row.run.seconds for row in rows])
    start, low, high, belief = zip(*priors, strict=True)
    if like is not None:
        start = tuple(
            (name not in own and getattr(like, name)) or first for name, first in zip(free, start, strict=True)
        )
    guess = [getattr(base, coefficient) or begin for coefficient, begin in zip(free, start, strict=True)]
    first, rounds = (guess, _NEAR) if near else (None, _ITERATIONS)
    fit = fit_robust(predict, measured, Search(start, low, high, belief, first, rounds), weights_of(rows))
    values = np.asarray([float(f"{value:.3g}") for value in fit.values])
    errors = np.log(predict(values) / measured)
    at_bound, loose = tuple(compress(free, fit.at_bound)), compress(free, fit.undetermined)
    untold = (*loose, *(name for name in PRIORS if name not in free))
    return EngineFitted(engine(values), errors, free, like, eager, at_bound, untold)


def weights_of(rows: Sequence[PreparedRun]) -> Array:
    """How much each row counts, 1 on average: rows of one source, model and chip share one efficiency, so n of them
    count as the root of n; where the rows are of several engines, each counts the same, with all of its versions.
    """
    cells = [(row.run.engine, row.run.source, row.run.model, row.run.gpu) for row in rows]
    sizes = Counter(cells)
    weights = np.asarray([sizes[cell] ** -0.5 for cell in cells])
    engines = np.asarray([row.run.engine.partition("@")[0] for row in rows])
    names = sorted(set(engines))
    if len(names) > 1:
        total = weights.sum() / len(names)
        for name in names:
            weights[engines == name] *= total / weights[engines == name].sum()
    return np.asarray(weights / weights.mean())


def left_out(
    fitted: EngineFitted,
    rows: Sequence[PreparedRun],
    key: Callable[[PreparedRun], str],
    *,
    blind: bool = False,
    least: int = 1,
) -> dict[str, Array]:
    """Log errors of each group of rows by an engine fitted without it.

    `blind` takes the left-out chip's own kernel measurements away too, as for a chip that nobody measured. Groups of
    fewer rows than `least` are not left out.
    """
    found: dict[str, Array] = {}
    for value in sorted({key(row) for row in rows}):
        members, kept = [row for row in rows if key(row) == value], [row for row in rows if key(row) != value]
        if len(kept) < _ROWS_PER_COEFFICIENT or len(members) < least:
            continue
        optional = [name for name in (*OPTIONAL, *DECLARED_LIMITS) if getattr(fitted.engine, name)]
        like, eager, only = fitted.like, fitted.eager, fitted.only
        again = fit_engine(fitted.engine, kept, optional=optional, like=like, near=True, eager=eager, only=only)
        found[value] = np.asarray([_error(row, again.engine, blind=blind) for row in members])
    return found


def _error(row: PreparedRun, engine: Engine, *, blind: bool) -> float:
    """log(expected / measured) of a row, `blind` without what was measured of its chip."""
    return float(np.log(row.expected(engine, row.question.gpu.name if blind else None) / row.run.seconds))


def interval(errors: Array, weights: Array | None = None, widen: float = 1.0) -> tuple[float, float]:
    """The 80 % interval that log errors of left-out rows support, as multiples of the expected time.

    Conformal: the 10th and 90th percentiles, a little further out where rows are few. `weights` say how much each
    error counts, by default the same.
    """
    share = np.ones(len(errors)) if weights is None else weights
    count = float(share.sum() ** 2 / (share @ share)) if len(errors) else 0.0
    tail = max(0.0, min(0.1, 1.0 - 0.9 * (count + 1) / count)) if count else 0.0
    slow, quick = _quantiles(errors, share, (tail, 1.0 - tail)) if count else (-0.5, 0.5)
    low, high = float(np.exp(-max(quick, 0.02) * widen)), float(np.exp(-min(slow, -0.02) * widen))
    return float(f"{low:.3g}"), float(f"{high:.3g}")


def _quantiles(values: Array, weights: Array, shares: Sequence[float]) -> Array:
    """Weighted quantiles; with equal weights those of numpy."""
    order = np.argsort(values, kind="stable")
    ordered, share = values[order], weights[order]
    place = np.cumsum(share) - share[0] if len(order) == 1 else np.cumsum(share) - share
    return np.interp(shares, place / max(place[-1], 1e-300), ordered)
