"""Runs side by side: what a comparison says is what single estimates say, whatever the order of the values."""

from __future__ import annotations

import io
import itertools
import math
from typing import Any

import pytest

import roofline as rl
from roofline.analysis.comparing.correlation import FACETS, correlations, shared_of
from roofline.analysis.comparing.figures import half_width
from roofline.report.tables.console import Console
from roofline.report.tables.deciding.compare import print_compare

MODEL = "mistral-7b"
CASES: list[tuple[Any, dict[str, Any]]] = [
    (MODEL, {"gpu": ["a100", "h100", "l4"], "weights": ["bf16", "fp8"]}),
    (MODEL, {"gpu": "a100", "engine": ["vllm", "tensorrt-llm", "ideal"], "batch": [1, 16]}),
    ("llama-3.1-70b", {"gpu": ["a100", "l4"], "tp": [1, 2, 3]}),
    ("sdxl", {"gpu": ["3060", "4090"], "batch": [1, 2]}),
    ([MODEL, "bert-base"], {"gpu": "a100"}),
]


@pytest.fixture(params=range(len(CASES)), scope="module")
def found(request: pytest.FixtureRequest) -> rl.Comparison:
    model, options = CASES[request.param]
    return rl.compare(model, **options)


@pytest.mark.parametrize(("model", "options"), CASES)
def test_a_row_is_the_estimate_of_its_values(model: Any, options: dict[str, Any]) -> None:
    found = rl.compare(model, **options)
    combinations = list(itertools.product(*([v] if isinstance(v, (str, int)) else v for v in options.values())))
    assert len(found) == len(combinations) * (1 if isinstance(model, str) else len(model))
    for row in found.rows:
        given = {"model": model} | options | dict(row.varied)
        if row.answer is None:
            with pytest.raises(rl.UsageError):
                rl.estimate(**given)
        else:
            assert rl.estimate(**given) == row.answer


def test_a_ratio_turned_round_is_its_inverse(found: rl.Comparison) -> None:
    for (i, j), each in itertools.product(itertools.combinations(range(len(found)), 2), found.quantities):
        one, other = found.ratio(i, j, each.name), found.ratio(j, i, each.name)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert math.isclose(one.expected * other.expected, 1.0)
            assert math.isclose(one.low * other.high, 1.0)
            assert one.too_close == other.too_close
            assert one.low <= one.expected <= one.high


def test_a_winner_fits_and_nothing_that_fits_is_better(found: rl.Comparison) -> None:
    for each in found.quantities:
        best = found.winners[each.name]
        if best is None:
            continue
        assert found.rows[best.row].fits and found.rows[best.row] in found.candidates
        for row in found.rows:
            ratio = found.ratio(row.index, best.row, each.name)
            if row in found.candidates and ratio is not None:
                assert ratio.expected >= 1.0 if each.better == "low" else ratio.expected <= 1.0
                assert row.index == best.row or (row.index in best.too_close) == ratio.too_close


def test_json_names_what_varies_and_the_rows_that_win(found: rl.Comparison) -> None:
    made = found.to_dict()
    assert made["verdict"] == found.verdict
    assert made["varied"] == list(found.varied)
    assert len(made["rows"]) == len(found)
    for row in made["rows"]:
        assert row["refusal"] or {"model", "gpu", "total_bytes", "fits", "ratio"} <= row.keys()
    assert set(made["winners"]) == {each.name for each in found.quantities}
    assert len({tuple(row) for row in found.records()}) == 1, "every record has the same columns"


def test_the_order_of_values_changes_the_order_alone() -> None:
    one = rl.compare(MODEL, gpu=["a100", "h100", "l4"], weights=["bf16", "fp8"])
    other = rl.compare(MODEL, gpu=["l4", "a100", "h100"], weights=["fp8", "bf16"])
    places = {row.label: row.index for row in other.rows}
    for row in one.rows:
        twin = other.rows[places[row.label]]
        assert row.answer is not None and twin.answer is not None
        assert row.answer.quantities == twin.answer.quantities
    for name, best in one.winners.items():
        turned = other.winners[name]
        assert (best is None) == (turned is None)
        if best is not None and turned is not None and best.clear:
            assert one.rows[best.row].label == other.rows[turned.row].label
    for i, j in itertools.permutations(range(len(one)), 2):
        there = [places[one.rows[k].label] for k in (i, j)]
        assert one.ratio(i, j, "tpot_s") == other.ratio(*there, "tpot_s")


def test_a_run_beside_itself_is_too_close_to_call() -> None:
    found = rl.compare(MODEL, gpu=["a100", "a100"])
    ratio = found.ratio(1, 0, "tpot_s")
    assert ratio is not None
    assert (ratio.expected, ratio.low, ratio.high) == (1.0, 1.0, 1.0)
    assert ratio.too_close
    assert found.winners["tpot_s"] is None
    assert [row.label for row in found.rows] == ["a100 #1", "a100 #2"]


