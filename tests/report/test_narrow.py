"""Tables in 80 columns: names give way before numbers do, and empty columns before both."""

from __future__ import annotations

import io

import pytest

import roofline as rl
from roofline.answer.phase import OpRow
from roofline.report.tables.console import Console
from roofline.report.tables.grid import grid
from roofline.report.tables.ops import named_apart, print_legend, print_ops
from tests.cli.test_listings import run


def _ops(model: str, phase: str, width: int, **options: int) -> str:
    est, stream = rl.estimate(model, gpu="h100", **options), io.StringIO()
    console = Console(stream, width)
    print_legend(est, [print_ops(est, phase, est.ops(phase), "op", console)], console)
    return stream.getvalue()


def _missing(text: str) -> str:
    return " ".join(text.partition("no room in")[2].partition("(COLUMNS")[0].split())


@pytest.mark.parametrize(
    ("model", "phase", "options"),
    [
        ("qwen2.5-vl-7b", "vision_encode", {"images": 1}),
        ("qwen3-next-80b-a3b", "decode", {}),
        ("sd-turbo", "denoise", {}),
        ("deepseek-v3", "decode", {"tp": 8}),
        ("llama-3-70b", "prefill", {"tp": 4, "pp": 2}),
    ],
)
def test_long_names_of_ops_leave_room_for_times_and_intensity(model: str, phase: str, options: dict[str, int]) -> None:
    text = _ops(model, phase, 80, **options)
    for heading in (" × ", "limit", "expected", "share", "reached", "FLOP/B"):
        assert heading in text.partition("─")[0]
    assert all(len(line) <= 80 for line in text.splitlines())


def test_columns_without_room_are_named_and_how_they_are_seen() -> None:
    text = _ops("gpt2", "prefill", 50)
    assert "FLOP/B" not in text.partition("no room")[0]
    assert _missing(text) == (
        "50 columns for: block, ×, FLOPs, bytes, weights, cache, activations, FLOP/B, bound, parameters"
    )
    needed = int(text.partition("COLUMNS=")[2].partition(" ")[0])
    assert "no room" not in _ops("gpt2", "prefill", needed)
    assert _missing(_ops("gpt2", "prefill", needed - 1)).endswith("columns for: parameters")


@pytest.mark.parametrize("width", range(50, 170, 7))
def test_intensity_is_the_last_column_to_go(width: int) -> None:
    missing = _missing(_ops("deepseek-v3", "decode", width, tp=8))
    if "FLOP/B" in missing:
        for name in ("×", "FLOPs", "bytes", "links", "weights", "cache", "activations", "bound", "parameters"):
            assert name in missing


def test_a_table_says_what_its_columns_mean() -> None:
    text = " ".join(_ops("gpt2", "prefill", 80).split())
    assert "bound: least time by peak and bandwidth · expected: with engine generic" in text
    assert "reached: bound ÷ expected" in text
    for word in ("×", "FLOP/B", "limit", "host per step, sequence, request"):
        assert f"{word}: " in text
    assert "waiting for launches: " in " ".join(_ops("sd15", "text_encode", 80).split())


def test_ops_of_one_name_are_told_apart_by_what_their_blocks_differ_in() -> None:
    def named(*blocks: str) -> list[str]:
        rows = [row._replace(name="q", block=block) for block, row in zip(blocks, [_ROW] * len(blocks), strict=True)]
        return named_apart(rows)

    assert named("vision.0.attention", "vision.1.attention") == ["q (0)", "q (1)"]
    assert named("full.attention", "sliding.attention") == ["q (full)", "q (sliding)"]
    assert named("a.b", "a.b.c") == ["q (b)", "q (b.c)"]
    assert named("<top>", "a.b") == ["q", "q (a.b)"]
    assert named("a.b") == ["q"]


_ROW: OpRow = rl.estimate("gpt2", gpu="h100").ops()[0]


def test_an_empty_column_takes_no_room_from_a_title() -> None:
    text = run("list", "models", "embed", columns=80)
    assert "active" not in text
    assert "E5 Mistral 7B" in text
    assert "active" in run("list", "models", "mixtral", columns=120)


def test_a_grid_knows_what_it_leaves_out() -> None:
    table = grid("t", (("name", "name"), ("one", "right?"), ("two", "right?")), [["abcdef", "123456", "123456"]])
    assert table.left_out(40) == []
    assert table.left_out(20) == ["two"]
    assert table.left_out(9) == ["one", "two"]
