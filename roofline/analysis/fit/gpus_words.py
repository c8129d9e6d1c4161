"""Which accelerators run a model, in the sentences that people see first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roofline.analysis.fit.models_words import pace_words
from roofline.analysis.fit.offers import Offer
from roofline.analysis.fit.words import missing, where


def verdict_of_gpus(offers: Sequence[Offer], planned: bool, what: str) -> str:
    """How many kinds of accelerator run `what`; the best for the money, the fastest; else which comes nearest."""
    holding = [offer for offer in offers if offer.machine.fits]
    known = holding or [offer for offer in offers if offer.machine.trial is not None]
    if not known:
        return f"None of {len(offers)} kinds of accelerator can run it."
    scope = "" if planned else ", within a node of each"
    if not holding:
        least = min(known, key=lambda offer: offer.machine.order).machine.trial
        assert least is not None
        none = f"{what} runs on none of {len(offers)} kinds of accelerator{scope}"
        return f"{none}; on {where(least)} it {missing(least)}."
    head = f"{what} runs on {len(holding)} of {len(offers)} kinds of accelerator{scope}."
    return " ".join((head, *_best(holding)))


def _best(holding: Sequence[Offer]) -> Iterator[str]:
    priced = [offer for offer in holding if offer.per_dollar]
    best = max(priced, key=lambda offer: offer.per_dollar or 0.0, default=None)
    if best is not None and best.machine.money.price is not None:
        money, price = best.machine.money, best.machine.money.price
        told = ", ".join(word for word in (price.provider, price.date) if word)
        cost = f"{best.machine.cost_per_hour:,.2f} {money.currency} an hour ({told})"
        yield f"Most for the money, each on the fewest GPUs that hold it: {_told(best)}, for {cost}."
    fastest = max((offer for offer in holding if offer.pace is not None), key=lambda offer: offer.speed, default=None)
    if fastest is not None and fastest is not best:
        yield f"The fastest: {_told(fastest)}."


def _told(offer: Offer) -> str:
    assert offer.machine.trial is not None
    assert offer.pace is not None
    return f"{where(offer.machine.trial)} {pace_words(offer.pace)}"
