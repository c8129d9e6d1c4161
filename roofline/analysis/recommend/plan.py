"""One way to do what is wanted: how many of which accelerator, in which plan and format, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.trial import Case, Trial, plan_dict
from roofline.analysis.recommend.wanted import Wanted
from roofline.answer.plain import plain
from roofline.answer.times import Times
from roofline.machine.engine_lookup import engine_inputs
from roofline.runs.ask import ask
from roofline.runs.money.money import Money, money_of
from roofline.units import format_time


@dataclass(frozen=True, eq=False)
class Plan:
    """One plan, and its times and rates under the load that is wanted.

    `trial` is one replica with one request; `replicas` of it are taken, asked for with `options`. `times` are seconds
    by quantity; `made_per_s` requests, or members of batches, that all of it makes under these times, `load` the part
    of it that is wanted, and `share` what is wanted of the most that it can make within the limits; None for users.
    """

    case: Case
    trial: Trial
    options: Mapping[str, Any]
    replicas: int
    times: Mapping[str, Times]
    made_per_s: Times
    tokens_per_s: Times | None
    load: float = 1.0
    share: float | None = None

    def __repr__(self) -> str:
        """On one line; all of it is in `to_dict`."""
        return f"<Plan: {self.gpus} x {self.gpu}, {format_time(self.speed)}>"

    @cached_property
    def answer(self) -> Answer:
        """The run of the whole plan, as `estimate` has it."""
        return evaluate(ask(self.case.model, self.case.gpu, {**self.case.options, **self.options}), Answer)

    @property
    def gpu(self) -> str:
        """The accelerator, by name."""
        name: str = self.trial.question.gpu.name
        return name

    @property
    def gpus(self) -> int:
        """All of them, of all replicas."""
        spread = self.trial.plan
        return spread.devices * (self.replicas if spread.dp == 1 else 1)

    @cached_property
    def money(self) -> Money:
        """What one costs."""
        return money_of(self.trial.question)

    @property
    def cost_per_hour(self) -> float | None:
        """What all cost, with electricity where that comes on top; None where no price is known in that currency."""
        if not self.money.compared:
            return None
        if not self.money.adds:
            return self.money.per_hour(self.gpus)
        found = self.answer.quantity("cost_per_hour")
        return None if found is None or found.times is None else float(found.times.expected)

    @property
    def speed(self) -> float:
        """Seconds by which speed is judged: per output token, else of all."""
        return float((self.times.get("tpot_s") or self.times["total_s"]).expected)

    @cached_property
    def headroom(self) -> float:
        """Share of the memory that is left."""
        memory = self.answer.memory
        return 1.0 - float(memory.total_bytes) / float(memory.usable_bytes)

    @property
    def busy(self) -> float:
        """The share of what the plan can make that it makes: as the rate says, or as `--load` does."""
        return self.load * self.money.asked.load

    @property
    def cost_per_million(self) -> float | None:
        """What a million output tokens cost under the load that is wanted."""
        cost, rate = self.cost_per_hour, self.tokens_per_s
        if cost is None or rate is None or not float(rate.expected):
            return None
        return cost / (3600.0 * float(rate.expected) * self.busy) * 1e6

    @property
    def cost_per_thousand(self) -> float | None:
        """What a thousand pictures, or sequences, cost under the load that is wanted."""
        cost = self.cost_per_hour
        return None if cost is None else cost / (3600.0 * float(self.made_per_s.expected) * self.busy) * 1e3

    def misses(self, wanted: Wanted, reading: str = "expected") -> dict[str, float]:
        """By how many times each limit is missed, of those that are."""
        found = {}
        for name, limit in wanted.limits.items():
            times = self.times.get(name)
            if times is not None and float(getattr(times, reading)) > limit * _SLACK:
                found[name] = float(getattr(times, reading)) / limit
        cost = self.cost_per_hour
        if wanted.budget is not None and (cost is None or cost > wanted.budget):
            found["budget"] = float("inf") if cost is None else cost / wanted.budget
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        q, service, memory = self.answer.question, self.answer.service, self.answer.memory
        return {
            "gpu": self.gpu,
            "gpus": self.gpus,
            "plan": plan_dict(q.spread.plan),
            "replicas": self.replicas,
            "weights": q.precision.label,
            **engine_inputs(q.engine),
            "options": {name: value for name, value in self.options.items() if value is not None},
            "batch": plain(q.run.batch),
            "users": None if service is None else plain(service.users),
            **{name: times.to_dict() for name, times in self.times.items()},
            "requests_per_s": self.made_per_s.to_dict(),
            "output_tokens_per_s": self.tokens_per_s and self.tokens_per_s.to_dict(),
            "load": plain(self.load),
            "share_of_most": plain(self.share),
            "total_bytes": plain(memory.total_bytes),
            "usable_bytes": plain(memory.usable_bytes),
            "headroom": plain(self.headroom),
            "cost_per_hour": self.cost_per_hour,
            "currency": self.money.currency if self.cost_per_hour is not None else None,
            "price": self.money.words,
            "cost_per_million_output_tokens": self.cost_per_million,
            "cost_per_million_tokens": self._blended(),
            "cost_per_thousand": None if self.tokens_per_s is not None else self.cost_per_thousand,
        }

    def _blended(self) -> float | None:
        """What a million tokens in and out cost."""
        each, run = self.cost_per_million, self.trial.question.run
        return None if each is None else each * float(run.generate) / float(run.prompt + run.generate)


#: A limit that is passed by less is not told from it: times are shown to three digits.
_SLACK: Final = 1.001


class Out(NamedTuple):
    """An accelerator that is out, or that lost: by name, why, by how many times it misses, its nearest plan."""

    gpu: str
    reason: str
    by: float
    plan: Plan | None = None
