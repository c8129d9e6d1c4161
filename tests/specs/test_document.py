"""YAML is inert data, and every refusal points into the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.errors import SpecError
from roofline.specs.files import document
from roofline.specs.files.document import parse_document, read_document


def refused(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_document(text, "spec.yaml")
    return str(caught.value)


def test_numbers_are_numbers_and_words_stay_words() -> None:
    data = parse_document("a: 312e12\nb: on\nc: no\nd: 2024-01-01\ne: 010\nf: 1_000\ng: '7'\nh: null", "x").data
    assert data == {"a": 312e12, "b": "on", "c": "no", "d": "2024-01-01", "e": "010", "f": 1000, "g": "7", "h": None}


def test_a_duplicate_key_is_refused_with_both_places() -> None:
    message = refused("a: 1\nb: 2\na: 3\n")
    assert message.startswith("spec.yaml:3:1: duplicate key 'a'")
    assert "    a: 3\n    ^" in message and "line 1" in message


def test_a_tag_cannot_name_a_python_object() -> None:
    assert "tag" in refused("a: !!python/object/apply:os.system ['true']")


def test_a_cyclic_alias_is_one_clear_error() -> None:
    assert "refers to the value that contains it" in refused("a: &loop\n  b: *loop\n")


def test_an_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "expand to more than" in refused("\n".join(lines))


def test_an_alias_within_the_budget_is_expanded() -> None:
    assert parse_document("a: &x {b: 1}\nc: *x", "x").data == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize("text", ["[" * 5000, "a: " + "{b: " * 5000, "- " * 5000 + "x"])
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested deeper" in refused(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a: [1", "not valid YAML"),
        ("a: 1\n---\nb: 2", "second document"),
        ("? [a, b]\n: 1", "plain text"),
        ("<<: {a: 1}", "merge keys"),
        ("a: *nowhere", "no anchor"),
        ("a: \x07", "not valid YAML"),
    ],
)
def test_what_is_not_a_document_is_refused(text: str, words: str) -> None:
    assert words in refused(text)


def test_a_folder_a_missing_a_binary_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    binary, huge = tmp_path / "b.yaml", tmp_path / "h.yaml"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe")
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    refused = {tmp_path: "is a folder", tmp_path / "no.yaml": "no such", binary: "not text", huge: "100,000,000 bytes"}
    for path, words in refused.items():
        with pytest.raises(SpecError, match=words):
            read_document(path)


def test_every_value_has_its_place() -> None:
    places = parse_document("a:\n  b: [1, {c: 2}]\n", "x").places
    assert places["a", "b", 1, "c"] == (2, 11)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_document(text, "fuzz.yaml")
    except SpecError as error:
        assert "fuzz.yaml" in str(error)


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc é", max_size=5)


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    keys = st.text("xyz", min_size=1, max_size=3)
    return st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)


@given(st.recursive(SCALARS, _nested, max_leaves=20))
def test_json_is_read_as_json(value: object) -> None:
    import json

    assert parse_document(json.dumps(value), "x").data == value


def test_the_plain_parser_agrees_with_the_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: &x [1, 2.5, {b: c}]\nd: *x\n"
    fast = parse_document(text, "x")
    monkeypatch.setattr(document, "_PLAIN_LOADER", yaml.SafeLoader)
    assert parse_document(text, "x") == fast
