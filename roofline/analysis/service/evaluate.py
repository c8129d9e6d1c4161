"""The steady load of a serving engine: the phases of one request and of all that run, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

from roofline.analysis.evaluate import phases_of
from roofline.answer.phase import PhaseEstimate
from roofline.answer.quantity import Quantity
from roofline.answer.service import Service
from roofline.answer.times import READINGS, Times, column
from roofline.machine.engine import load_engine
from roofline.num import Num, all_hold, any_holds, ceil, first_value, maximum, minimum, where
from roofline.runs.execution import Stage, Stages
from roofline.runs.kind import Outcome, Question
from roofline.runs.text.service.running import engine_takes, memory_takes, overhead_of, per_replica, serves, users_of
from roofline.runs.text.service.steady import Cycle, Shares, beside_prompt, served_step, shares_of
from roofline.workload.workload import Phase, Workload

_NONE = Times.certain(0.0)


class Load(NamedTuple):
    """What a steady load is made of: a question of as many sequences as run at once, and times in all readings.

    prompt   of one request alone, with what is read before it
    passes   in which one prompt is read
    step     a decode step of all that run; `alone` of one request; `beside` what is left of it beside a prompt
    """

    question: Question
    limits: tuple[Num, float]
    shares: Shares
    prompt: Times
    passes: Num
    step: Times
    alone: Times
    beside: Times

    @property
    def running(self) -> Num:
        """Requests at work in a replica."""
        running: Num = self.question.run.batch
        return running

    @property
    def generate(self) -> Num:
        """Tokens of each."""
        generate: Num = self.question.run.generate
        return generate

    @property
    def steps(self) -> Num:
        """Decode steps of a request."""
        return maximum(self.generate - 1.0, 0.0)

    @property
    def others(self) -> Num:
        """1 where there are others and they decode, else 0."""
        return minimum(self.running - 1.0, 1.0) * minimum(self.steps, 1.0)


def service_of(outcome: Outcome) -> Service | None:
    """The steady load of an outcome's users; None where its engine is no server, or its model generates nothing."""
    return answered(load_of(outcome)) if serves(outcome.question) else None


def load_of(outcome: Outcome) -> Load:
    """What the steady load of an outcome is made of."""
    asked = outcome.question
    stages = asked.stages()
    limits = memory_takes(asked, stages), engine_takes(asked)
    running = maximum(minimum(per_replica(asked), minimum(*limits)), 1.0)
    one = _of(asked, 1.0)
    before, alone = _split(phases_of(one, one.stages())[0])
    question = asked if all_hold(running == asked.run.batch) else _of(asked, running)
    stages = stages if question is asked else question.stages()
    step = _split(outcome.phases if question is asked else phases_of(question, stages)[0])[1]
    mixes = load_engine(asked.engine).mixes and asked.spread.away is None and step is not None
    prompt = before[-1].times
    for phase in before[:-1]:
        prompt = phase.times * phase.repeat + prompt
    return Load(
        replace(question, run=replace(question.run, users=users_of(asked), batch=running)),
        limits,
        shares_of(running, asked.run.generate, mixes=mixes),
        prompt,
        _passes(one),
        step.times if step else _NONE,
        alone.times if alone else _NONE,
        _beside(question, stages) if mixes else _NONE,
    )


def _of(question: Question, batch: Num) -> Question:
    return replace(question, run=replace(question.run, batch=batch, users=None))


def _split(phases: tuple[PhaseEstimate, ...]) -> tuple[list[PhaseEstimate], PhaseEstimate | None]:
    """What gives the first token, and the decode step."""
    before = [phase for phase in phases if phase.name != "decode"]
    return before, next((phase for phase in phases if phase.name == "decode"), None)


def _passes(one: Question) -> Num:
    """Passes in which the prompt of one request is read."""
    chunk = one.execution.chunk
    return maximum(ceil(one.run.prompt / chunk), 1.0) if chunk else 1.0


def _beside(question: Question, stages: Stages) -> Times:
    """What is left of a decode step beside a prompt, which has paid for the step."""
    left = [_only(stage) for stage in stages.each]
    times = phases_of(question, Stages(tuple(left), stages.microbatches))[0][0].times
    expectation = question.expectation(question.machine(), question.run.batch / stages.microbatches)
    assert expectation is not None
    paid = expectation.chip.host * expectation.chip.engine.step_s
    return expectation.times(times.floor, times.bound, times.expected - paid, "decode")


def _only(stage: Stage) -> Stage:
    def left(workload: Workload) -> Workload:
        return Workload((beside_prompt(_decode(workload)),))

    return stage._replace(workload=left(stage.workload), ideal=left(stage.ideal), aside=None)


def _decode(workload: Workload) -> Phase:
    return next(phase for phase in workload.phases if phase.name == "decode")


