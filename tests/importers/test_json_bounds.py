"""JSON is counted before it is read: size, values, depth, long texts and numbers take neither time nor memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from roofline.errors import SpecError
from roofline.importers.json_document import MAX_BYTES, MAX_VALUES, parse_json, read_json

SIZE = MAX_BYTES - 100
HOSTILE = {
    "deep": '{"x":[' + ("[" * 30 + "]" * 30 + ",") * (SIZE // 61) + "0]}",
    "flat": '{"x":[' + "[]," * (SIZE // 3) + "0]}",
    "duplicate": '{"a":1,"x":[' + "1," * (SIZE // 2) + '0],"a":2}',
    "no end": '{"x":[' + "1," * 300_000 + '"' + '\\"' * ((SIZE - 700_000) // 2),
    "bottomless": "[" * SIZE,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_files_of_too_much_are_refused_before_they_are_made(kind: str) -> None:
    start = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(SpecError):
            parse_json(HOSTILE[kind], "x.json")
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 4


def test_places_are_found_behind_a_text_of_escapes() -> None:
    text = '{"long":"' + "\\u0041" * (SIZE // 6) + '","a":1}'
    assert parse_json(text, "x.json").place(("a",)).column == len(text) - 5


def test_a_key_that_stands_twice_behind_a_long_list_is_found() -> None:
    text = '{"a":1,"x":[' + "1," * (MAX_VALUES - 10) + '0],"a":2}'
    with pytest.raises(SpecError, match="duplicate key 'a'"):
        parse_json(text, "x.json")


def test_a_list_of_modules_as_long_as_released_ones_is_read() -> None:
    names = [
        f"model.layers.{layer}.mlp.experts.{expert:04}.down_proj.x" for layer in range(94) for expert in range(680)
    ]
    text = json.dumps({"model_type": "x", "modules_to_not_convert": names})
    assert 3_000_000 < len(text) < MAX_BYTES
    assert parse_json(text, "x.json").data["modules_to_not_convert"] == names


def test_commas_in_texts_are_no_values() -> None:
    assert parse_json(json.dumps({"chat_template": "[{," * 100_000}), "x.json").data


def test_a_file_beyond_the_limit_says_so(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(" " * (MAX_BYTES + 1))
    with pytest.raises(SpecError, match="4,000,000"):
        read_json(file)


def test_a_number_of_too_many_digits_has_a_place() -> None:
    with pytest.raises(SpecError, match="5,000 digits") as caught:
        parse_json('{\n"a": ' + "1" * 5000 + "}", "x.json")
    assert "sys." not in str(caught.value)
    assert caught.value.place is not None
    assert caught.value.place.line == 2


def test_bytes_that_are_no_text_have_a_line(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b'{\n "a": "\xff"}')
    with pytest.raises(SpecError, match=r"config\.json:2:8: is not text"):
        read_json(file)
