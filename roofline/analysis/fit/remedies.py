"""What would help: the changes that a kind of run knows, each tried, in the order of what they save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from roofline.analysis.fit.fewest import fewest, more
from roofline.analysis.fit.trial import Case, Trial


class Remedies(NamedTuple):
    """What would help.

    `each`: every change that saves memory, that which saves most first. `mildest`: the first that makes it fit, in the
    order of how much it changes; `widest`: the widest format of the weights that fits. Both None where it fits as asked
    or nothing of that kind makes it fit.
    """

    each: tuple[Trial, ...] = ()
    mildest: Trial | None = None
    widest: Trial | None = None


def remedies(case: Case, asked: Trial, least: Trial | None) -> Remedies:
    """All changes of options tried, and more devices: one more, and the fewest that hold the run, `least`."""
    changes, formats = list(_changes(case, asked)), list(_formats(case, asked))
    mild = [*changes, *formats]
    if not any(trial.fits for trial in mild):
        mild += [*_pairs(case, asked, changes, formats), *_fewer_devices(case, formats, least)]
    each = sorted([*mild, *_devices(case, asked, least)], key=lambda trial: -saved(trial, asked))
    helping = tuple(trial for trial in each if saved(trial, asked) > 0 and not any(_idle(trial, less) for less in each))
    if asked.fits:
        return Remedies(helping)
    first, widest = (next((trial for trial in those if trial.fits), None) for those in (mild, formats))
    return Remedies(helping, first, widest)


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


def _changes(case: Case, asked: Trial) -> Iterator[Trial]:
    for change in asked.question.kind.changes(asked.question):
        trial = case.possible(change.words, change.options)
        if trial is not None:
            yield trial


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