def answered(load: Load) -> Service:
    """Times and rates of a load."""
    users, each, replicas = users_of(load.question), per_replica(load.question), float(load.question.spread.plan.dp)
    waits, share = _waits(load)
    served = _readings(lambda of: served_step(load.shares, of(load.step), of(load.prompt), of(load.beside)))
    served = _among_others(load, served, "served", load.step)
    own, apart = own_of(load), 1.0 if load.question.run.first_apart else 0.0
    first = own * (1.0 + waits) + load.step * (0.5 * load.others + apart)
    first = _among_others(load, first, "first", own)
    at_work = first + served * load.steps
    request = at_work * (each / load.running)
    rate, at_once = request.rate(users), minimum(users, load.running * replicas)
    writes = any_holds(load.steps > 0.0)
    return Service(
        users=users,
        running=at_once,
        waiting=users - at_once,
        ttft_s=first + at_work * ((each - load.running) / load.running),
        tpot_s=served if writes else None,
        request_s=request,
        output_tokens_per_s=rate * load.generate,
        output_tokens_per_s_per_user=served.rate(1.0) if writes else None,
        requests_per_s=rate,
        limited_by=_limit(load, first_value(each), first_value(share)),
        prompts_share=share,
        overhead=overhead_of(load.question),
    )


def _among_others(load: Load, times: Times, timed: str, least: Times) -> Times:
    """With the interval of what is timed behind a server, at `least` that of the work alone; one user has that of the
    phases.
    """
    expectation = load.question.expectation(load.question.machine(), load.running)
    if expectation is None:
        return times
    served, others = expectation.times(times.floor, times.bound, times.expected, timed), load.others
    low, high = (mine + others * (seen - mine) for mine, seen in ((times.low, served.low), (times.high, served.high)))
    return Times(times.floor, times.bound, times.expected, maximum(low, least.low), maximum(high, least.high))


def _waits(load: Load) -> tuple[Num, Num]:
    """How many times its own prompt a request waits for those of others, and the share of time that these take, as
    expected.
    """
    cycle = cycle_of(load)
    waits = cycle.waits(load.running, load.generate)
    request = cycle.own + waits + cycle.half + load.steps * cycle.served
    return waits / cycle.own, cycle.others(load.generate) / request


def own_of(load: Load) -> Times:
    """The prompt of a request: its passes, each with the decodes of the others where the engine mixes."""
    if load.beside is _NONE:
        return load.prompt
    return load.prompt + load.beside * (load.passes * load.others * (load.running - 1.0) / load.running)


def cycle_of(load: Load) -> Cycle:
    """One request in the load, as expected."""
    step, prompt = load.step.expected, load.prompt.expected
    served = served_step(load.shares, step, prompt, load.beside.expected)
    alone = prompt + load.steps * load.alone.expected
    return Cycle(alone, own_of(load).expected, 0.5 * load.others * step, step, served, load.shares.riding)


def _readings(of: Callable[[Callable[[Times], Num]], Num]) -> Times:
    """The same formula of all readings."""
    floor, bound, expected, low, high = (of(attrgetter(name)) for name in READINGS)
    return Times(floor, bound, expected, low, high)


def _limit(load: Load, each: float, share: float) -> str:
    """What limits the load at the first point of a grid."""
    memory, engine = first_value(load.limits[0]), load.limits[1]
    if each > min(memory, engine):
        return "cache" if memory <= engine else "sequences"
    return "prompts" if share > 0.5 else "decode"


def served_columns(outcome: Outcome, service: Service) -> Iterator[tuple[str, Any]]:
    """The columns of a sweep over a steady load; times per token are not a number where but one is generated."""
    generates = outcome.question.run.generate > 1.0
    for name in ("users", "running", "waiting"):
        yield f"served_{name}", getattr(service, name)
    for name, times in service.quantities():
        told = True if name not in ("tpot_s", "output_tokens_per_s_per_user") else generates
        for reading in READINGS:
            value = None if times is None else getattr(times, reading)
            if value is not None and told is not True:
                value = where(told, value, float("nan"))
            yield column(f"served_{name}", reading), value


def served_better(service: Service) -> Iterator[tuple[str, str]]:
    """Of the columns of a steady load, by their names without readings, which values are the better ones."""
    for name, _ in service.quantities():
        yield f"served_{name}", "low" if name.endswith("_s") and "_per_s" not in name else "high"


def served_quantities(service: Service) -> Iterator[Quantity]:
    """The times and rates of a steady load as headline figures, for comparisons."""
    yield Quantity("served_ttft_s", "latency", "time to first token, under load", "s", service.ttft_s)
    if service.client_ttft_s is not None:
        title = "time to first token, at the client"
        yield Quantity("served_client_ttft_s", "latency", title, "s", service.client_ttft_s)
    yield Quantity("served_tpot_s", "latency", "time per output token, under load", "s", service.tpot_s)
    yield Quantity("served_request_s", "latency", "whole request, under load", "s", service.request_s)
    rate = service.output_tokens_per_s
    yield Quantity("served_output_tokens_per_s", "throughput", "output tokens/s, under load", "tokens", rate)
