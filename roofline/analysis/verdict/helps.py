"""What would help most: other formats, batches and accelerators, each evaluated, not guessed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from roofline.analysis.catalogue.shelves import gpu_rows
from roofline.analysis.evaluate import evaluate
from roofline.analysis.verdict.focus import Focus
from roofline.answer.plain import plain
from roofline.errors import RooflineError, UsageError
from roofline.machine.chips.facts import half_peak_of
from roofline.runs.ask import ask
from roofline.runs.kind import Asked, Outcome
from roofline.runs.money.money import hourly_prices, money_of, priced

#: What is told at least makes a run so many times as good.
LEAST: Final = 1.1
#: A batch may make each of its members take so many times as long.
_SLOWER: Final = 2.0
_LARGEST_BATCH: Final = 1024
#: Accelerators that are evaluated, of those that the figures on which most depends promise most for their price.
_MACHINES: Final = 3
_FOR_PLAY: Final = ("GeForce", "Radeon RX", "Arc A", "Arc B")
#: The options that lay a run over devices.
_AXES: Final = ("tp", "pp", "ep", "cp", "microbatches")
#: By figures alone, an accelerator is looked at from so many times as fast on.
_PROMISING: Final = 1.25


class Help(NamedTuple):
    """One change and what it brings.

    `ratio`: how many times as fast the time that is judged is, or for a batch how many times as much is made per
    second; `slower`: how many times as long that time then is; `price`: how many times what it costs per hour.
    """

    kind: str
    change: str
    options: Mapping[str, Any]
    ratio: float
    slower: float
    price: float | None = None
    price_per_hour: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = self._asdict() | {"options": dict(self.options)}
        return {name: plain(value) for name, value in found.items()}


def helps(est: Outcome, focus: Focus, elasticity: Mapping[str, Mapping[str, float]]) -> tuple[Help, ...]:
    """What would help by a tenth at least: the best of each kind; nothing where a question cannot be asked again."""
    asked = same_batch(est)
    if asked is None:
        return ()
    case = _Case(est, asked, focus)
    parts = elasticity.get(focus.judged.name, {})
    found = (_best(case.formats()), _best(case.batches()), _best(case.machines(parts)), _best(case.more_devices()))
    return tuple(help_ for help_ in found if help_ is not None)


def same_batch(est: Outcome) -> Asked | None:
    """What was asked, with the batch that its users make in their place: what is changed is held against that."""
    asked = est.question.asked
    if asked is None or asked.options.get("users") is None:
        return asked
    others = {name: value for name, value in asked.options.items() if name != "users"}
    return asked._replace(options={**others, "batch": int(float(est.question.run.batch))})


def _is_for_play(title: str) -> bool:
    """Whether an accelerator is sold for games: nobody takes one of these in place of a server's."""
    return any(line in title for line in _FOR_PLAY)


def _best(found: Iterable[Help]) -> Help | None:
    """Of those that help, the one that brings most for its price, per hour where the run's own is not known."""
    helping = [help_ for help_ in found if help_.ratio >= LEAST]
    return max(helping, key=lambda help_: help_.ratio / (help_.price or help_.price_per_hour or 1.0), default=None)


class _Case(NamedTuple):
    """A run that can be asked again with something changed."""

    est: Outcome
    asked: Asked
    focus: Focus

    def tried(self, kind: str, words: str, changed: Mapping[str, Any], gpu: Any = None) -> Help | None:
        """The run with options changed; None where they do not go together, or it does not fit then."""
        place = self.asked.gpu if gpu is None else gpu
        try:
            then = evaluate(ask(self.asked.model, place, {**self.asked.options, **changed}), Outcome)
        except RooflineError:
            return None
        quantity = then.quantity(self.focus.judged.name)
        if quantity is None or quantity.times is None or not bool(then.memory.fits):
            return None
        slower = float(quantity.times.expected) / _expected(self.focus)
        return Help(kind, words, changed, 1.0 / slower, slower)

    def formats(self) -> Iterator[Help]:
        """The first narrower format of the weights."""
        for change in islice(self.est.question.kind.formats(self.est.question), 1):
            found = self.tried("format", change.words, change.options)
            if found is not None:
                yield found

    def batches(self) -> Iterator[Help]:
        """The largest batch, in doublings, at which the time in focus is not much longer."""
        if self.est.question.for_users:  # it is that of the users
            return
        batch = int(float(self.est.question.run.batch))
        most = (_LARGEST_BATCH // batch).bit_length() - 1
        tried: dict[int, Help] = {}

        def too_large(doublings: int) -> bool:
            size = batch << doublings
            then = self.tried("batch", f"a batch of {size:,}", {"batch": size})
            if then is None or then.slower > _SLOWER:
                return True
            tried[size] = then._replace(ratio=size / batch / then.slower)
            return False

        if most >= 1 and not too_large(1):
            bisect_left(range(2, most + 1), True, key=too_large)  # what is too large stays so
        if tried:
            yield tried[max(tried)]

    def machines(self, parts: Mapping[str, float]) -> Iterator[Help]:
        """Other accelerators that promise most for their price."""
        q = self.est.question
        own, prices = priced(q) if money_of(q).compared else None, hourly_prices(q.money)
        for name in self._promising(parts):
            found = self.tried("gpu", name, {}, gpu=name)
            if found is not None:
                price = prices[name] * q.spread.plan.devices
                ratio = price / own if own is not None else None
                yield found._replace(price=ratio, price_per_hour=price)

    def _promising(self, parts: Mapping[str, float]) -> list[str]:
        """Accelerators with a known price by what their figures promise, over their price."""
        q = self.est.question
        if q.asked is None or q.asked.options.get("node") is not None or not parts:
            return []
        prices, found, own = hourly_prices(q.money), [], (q.gpu.kind, q.gpu.vendor, _is_for_play(q.gpu.title))
        for row in gpu_rows(only=prices):
            alike = (row.kind, row.vendor, _is_for_play(row.title)) == own
            if not alike or row.name == q.gpu.name:
                continue
            streamed = (row.bandwidth / q.gpu.memory.bandwidth) ** -parts.get("bandwidth", 0.0)
            promised = streamed * (row.peak_16bit / half_peak_of(q.gpu)) ** -parts.get("compute", 0.0)
            if promised >= _PROMISING and row.capacity >= float(self.est.memory.total_bytes):
                found.append((promised / prices[row.name], row.name))
        return [name for _, name in sorted(found, reverse=True)[:_MACHINES]]

    def more_devices(self) -> Iterator[Help]:
        """Twice as many devices, in the first plan that the run can be laid over."""
        plan, kind = self.est.question.spread.plan, self.est.question.kind
        if plan.dp > 1 or plan.ep > 1:
            return
        number = 2 * plan.devices
        for changed in islice(kind.plans(self.est.question, number, number), 1):
            anew: dict[str, Any] = dict.fromkeys(("gpus", *_AXES))
            found = self.tried("gpus", f"{number} GPUs", {**anew, **changed})
            if found is not None:
                yield found._replace(price=2.0)


def _expected(focus: Focus) -> float:
    times = focus.judged.times
    if times is None:
        raise UsageError(f"{focus.judged.name} has no meaning in this run")
    return float(times.expected)
