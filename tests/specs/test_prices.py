"""Tables of prices, of tokens and of watts: every row is dated, sourced and of something that this library knows."""

from __future__ import annotations

import csv
import re
from datetime import date
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest

from roofline.analysis.catalogue.shelves import model_rows
from roofline.errors import SpecError
from roofline.specs.costs.api import TokenPrice, token_prices
from roofline.specs.costs.dates import age_days, age_words, last_day
from roofline.specs.costs.power import draws
from roofline.specs.costs.prices import KINDS, MOST, UNIT_OF, Price, bundled_prices, of_kind, own_prices, regions
from roofline.specs.files.library import bundled, find, names

NOW = date(2026, 11, 28)
PRICES = [price for prices in bundled_prices().values() for price in prices]


def rows(name: str) -> list[dict[str, str]]:
    with (bundled("hardware") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_price_is_of_a_bundled_accelerator_or_a_region_and_has_a_day_and_a_source() -> None:
    known = set(names("hardware"))
    assert len(PRICES) == len(rows("prices.csv")) > 200
    assert {price.kind for price in PRICES} == set(KINDS.values())
    for price in PRICES:
        assert price.kind == "electricity" or price.name in known, price
        assert price.unit == UNIT_OF[price.kind] and 0.01 < price.value < MOST[price.unit]
        assert price.provider and price.source and last_day(price.date) <= date(2026, 12, 31)
        assert price.kind == "electricity" or price.currency == "USD"


def test_no_price_stands_there_twice() -> None:
    keys = [(p.name, p.kind, p.provider, p.value) for p in PRICES]
    assert len(keys) == len(set(keys))


def test_every_price_of_tokens_is_of_a_bundled_model_and_marked_where_its_day_is_not_told() -> None:
    known = set(names("models"))
    assert sum(map(len, token_prices().values())) == len(rows("api_prices.csv"))
    for model, prices in token_prices().items():
        assert model in known
        for price in prices:
            assert find("models", price.release).name == model
            assert price.provider and price.source and last_day(price.date) and price.currency == "USD"
            assert 0 < price.read <= 100 and 0 < price.written <= 100
    assert {p.doubt.partition("; ")[0] for prices in token_prices().values() for p in prices} == {"", "entry undated"}


@pytest.mark.parametrize("model", sorted(token_prices()))
def test_a_size_in_the_name_of_what_is_served_is_that_of_the_model(model: str) -> None:
    """`deepseek-r1-0528-qwen3-8b` is no DeepSeek R1."""
    row = next(row for row in model_rows() if row.name == model)
    for price in token_prices()[model]:
        name = price.served_as.rpartition("/")[2].lower()
        for told in re.findall(r"(?<![a-z0-9.])a?(\d+(?:[.p]\d+)?)b(?![a-z0-9])", name):
            size = 1e9 * float(told.replace("p", "."))
            near = (row.parameters, row.active)
            assert any(each and 0.7 < size / each < 1.4 for each in near), f"{price.served_as} of {model}"


def test_a_price_of_tokens_far_below_all_others_is_marked() -> None:
    by_release: dict[str, list[TokenPrice]] = {}
    for prices in token_prices().values():
        for price in prices:
            by_release.setdefault(price.release, []).append(price)
    for prices in by_release.values():
        usual = median(price.read + price.written for price in prices)
        for price in prices:
            assert price.read + price.written >= usual / 4 or "quarter" in price.doubt, price


def test_of_the_rents_of_a_provider_the_newest_is_kept() -> None:
    """Of one size of instance; a row that names none is of any."""
    rents = [price for price in PRICES if price.kind.startswith("rent")]
    for one, other in combinations(rents, 2):
        alike = (one.name, one.kind, one.unit, one.seller) == (other.name, other.kind, other.unit, other.seller)
        if alike and (instance(one) == instance(other) or "" in (instance(one), instance(other))):
            assert one.date == other.date, f"{one.name} by {one.seller}: {one.date} and {other.date}"


def instance(price: Price) -> str:
    """What a provider calls it: `8 GPUs`, `p5.48xlarge us-east-1`."""
    size = re.search(r"\((\d+ GPUs?)", price.provider)
    return size[1] if size else price.provider.partition(" (")[0].partition(" ")[2]


def test_no_price_is_from_a_paste() -> None:
    assert not [price for price in PRICES if re.match(r"pastebin|gist", price.source)]
    assert all(price.doubt for price in PRICES if re.search(r"cop(y|ies) of", price.source))


def test_every_draw_is_of_a_bundled_accelerator_and_marked_where_it_is_not_dated() -> None:
    known = set(names("hardware"))
    assert len(draws()) == len(rows("power.csv"))
    for draw in draws():
        assert draw.name in known and draw.source
        assert draw.date or "unverified" in draw.doubt, draw
        assert "unverified" in draw.doubt or re.search(r"/|@", draw.source), draw
        assert 1 < draw.watts < 3000


def test_the_page_on_costs_counts_what_is_undated() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "costs.md").read_text(encoding="utf-8").split())
    undated = [draw for draw in draws() if not draw.date]
    assert f"Of the {len(draws())} rows of `power.csv`, {len(undated)} have no date" in page
    assert f"{sum(draw.state == 'idle' for draw in undated)} of them of chips that idle" in page


