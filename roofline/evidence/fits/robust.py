"""Robust regression on log errors: deterministic, with bounds, numpy only.

Minimises the sum over rows of sqrt(r^2 + d^2) - d, where r = log(predicted / measured): half the rows may be outliers,
and an error of a factor counts the same whether too fast or too slow. Gauss-Newton with damping (Levenberg-Marquardt)
on iteratively reweighted rows; coefficients are positive and move in logarithms, which makes them free of units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CORNER: Final = 0.05  # log error at which the loss turns from a square to an absolute value
_STEP: Final = 1e-4  # of the numeric derivative, in logarithms
_LONGEST: Final = 0.7  # one step moves no coefficient by more than a factor of two


class Fit(NamedTuple):
    """Coefficients, the log errors of the rows, and which coefficients ended at a bound or are not determined."""

    values: Array
    residuals: Array
    at_bound: tuple[bool, ...]
    undetermined: tuple[bool, ...]


@dataclass(frozen=True)
class Search:
    """Where coefficients are looked for: from `start`, between `low` and `high`, in at most so many steps.

    `belief` says, for few rows, how far each coefficient may stray from its start before that costs as much as five
    rows that are off by a tenth: a standard deviation in logarithms. `guess` is where to look first, if not at `start`.
    """

    start: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    belief: Sequence[float] | None = None
    guess: Sequence[float] | None = None
    iterations: int = 60


def fit_robust(predict: Callable[[Array], Array], measured: Array, search: Search, weights: Array | None = None) -> Fit:
    """The coefficients within a search that predict `measured` best; `weights` say how much each row counts."""
    share = np.ones(len(measured)) if weights is None else weights
    bottom, top = np.log(np.asarray(search.low)), np.log(np.asarray(search.high))
    target = np.log(measured)
    pull = np.zeros(len(bottom)) if search.belief is None else 1.0 / np.asarray(search.belief) ** 2
    origin = np.log(np.asarray(search.start))

    def errors(position: Array) -> Array:
        return np.log(predict(np.exp(position))) - target

    def loss_of(position: Array, residuals: Array) -> float:
        return float(share @ _loss(residuals)) + 0.5 * float(np.sum(pull * (position - origin) ** 2))

    x = np.clip(origin if search.guess is None else np.log(np.asarray(search.guess)), bottom, top)
    r = errors(x)
    loss, damping = loss_of(x, r), 1e-2
    slopes = _slopes(errors, x, r, top)
    for _ in range(search.iterations):
        weight = share / np.sqrt(r * r + _CORNER**2)
        normal = (slopes * weight[:, None]).T @ slopes + np.diag(pull)
        gradient = (slopes * weight[:, None]).T @ r + pull * (x - origin)
        free = ~(((x <= bottom + 1e-9) & (gradient > 0)) | ((x >= top - 1e-9) & (gradient < 0)))
        improved = False
        for _ in range(8):
            step = np.zeros(len(x))
            damped = normal[np.ix_(free, free)] + damping * np.diag(np.diag(normal)[free] + 1e-8)
            step[free] = -np.linalg.solve(damped, gradient[free])
            trial = np.clip(x + np.clip(step, -_LONGEST, _LONGEST), bottom, top)
            trial_r = errors(trial)
            trial_loss = loss_of(trial, trial_r)
            if np.isfinite(trial_loss) and trial_loss < loss:
                improved = True
                break
            damping *= 4.0
        if not improved:
            break
        gain, x, r, loss, damping = loss - trial_loss, trial, trial_r, trial_loss, max(damping / 5.0, 1e-6)
        slopes = _slopes(errors, x, r, top)
        if gain < 1e-5 * loss:
            break
    bound = tuple(bool(b) for b in (x <= bottom + 1e-6) | (x >= top - 1e-6))
    # a coefficient that moves no row by 0.1 % when it doubles is not told by these rows
    loose = tuple(bool(np.quantile(np.abs(column), 0.99) < 1e-3) for column in slopes.T)
    return Fit(np.exp(x), r, bound, loose)


def _loss(residuals: Array) -> Array:
    return np.sqrt(residuals * residuals + _CORNER**2) - _CORNER


def _slopes(errors: Callable[[Array], Array], x: Array, r: Array, top: Array) -> Array:
    columns = []
    for i in range(len(x)):
        step = _STEP if x[i] + _STEP <= top[i] else -_STEP
        moved = x.copy()
        moved[i] += step
        columns.append((errors(moved) - r) / step)
    return np.stack(columns, axis=1)
