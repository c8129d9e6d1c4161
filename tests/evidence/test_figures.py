"""The figures to reach: how they are counted, what is said to hold them up, and what a page says of kernels."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from roofline.evidence.checks.figures import Figure, LeftOutRows, kernels, kind_of
from roofline.evidence.checks.reaching import covered, reaching
from roofline.evidence.checks.summary import BEGIN, END, accuracy, renew, short
from roofline.evidence.checks.validate import Checked, Validation
from roofline.evidence.fits.intervals import LeftOut

KERNELS = """## Figures to reach

| kernels | rows | target | median | constant | other chip | 1.5 × target |
|---|---|---|---|---|---|---|
| matrix products, bf16 | 24,676 | 7 | 6.1 | 26.7 | 9.9 | 10.5 |
| attention of a prefill | 37,192 | 12 | 7.6 | 47.5 | 12.9 | 18.0 |

## By kind
"""


def lines() -> list[LeftOut]:
    """Errors of 4 % in three groups of ten, and of 30 % in one of twenty."""
    small = [LeftOut("vllm", "model", f"g{i % 3}", f"s{i}", "measured", 0.04 * (-1) ** i, "decode") for i in range(30)]
    large = [LeftOut("vllm", "model", "far", f"l{i}", "measured", -0.3, "decode") for i in range(20)]
    served = [x._replace(engine="sglang", row=f"r{x.row}", timed="served") for x in small]
    return [*small, *large, *served]


def checked(label: str, metric: str, engine: str) -> Checked:
    times = 1.0, 0.5, 0.6, 1.1, 0.9, 1.4
    return Checked(label, "here", "gpt2", "a100", engine, metric, 1, *times, "measured")


VALIDATION = Validation((checked("a", "tpot_ms", "vllm"), checked("b", "served_tpot_ms", "vllm")), (), 170)


def test_a_figure_names_the_group_that_holds_it_up() -> None:
    figure = Figure("x", (0.05,) * 10 + (0.3,) * 20, ("near",) * 10 + ("far",) * 20, goal=9.0)
    assert not figure.reached and figure.median == pytest.approx(30.0)
    [group] = figure.held_by()
    assert (group.name, group.rows) == ("far", 20) and group.without == pytest.approx(5.0)
    alone = Figure("x", (0.3,), ("far",), goal=9.0)
    assert math.isnan(alone.held_by()[0].without)


def test_a_figure_may_fail_by_its_ninth_decile_alone() -> None:
    figure = Figure("x", (0.05,) * 8 + (0.5,) * 2, ("near",) * 8 + ("far",) * 2, goal=9.0, goal_p90=27.0)
    assert figure.median <= 9.0 and not figure.reached
    assert [group.name for group in figure.held_by()] == ["far"]


def test_rows_behind_a_server_are_a_figure_of_their_own() -> None:
    found = {figure.what: figure for figure in LeftOutRows(lines()).figures()}
    static = found["language models in static batches, a model left out of the fit"]
    served = found["language models behind a server, a model left out of the fit"]
    assert (len(static.errors), len(served.errors)) == (50, 30)
    assert static.goal == 9.0 and static.goal_p90 == 27.0
    assert kind_of(LeftOut("pytorch-eager", "gpu", "g", "r", "class", 0.1, "step")) == "pictures"


def test_the_page_on_kernels_is_read_by_the_names_of_its_columns() -> None:
    found = {each.what: each for each in kernels(KERNELS)}
    assert found["matrix products, bf16"].other == 9.9 and found["matrix products, bf16"].goal == 10.0
    assert found["attention of a prefill"].rows == "37,192"
    assert list(kernels("nothing")) == []


def test_the_page_says_what_is_reached_and_what_is_covered() -> None:
    left = LeftOutRows(lines())
    text = "\n".join([*reaching(VALIDATION, left, KERNELS), *covered(left)])
    assert "| matrix products, bf16 | 24,676 | 9.9 | 10 | yes |" in text
    assert "| attention of a prefill | 37,192 | 12.9 | 12 | no |" in text
    assert "Coefficients of engines: 170, wanted at most 207: reached." in text
    assert "| decode step | 50 | 4 |" in text and "token behind a server" in text
    assert "the same version, run again" in text and "another version" in text


def test_the_table_of_accuracy_is_one_screen() -> None:
    text = list(accuracy(VALIDATION, lines(), KERNELS))
    rows = [line for line in text if line.startswith("| ")]
    assert rows[0] == "| what | rows | median | 90th percentile | covered |"
    assert len(rows) <= 25
    assert any("(validation.md)" in line for line in text)


def test_the_readme_says_in_three_lines_how_far_to_trust_it(tmp_path: Path) -> None:
    told = [line for line in short(VALIDATION, lines()) if line]
    assert len(told) == 3 and "Held against 2 measured runs: a median error of" in told[0]
    assert "4.0 % (language models behind a server)" in told[0] and "docs/accuracy.md" in told[2]
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    renew(page, told)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and told[1] in text and "old" not in text