def test_a_chip_that_shares_its_work_with_cores_is_not_taken_for_one_at_full_load() -> None:
    shared = [draw for draw in draws() if draw.scope == "gpu beside cores"]
    assert shared and not any(draw.usual for draw in shared)


def test_the_lowest_comes_first_and_doubtful_ones_last() -> None:
    for name, prices in bundled_prices().items():
        found = list(of_kind(prices, "rent_on_demand"))
        sure = [price.value for price in found if not price.doubt]
        assert [p.value for p in found[: len(sure)]] == sorted(sure), name


def test_regions_have_electricity() -> None:
    assert regions()["us-industrial"].value == 0.0815
    assert regions()["eu-household"].currency == "EUR"


@pytest.mark.parametrize(
    ("text", "days", "words"),
    [
        ("2026-09-25", 64, "64 days ago"),
        ("2026-11-28", 0, "today"),
        ("2026-11", 0, "this month"),
        ("2026", 0, "this year"),
        ("2025", 332, "at least 11 months ago"),
        ("2026-02", 273, "at least 9 months ago"),
    ],
)
def test_an_age_is_the_least_that_a_date_can_mean(text: str, days: int, words: str) -> None:
    assert (age_days(text, NOW), age_words(text, NOW)) == (days, words)


@pytest.mark.parametrize("text", ["", "2026-13", "2026-02-30", "26-01-01", "2023-H1", "soon", "9" * 50])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no da"):
        last_day(text)


def own(tmp_path: Path, text: str, name: str = "own.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_ones_own_as_csv_and_as_yaml(tmp_path: Path) -> None:
    as_csv = own(tmp_path, "gpu,value,provider\nh100,1.75,us\n")
    as_yaml = own(tmp_path, "- {name: H100-SXM, value: 1.75, kind: spot, date: '2026-11', currency: EUR}\n", "own.yaml")
    (first,) = own_prices(as_csv)["h100-sxm"]
    assert (first.value, first.kind, first.currency, first.provider) == (1.75, "rent_on_demand", "USD", "us")
    (second,) = own_prices(as_yaml)["h100-sxm"]
    assert (second.value, second.kind, second.currency, second.date) == (1.75, "rent_spot", "EUR", "2026-11")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("gpu,value\nh100,-1\n", "own.csv:2:1: value: '-1' must be a number from 1e-06"),
        ("gpu,value\nh100,nan\n", "'nan' must be a number from 1e-06"),
        ("gpu,value\nh100,inf\n", "'inf' must be a number from 1e-06"),
        ("gpu,value\nh1000,2\n", "h100-sxm"),
        ("gpu,valeu\nh100,2\n", "Did you mean 'value'"),
        ("gpu\nh100\n", "needs the column value"),
        ("gpu,value\nh100\n", "1 cells under 2 columns"),
        ("gpu,value\n", "has no rows"),
        ("", "has no rows"),
        ("gpu,value,kind\nh100,2,rented\n", "is none of rent_on_demand"),
        ("gpu,value,unit\nh100,2,per_kwh\n", "is none of per_gpu_hour"),
        ("gpu,value,date\nh100,2,yesterday\n", "is no date"),
        ("gpu,value,currency\nh100,2,euro\n", "is no currency"),
        ("value\n2\n", "names no accelerator"),
        ('gpu,value\n"h100,2\n', "is no CSV"),
        ("gpu,gpu,value\nh100,h100,2\n", "stands there twice"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_with_its_line(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SpecError) as error:
        own_prices(own(tmp_path, text))
    assert wrong in str(error.value)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("gpu: h100\n", "is a list of rows"),
        ("- h100\n", "a row is a mapping"),
        ("- {gpu: h100, value: [2]}\n", "is one number or text"),
        ("- {gpu: h100, value: .nan}\n", "must be a number from 1e-06"),
        ("[]\n", "is a list of rows"),
    ],
)
def test_what_is_wrong_in_yaml_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SpecError) as error:
        own_prices(own(tmp_path, text, "own.yaml"))
    assert wrong in str(error.value)


def test_a_folder_a_missing_file_and_a_binary_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\0\1\2\xff" * 10)
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "binary.csv"):
        with pytest.raises(SpecError):
            own_prices(path)
