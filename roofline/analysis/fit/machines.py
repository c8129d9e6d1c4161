"""Which accelerators hold a run, each with the fewest of a node, and what that costs where a price is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.fewest import fewest
from roofline.analysis.fit.trial import Case, Trial, plan_dict
from roofline.answer.plain import plain
from roofline.errors import UnknownNameError, UsageError
from roofline.runs.kind import Outcome
from roofline.runs.load import load_gpu
from roofline.runs.money.money import Money, money, money_of
from roofline.runs.money.terms import read_terms
from roofline.specs.files.library import files
from roofline.specs.gpu import GPUSpec
from roofline.workload.plan import Plan


class Machine(NamedTuple):
    """One kind of accelerator: the run on the fewest of it that hold it, or on one where a node of it does not.

    `refusal` says why a run is not possible there at all.
    """

    gpu: GPUSpec
    trial: Trial | None
    money: Money
    refusal: str = ""

    @property
    def fits(self) -> bool:
        """Whether it holds the run."""
        return self.trial is not None and self.trial.fits

    @property
    def gpus(self) -> int:
        """How many it takes."""
        return self.trial.plan.devices if self.trial is not None else 1

    @property
    def cost_per_hour(self) -> float | None:
        """What all of them cost, in the currency of the price; None where none is known."""
        return self.money.per_hour(self.gpus)

    @property
    def order(self) -> tuple[bool, bool, float]:
        """Those that hold it first, the cheapest first, then those without a price by their memory; others by miss."""
        cost = self.cost_per_hour if self.money.compared else None
        if self.fits:
            return False, cost is None, float(self.gpu.memory.capacity) * self.gpus if cost is None else cost
        return True, self.trial is None, self.trial.missing if self.trial is not None else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        plan = self.trial.plan if self.trial is not None else Plan()
        room = self.trial.room if self.trial is not None and self.fits else None
        held = self.trial.held() if self.trial is not None else dict.fromkeys(("total_bytes", "usable_bytes"))
        return {
            "gpu": self.gpu.name,
            "gpus": self.gpus,
            "plan": plan_dict(plan),
            "fits": self.fits,
            **{name: value for name, value in held.items() if name != "fits"},
            "capacity_bytes": plain(self.gpu.memory.capacity),
            "max_batch": room,
            "cost_per_hour": self.cost_per_hour,
            "price": self.price_dict(),
            "refusal": self.refusal or None,
        }

    def price_dict(self) -> dict[str, Any] | None:
        """Per GPU and hour, in US dollars where the price is in them; who asks it, on which day, read where."""
        price, hourly = self.money.price, self.money.per_hour(1)
        if price is None:
            return None
        told = {"provider": price.provider, "date": price.date or None, "source": price.source}
        dollars = hourly if self.money.currency == "USD" else None
        further = {
            "hourly": hourly,
            "currency": self.money.currency,
            "age_days": self.money.age_days,
            "doubt": price.doubt or None,
        }
        return {"usd_per_hour": dollars, **told, **further}


def machine_of(trial: Trial) -> Machine:
    """The accelerator of one run."""
    return Machine(trial.question.gpu, trial, money_of(trial.question))


def machines(case: Case) -> tuple[Machine, ...]:
    """Every accelerator of the library, those that hold the run first, the cheapest of them first.

    A plan that was asked for is asked of each; else the fewest of a node are found. Raises UsageError where no
    accelerator can run it.
    """
    found, refused = [], []
    asked = read_terms(case.options, case.options.get("spec_dir"))
    for path in files("hardware", case.options.get("spec_dir")).values():
        here = case._replace(gpu=load_gpu(path))
        try:
            found.append(machine_of(next(_trials(here))))
        except UnknownNameError:
            raise  # what is not known here is known nowhere
        except UsageError as error:
            gpu = load_gpu(path)
            found.append(Machine(gpu, None, money(gpu, asked), str(error)))
            refused.append(error)
    if len(refused) == len(found):
        raise refused[0]
    return tuple(sorted(found, key=lambda machine: machine.order))


def _trials(case: Case) -> Iterator[Trial]:
    """The run as planned, or on the fewest devices of a node; else on one."""
    if not case.planned:
        found = fewest(case, nodes=1)
        if found is not None:
            yield found
    trial = case.tried("as asked", {})
    if case.planned:
        trial = trial._replace(outcome=evaluate(trial.question, Outcome))  # raises where there are no links for it
    yield trial
