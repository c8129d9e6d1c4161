"""The least of several steps that makes a run fit, each of which needs less memory than the one before."""

from __future__ import annotations

from math import ceil

from roofline.analysis.fit.trial import Case, Trial
from roofline.runs.changes import Change


def least_step(case: Case, asked: Trial, change: Change) -> Trial | None:
    """The least of the steps of a change that makes it fit; None where none does or need be.

    The last is tried first. Then guesses follow the line between what misses and what fits, for layers are mostly
    alike; every third halves what is left, so that ten thousand steps take some forty trials at most.
    """
    if asked.memory.fits_device or not change.steps:
        return None
    low, below, high, turn = -1, asked.missing, len(change.steps) - 1, 0
    found = _step(case, change, high)
    while found is not None and found.memory.fits_device and high - low > 1:
        turn += 1
        share = 0.5 if turn % 3 == 0 else below / (below - found.missing)
        guess = min(max(low + ceil((high - low) * share), low + 1), high - 1)
        trial = _step(case, change, guess)
        if trial is None:
            return None
        if trial.memory.fits_device:
            found, high = trial, guess
        else:
            low, below = guess, trial.missing
    return found if found is not None and found.fits else None


def _step(case: Case, change: Change, index: int) -> Trial | None:
    return case.possible(change.steps[index].words, change.steps[index].options)
