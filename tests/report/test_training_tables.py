"""Tables of a training run: the parts of a step sum to it, every part of memory is shown, remedies by effect."""

from __future__ import annotations

import io
from typing import Any

import pytest

import roofline as rl
from roofline.report.tables.console import Console
from roofline.report.tables.training.answer import asked_lines, print_training
from roofline.report.tables.training.memory import memory_table, remedy_table
from roofline.report.tables.training.step import rows_of

PLANS: list[dict[str, Any]] = [
    {},
    {"recompute": "full", "micro_batch": 2},
    {"gpus": 8, "zero": 3, "global_batch": 32},
    {"gpus": 16, "tp": 2, "pp": 4, "global_batch": 64},
    {"gpus": 4, "pp": 4, "engine": "ideal"},
]


def shown(answer: Any, width: int = 80) -> str:
    stream = io.StringIO()
    print_training(answer, Console(stream, width))
    return stream.getvalue()


@pytest.mark.parametrize("options", PLANS)
def test_the_rows_of_a_step_sum_to_it(options: dict[str, Any]) -> None:
    answer = rl.train("llama-2-7b", gpu="a100", sequence=1024, **options)
    assert sum(row.expected for row in rows_of(answer)) == pytest.approx(float(answer.times.expected), rel=1e-3)


def test_waiting_in_a_pipeline_is_a_row() -> None:
    answer = rl.train("llama-2-7b", gpu="a100", gpus=4, pp=4, sequence=1024)
    waiting = [row for row in rows_of(answer) if row.name == "pipeline bubble"]
    assert len(waiting) == 1 and waiting[0].expected == pytest.approx(float(answer.step.bubble_s))


def test_every_part_of_memory_and_the_capacity_are_shown() -> None:
    answer = rl.train("llama-2-7b", gpu="a100", gpus=8, zero=3, sequence=1024)
    titles = memory_table(answer).columns[0].texts
    assert {part.title for part in answer.memory.parts if float(part.bytes)} <= set(titles)
    assert titles[-2:] == ("total", "left")


def test_remedies_stand_in_the_order_of_their_effect() -> None:
    answer = rl.train("llama-3.1-8b", gpu="rtx-4090", sequence=2048)
    sizes = {each.options: float(each.memory.total_bytes) for each in answer.remedies}
    shown_options = remedy_table(answer).columns[0].texts[1:]
    assert [sizes[each] for each in shown_options] == sorted(sizes[each] for each in shown_options)
    assert all(sizes[each] < float(answer.memory.total_bytes) for each in shown_options)


def test_conventions_are_named_and_words_explained() -> None:
    text = " ".join(shown(rl.train("gpt2", gpu="a100", sequence=512)).split())
    for words in ("model, causal", "hardware (HFU)", "6 N, all", "PaLM", "MFU: ", "dense"):
        assert words in text
    assert "floor: " in text and "bound: " in text and "expected: " in text


def test_the_roofline_alone_has_no_expected_column() -> None:
    text = shown(rl.train("gpt2", gpu="a100", sequence=512, engine="ideal"))
    assert "80 % interval" not in text and "expected: " not in text


def test_what_was_asked_is_told_in_lines() -> None:
    lines = list(asked_lines(rl.train("llama-2-7b", gpu="a100", gpus=16, tp=2, sequence=1024, global_batch=32)))
    assert (
        lines[0]
        == "sequences of 1,024 tokens: 1 at once on each of 8 replicas, 4 × a step: 32 sequences, 32,768 tokens"
    )
    assert lines[1].startswith("16 GPUs (tp 2 · dp 8) on dgx-a100")


def test_a_notebook_shows_the_tables() -> None:
    html = rl.train("gpt2", gpu="a100", sequence=512)._repr_html_()
    assert html.startswith("<pre") and "Where the time of a step goes" in html
