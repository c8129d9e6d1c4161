"""`roofline list gpus --for MODEL`: every accelerator, as `roofline fit` and `roofline estimate` see it."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from time import process_time
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.evaluate import memory_of
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.runs.ask import ask

#: Seconds of processor time for all accelerators; about one on one core of 2024.
_MOST_SECONDS = 8.0
MODELS = ("mistral-7b", "llama-3.1-70b", "sdxl", "bge-m3")


@cache
def offers(model: str) -> tuple[rl.FittingGPUs, float]:
    start = process_time()
    found = rl.gpus_for(model)
    return found, process_time() - start


def run(*arguments: str, code: int = 0, columns: int = 120) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, ["list", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


@pytest.mark.parametrize("model", MODELS)
def test_every_accelerator_is_told_in_a_second_or_two(model: str) -> None:
    found, seconds = offers(model)
    assert seconds < _MOST_SECONDS
    assert sorted(offer.machine.gpu.name for offer in found.offers) == rl.list_gpus()


@pytest.mark.parametrize("model", MODELS)
def test_what_is_said_to_fit_fits_and_what_is_not_does_not(model: str) -> None:
    for offer in offers(model)[0].offers[::16]:
        machine = offer.machine
        if machine.trial is None:
            with pytest.raises(UsageError):
                ask(model, machine.gpu.name)
            continue
        memory = memory_of(ask(model, machine.gpu.name, machine.trial.options), {})
        assert memory.fits == machine.fits
        assert float(memory.total_bytes) == machine.trial.held()["total_bytes"]


def test_fit_says_the_same() -> None:
    for name in ("a100-sxm-80gb", "l4", "mi300x"):
        machine = next(o.machine for o in offers("llama-3.1-70b")[0].offers if o.machine.gpu.name == name)
        alone = rl.fit("llama-3.1-70b", gpu=name)
        assert (alone.fewest is not None and alone.fewest.plan.devices <= 8) == machine.fits
        if machine.fits and alone.fewest is not None and machine.trial is not None:
            assert alone.fewest.plan == machine.trial.plan


@pytest.mark.parametrize("model", MODELS)
def test_the_pace_of_stacked_accelerators_is_that_of_each_alone(model: str) -> None:
    for offer in offers(model)[0].offers[::16]:
        if offer.machine.fits and offer.machine.trial is not None:
            est = rl.estimate(model, gpu=offer.machine.gpu.name, **offer.machine.trial.options)
            pace = est.question.kind.pace(est)
            assert pace is not None
            assert offer.pace is not None
            assert list(offer.pace.times or ()) == pytest.approx(list(pace.times or ()))


def test_the_fewest_are_taken_and_one_fewer_does_not_hold_it() -> None:
    several = [o for o in offers("llama-3.1-70b")[0].offers if o.machine.fits and o.machine.gpus > 1]
    assert several
    for offer in several[::12]:
        assert not rl.fit("llama-3.1-70b", gpu=offer.machine.gpu.name, tp=1, pp=1).fits


@pytest.mark.parametrize("by", ["value", "speed", "price", "memory", "name"])
def test_the_order_is_what_was_asked(by: str) -> None:
    found = rl.gpus_for("sdxl", sort=by).offers
    keys: dict[str, Any] = {
        "value": lambda o: -(o.per_dollar or 0),
        "speed": lambda o: -o.speed,
        "price": lambda o: o.machine.cost_per_hour or float("inf"),
        "memory": lambda o: o.machine.gpu.memory.capacity * o.machine.gpus,
        "name": lambda o: o.machine.gpu.name,
    }
    listed = [keys[by](o) for o in found if by == "name" or o.machine.fits]
    assert listed == sorted(listed)
    if by != "name":
        fits = [o.machine.fits for o in found]
        assert fits == sorted(fits, reverse=True)


def test_a_dollar_makes_what_an_hour_makes_by_the_rent() -> None:
    offer = next(o for o in offers("sdxl")[0].offers if o.per_dollar)
    cost = offer.machine.cost_per_hour
    assert cost is not None
    assert offer.pace is not None
    assert offer.pace.times is not None
    assert offer.per_dollar == pytest.approx(3600 / offer.pace.times.expected / cost)


def test_json_csv_and_exit_code() -> None:
    d = json.loads(run("gpus", "a100", "--for", "mistral-7b", "--json"))
    assert next(iter(d)) == "verdict"
    assert {"inputs", "fits", "machines", "sources", "warnings"} <= set(d)
    assert {"gpu", "gpus", "plan", "fits", "pace", "per_dollar", "price", "total_bytes"} <= set(d["machines"][0])
    rows = list(csv.DictReader(io.StringIO(run("gpus", "a100", "--for", "mistral-7b", "--csv"))))
    assert [row["gpu"] for row in rows] == [machine["gpu"] for machine in d["machines"]]
    assert all("a100" in row["gpu"] for row in rows)
    none = json.loads(run("gpus", "rtx", "--for", "kimi-k2", "--gpus", "1", "--json", code=1))
    assert none["fits"] is False
    assert "runs on none of" in none["verdict"]


def test_a_plan_that_is_asked_for_is_asked_of_each() -> None:
    found = rl.gpus_for("mistral-7b", gpus=2)
    assert {o.machine.gpus for o in found.offers if o.machine.fits} == {2}


def test_the_table_has_every_accelerator_that_matches() -> None:
    text = run("gpus", "rtx", "--for", "llama-3.1-8b")
    names = [name for name in rl.list_gpus() if name.startswith("rtx")]
    assert all(f" {name} " in text for name in names)
    assert "most for the money first" in text


def test_it_shows_itself() -> None:
    found = offers("sdxl")[0]
    assert str(found) == found.verdict
    assert "pictures/USD" in found._repr_html_()
    assert len(list(found.records())) == len(found.offers)


def test_lists_have_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(run("gpus", "h100", "--csv"))))
    assert rows
    assert all("h100" in row["name"] + row["aliases"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models", "--for", "gpt2"], "--for goes with `roofline list gpus`"),
        (["gpus", "--batch", "4"], "--batch goes with `roofline list gpus --for MODEL`"),
        (["gpus", "--sort", "speed"], "--sort goes with"),
        (["gpus", "--for", "gpt2", "--sort", "cost"], "--sort must be one of"),
        (["gpus", "--for", "no-such-model"], "no model named"),
        (["gpus", "--for", "gpt2", "--node", "hgx-h100"], "--node names one machine"),
        (["gpus", "--for", "sdxl", "--prompt", "4"], "--prompt goes with language models"),
        (["gpus", "--for", "gpt2", "--batch", "0"], "--batch must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["list", *arguments])
    assert words in str(result.exception)
