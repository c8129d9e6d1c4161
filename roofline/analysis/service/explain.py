"""Where the numbers of a steady load come from: formulas, values, sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from roofline.analysis.service.evaluate import Load, answered, cycle_of, load_of
from roofline.answer.derivation import Derivation, Term
from roofline.answer.memory import ENDLESS
from roofline.answer.service import Service
from roofline.answer.times import Times
from roofline.runs.kind import Outcome
from roofline.runs.telling.derivations import DEFINITION, amount, number
from roofline.runs.text.service.running import per_replica, serves
from roofline.units import format_time

_METHOD: Final = "docs/serving.md"
_ORCA: Final = "Yu et al. 2022, Orca (OSDI 22); Agrawal et al. 2023, SARATHI (arXiv:2308.16369)"
_LITTLE: Final = "Little 1961; M/D/1: Pollaczek, Khinchine; docs/serving.md"


def explain_service(est: Outcome) -> Iterator[Derivation]:
    """The derivations of a steady load; none where the engine is no server."""
    if not serves(est.question):
        return
    load = load_of(est)
    service = answered(load)
    yield _running(load, service)
    if service.tpot_s is not None:
        yield _token(load, service.tpot_s)
    yield _first(load, service)
    yield _request(load, service)
    yield from _rates(load, service)


def _running(load: Load, service: Service) -> Derivation:
    takes = [_room(float(load.limits[0]), "memory"), _room(load.limits[1], "the engine")]
    each = f"{number(per_replica(load.question))} of each replica"
    replicas = f"{load.question.spread.plan.dp} × min({each}, {', '.join(takes)})"
    formula = "replicas × the least of users, room in memory for whole requests, what the engine runs at once"
    return Derivation("service.running", "requests", float(service.running), formula, replicas, _METHOD)


def _room(takes: float, what: str) -> str:
    return f"{what}: no limit" if takes >= ENDLESS else f"{number(takes)} ({what})"


def _token(load: Load, served: Times) -> Derivation:
    shares = load.shares
    pairs = (
        ("decode steps", shares.steps, load.step, "{} a token × {}, all of them at once"),
        ("prompts of others", shares.prompts, load.prompt, "{} a token × {} each"),
        ("attention beside prompts", shares.riding, load.beside, "{} a token × {}: that pass has read the weights"),
    )
    terms = [
        Term(name, text.format(number(share), format_time(float(time.expected))), float(share * time.expected))
        for name, share, time, text in pairs
        if float(share)
    ]
    others = f"({number(load.running)} - 1) / {number(load.generate)}"
    values = f"{others} = {number(shares.prompts)} prompts a token, {number(shares.riding)} of them in decode steps"
    formula = "plain decode steps + prompts of others + attention of steps that carry a prompt, per token"
    return Derivation("service.tpot_s", "s", float(served.expected), formula, values, _ORCA, terms)


def _first(load: Load, service: Service) -> Derivation:
    cycle = cycle_of(load)
    waits, at_work = float(cycle.waits(load.running, load.generate)), _at_work(load, service)
    share = number(service.prompts_share)
    found = [
        Term("own prompt", f"{amount(load.passes, 'pass')}, with the decodes of others", float(cycle.own)),
        Term("half a step", "of the one that runs when the request comes", float(cycle.half)),
        Term("other prompts", f"they take {share} of the time: that / (2 (1 - it)) prompts, at most all", waits),
        Term("queue", f"{amount(service.waiting, 'request')} for room", float(service.ttft_s.expected) - at_work),
    ]
    terms = [term for term in found if term.value > 0.0]
    body = " + ".join(f"{term.name} {format_time(term.value)}" for term in terms)
    formula = "own prompt + half a running step + the wait behind other prompts + the wait for room"
    return Derivation("service.ttft_s", "s", float(service.ttft_s.expected), formula, body, _LITTLE, terms)


def _at_work(load: Load, service: Service) -> float:
    """Seconds to the first token from when there is room."""
    whole, each = float(service.request_s.expected), float(per_replica(load.question))
    return float(service.ttft_s.expected) - whole * (each - float(load.running)) / each


def _request(load: Load, service: Service) -> Derivation:
    first, whole = float(service.ttft_s.expected), float(service.request_s.expected)
    token = float(service.tpot_s.expected) if service.tpot_s is not None else 0.0
    values = f"{format_time(first)} + {number(load.steps)} × {format_time(token)}"
    return Derivation("service.request_s", "s", whole, "first token + (generate - 1) × per token", values, DEFINITION)


def _rates(load: Load, service: Service) -> Iterator[Derivation]:
    rate, users = float(service.requests_per_s.expected), number(service.users)
    values = f"{users} / {format_time(float(service.request_s.expected))}"
    yield Derivation("service.requests_per_s", "1/s", rate, "users / time of a request", values, _LITTLE)
    tokens = float(service.output_tokens_per_s.expected)
    values, formula = f"{number(rate)} × {number(load.generate)}", "requests per second × tokens of each"
    yield Derivation("service.output_tokens_per_s", "1/s", tokens, formula, values, DEFINITION)
