"""What a run costs and draws: the options, the formulas, and that what is not known is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roofline as rl
from roofline.errors import RooflineError, UsageError
from roofline.runs.ask import ask
from roofline.runs.money.money import YEAR, priced
from roofline.runs.money.options import MONEY
from roofline.runs.money.terms import LIFETIME
from roofline.runs.money.watts import shares, watts
from roofline.runs.options import SIZES

RUN = {"gpu": "h100", "batch": 8, "prompt": 512, "generate": 128}


def expected(est: rl.Estimate, name: str) -> float:
    quantity = est.quantity(name)
    assert quantity is not None and quantity.times is not None
    return float(quantity.times.expected)


def test_a_million_output_tokens_cost_the_whole_time_of_all_gpus() -> None:
    est = rl.estimate("llama-3.1-70b", gpu="h100", tp=2, dp=2, batch=8, price=2.5)
    rate = est.throughput.output_tokens.expected
    assert est.cost["per_hour"] == 4 * 2.5
    assert expected(est, "cost_per_million_output_tokens") == pytest.approx(1e6 * 4 * 2.5 / (3600 * rate))
    every = est.throughput.tokens.expected
    assert expected(est, "cost_per_million_tokens") == pytest.approx(1e6 * 4 * 2.5 / (3600 * every))


def test_what_is_read_and_what_is_written_cost_their_own_time_alone() -> None:
    est = rl.estimate("mistral-7b", **RUN, price=2.0)
    read = 1e6 * 2.0 / 3600 * est.phase("prefill").times.expected / (8 * 512)
    written = 1e6 * 2.0 / 3600 * est.phase("decode").times.expected / 8
    assert expected(est, "cost_per_million_prompt_tokens_read") == pytest.approx(read)
    assert expected(est, "cost_per_million_tokens_written") == pytest.approx(written)


def test_costs_have_the_readings_of_their_times() -> None:
    est = rl.estimate("mistral-7b", **RUN, price=2.0)
    cost, total = est.cost["per_million_output_tokens"], est.latency.total
    for reading in ("floor", "bound", "expected", "low", "high"):
        assert cost[reading] == pytest.approx(getattr(total, reading) * 2.0 / 3600 * 1e6 / (8 * 128))


def test_pictures_and_embeddings_have_costs_of_their_own() -> None:
    pictures = rl.estimate("sdxl", gpu="h100", batch=4, price=2.0)
    rate = pictures.throughput.images.expected
    assert pictures.cost["per_thousand_images"]["expected"] == pytest.approx(1e3 * 2.0 / 3600 / rate)
    assert pictures.energy["joules_per_image"]["expected"] > 100
    encoder = rl.estimate("bge-m3", gpu="h100", batch=4, price=2.0)
    assert set(encoder.cost) >= {"per_million_tokens_embedded"}
    assert encoder.energy["joules_per_token_embedded"]["expected"] > 0
    assert "per_million_output_tokens" not in encoder.cost


def test_without_options_the_lowest_price_on_demand_is_told_with_provider_date_age_and_source() -> None:
    est = rl.estimate("mistral-7b", gpu="rtx-4090")
    price = est.cost["price"]
    assert (price["kind"], price["provider"], price["value"]) == ("on-demand", "openrelay", 0.29)
    assert price["date"] == "2026-09-20" and price["age_days"] == 69 and price["source"]
    assert not any("price" in warn.code for warn in est.warnings)


def test_an_old_price_is_warned_of_where_money_was_asked_for() -> None:
    est = rl.estimate("mistral-7b", gpu="l4", price="on-demand")
    assert "price-old" in {warn.code for warn in est.warnings}
    assert "price-old" in {warn["code"] for warn in rl.estimate("mistral-7b", gpu="l4").cost["warnings"]}


def test_a_price_without_doubt_and_of_late_goes_before_a_lower_one() -> None:
    """Together asked 2.00 for an H100 in May, 2.40 is the least of the last half year."""
    price = rl.estimate("mistral-7b", gpu="h100").cost["price"]
    assert price["age_days"] <= 180 and not price["doubt"] and price["value"] > 2.0


def test_a_node_is_paid_for_as_a_whole() -> None:
    for gpus, nodes in ((1, 1), (4, 1), (8, 1), (16, 2)):
        q = ask(
            "llama-3.1-70b", "h100", {"gpus": gpus, "price": "20/h/node"} | ({"pp": 2, "tp": 8} if gpus > 8 else {})
        )
        assert priced(q) == 20.0 * nodes


def test_a_bought_machine_is_written_off_over_its_life() -> None:
    est = rl.estimate("mistral-7b", gpu="rtx-4090", price="1600/unit")
    assert est.cost["per_hour"] == pytest.approx(1600 / (LIFETIME * YEAR))
    longer = rl.estimate("mistral-7b", gpu="rtx-4090", price="1600/unit", lifetime=8)
    assert longer.cost["per_hour"] == pytest.approx(est.cost["per_hour"] / 2)


def test_idle_time_is_paid_for_by_what_is_made() -> None:
    full, half = (rl.estimate("mistral-7b", **RUN, price=2.0, load=load) for load in (1.0, "50%"))
    assert half.cost["per_hour"] == full.cost["per_hour"]
    name = "cost_per_million_output_tokens"
    assert expected(half, name) == pytest.approx(2 * expected(full, name))
    assert expected(half, "joules_per_output_token") > expected(full, "joules_per_output_token")


def test_electricity_comes_on_top_of_what_one_owns_and_is_in_the_rent() -> None:
    plain, powered = (
        rl.estimate("mistral-7b", gpu="rtx-4090", price="1600/unit", electricity=e) for e in (None, "0.20/kWh")
    )
    joules = expected(powered, "joules_per_output_token")
    more = expected(powered, "cost_per_million_output_tokens") - expected(plain, "cost_per_million_output_tokens")
    assert more == pytest.approx(joules * 1e6 / 3.6e6 * 0.20)
    kwh = powered.energy["kwh_per_hour"]
    assert powered.cost["per_hour"] == pytest.approx(plain.cost["per_hour"] + kwh * 0.20)
    assert powered.cost["electricity"]["per_hour"] == pytest.approx(kwh * 0.20)
    rented = rl.estimate("mistral-7b", gpu="rtx-4090", electricity="us-industrial")
    assert rented.cost["electricity"]["added"] is False
    assert any("includes its power" in note for note in rented.assumptions)


@pytest.mark.parametrize("offload", ["model", "sequential"])
@pytest.mark.parametrize("load", [None, 0.4])
def test_a_gpu_idles_while_weights_are_fetched(offload: str, load: float | None) -> None:
    options = {"gpu": "rtx-4090", "engine": "diffusers", "offload": offload, "price": "1600/unit", "load": load}
    plain, powered = (rl.estimate("flux.1-dev", **options, electricity=e) for e in (None, "0.20/kWh"))  # type: ignore[arg-type]
    kwh, drawn = powered.energy["kwh_per_hour"], powered.energy["watts"]
    busy = sum(drawn[p.name]["value"] * float(p.times.expected * p.repeat) for p in powered.phases)
    seconds, worked = expected(powered, "total_s"), sum(float(p.times.expected * p.repeat) for p in powered.phases)
    assert seconds > 1.5 * worked
    idle = powered.energy["idle_watts"]
    joules = busy + idle * (seconds / (load or 1.0) - worked)
    assert expected(powered, "joules_per_image") == pytest.approx(joules)
    assert kwh == pytest.approx(joules / (seconds / (load or 1.0)) / 1e3)
    assert powered.cost["per_hour"] == pytest.approx(plain.cost["per_hour"] + kwh * 0.20)
    assert powered.cost["electricity"]["per_hour"] == pytest.approx(kwh * 0.20)


def test_the_energy_of_a_run_is_its_time_times_its_watts() -> None:
    est = rl.estimate("mistral-7b", gpu="h100", batch=8, tp=2, pue=1.2)
    drawn = {name: w["value"] for name, w in est.energy["watts"].items()}
    joules = sum(float(p.times.expected * p.repeat) * drawn[p.name] for p in est.phases) * 2 * 1.2
    assert expected(est, "joules_per_output_token") == pytest.approx(joules / (8 * 128))


def test_currencies_are_never_mixed() -> None:
    labelled = rl.estimate("mistral-7b", **RUN, currency="EUR", price=2.0).cost
    assert (labelled["currency"], labelled["per_hour"]) == ("EUR", 2.0)
    kept = rl.estimate("mistral-7b", **RUN, currency="EUR")
    assert kept.cost["currency"] == "USD"
    assert any("stays in USD" in note for note in kept.assumptions)
    turned = rl.estimate("mistral-7b", **RUN, currency="EUR=0.5").cost
    assert (turned["currency"], turned["per_hour"]) == ("EUR", kept.cost["per_hour"] * 0.5)
    apart = rl.estimate("mistral-7b", **RUN, price=2.0, electricity="eu-household").cost
    assert apart["currency"] == "USD" and apart["electricity"]["currency"] == "EUR"
    assert apart["electricity"]["added"] is False and apart["per_hour"] == 2.0


def test_a_kind_of_price_or_a_provider_that_is_not_known_of_a_chip_is_told_and_costs_are_null() -> None:
    est = rl.estimate("mistral-7b", gpu="a10", price="spot")
    assert est.cost["price"] is None and est.cost["per_hour"] is None
    assert est.cost["per_million_output_tokens"] is None
    assert "price-unknown" in {warn.code for warn in est.warnings}
    assert rl.estimate("mistral-7b", gpu="h100", price="lambda").cost["price"]["provider"].startswith("lambda")
    assert est.energy["joules_per_output_token"]["expected"] > 0


@pytest.mark.parametrize(
    "options",
    [
        *({"price": price} for price in ("-1", "0", "nan", "inf", "1e99", "2.49/d", "abc", -1, 0, "1599/unit/h", "²")),
        *({"electricity": price} for price in ("-0.1", "0", "nan", "mars", "1e9")),
        *({"currency": text} for text in ("E", "euro", "EUR=-1", "EUR=0", "EUR=nan", "USD=2", "EUR=1e99", "=")),
        *({"load": share} for share in (0, -0.1, 1.1, "101%", "nan", "much")),
        *({"lifetime": years} for years in (0, -1, 51)),
        *({"pue": x} for x in (0.9, 0, -1, 11)),
        {"prices": "no-such-file.csv"},
        {"prices": "."},
    ],
)
def test_what_is_no_price_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(RooflineError):
        rl.estimate("mistral-7b", gpu="h100", **options)  # type: ignore[arg-type]


def test_a_slip_of_a_provider_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'lambda'"):
        rl.estimate("mistral-7b", gpu="h100", price="lamda")


def test_a_table_of_ones_own_goes_first_and_one_beside_own_specs_is_found(tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("gpu,value,provider,date\nh100,9.75,ours,2026-11-01\n", encoding="utf-8")
    for options in ({"prices": str(table)}, {"spec_dir": str(tmp_path)}):
        price = rl.estimate("mistral-7b", gpu="h100", **options).cost["price"]  # type: ignore[arg-type]
        assert (price["value"], price["provider"], price["age_days"]) == (9.75, "ours", 27)
    assert rl.estimate("mistral-7b", gpu="a100", prices=str(table)).cost["price"]["provider"] != "ours"
    table.write_text("gpu,value\nh100,8.5\n", encoding="utf-8")
    assert rl.estimate("mistral-7b", gpu="h100", prices=str(table)).cost["price"]["value"] == 8.5


def test_a_sweep_has_costs_where_money_is_asked_for_and_they_are_those_of_single_runs() -> None:
    found = rl.sweep("mistral-7b", gpu=["h100", "a10"], batch=[1, 8], price=2.0)
    for i, gpu in enumerate(("h100", "a10")):
        for j, batch in enumerate((1, 8)):
            est = rl.estimate("mistral-7b", gpu=gpu, batch=batch, price=2.0)
            for name in ("cost_per_million_output_tokens", "joules_per_output_token", "cost_per_hour"):
                assert found[name][i, j] == pytest.approx(expected(est, name))
    assert not any("cost" in name for name in rl.sweep("mistral-7b", gpu="h100", batch=[1, 8]).columns)


def test_records_and_explanations_tell_costs_where_money_is_asked_for() -> None:
    est = rl.estimate("mistral-7b", **RUN, price=2.0)
    name = "cost_per_million_output_tokens"
    assert {row[name] for row in est.records()} == {expected(est, name)}
    told = {derivation.quantity: derivation.value for derivation in est.explain()}
    assert told[name] == expected(est, name) and told["cost_per_hour"] == 2.0
    assert name not in rl.estimate("mistral-7b", **RUN).records()[0]


def test_nothing_made_has_no_cost() -> None:
    found = rl.sweep("mistral-7b", gpu="h100", generate=[0, 1, 2], price=2.0)
    assert np.isnan(found["cost_per_million_output_tokens"][0])
    assert np.isfinite(found["cost_per_million_output_tokens"][1:]).all()
    nothing = rl.estimate("mistral-7b", gpu="h100", generate=0, price=2.0)
    assert nothing.cost["per_million_output_tokens"] is None and nothing.energy["joules_per_output_token"] is None
    assert nothing.cost["per_million_tokens"] is not None
    assert rl.cost("mistral-7b", gpu="h100", generate=0, price=2.0).to_dict()["per"] == "million_tokens"


def test_watts_are_those_of_the_chip_where_it_was_measured_else_a_share_of_its_limit() -> None:
    measured = watts(rl.load_gpu("rtx-4090"), "decode")
    assert measured is not None and measured.measured and measured.value == 393
    other = watts(rl.load_gpu("a100-sxm-80gb"), "decode")
    assert other is not None and not other.measured
    assert other.value == pytest.approx(shares()["decode"].value * 400)
    assert other.low < other.value <= other.high


def test_shares_are_plausible_and_rest_on_several_chips() -> None:
    found = shares()
    assert 0.03 < found["idle"].value < 0.2 and found["idle"].chips > 40
    for state in ("prefill", "decode", "load"):
        assert 0.6 < found[state].value <= 1.0 and found[state].chips >= 3
    assert found["decode"].value < found["prefill"].value


def test_money_changes_no_time_and_no_size() -> None:
    assert not {option.name for option in MONEY} & set(SIZES)
    plain, asked = rl.estimate("mistral-7b", **RUN), rl.estimate("mistral-7b", **RUN, price="on-demand", load=0.5)
    assert plain.latency.to_dict() == asked.latency.to_dict()
    assert plain.to_dict()["memory"] == asked.to_dict()["memory"]
