"""`roofline cost`: rent or buy, machine or API, and from when the other is cheaper."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import roofline as rl
from roofline.errors import UsageError
from roofline.report.data import write_csv
from roofline.runs.money.money import YEAR


def test_every_kind_of_price_has_its_line_and_the_one_asked_for_comes_first() -> None:
    found = rl.cost("llama-3.1-8b", gpu="h100", batch=64).to_dict()
    assert [way["way"] for way in found["ways"]] == ["on-demand", "spot", "reserved", "own"]
    for way in found["ways"]:
        assert way["price"]["date"] and way["price"]["provider"] and way["price"]["source"]
        ratio = way["per_million_output_tokens"]["expected"] / way["per_hour"]
        first = found["ways"][0]
        assert ratio == pytest.approx(first["per_million_output_tokens"]["expected"] / first["per_hour"])
    given = rl.cost("llama-3.1-8b", gpu="h100", price=3).to_dict()
    assert [way["way"] for way in given["ways"]][:2] == ["as given", "on-demand"]


def test_what_is_bought_pays_for_itself_against_rent() -> None:
    options = {"gpu": "rtx-4090", "price": "1600/unit", "electricity": 0.2, "load": 0.5}
    found = rl.cost("mistral-7b", **options)  # type: ignore[arg-type]
    bought = found.ways[0]
    rent = next(way for way in found.ways if way.word == "on-demand")
    assert bought.word == "buy" and bought.upfront == pytest.approx(1600)
    power = found.answer.energy["kwh_per_hour"] * 0.2
    hours = 1600 / (rent.hourly - power)
    assert bought.hours == pytest.approx(hours * 0.5)
    assert bought.months == pytest.approx(hours / (YEAR / 12))
    assert bought.busy_months == pytest.approx(1600 / (rent.hourly * 0.5 - power) / (YEAR / 12))
    assert "Bought at 1,600 USD" in found.verdict


def test_what_is_dear_to_run_is_never_paid_back() -> None:
    found = rl.cost("mistral-7b", gpu="rtx-4090", price="1600/unit", electricity=5)
    assert found.ways[0].months is None and "never cheaper" in found.verdict


def test_an_api_is_cheaper_up_to_a_load() -> None:
    found = rl.cost("llama-3.1-8b", gpu="h100", batch=64, prompt=1000, generate=250, price=1.0)
    api = found.apis[0]
    lot = (api.price.read * 1000 + api.price.written * 250) / 250
    assert api.lot == pytest.approx(lot) == min(each.lot for each in found.apis)
    assert api.per_day == pytest.approx(24 * 1.0 / lot * 1e6)
    assert api.load == pytest.approx(api.per_day / found.most)
    at = rl.cost("llama-3.1-8b", gpu="h100", batch=64, prompt=1000, generate=250, price=1.0, per_day=api.per_day)
    assert at.load == pytest.approx(api.load)
    assert at.ways[0].lot.expected == pytest.approx(lot)


def test_the_release_that_was_asked_for_is_compared() -> None:
    assert {api.price.release for api in rl.cost("llama-3.3-70b", gpu="h100", gpus=4).apis} == {"llama-3.3-70b"}


def test_pictures_and_embeddings_have_no_api_and_are_counted_in_their_own_lots() -> None:
    pictures = rl.cost("sdxl", gpu="rtx-4090", per_day=1000).to_dict()
    assert pictures["per"] == "thousand_images" and pictures["apis"] == []
    assert pictures["load"] == pytest.approx(1000 / pictures["most_per_day"])
    assert rl.cost("bge-m3", gpu="h100").to_dict()["per"] == "million_tokens_embedded"


def test_more_than_the_machine_can_make_and_two_loads_are_refused() -> None:
    with pytest.raises(UsageError, match="makes at most"):
        rl.cost("mistral-7b", gpu="h100", per_day=1e12)
    with pytest.raises(UsageError, match="one of the two"):
        rl.cost("mistral-7b", gpu="h100", per_day=1e3, load=0.5)
    for wrong in (0, -1, float("nan"), float("inf"), "many"):
        with pytest.raises(UsageError):
            rl.cost("mistral-7b", gpu="h100", per_day=wrong)  # type: ignore[arg-type]


def test_without_a_price_the_rest_is_told() -> None:
    found = rl.cost("mistral-7b", gpu="a10g")
    assert "is not known" in found.verdict and found.to_dict()["ways"] == []
    assert "price-unknown" in {warn.code for warn in found.warnings}


def test_currencies_are_compared_only_where_a_rate_is_known() -> None:
    apart = rl.cost("mistral-7b", gpu="h100", price=2, currency="EUR")
    assert all(api.load is None and api.currency == "USD" for api in apart.apis)
    together = rl.cost("mistral-7b", gpu="h100", price=2, currency="EUR=0.9")
    assert all(api.load is not None and api.currency == "EUR" for api in together.apis)


def test_it_shows_itself_and_its_rows_have_the_same_columns() -> None:
    found = rl.cost("mistral-7b", gpu="rtx-4090")
    assert str(found) == found.verdict and found.verdict[:50] in found._repr_html_()
    columns = {tuple(row) for row in found.records()}
    assert len(columns) == 1
    write_csv(list(found.records()))


def test_the_command_prints_one_document_and_refuses_in_one_line() -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "roofline", "cost", "--model", "mistral-7b", "--gpu", "rtx-4090", *more]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    assert json.loads(run("--json").stdout)["verdict"]
    wrong = run("--price", "nan")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "--price" in wrong.stderr


def test_rent_is_counted_alike_in_costs_and_in_the_time_after_which_buying_pays() -> None:
    """What costs a quarter per token is paid back within its life; against rent for busy hours alone it may not be."""
    found = rl.cost("llama-3.1-8b", gpu="4090", price="buy", electricity=0.3, load=0.2)
    bought, rent = found.ways[0], next(way for way in found.ways if way.word == "on-demand")
    assert bought.lot.expected < rent.lot.expected and bought.months is not None and bought.months < 12 * 4
    assert bought.busy_months is not None and bought.busy_months > 12 * 4
    for months in (bought.months, bought.busy_months):
        assert f"{months:.1f} months" in found.verdict
    assert found.verdict.count("longer than its life") == 1


def test_every_row_with_an_old_or_doubtful_price_is_named_in_warnings_and_marked_in_csv() -> None:
    found = rl.cost("llama-3.1-8b", gpu="4090")
    told = {warn.code: warn.text for warn in found.warnings}
    for way in found.ways[1:]:
        assert (way.word in told["price-old"]) == way.money.old
        assert (way.word in told["price-doubtful"]) == bool(way.money.price and way.money.price.doubt)
    assert "API" in told["price-doubtful"]
    rows = list(found.records())
    doubts = [way.money.price and way.money.price.doubt for way in found.ways] + [api.price.doubt for api in found.apis]
    assert [bool(row["doubt"]) for row in rows] == [bool(doubt) for doubt in doubts]
    assert next(row["age_days"] for row in rows if row["way"] == "buy") > 180


def test_the_table_says_what_its_words_mean_and_rounds_as_the_verdict_does() -> None:
    line = [sys.executable, "-m", "roofline", "cost", "--model", "llama-3.1-8b", "--gpu", "rtx-4090"]
    shown = subprocess.run(line, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "200"}).stdout
    months = rl.cost("llama-3.1-8b", gpu="rtx-4090").ways[-1].months
    assert shown.count(f"{months:.1f} months") == 2
    for words in ("(?): ", "no electricity is counted", "over 4 years", "an API is cheaper than this plan up to"):
        assert words in shown