def test_runs_that_do_the_same_err_alike() -> None:
    """How the cache is laid out takes memory, and no time."""
    found = rl.compare(MODEL, gpu="a100", kv_layout=["ideal", "paged:16"])
    ratio = found.ratio(1, 0, "tpot_s")
    assert ratio is not None and ratio.low == ratio.high == 1.0


def test_the_interval_of_a_ratio_is_that_of_a_difference_of_correlated_logarithms() -> None:
    found = rl.compare(MODEL, gpu=["a100", "h100"])
    a, b = (row.answer for row in found.rows)
    ratio = found.ratio(0, 1, "tpot_s")
    assert a is not None and b is not None and ratio is not None
    assert shared_of(a.question, b.question) == ("engine", "model", "format")
    r = correlations()["engine", "model", "format"].value
    s, t = half_width(a.latency.tpot), half_width(b.latency.tpot)
    assert math.isclose(math.log(ratio.high / ratio.expected), math.sqrt(s * s + t * t - 2 * r * s * t))
    assert 0.0 < r < 1.0


def test_bounds_are_compared_for_certain() -> None:
    found = rl.compare(MODEL, gpu=["a100", "h100"], engine="ideal")
    ratio = found.ratio(0, 1, "tpot_s")
    assert ratio is not None and ratio.low == ratio.expected == ratio.high > 1.0
    assert found.winners["tpot_s"] is not None
    assert any("bounds are compared" in note for note in found.assumptions)


def test_what_shares_more_errs_more_alike() -> None:
    known = correlations()
    assert len(known) == 2 ** len(FACETS)
    for one, other in itertools.permutations(known.values(), 2):
        if set(one.shared) < set(other.shared):
            assert 0.0 <= one.value <= other.value < 1.0


def test_what_cannot_run_has_a_reason_and_the_others_are_compared() -> None:
    found = rl.compare("llama-3.1-70b", gpu=["a100", "h100"], tp=[2, 3])
    assert [bool(row.refusal) for row in found.rows] == [False, True, False, True]
    assert "does not divide" in found.rows[1].refusal
    assert "refused" in found.verdict
    with pytest.raises(rl.UsageError, match="does not divide"):
        rl.compare("llama-3.1-70b", gpu=["a100", "h100"], tp=3)


def test_nothing_that_does_not_fit_is_recommended() -> None:
    found = rl.compare("llama-3.1-405b", gpu=["a100", "l4"])
    assert not found.fits
    assert set(found.winners.values()) == {None}
    assert found.verdict.startswith("None of 2 runs fits in memory; A100 SXM4 80GB comes nearest")


