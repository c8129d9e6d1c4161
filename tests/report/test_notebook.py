"""Answers in a notebook: real tables, whole and safe, that say all that a terminal says."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import roofline as rl
from roofline.report.notebook.bars import bars_html
from roofline.report.notebook.page import Page
from roofline.report.tables.console import Console, Styled
from roofline.report.tables.costs.ways import print_cost
from roofline.report.tables.deciding.compare import print_compare
from roofline.report.tables.deciding.recommend import print_recommendation
from roofline.report.tables.estimate import print_estimate
from roofline.report.tables.explanation import print_derivation
from roofline.report.tables.fit import print_fit
from roofline.report.tables.fitting.gpus import print_gpus
from roofline.report.tables.fitting.models import print_models
from roofline.report.tables.grid import grid
from roofline.report.tables.room import Held, Room
from roofline.report.tables.training.answer import print_training
from roofline.report.tables.training.flops import print_flops
from tests.report.pages import Reader, numbers

#: Answers of every kind, and how a terminal prints each.
ANSWERS: dict[str, tuple[Callable[[], Any], Callable[[Any, Console], None]]] = {
    "text": (
        lambda: rl.estimate("mistral-7b", "a100", batch=8, engine="vllm"),
        lambda est, console: print_estimate(est, console, est.nearest, est.verdict),
    ),
    "image": (
        lambda: rl.estimate("sdxl", "rtx-4090"),
        lambda est, console: print_estimate(est, console, est.nearest, est.verdict),
    ),
    "encoder": (
        lambda: rl.estimate("bge-large-en-v1.5", "l4", batch=32),
        lambda est, console: print_estimate(est, console, est.nearest, est.verdict),
    ),
    "too large": (
        lambda: rl.estimate("llama-3-70b", "a100"),
        lambda est, console: print_estimate(est, console, est.nearest, est.verdict),
    ),
    "several devices": (
        lambda: rl.estimate("llama-3-70b", "h100", tp=4),
        lambda est, console: print_estimate(est, console, est.nearest, est.verdict),
    ),
    "fit": (lambda: rl.fit("llama-3-70b", "a100"), print_fit),
    "models": (lambda: rl.fit(gpu="rtx-4090", match="llama"), print_models),
    "gpus": (lambda: rl.gpus_for("mistral-7b"), print_gpus),
    "compare": (lambda: rl.compare("mistral-7b", ["a100", "h100", "l4"], weights=["bf16", "fp8"]), print_compare),
    "compare in columns": (lambda: rl.compare("llama-3-70b", ["a100", "h100"]), print_compare),
    "recommend": (
        lambda: rl.recommend("mistral-7b", ["l4", "h100"], users=50, tokens_per_s=30),
        print_recommendation,
    ),
    "cost": (lambda: rl.cost("mistral-7b", "h100", batch=64), print_cost),
    "train": (lambda: rl.train("llama-2-7b", gpu="a100", gpus=8), print_training),
    "flops": (lambda: rl.flops("llama-3-8b", gpu="h100", gpus=8, tokens_per_s=90000), print_flops),
    "explain": (
        lambda: rl.estimate("mistral-7b", "a100").explain(),
        lambda found, console: [print_derivation(each, console) for each in found],
    ),
}
#: Answers that no command prints in the same form.
OTHERS: dict[str, Callable[[], Any]] = {
    "ops": lambda: rl.estimate("mistral-7b", "a100").ops("decode"),
    "phases": lambda: rl.estimate("mistral-7b", "a100").phases,
    "records": lambda: rl.estimate("mistral-7b", "a100").records(),
    "summary": lambda: rl.estimate("mistral-7b", "a100").summary(),
    "sweep": lambda: rl.sweep("mistral-7b", ["a100", "l4"], batch=[1, 64], prompt=[128, 4096]),
    "points": lambda: rl.sweep("mistral-7b", "a100", batch=range(1, 40)).where("batch > 3"),
    "no points": lambda: rl.sweep("mistral-7b", "a100", batch=[1, 2]).where("batch > 3"),
    "nothing fits": lambda: rl.sweep("llama-3-70b", "a100", batch=[1, 2]),
    "plans": lambda: rl.recommend("mistral-7b", ["h100"], users=5).plans,
    "training phases": lambda: rl.train("gpt2", gpu="a100").phases,
    "listed gpus": rl.list_gpus,
    "listed precisions": rl.list_precisions,
}


@cache
def shown(name: str) -> tuple[Any, str]:
    made = ANSWERS[name][0] if name in ANSWERS else OTHERS[name]
    answer = made()
    return answer, answer._repr_html_()


@pytest.mark.parametrize("name", [*ANSWERS, *OTHERS])
def test_the_page_is_well_formed_and_runs_nothing(name: str) -> None:
    page = Reader(shown(name)[1])
    assert page.wrong == []
    assert page.tags <= {
        *("div", "p", "b", "br", "span", "code", "details", "summary", "ul", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert {key for _, attrs in page.seen for key in attrs} <= {"style", "align", "scope", "title"}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_number_of_the_terminal_is_on_the_page(name: str) -> None:
    answer, html = shown(name)
    text = StringIO()
    ANSWERS[name][1](answer, Console(text, 200))
    assert numbers(text.getvalue()) <= numbers(Reader(html).text)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in ("explain",)])
def test_the_verdict_comes_first_and_in_bold(name: str) -> None:
    answer, html = shown(name)
    assert " ".join(Reader(html).text.split()).startswith(" ".join(str(answer.verdict).split())[:60])
    assert re.match(r"<div[^>]*><p[^>]*>(<b>|<span style=\"font-weight:600)", html)


@pytest.mark.parametrize("name", [*ANSWERS, *OTHERS])
def test_numbers_stand_right_with_and_without_styles(name: str) -> None:
    cells = [attrs for tag, attrs in Reader(shown(name)[1]).seen if tag in ("td", "th")]
    assert all(f"text-align:{attrs['align']}" in str(attrs["style"]) for attrs in cells)


def test_no_table_leaves_a_column_out() -> None:
    found, html = shown("compare")
    assert "no room for" not in html
    assert "cost of a" in html and found.verdict.partition(":")[0] in Reader(html).text


def test_what_an_answer_rests_on_is_folded_away() -> None:
    est, html = shown("text")
    folded = "".join(re.findall(r"<details.*?</details>", html, re.DOTALL))
    text = Reader(folded).text
    assert all(note in text for note in (*est.assumptions, *est.sources))
    assert f"Assumed ({len(est.assumptions)})" in text


def test_warnings_stand_out() -> None:
    est, html = shown("too large")
    assert est.warnings
    for warn in est.warnings:
        assert f"<code>{warn.code}</code>" in html
    assert "warning" in html and "border-left" in html


@pytest.mark.parametrize(("name", "said"), [("text", "fits: "), ("too large", "does not fit: "), ("train", "fits: ")])
def test_a_bar_says_in_words_whether_all_fits(name: str, said: str) -> None:
    answer, html = shown(name)
    assert said + answer.memory.asked_of_room in Reader(html).text
    for part in answer.memory.parts:
        assert not part.bytes or part.title in Reader(html).text


def bar(held: float, usable: float = 80.0, capacity: float = 100.0) -> str:
    return bars_html(
        Room((Held("", (("weights", held / 2), ("cache", held / 2)), capacity, usable, held <= usable, ""),))
    )


@given(st.floats(min_value=0.1, max_value=1e3), st.floats(min_value=1.0, max_value=100.0))
def test_the_parts_of_a_bar_fill_it_and_no_more(held: float, usable: float) -> None:
    page = bar(held, usable)
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%;background", page)]
    assert sum(widths) == pytest.approx(100.0, abs=1.0)
    assert ("all that there is room for" in page) == (held > usable)


def test_text_is_text_whatever_stands_in_it() -> None:
    page, evil = Page(), '<script>alert("x")</script>&\x1b[31m'
    page.print(evil, style="bold")
    page.print([Styled(evil, "red"), Styled(evil)])
    page.print(grid(evil, [(evil, "left"), ("n", "right")], [[evil, evil]]))
    page.notes(evil, [evil, evil, evil])
    page.warning(evil, evil)
    page.print(Room((Held(evil, ((evil, 1.0),), 2.0, 2.0, True, evil),)))
    read = Reader(page.html())
    assert read.wrong == [] and "script" not in read.tags and "\x1b" not in page.html()
    assert read.text.count('<script>alert("x")</script>&') >= 11


def test_blanks_at_the_start_of_a_line_stay() -> None:
    page = Page()
    page.print("a\n  b")
    assert "a<br>&nbsp;&nbsp;b" in page.html()


def test_a_sweep_says_what_is_best_and_what_cannot_be() -> None:
    grid_, html = shown("sweep")
    best = grid_.best("output_tokens_per_s")
    assert f"with gpu {best['gpu']}, batch {best['batch']}, prompt {best['prompt']}" in Reader(html).text
    assert "None of these points fits" in shown("nothing fits")[1]
    refused = rl.sweep("mistral-7b", "h100", tp=[1, 3], batch=[1])._repr_html_()
    assert "Cannot be" in refused and "heads" in refused


def test_rows_that_share_columns_say_them_once() -> None:
    html = shown("records")[1]
    assert "The same in each of them" in html and "model: mistral-7b" in html
    assert ">bound by</th>" in html and ">model</th>" not in html


def test_what_the_words_of_a_table_mean_stands_under_it() -> None:
    page = Page()
    page.print(grid("t", [("n", "right")], [["1"]])._replace(legend="n: a number"))
    assert Reader(page.html()).text.split("1")[1].strip() == "n: a number"
