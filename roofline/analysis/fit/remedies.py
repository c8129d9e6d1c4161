"""What would help: the changes that a kind of run knows, each tried, in the order of what they save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from roofline.analysis.fit.fewest import fewest, more
from roofline.analysis.fit.steps import least_step
from roofline.analysis.fit.trial import Case, Trial
from roofline.runs.changes import Change


class Remedies(NamedTuple):
    """What would help.

    `each`: every change that saves memory, that which saves most first, or where time is told those that fit, the
    quickest first. `mildest`: the first that makes it fit, in the order of how much it changes, or the quickest that
    leaves the formats as they are; `widest`: the widest format of the weights that fits. Both None where it fits as
    asked or nothing of that kind makes it fit.
    """

    each: tuple[Trial, ...] = ()
    mildest: Trial | None = None
    widest: Trial | None = None


def remedies(case: Case, asked: Trial, least: Trial | None) -> Remedies:
    """All changes of options tried, and more devices: one more, and the fewest that hold the run, `least`."""
    known = tuple(asked.question.kind.changes(asked.question))
    formats = _timed(_formats(case, asked))
    turns = ("first", "behind formats", "last")
    changes, behind, last = (_timed(_tried(case, asked, (c for c in known if c.turn == turn))) for turn in turns)
    mild = [*changes, *formats, *behind]
    if not any(trial.fits for trial in (*changes, *formats)):
        further = (*_pairs(case, asked, changes, formats), *_stepped(case, known, formats))
        mild += _timed((*further, *_fewer_devices(case, formats, least)))
    mild += last
    each = sorted([*mild, *_timed(_devices(case, asked, least))], key=lambda trial: _order(trial, asked))
    helping = tuple(trial for trial in each if saved(trial, asked) > 0 and not any(_idle(trial, less) for less in each))
    if asked.fits:
        return Remedies(helping)
    quickest = sorted((trial for trial in changes if trial.fits), key=lambda trial: trial.seconds or 0.0)
    first, widest = (next((trial for trial in those if trial.fits), None) for those in ([*quickest, *mild], formats))
    return Remedies(helping, first, widest)


def _timed(found: Iterable[Trial]) -> list[Trial]:
    return [trial.timed() for trial in found]


def _order(trial: Trial, asked: Trial) -> tuple[bool, float, float]:
    """Where time is told, what fits first, and of that the quickest; else, and of others, what saves most."""
    seconds = trial.seconds if trial.fits else None
    return seconds is None, seconds or 0.0, -saved(trial, asked)


def _devices(case: Case, asked: Trial, least: Trial | None) -> Iterator[Trial]:
    """The run on more devices than asked; replicas do not help."""
    plan = asked.plan
    further = more(case, plan.devices) if plan.dp == 1 else None
    if further is not None:
        yield further
    if least is not None and further is not None and least.plan.devices > further.plan.devices:
        yield least


def _idle(trial: Trial, less: Trial) -> bool:
    """Whether a change does no more than a part of it: its further options save nothing and let nothing grow."""
    part = less.options.items() < trial.options.items()
    no_less = less.missing <= trial.missing and less.host_missing <= trial.host_missing
    return part and no_less and less.limits() == trial.limits()


def saved(trial: Trial, asked: Trial) -> float:
    """Bytes per device that a change makes room for; in the host's memory, where that alone lacks room."""
    if asked.missing <= 0 < asked.host_missing:
        return asked.host_missing - trial.host_missing
    return asked.missing - trial.missing


def _fewer_devices(case: Case, formats: list[Trial], least: Trial | None) -> Iterator[Trial]:
    """Each format on the fewest devices that hold it then, where these are fewer than without."""
    for trial in formats:
        found = fewest(case._replace(options={**case.options, **trial.options}))
        if found is not None and (least is None or found.plan.devices < least.plan.devices):
            options = {**trial.options, **found.options}
            yield found._replace(words=f"{trial.words} on {found.words}", options=options)


def _tried(case: Case, asked: Trial, changes: Iterable[Change]) -> Iterator[Trial]:
    for change in changes:
        stepped = bool(change.steps)
        trial = least_step(case, asked, change) if stepped else case.possible(change.words, change.options)
        if trial is not None:
            yield trial


def _stepped(case: Case, known: Iterable[Change], formats: list[Trial]) -> Iterator[Trial]:
    """Each format with the least of the steps of what comes behind formats that makes it fit then."""
    for change in known:
        for trial in formats if change.steps and change.turn == "behind formats" else ():
            here = case._replace(options={**case.options, **trial.options})
            found = least_step(here, trial, change)
            if found is not None:
                options = {**trial.options, **found.options}
                yield found._replace(words=f"{trial.words}, {found.words}", options=options)


def _formats(case: Case, asked: Trial) -> Iterator[Trial]:
    for change in asked.question.kind.formats(asked.question):
        trial = case.possible(change.words, change.options)
        if trial is not None and trial.memory.total_bytes < asked.memory.total_bytes:
            yield trial


def _pairs(case: Case, asked: Trial, changes: list[Trial], formats: list[Trial]) -> Iterator[Trial]:
    """Two changes that make it fit where no single one does: each format, with the change that saves most."""
    best = max(changes, key=lambda trial: saved(trial, asked), default=None)
    if best is None or saved(best, asked) <= 0:
        return
    for trial in formats:
        both = case.possible(f"{trial.words}, {best.words}", {**trial.options, **best.options})
        if both is not None and both.fits:
            yield both
