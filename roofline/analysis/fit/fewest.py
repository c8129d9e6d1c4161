"""The fewest devices that hold a run, with the plan over them.

Within a node any number of devices counts, beyond it whole nodes. For each number the plans that its kind of run knows
are tried in turn, the quickest first: those that the model refuses (heads that do not divide) or that the links do not
allow are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.trial import Case, Trial
from roofline.errors import UsageError
from roofline.runs.devices.resolve import links_of
from roofline.runs.kind import Outcome

#: Nodes beyond which a search is given up.
_NODES: Final = 64
#: Plans per number of devices that are weighed beyond a node, where there are many numbers.
_BEYOND: Final = 2


class Reach(NamedTuple):
    """How many devices a node has, 1 where nothing links them, and how many nodes are tried."""

    node: int
    nodes: int = _NODES

    @classmethod
    def of(cls, trial: Trial, case: Case, nodes: int = _NODES) -> Reach:
        """What the links of an accelerator reach."""
        named = case.options.get("node") or getattr(trial.question.spread.node, "name", None)
        fabric = links_of(trial.question.gpu, named, case.options.get("spec_dir"))[1]
        if fabric is None or fabric.scale_up is None:
            return cls(1, 1)
        return cls(fabric.node, nodes if fabric.scale_out is not None else 1)

    def counts(self) -> Iterator[int]:
        """Numbers of devices beyond one, in order."""
        yield from range(2, self.node + 1)
        if self.node > 1:
            yield from range(2 * self.node, self.nodes * self.node + 1, self.node)


def fewest(case: Case, nodes: int = _NODES) -> Trial | None:
    """The run on the fewest devices that hold it; None where so many nodes do not. Raises as one device does."""
    single = case.alone().tried("one GPU", {})
    if single.fits:
        return single
    reach = Reach.of(single, case, nodes)
    total, usable = float(single.memory.total_bytes), float(single.memory.usable_bytes)
    for gpus in reach.counts():
        if gpus * usable >= total:  # devices cannot hold less together than one alone
            for trial in laid_over(case, single, gpus, reach):
                if trial.fits and (found := linked(trial)) is not None:
                    return found
    return None


def laid_over(case: Case, single: Trial, gpus: int, reach: Reach) -> Iterator[Trial]:
    """The run on so many devices, one plan after the other."""
    if gpus == 1:
        yield single
        return
    alone, kind = case.alone(), single.question.kind
    plans = kind.plans(single.question, gpus, reach.node)
    found = (alone.possible(_words(gpus, plan), plan) for plan in plans)
    yield from islice((trial for trial in found if trial is not None), None if gpus <= reach.node else _BEYOND)


def _words(gpus: int, plan: Mapping[str, Any]) -> str:
    """So many devices, and the plan where it is not tensor parallelism alone."""
    axes = {name: size for name, size in plan.items() if name != "gpus" and size > 1}
    named = "" if axes in ({}, {"tp": gpus}) else f" ({' · '.join(f'{name} {size}' for name, size in axes.items())})"
    return f"{gpus} GPUs{named}"


def linked(trial: Trial) -> Trial | None:
    """The trial with its outcome; None where there are no links for what its devices exchange."""
    try:
        return trial._replace(outcome=evaluate(trial.question, Outcome))
    except UsageError:
        return None


def fewer(case: Case, gpus: int) -> Trial | None:
    """The run on the next smaller number of devices, by the plan that misses least; None where there is no smaller."""
    single = case.alone().tried("one GPU", {})
    reach = Reach.of(single, case)
    below = max((count for count in (1, *reach.counts()) if count < gpus), default=0)
    found = laid_over(case, single, below, reach) if below else ()
    return min(found, key=lambda trial: trial.missing, default=None)


def more(case: Case, gpus: int) -> Trial | None:
    """The run on the next larger number of devices that it can be laid over; None where there is none."""
    single = case.alone().tried("one GPU", {})
    reach = Reach.of(single, case)
    for count in reach.counts():
        if count > gpus:
            for trial in laid_over(case, single, count, reach):
                if (found := linked(trial)) is not None:
                    return found
    return None