def test_batches_are_judged_by_what_they_make_and_times_by_how_long_they_take() -> None:
    assert rl.compare(MODEL, gpu="a100", batch=[1, 64]).main.name == "output_tokens_per_s"
    assert rl.compare(MODEL, gpu="a100", dp=[1, 2]).main.name == "output_tokens_per_s"
    assert rl.compare(MODEL, gpu=["a100", "h100"]).main.name == "tpot_s"
    assert rl.compare("sdxl", gpu=["a100", "h100"]).main.name == "total_s"


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        (MODEL, {"gpu": "a100"}, "nothing to compare"),
        (MODEL, {"gpu": ["a100"]}, "nothing to compare"),
        (MODEL, {"gpu": []}, "no values"),
        (MODEL, {"gpu": "a100", "batch": range(1, 10**9)}, "at most 100"),
        (MODEL, {"gpu": "a100", "batch": range(1, 10**30)}, "cannot be counted|more values"),
        (MODEL, {"gpu": "a100", "batch": itertools.count(1)}, "at most 100"),
        (MODEL, {"gpu": ["a100", "h100"], "batch": range(1, 60)}, "118 runs"),
        (MODEL, {"gpu": "a100", "batch": [[1, 2], [3]]}, "rows of rows"),
        (MODEL, {"gpu": ["a100", "h10o"]}, "no GPU named"),
        (MODEL, {"gpu": "a100", "weights": ["bf16", "bf17x"]}, "no precision"),
        (MODEL, {"gpu": "a100", "batch": [0, -1]}, "whole number"),
        (MODEL, {"gpu": "a100", "spec_dir": ["a", "b"]}, "one folder"),
        (MODEL, {"gpu": "a100", "btach": [1, 2]}, "unknown option"),
        ([MODEL, "sdxl"], {"gpu": "a100"}, "nothing in common but memory"),
        ([MODEL, "sdxl"], {"gpu": "a100", "prompt": 99}, "nothing in common but memory"),
    ],
)
def test_what_is_no_comparison_is_refused(model: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(rl.UsageError, match=says):
        rl.compare(model, **options)


def test_an_unknown_quantity_or_row_is_refused() -> None:
    found = rl.compare(MODEL, gpu=["a100", "h100"])
    with pytest.raises(rl.UsageError, match="did you mean 'tpot_s'"):
        found.ratio(0, 1, "tpot")
    with pytest.raises(rl.UsageError, match="no row 2"):
        found.ratio(0, 2, "tpot_s")


def test_it_shows_itself() -> None:
    found = rl.compare(MODEL, gpu=["a100", "h100"], weights=["bf16", "fp8"])
    assert str(found) == repr(found) == found.verdict
    assert found.verdict.startswith("H100 SXM5 80GB, fp8 ")
    assert "80 % interval" in found._repr_html_()
    frame = found.to_frame()
    assert list(frame["weights"]) == ["bf16", "fp8", "bf16", "fp8"]
    assert frame["tpot_s_ratio"][0] == 1.0


def test_ratios_are_to_the_first_run_that_is_not_refused() -> None:
    found = rl.compare("llama-3.1-70b", gpu=["a100", "h100"], tp=[3, 2])
    assert found.first.index == 1
    ratios = [row["ratio"]["tpot_s"]["expected"] for row in found.to_dict()["rows"] if not row["refusal"]]
    assert ratios[0] == 1.0 > ratios[1]


def test_defaults_that_differ_are_told() -> None:
    found = rl.compare(["sdxl", "sd-1.5"], gpu="a100")
    assert "they differ as well in height 1,024 (sdxl), 512 (sd-1.5)" in found.assumptions


def test_a_bound_is_not_the_best_of_expected_times() -> None:
    found = rl.compare(MODEL, gpu="a100", engine=["ideal", "vllm", "tensorrt-llm"])
    assert [row.label for row in found.candidates] == ["vllm", "tensorrt-llm"]
    assert 0 not in {best.row for best in found.winners.values() if best is not None}
    assert any("no clock shows" in note for note in found.assumptions)


def test_runs_that_write_nothing_are_judged_by_what_all_have() -> None:
    found = rl.compare(MODEL, gpu="a100", generate=[0, 128])
    assert found.main.name == "total_s"
    assert found.verdict.startswith("generate 0 is the quickest")


def test_a_cost_is_told_as_the_cost_of_something() -> None:
    """`ahead in a million output tokens` would be no cost."""
    found = rl.compare(MODEL, gpu=["a100", "h100"], price="on-demand")
    titles = {each.name: each.title for each in found.quantities}
    assert titles["cost_per_million_output_tokens"] == "cost of a million output tokens"
    assert "a million output tokens" not in found.verdict.replace("cost of a million output tokens", "")


def test_every_correlation_that_was_used_is_told_those_to_the_best_too() -> None:
    """The first, another model on another chip, shares less with the best than the runner-up does."""
    found = rl.compare([MODEL, "llama-3.1-8b"], gpu=["l4", "h100"], weights=["bf16", "fp8"])
    used = {shared_of(one.question, other.question) for one, other in found.pairs}
    best = found.winners["tpot_s"]
    assert best is not None
    answers = [row.answer for row in found.candidates if row.index != best.row]
    winner = found.rows[best.row].answer
    assert winner is not None
    to_best = {shared_of(winner.question, each.question) for each in answers if each is not None}
    note = " ".join(found.assumptions)
    assert to_best <= used
    for shared in used:
        known = correlations()[shared]
        assert f"{known.pairs:,}" in note, shared


def test_an_interval_that_held_less_than_it_promises_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = ("engine", "format")
    known = correlations() | {shared: correlations()[shared]._replace(pairs=3900, value=0.0, coverage=0.77)}
    monkeypatch.setattr("roofline.analysis.comparing.correlation.correlations", lambda: known)
    found = rl.compare([MODEL, "llama-3.1-70b"], gpu=["a100", "h200"], gpus=2)
    assert any("engine and format (3,900, of which the interval held 77 %)" in note for note in found.assumptions)
    note = next(note for note in rl.compare(MODEL, gpu=["a100", "h100"]).assumptions if "go together, of" in note)
    assert "held" not in note


def test_work_that_differs_by_defaults_is_told_in_the_verdict() -> None:
    found = rl.compare(["sdxl", "flux-schnell"], gpu="a100")
    assert "do not do the same work: steps 50 (sdxl), 4 (flux-schnell)" in found.verdict
    assert "same work" not in rl.compare(["sdxl", "flux-schnell"], gpu="a100", steps=8).verdict
    assert "same work" not in rl.compare("sdxl", gpu="a100", steps=[4, 8]).verdict, "it was asked for"


def printed(found: rl.Comparison) -> str:
    """The tables of a comparison."""
    stream = io.StringIO()
    print_compare(found, Console(stream, 200))
    return stream.getvalue()


def test_what_is_certain_and_equal_is_no_close_call() -> None:
    """Memory is counted, not expected: the same in two runs is the best in both."""
    found = rl.compare("sdxl", gpu=["4090", "a6000"], batch=[1, 2])
    best = found.winners["total_bytes"]
    assert best is not None and best.alike and len(best.too_close) == 1
    memory = next(line for line in printed(found).splitlines() if line.startswith(" memory"))
    assert memory.count("GB *") == 2 and "≈" not in memory
    bounds = rl.compare(MODEL, gpu="a100", kv_layout=["ideal", "paged:16"], weights=["fp8", "bf16"])
    assert "are alike" in bounds.verdict and "too close" not in bounds.verdict
