"""What a verdict is about: the phase that takes longest, the time that stands for it, and what limits that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.analysis.explain_expected import causes, fetched_s
from roofline.answer.phase import PhaseEstimate
from roofline.answer.quantity import Quantity
from roofline.machine.engine import IDEAL
from roofline.machine.faster import FIGURES, limit_words
from roofline.runs.kind import Outcome

#: The name in JSON of what is no phase: weights that come from host memory beside them.
FETCHING: Final = "transfer"
#: From this share of the time on, what is fetched is told, and all of the run is judged.
_MUCH: Final = 0.1
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
    """The phase that takes longest, its share of the run's time, its quantity, and what binds it, as a code.

    `name` is that of the phase; FETCHING where waiting for weights from host memory takes longer than any. `fetched`
    is the share of that, `judged` the quantity by which changes are held against each other: of a run that fetches
    much, all of it. `spent` are shares of the phase's expected time, the largest first; none for the ideal engine.
    """

    name: str
    share: float
    quantity: Quantity
    by: str
    spent: Mapping[str, float]
    fetched: float
    judged: Quantity

    @property
    def bound_words(self) -> str:
        """What binds it, for people."""
        return limit_words(self.by)

    @property
    def fetches(self) -> bool:
        """Whether what is fetched takes a good part of the time."""
        return self.fetched >= _MUCH

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "phase": self.name,
            "share_of_time": self.share,
            "quantity": self.quantity.name,
            "limited_by": self.by,
            "spent": dict(self.spent),
            "fetched_share": self.fetched,
            "judged_by": self.judged.name,
        }


def focus_of(est: Outcome, elasticity: Mapping[str, Mapping[str, float]]) -> Focus:
    """What a verdict on a run is about."""
    times = {phase.name: float(phase.repeat * phase.times.expected) for phase in est.phases}
    phase = max(est.phases, key=lambda phase: times[phase.name])
    named, whole, late = est.question.kind.focus.get(phase.name), _longest(est), fetched_s(est) or 0.0
    total = sum(times.values()) + late or 1.0
    if late > times[phase.name]:
        by = _binding("communication", elasticity.get("transfer_s", {}))
        return Focus(FETCHING, late / total, whole, by, {}, late / total, whole)
    quantity = (est.quantity(named.quantity) if named is not None else None) or whole
    by = _binding(phase.bound_by, elasticity.get(quantity.name, {}))
    judged = whole if late / total >= _MUCH else quantity
    return Focus(phase.name, times[phase.name] / total, quantity, by, _spent(est, phase), late / total, judged)


def _longest(est: Outcome) -> Quantity:
    """The time of the whole run."""
    times = [q for q in est.quantities if q.group == "latency" and q.times is not None]
    return max(times, key=lambda q: float(q.times.expected) if q.times is not None else 0.0)


def _binding(bound_by: str, parts: Mapping[str, float]) -> str:
    """By the figure on which most depends; by the bound's longest part where that is not known."""
    if not parts:
        return bound_by
    return FIGURES[min(parts, key=lambda figure: parts[figure])].code


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
