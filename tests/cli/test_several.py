"""Several values of one option: lists, ranges and files are read as they are written, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.cli.several import MOST, values_of
from roofline.errors import UsageError


@pytest.mark.parametrize(
    ("name", "texts", "values"),
    [
        ("batch", ["1,2", "8"], [1, 2, 8]),
        ("batch", ["1:256:x2"], [1, 2, 4, 8, 16, 32, 64, 128, 256]),
        ("batch", ["1:10:x1.5"], [1, 2, 3, 5, 8]),
        ("prompt", ["128:512:+128"], [128, 256, 384, 512]),
        ("prompt", ["3:6"], [3, 4, 5, 6]),
        ("prompt", ["1e3"], [1000]),
        ("seconds", ["0.5:2:+0.5"], [0.5, 1.0, 1.5, 2.0]),
        ("guidance", ["7.5"], [7.5]),
        ("gpu", ["a100,h100", "l4"], ["a100", "h100", "l4"]),
        ("weights", ["bf16,fp8", "bf16,head=fp8"], ["bf16", "fp8", "bf16,head=fp8"]),
        ("kv_layout", ["paged:16,full-windows"], ["paged:16,full-windows"]),
        ("chunk", ["none,512:2048:x2"], ["none", 512, 1024, 2048]),
        ("runtime_reserve", ["1 GB,10%"], ["1 GB", "10%"]),
        ("model", ["llama3.1:8b"], ["llama3.1:8b"]),
    ],
)
def test_values_are_read_in_order(name: str, texts: list[str], values: list[object]) -> None:
    assert list(values_of(name, texts)) == values


def test_a_long_range_takes_no_memory() -> None:
    assert values_of("batch", ["1:40000000"]) == range(1, 40_000_001)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("8:1", "backward"),
        ("1:8:+0", "above 0"),
        ("1:8:0", "above 0"),
        ("1:8:x1", "above 1"),
        ("0:8:x2", "above 0"),
        ("1:8:*2", "FIRST:LAST"),
        ("1:2:3:4", "FIRST:LAST"),
        (":", "must be a whole number or a range"),
        ("1:", "FIRST:LAST"),
        ("1,,2", "empty"),
        ("1.5", "whole number"),
        ("1:2.5", "whole numbers"),
        ("abc", "whole number"),
        ("nan", "whole number"),
        ("1e999", "whole number"),
        (f"1:{MOST + 1}", "more than"),
        ("1:1e300:x1.0000001", "more than"),
        ("@nowhere.txt", "cannot be read"),
        ("@.", "cannot be read"),
        ("１", "whole number"),
    ],
)
def test_what_is_no_value_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"--batch.*{says}"):
        values_of("batch", [text])


def test_a_file_has_a_value_to_a_line(tmp_path: Path) -> None:
    path = tmp_path / "batches.txt"
    path.write_text("1 # one\n\n2:8:x2\n16,32\n", encoding="utf-8")
    assert list(values_of("batch", [f"@{path}"])) == [1, 2, 4, 8, 16, 32]
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no values"):
        values_of("batch", [f"@{path}"])
    path.write_text("@more\n", encoding="utf-8")
    with pytest.raises(UsageError, match="names no further file"):
        values_of("batch", [f"@{path}"])
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text"):
        values_of("batch", [f"@{path}"])


def test_a_path_with_a_comma_is_one_value(tmp_path: Path) -> None:
    path = tmp_path / "a,b.yaml"
    path.write_text("", encoding="utf-8")
    assert values_of("model", [str(path)]) == [str(path)]


@given(st.text(max_size=30))
def test_any_text_is_values_or_a_refusal(text: str) -> None:
    try:
        assert len(values_of("batch", [text])) >= 1
    except UsageError as error:
        assert str(error).startswith("--batch")
