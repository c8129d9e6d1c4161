"""The path of an op under the roof while one size of the run grows: more sequences at once, a longer context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.errors import UsageError, did_you_mean
from roofline.report.plots.roof.ledger import At, Kernel, ledger_of
from roofline.runs.ask import ask_again
from roofline.runs.options import SIZES

#: The most values of a path: each is a run of its own.
_MOST: Final = 64
#: The share of the run's time below which the path of a phase is left out.
_SLIGHT: Final = 0.005
#: The context of a decode step is no option: it is a prompt of that length, and the step after it.
CONTEXT: Final = "context"


class Step(NamedTuple):
    """One point of a path: the value of the size, FLOP/byte, FLOP/s at the time that is shown and at the bound."""

    value: float
    intensity: float
    rate: float
    bound: float
    kernels: tuple[Kernel, ...]


class Trail(NamedTuple):
    """The path of one op of a phase over the values of a size."""

    phase: str
    op: str
    size: str
    steps: tuple[Step, ...]

    @property
    def repeats(self) -> bool:
        """Whether some values have the same point."""
        return len({(f"{step.intensity:.3g}", f"{step.rate:.3g}") for step in self.steps}) < len(self.steps)


class Asked(NamedTuple):
    """Over which size paths lead, its values in order, and whose paths: of an op, or None for each phase's heaviest."""

    size: str
    values: tuple[Any, ...]
    op: str | None = None


def asked_trail(trail: Mapping[str, Sequence[Any]], op: str | None) -> Asked:
    """A path as it was asked for. Raises UsageError for more than one size, one that is none, or too few values."""
    if len(trail) != 1:
        raise UsageError(f"--trail leads over one size, such as batch=1:256:x2, not over {len(trail)}")
    (size, values), sizes = next(iter(trail.items())), (*SIZES, CONTEXT)
    if size not in sizes:
        hint = did_you_mean(size, sizes) or f"There are: {', '.join(sizes)}"
        raise UsageError(f"--trail leads over a size, and {size!r} is none. {hint}")
    given = tuple(sorted(dict.fromkeys(values)))
    if len(given) < 2:
        raise UsageError(f"--trail {size} has {len(given)} value: a path needs two at least, such as {size}=1:256:x2")
    if len(given) > _MOST:
        raise UsageError(f"--trail {size} has {len(given):,} values: a path shows {_MOST} at most; take larger steps")
    return Asked(size, given, op)


def trails_of(estimate: Answer, asked: Asked, at: At) -> list[Trail]:
    """The paths of the ops that were asked for, of a run and the same run at other values.

    Phases that take next to nothing of the run have none. Raises UsageError where no op has that name, and where a
    value cannot be.
    """
    by_value = [(value, ledger_of(_with(estimate, asked.size, value)).kernels) for value in asked.values]
    found = []
    for phase, name in _whose(estimate, asked, at):
        steps = []
        for value, kernels in by_value:
            group = tuple(k for k in kernels if k.phase == phase and k.name == name and k.is_seen)
            if group and sum(kernel.seconds(at) for kernel in group) > 0:
                steps.append(_step(value, group, at))
        if len(steps) > 1:
            found.append(Trail(phase, name, asked.size, tuple(steps)))
    return found


def _step(value: float, group: tuple[Kernel, ...], at: At) -> Step:
    flops, moved = sum(kernel.flops for kernel in group), sum(kernel.bytes for kernel in group)
    seconds, bound = (sum(kernel.seconds(which) for kernel in group) for which in (at, "bound"))
    return Step(value, flops / moved, flops / seconds, flops / bound, group)


def _whose(estimate: Answer, asked: Asked, at: At) -> Iterator[tuple[str, str]]:
    """Phase and name of each op whose path is drawn."""
    ledger = ledger_of(estimate)
    if asked.op is not None:
        phases = [phase for phase in ledger.phases if any(k.name == asked.op and k.is_seen for k in ledger.of(phase))]
        if not phases:
            names = list(dict.fromkeys(kernel.name for kernel in ledger.kernels if kernel.is_seen))
            hint = did_you_mean(asked.op, names) or f"There are: {', '.join(names[:12])}"
            raise UsageError(f"no op {asked.op!r} with matrix FLOPs in this run. {hint}")
        yield from ((phase, asked.op) for phase in phases)
        return
    for phase in ledger.phases:
        spent: dict[str, float] = {}
        for kernel in ledger.of(phase):
            if kernel.is_seen:
                spent[kernel.name] = spent.get(kernel.name, 0.0) + kernel.spent(at)
        if sum(spent.values()) >= _SLIGHT * ledger.total(at):
            yield phase, max(spent, key=lambda name: spent[name])


def _with(estimate: Answer, size: str, value: Any) -> Answer:
    """The same run with another value of a size."""
    changed = {"prompt": value, "generate": 2} if size == CONTEXT else {size: value}
    return evaluate(ask_again(estimate.question, changed), Answer)
