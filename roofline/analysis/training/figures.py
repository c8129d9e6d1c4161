"""The figures of a training run beyond its times and memory: shares, rates, money, the whole run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from roofline.analysis.training.evaluate import TrainOutcome
from roofline.analysis.training.telling.helping import Helped, helped
from roofline.answer.plain import plain
from roofline.answer.times import Times
from roofline.runs.money.money import Money, money
from roofline.runs.money.watts import Watts, watts
from roofline.specs.text.transformer import TransformerSpec

_HOUR: Final = 3600.0
_KWH: Final = 3.6e6


class Whole(NamedTuple):
    """A whole run: steps, seconds in all readings, GPU-hours, its price, and joules; None where not known.

    `electricity` is what its energy costs by the tariff that was given, be it in `cost` or not; `tariff` its currency.
    """

    steps: float
    tokens: float
    seconds: Times
    gpu_hours: Times
    cost: Times | None
    currency: str
    joules: Times | None
    electricity: Times | None = None
    tariff: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "steps": plain(self.steps),
            "tokens": plain(self.tokens),
            "seconds": self.seconds.to_dict(),
            "gpu_hours": self.gpu_hours.to_dict(),
            "cost": self.cost.to_dict() if self.cost is not None else None,
            "currency": self.currency,
            "energy_j": self.joules.to_dict() if self.joules is not None else None,
            "electricity": self.electricity.to_dict() if self.electricity is not None else None,
            "electricity_currency": self.tariff or None,
        }


@dataclass(frozen=True, eq=False)
class TrainFigures(TrainOutcome):
    """An outcome with the figures that follow from it."""

    @property
    def peak(self) -> float:
        """FLOP/s of one device in the format of the matrices, dense."""
        q = self.question
        return float(q.machine().tensor[q.precision.matrix_dtype()])

    @property
    def whole_peak(self) -> float:
        """FLOP/s of all devices."""
        return self.peak * self.question.gpus

    @cached_property
    def mfu(self) -> float:
        """Share of the peak that the model's own FLOPs make, attention as its mask lets through, as expected."""
        return self.flops.causal / (float(self.times.expected) * self.whole_peak)

    @cached_property
    def hfu(self) -> float:
        """Share of the peak that all FLOPs make, those that are repeated too."""
        return self.flops.hardware / (float(self.times.expected) * self.whole_peak)

    @property
    def tokens_per_s(self) -> Times:
        """Tokens, or pictures, that all devices train on in a second."""
        return self.times.rate(self.question.run.tokens_per_step)

    @property
    def samples_per_s(self) -> Times:
        """Sequences, or pictures."""
        return self.times.rate(self.question.run.global_batch)

    @cached_property
    def money(self) -> Money:
        """What an hour costs."""
        node = self.question.layout.spread.node
        return money(self.question.gpu, self.question.money, node.count if node is not None else 0)

    @property
    def drawn(self) -> Watts | None:
        """What one device draws under load."""
        return watts(self.question.gpu, "load")

    def joules_of(self, seconds: Times) -> Times | None:
        """Energy of all devices in a time; None where nothing is known of what one draws."""
        drawn = self.drawn
        if drawn is None:
            return None
        return seconds * (self.question.gpus * self.question.money.pue * drawn.value)

    def cost_of(self, seconds: Times) -> Times | None:
        """What a time of all devices costs, electricity with it where it comes on top; None without a price."""
        hourly = self.money.per_hour(self.question.gpus)
        if hourly is None:
            return None
        cost = seconds * (hourly / _HOUR / self.question.money.load)
        electricity = self.electricity_of(seconds)
        return cost + electricity if electricity is not None and self.money.adds else cost

    def electricity_of(self, seconds: Times) -> Times | None:
        """What the energy of a time of all devices costs; None without a tariff, or where nothing is known of it."""
        joules, tariff = self.joules_of(seconds), self.money.tariff
        return joules * (tariff.value / _KWH) if joules and tariff else None

    @cached_property
    def whole(self) -> Whole | None:
        """The whole run; None where nothing was said of its length."""
        run = self.question.run
        if run.steps is None:
            return None
        seconds = self.times * run.steps
        hours, cost = seconds * (self.question.gpus / _HOUR), self.cost_of(seconds)
        return Whole(
            run.steps,
            run.tokens or run.steps * run.tokens_per_step,
            seconds,
            hours,
            cost,
            self.money.currency,
            self.joules_of(seconds),
            self.electricity_of(seconds),
            self.money.tariff.currency if self.money.tariff else "",
        )

    @cached_property
    def remedies(self) -> tuple[Helped, ...]:
        """What would help where it does not fit, the mildest first; nothing where it does."""
        return () if self.memory.fits else helped(self.question)

    @cached_property
    def conventions(self) -> dict[str, float]:
        """FLOPs per token of a training step by each published way of counting that can say so of this model."""
        run, spec = self.question.run, self.question.spec
        if not isinstance(spec, TransformerSpec):
            return {}
        from roofline.analysis.training.conventions.counts import conventions_of

        told = conventions_of(spec, run.sequence, decoder=run.decoder)
        return {name: value for name, value in told.items() if not name.startswith(("ledger", "hardware"))}
