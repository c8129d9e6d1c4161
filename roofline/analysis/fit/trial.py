"""A run that can be asked again with something changed, and what is held then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.analysis.evaluate import Kept, evaluate, memory_of
from roofline.answer.memory import ENDLESS, Memory
from roofline.answer.plain import plain
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.runs.kind import Outcome, Question
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.options import OPTIONS
from roofline.workload.plan import Plan

#: The options that lay a run over several devices.
PLAN: Final = ("gpus", "tp", "pp", "microbatches", "ep", "dp", "cp")
#: The limits that every answer names, null where they have no meaning or memory sets none.
LIMITS: Final = ("max_batch", "max_context", "max_concurrency", "max_side_px")


class Trial(NamedTuple):
    """One way to run it: what is changed, in words and as options, the question, and what it holds per device.

    `seconds` is the time that is expected, where ways are told by what they cost; `outcome` what comes out, where it
    was worked out to see whether there are links for it.
    """

    words: str
    options: Mapping[str, Any]
    question: Question
    memory: Memory
    seconds: float | None = None
    outcome: Outcome | None = None

    @property
    def fits(self) -> bool:
        """Whether it fits."""
        return bool(self.memory.fits)

    @property
    def missing(self) -> float:
        """Bytes by which it misses on the fullest device; below zero: what is left."""
        return float(self.memory.total_bytes) - float(self.memory.usable_bytes)

    @property
    def host_missing(self) -> float:
        """Bytes that the host lacks; below zero: what is left there; 0 where nothing stays there."""
        host = self.memory.host
        return 0.0 if host is None else float(host.together) - host.capacity

    @property
    def plan(self) -> Plan:
        """Over which devices it runs."""
        return self.question.spread.plan

    @property
    def room(self) -> int | None:
        """The largest batch of all replicas together that the engine runs at once; None without a limit of memory."""
        most: int | None = self.memory.max_batch
        at_once = self.question.execution.budget.sequences or ENDLESS
        return None if most is None else min(most, at_once) * self.plan.dp

    @property
    def waiting(self) -> Any:
        """Bytes that stay in host memory; None where none do."""
        beside = (figure for part in self.memory.parts for figure in part.beside)
        return next((size for name, size in beside if name == "host_bytes"), None)

    def limits(self) -> dict[str, int | None]:
        """How far it can grow, by the names in JSON."""
        found: dict[str, int | None] = dict.fromkeys(LIMITS)
        found |= {limit.name: limit.told for limit in self.memory.limits}
        return found | {"max_concurrency": self.room if self.question.kind.served else None}

    def placed(self) -> dict[str, Any]:
        """How many devices it takes, and the plan over them."""
        return {"gpus": self.plan.devices, "plan": plan_dict(self.plan)}

    def timed(self) -> Trial:
        """With the time that is expected, for kinds of run that are told by it; as it is where there are no links."""
        name = self.question.kind.costs
        if not name:
            return self
        try:
            found = evaluate(self.question, Outcome).quantity(name)
        except UsageError:
            return self
        return self if found is None or found.times is None else self._replace(seconds=float(found.times.expected))

    def held(self) -> dict[str, Any]:
        """Bytes per device, and whether they fit."""
        room = {"total_bytes": self.memory.total_bytes, "usable_bytes": self.memory.usable_bytes, "fits": self.fits}
        if (host := self.memory.host) is not None:
            room |= {"host_together_bytes": host.together, "host_capacity_bytes": host.capacity}
        return {name: plain(value) for name, value in room.items()}


def plan_dict(plan: Plan) -> dict[str, int]:
    """A plan as options."""
    return {"tp": plan.tp, "pp": plan.pp, "ep": plan.ep, "cp": plan.cp, "dp": plan.dp}


class Case(NamedTuple):
    """What is asked: a model, an accelerator, the options that were given; `kept` are stages of runs seen before."""

    model: ModelLike
    gpu: GPULike | None
    options: Mapping[str, Any]
    kept: Kept

    def alone(self) -> Case:
        """The same on one device."""
        return self._replace(options={name: value for name, value in self.options.items() if name not in PLAN})

    def resolved(self, question: Question) -> Case:
        """The same by the model's own name, the format that stood behind it as an option, which may change."""
        asked = question.asked
        return self if asked is None else self._replace(model=asked.model, options=asked.options)

    @property
    def planned(self) -> bool:
        """Whether devices were asked for."""
        return any(self.options.get(name) is not None for name in PLAN)

    def tried(self, words: str, changed: Mapping[str, Any]) -> Trial:
        """The same with some options changed. Raises UsageError where they do not go together."""
        question = ask(self.model, self.gpu, {**self.options, **changed})
        return Trial(words, changed, question, memory_of(question, self.kept))

    def possible(self, words: str, changed: Mapping[str, Any]) -> Trial | None:
        """The same, or None where the options do not go together or are not known."""
        if not changed.keys() <= OPTIONS.keys():
            return None
        try:
            return self.tried(words, changed)
        except UsageError:
            return None
