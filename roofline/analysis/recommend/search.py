"""The plans of one accelerator: numbers of devices, layouts and formats, each loaded until its limits are reached.

A replica is loaded with as many users as meet the limits; so many replicas are taken as the users, or the rate, need.
For a rate a closed group of users stands for the arrivals: it is as large as makes that rate (Little's law, N = rate ×
time of a request). Where no engine serves users, as with pictures, batches follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.fewest import Reach
from roofline.analysis.fit.trial import PLAN, Case, Trial
from roofline.analysis.recommend.plan import Plan
from roofline.analysis.recommend.wanted import Wanted
from roofline.answer.service import Service
from roofline.answer.times import READINGS, Times
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.runs.text.service.running import serves

if TYPE_CHECKING:
    import numpy as np

#: Plans per number of devices that are tried.
_LAYOUTS: Final = 2
_COUNTS: Final = (1, 2, 4, 8, 16, 32, 64)
#: Numbers of replicas that are tried for users, and users of one replica that are tried for a rate.
_REPLICAS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 96, 128, 256, 512, 1024)
_LOADS: Final = tuple(sorted({round(2 ** (step / 3)) for step in range(37)}))
_BATCHES: Final = (1, 2, 4, 8, 16, 32, 64)
_SLACK: Final = 1e-9


class Miss(NamedTuple):
    """A plan that does not do: in words, and by how many times it misses, infinite where it cannot be told."""

    words: str
    by: float
    plan: Plan | None = None


def plans_of(case: Case, wanted: Wanted) -> Iterator[Plan | Miss]:
    """The plans of one accelerator in one format: for each number of devices the first layout that does, else what its
    layouts miss. Beyond a node only where none within it does.
    """
    if any(case.options.get(name) is not None for name in PLAN):
        yield from _loaded(case, {name: case.options[name] for name in PLAN if case.options.get(name)}, wanted)
        return
    alone = case.alone().tried("one GPU", {"batch": 1})
    reach, done = Reach.of(alone, case, nodes=8), False
    for count in _counts(reach, wanted):
        if count > reach.node and done:
            break
        for each in _first_that_does(case, alone, count, reach, wanted):
            done = done or isinstance(each, Plan)
            yield each


def _counts(reach: Reach, wanted: Wanted) -> Iterator[int]:
    """Numbers of devices of a replica."""
    most = min(wanted.max_gpus, reach.node * reach.nodes)
    yield from (count for count in _COUNTS if count <= most and (count <= reach.node or count % reach.node == 0))


def _first_that_does(case: Case, alone: Trial, count: int, reach: Reach, wanted: Wanted) -> Iterator[Plan | Miss]:
    """The first layout over so many devices that does what is wanted, else what each misses."""
    kind, question = alone.question.kind, alone.question
    layouts = [{}] if count == 1 else islice(kind.plans(question, count, reach.node), _LAYOUTS)
    missed = []
    for layout in layouts:
        for each in _loaded(case, layout, wanted):
            if isinstance(each, Plan) and not (misses := each.misses(wanted)):
                yield each
                return
            missed.append(Miss("", max(misses.values()), each) if isinstance(each, Plan) else each)
    yield from missed


def _loaded(case: Case, layout: Mapping[str, Any], wanted: Wanted) -> Iterator[Plan | Miss]:
    """One layout under the load that is wanted; nothing where it cannot be laid so."""
    alone = {} if wanted.users is None and wanted.rate is None else {"batch": 1}
    try:
        trial = case.tried("", {**layout, **alone})
    except UsageError as error:
        yield Miss(str(error).splitlines()[0], float("inf"))
        return
    if not trial.fits:
        number = "one" if trial.plan.devices == 1 else str(trial.plan.devices)
        yield Miss(f"does not fit on {number}", 1e6 * (1.0 + trial.missing / float(trial.memory.usable_bytes)))
        return
    try:
        yield _under_load(_Layout(case, layout, trial, max(1, wanted.max_gpus // trial.plan.devices)), wanted)
    except UsageError as error:
        yield Miss(str(error).splitlines()[0], float("inf"))


class _Layout(NamedTuple):
    """One replica: how it is laid out, one request on it, and how many replicas there may be at most."""

    case: Case
    options: Mapping[str, Any]
    trial: Trial
    most: int

    def asked(self, **changed: Any) -> Answer:
        """The answer with some options changed."""
        return evaluate(ask(self.case.model, self.case.gpu, {**self.case.options, **self.options, **changed}), Answer)

    def service(self, loads: Sequence[int]) -> Service:
        """One replica under several loads."""
        import numpy as np

        found = self.asked(users=np.array(loads, dtype=np.float64)).service
        assert found is not None
        return found

    def plan(self, replicas: int, changed: Mapping[str, Any], found: _Found, load: float = 1.0) -> Plan:
        """So many replicas of it."""
        options = {**self.options, **changed}
        if replicas > 1:
            options |= {"dp": replicas} | ({"gpus": replicas * options["gpus"]} if options.get("gpus") else {})
            ask(self.case.model, self.case.gpu, {**self.case.options, **options, "users": None})  # may be refused
        times, made, tokens = found
        every = tokens and tokens * float(replicas)
        return Plan(self.case, self.trial, options, replicas, times, made * float(replicas), every, load)


class _Found(NamedTuple):
    """What one replica does: its times, requests per second, output tokens per second."""

    times: Mapping[str, Times]
    made: Times
    tokens: Times | None


def _under_load(layout: _Layout, wanted: Wanted) -> Plan | Miss:
    if wanted.users is None and wanted.rate is None:
        replicas = layout.trial.plan.dp
        found = _batch(layout.asked())
        return layout.plan(1, {}, found._replace(made=found.made * float(replicas)))
    if not serves(layout.trial.question):
        return _batches(layout, wanted)
    return _for_users(layout, wanted) if wanted.users is not None else _for_rate(layout, wanted)


def _for_users(layout: _Layout, wanted: Wanted) -> Plan | Miss:
    """The fewest replicas with which every user is served within the limits; else as many as there may be."""
    import numpy as np

    assert wanted.users is not None
    counts = [number for number in _REPLICAS if number <= min(layout.most, wanted.users)]
    loads = [ceil(wanted.users / number) for number in counts]
    service = layout.service(loads)
    allowed = _allowed(service, wanted)
    place = next((index for index, good in enumerate(allowed) if good), len(counts) - 1)
    plan = layout.plan(counts[place], {"users": wanted.users}, _at(service, place))
    if allowed[place] or plan.misses(wanted):
        return plan
    running = float(np.broadcast_to(service.running, allowed.shape)[place]) * counts[place]
    words = f"{running:,.0f} of {wanted.users:,} users run at once on {plan.gpus}, the others wait"
    return Miss(words, wanted.users / running, plan)


def _for_rate(layout: _Layout, wanted: Wanted) -> Plan | Miss:
    """The fewest replicas that answer so many requests per second within the limits."""
    import numpy as np

    assert wanted.rate is not None
    service = layout.service(_LOADS)
    usable = np.where(_allowed(service, wanted), service.requests_per_s.expected, 0.0)
    highest = float(usable.max())
    if highest <= 0.0:
        return layout.plan(1, {"users": 1}, _at(service, 0))
    replicas = min(ceil(wanted.rate / highest * (1.0 - _SLACK)), layout.most)
    each = wanted.rate / replicas
    place = int(np.argmax(usable >= min(each, highest) * (1.0 - _SLACK)))
    load = min(1.0, each / float(usable[place]))
    found = layout.plan(replicas, {"users": _LOADS[place] * replicas}, _at(service, place), load)
    found = replace(found, share=min(1.0, each / highest))
    if each > highest * (1.0 + _SLACK):
        words = f"{replicas} replicas answer {highest * replicas:.3g} requests per second"
        return Miss(words, each / highest, found)
    return found


def _allowed(service: Service, wanted: Wanted) -> np.ndarray:
    """Where no user waits for room and no limit is passed."""
    import numpy as np

    allowed = np.asarray(service.waiting) <= 0.0
    for name, times in _times(service).items():
        if name in wanted.limits:
            allowed = allowed & (np.asarray(times.expected) <= wanted.limits[name])
    return np.broadcast_to(allowed, np.broadcast_shapes(allowed.shape, np.shape(service.users)))


def _times(service: Service) -> dict[str, Times]:
    own = service.overhead or Times.certain(0.0)  # of the server, which a client waits for, too
    found = {"ttft_s": service.ttft_s + own, "tpot_s": service.tpot_s, "total_s": service.request_s + own}
    return {name: times for name, times in found.items() if times is not None}


def _at(service: Service, place: int) -> _Found:
    """A service under one of its loads."""
    times = {name: _picked(times, place) for name, times in _times(service).items()}
    return _Found(times, _picked(service.requests_per_s, place), _picked(service.output_tokens_per_s, place))


def _picked(times: Times, place: int) -> Times:
    import numpy as np

    values = (np.atleast_1d(getattr(times, reading)) for reading in READINGS)
    return Times(*(float(value[place if value.size > 1 else 0]) for value in values))


def _batches(layout: _Layout, wanted: Wanted) -> Plan | Miss:
    """Batches one after the other on the fewest replicas that make so many per second within the limits."""
    assert wanted.rate is not None
    found: list[tuple[int, Plan]] = []
    for batch in _BATCHES:
        trial = layout.case.possible("", {**layout.options, "batch": batch})
        if trial is None or not trial.fits:
            break
        made = _batch(evaluate(trial.question, Answer))
        plan = layout.plan(1, {"batch": batch}, made)
        if found and any(name != "budget" for name in plan.misses(wanted)):
            break
        found.append((batch, plan))
    batch, best = max(found, key=lambda pair: float(pair[1].made_per_s.expected))
    each = float(best.made_per_s.expected)
    replicas = min(ceil(wanted.rate / each * (1.0 - _SLACK)), layout.most)
    whole = layout.plan(
        replicas,
        {"batch": batch},
        _Found(best.times, best.made_per_s, best.tokens_per_s),
        min(1.0, wanted.rate / (each * replicas)),
    )
    if wanted.rate > each * replicas * (1.0 + _SLACK):
        return Miss(
            f"{replicas} replicas make {each * replicas:.3g} per second", wanted.rate / (each * replicas), whole
        )
    return replace(whole, share=whole.load)


def _batch(answer: Answer) -> _Found:
    """One batch after the other."""
    told = {q.name: q.times for q in answer.quantities if q.times is not None and q.meaning is True}
    times = {q.name: told[q.name] for q in answer.quantities if q.group == "latency" and q.name in told}
    return _Found(times, times["total_s"].rate(answer.question.run.batch), told.get("output_tokens_per_s"))
