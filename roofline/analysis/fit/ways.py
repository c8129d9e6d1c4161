"""How a model can be run on one machine: as it is released, with a setting, in a narrower format, partly elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.analysis.fit.steps import least_step
from roofline.analysis.fit.trial import Case, Trial

Way: TypeAlias = Literal[
    "as released", "other settings", "narrower format", "partly elsewhere", "does not fit", "refused"
]
#: The ways in which a run is whole on the device, the mildest first.
WHOLE: Final[tuple[Way, ...]] = ("as released", "other settings", "narrower format")
ELSEWHERE: Final[Way] = "partly elsewhere"
MISSES: Final[Way] = "does not fit"
REFUSED: Final[Way] = "refused"
WAYS: Final[tuple[Way, ...]] = (*WHOLE, ELSEWHERE, MISSES, REFUSED)
#: Bits of the narrowest weights of which a part goes elsewhere, so that as little as may be does; chosen.
_BITS: Final = 4.0


class Run(NamedTuple):
    """A run, and in which way it differs from what was asked; of what does not fit that which comes nearest."""

    way: Way
    trial: Trial


def mildest(case: Case) -> Run:
    """The mildest way that fits, as `roofline fit` knows them. Raises as the run that is asked does.

    Changes that leave the weights as they are come first, where the weights alone have room; then narrower formats,
    wide to narrow; then a part with the host, of weights in the narrowest format of four bits and more, for that leaves
    least there.
    """
    asked = case.tried("as released", {})
    tried = [asked]
    for run in _runs(case, asked):
        if run.trial.fits:
            away = run.trial.question.spread.away is not None  # also where that was asked for
            return Run(ELSEWHERE, run.trial) if away else run
        tried.append(run.trial)
    return Run(MISSES, min(tried, key=_short))


def _short(trial: Trial) -> float:
    """Bytes that are missing, on the device or with the host."""
    return max(trial.missing, trial.host_missing)


def _runs(case: Case, asked: Trial) -> Iterator[Run]:
    yield Run(WHOLE[0], asked)
    kind, question = asked.question.kind, asked.question
    if float(asked.memory.weights_bytes) <= float(asked.memory.usable_bytes):
        for change in kind.changes(question):
            trial = None if change.steps or "offload" in change.options else case.possible(change.words, change.options)
            if trial is not None:
                yield Run(WHOLE[1], trial)
    bases = [asked]
    for change in kind.formats(question):
        trial = case.possible(change.words, change.options)
        if trial is not None and trial.memory.total_bytes < asked.memory.total_bytes:
            yield Run(WHOLE[2], trial)
            bases += [trial] if trial.question.precision.weights.bits >= _BITS else []
    for base in (bases[-1], asked)[: len(bases)]:
        yield from (Run(ELSEWHERE, trial) for trial in _away(case, base))


def _away(case: Case, base: Trial) -> Iterator[Trial]:
    """The run with a part with the host: the least that makes it fit, then whatever its kind of run knows."""
    here = case._replace(options={**case.options, **base.options})
    for change in base.question.kind.changes(base.question):
        if change.steps:
            trial = least_step(here, base, change)
        else:
            trial = here.possible(change.words, change.options) if "offload" in change.options else None
        if trial is not None:
            words = f"{base.words}, {trial.words}" if base.options else trial.words
            yield trial._replace(words=words, options={**base.options, **trial.options})
