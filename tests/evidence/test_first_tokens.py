"""First tokens behind a server: the shipped rows, the fit of a server's own time, and what it makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from roofline.evidence.service.first import (
    FITTED,
    SERVERS,
    FirstToken,
    Prepared,
    errors,
    fit_server,
    left_out,
    prepared,
    read_first_tokens,
    taking_part,
)
from roofline.evidence.service.report import renew_engines, server_of, times_of
from roofline.machine.engine import GENERIC
from roofline.specs.files.engines import ENGINES

_ROW = FirstToken("x", "s", "1", "vllm", "m", "g", {}, 10.0, 0.0, 1.0, "")


@pytest.fixture(scope="module")
def rows() -> list[Prepared]:
    """A third of the rows that take part, the same ones each time."""
    return [prepared(row) for row in list(taking_part(read_first_tokens()))[::3]]


def _made(times: tuple[float, ...]) -> list[Prepared]:
    """Rows of a server with these own times, exact but for one that is far off."""
    found = []
    for place in range(60):
        experts, doublings, prompt = (0, 36, 58)[place % 3], place % 4, 100.0 * 4.0 ** (place % 5)
        row = Prepared(_ROW, 0.0, 0.02 + 1e-3 * place, (0.8, 1.3), (1.0, experts, experts * doublings, prompt))
        seconds = row.expected(times) * (20.0 if place == 20 else 1.0)
        found.append(replace(row, row=_ROW._replace(seconds=seconds, source=f"s{place % 2}")))
    return found


def test_a_fit_finds_the_times_that_rows_were_made_of() -> None:
    times = (8e-3, 3e-4, 2e-4, 4e-6)
    assert fit_server(_made(times)) == pytest.approx(times, rel=0.05)
    assert np.median(np.abs(left_out(_made(times), lambda row: row.source))) < 0.01


def test_a_time_that_no_row_asks_for_is_none() -> None:
    found = fit_server(_made((8e-3, 0.0, 3e-4, 0.0)))
    assert found[1] == found[3] == 0.0
    assert found[0] == pytest.approx(8e-3, rel=0.05)


def test_a_row_that_is_set_apart_says_why_and_takes_no_part() -> None:
    every = read_first_tokens()
    assert {row.engine for row in every} == set(SERVERS)
    assert len({row.id for row in every}) == len(every)
    assert all(row.seconds > 0.0 for row in every)
    assert not any(row.apart for row in taking_part(every))
    assert 0.6 < sum(1 for _ in taking_part(every)) / len(every) < 0.8


@pytest.mark.parametrize(("engine", "middle", "most"), [("vllm", 0.13, 0.45), ("tensorrt-llm", 0.3, 1.0)])
def test_first_tokens_are_met_with_the_server_s_own_time(
    engine: str, middle: float, most: float, rows: list[Prepared]
) -> None:
    own = [row for row in rows if row.row.engine == engine]
    found = np.abs(errors(own, times_of(engine)))
    assert np.median(found) < middle
    assert np.quantile(found, 0.9) < most
    assert np.median(np.abs(errors(own, (0.0,) * len(FITTED)))) > np.median(found)


def test_what_stands_for_any_server_is_better_than_none(rows: list[Prepared]) -> None:
    some, none = (np.abs(errors(rows, times)) for times in (times_of(GENERIC), (0.0,) * len(FITTED)))
    assert np.median(some) < 0.8 * np.median(none)


def test_a_server_that_polls_every_ten_steps_waits_for_ten_steps() -> None:
    row = next(row for row in read_first_tokens() if row.polls == 10.0 and not row.apart)
    waits, at_once = prepared(row), prepared(row._replace(polls=0.0))
    assert waits.steady == at_once.steady
    assert waits.bench - at_once.bench > 0.05


def test_fitted_times_are_written_into_files_that_say_the_same_besides(tmp_path: Path) -> None:
    times = (8e-3, 3e-4, 0.0, 4e-6)
    for name in (*SERVERS, GENERIC):
        copy(ENGINES / f"{name}.yaml", tmp_path)
    made = [replace(row, row=row.row._replace(engine=name)) for name in SERVERS for row in _made(times)]
    renew_engines(tmp_path, made)
    for name in (*SERVERS, GENERIC):
        assert times_of(name, tmp_path) == pytest.approx(times, rel=0.05)
        before, after = server_of(name), server_of(name, tmp_path)
        assert before.model_copy(update=dict(zip(FITTED, times_of(name, tmp_path), strict=True))) == after
        lines = [(ENGINES / f"{name}.yaml").read_text(encoding="utf-8"), (tmp_path / f"{name}.yaml").read_text("utf-8")]
        assert len({text.partition("server:")[0] for text in lines}) == 1
        assert len({text.partition("factors:")[2] for text in lines}) == 1
