"""What a verdict is about: the phase that takes longest, the time that stands for it, and what limits that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.analysis.explain_expected import causes
from roofline.answer.phase import PhaseEstimate
from roofline.answer.quantity import Quantity
from roofline.machine.engine import IDEAL
from roofline.runs.kind import Outcome

#: What is said to bind a phase where most depends on a figure of the hardware.
BOUND_BY: Final = {
    "bandwidth": "memory",
    "compute": "compute",
    "links": "communication",
    "overhead": "overhead",
    "host": "the host's cores",
}
_WORDS: Final = {
    "memory": "memory",
    "compute": "compute",
    "communication": "the links",
    "overhead": "overhead (starting kernels, host work)",
    "the host's cores": "the host's cores",
}
#: What an expected time is spent on, in words, by the name of its cause.
_SPENT: Final = {
    "weights": "reading weights",
    "cache": "reading the cache",
    "activations": "moving activations",
    "compute": "multiplying",
    "communication": "between GPUs",
    "launches": "starting kernels",
    "host's cores": "on the host's cores",
    "waits": "waiting inside kernels",
    "request": "on the host",
    "sequences": "on the host",
    "step": "on the host",
    "host kernels": "on the host",
    "bound": "at the roofline bound",
    "transfer": "fetching weights",
}


class Focus(NamedTuple):
    """The phase that takes longest, its share of the run's time, its quantity, and what binds it.

    `spent` are shares of the phase's expected time, the largest first; none for the ideal engine.
    """

    phase: PhaseEstimate
    share: float
    quantity: Quantity
    by: str
    spent: Mapping[str, float]

    @property
    def bound_words(self) -> str:
        """What binds it, for people."""
        return _WORDS[self.by]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "phase": self.phase.name,
            "share_of_time": self.share,
            "quantity": self.quantity.name,
            "limited_by": self.by,
            "spent": dict(self.spent),
        }


def focus_of(est: Outcome, elasticity: Mapping[str, Mapping[str, float]]) -> Focus:
    """What a verdict on a run is about."""
    times = {phase.name: float(phase.repeat * phase.times.expected) for phase in est.phases}
    phase = max(est.phases, key=lambda phase: times[phase.name])
    named = est.question.kind.focus.get(phase.name)
    quantity = (est.quantity(named.quantity) if named is not None else None) or _longest(est)
    share = times[phase.name] / (sum(times.values()) or 1.0)
    return Focus(phase, share, quantity, _binding(phase, elasticity.get(quantity.name, {})), _spent(est, phase))


def _longest(est: Outcome) -> Quantity:
    """The time of the whole run."""
    times = [q for q in est.quantities if q.group == "latency" and q.times is not None]
    return max(times, key=lambda q: float(q.times.expected) if q.times is not None else 0.0)


def _binding(phase: PhaseEstimate, parts: Mapping[str, float]) -> str:
    """By the figure on which most depends; by the bound's longest part where that is not known."""
    if not parts:
        return phase.bound_by
    return BOUND_BY[min(parts, key=lambda figure: parts[figure])]


def _spent(est: Outcome, phase: PhaseEstimate) -> dict[str, float]:
    """Shares of a phase's expected time by what it is spent on."""
    if est.question.engine == IDEAL:
        return {}
    found: dict[str, float] = {}
    whole = float(phase.times.expected) or 1.0
    for cause in causes(est, phase):
        words = _SPENT.get(cause.name, cause.name)
        found[words] = found.get(words, 0.0) + cause.seconds / whole
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
