"""Specs as they show themselves: a line in a terminal, a table in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import roofline as rl

NAMED = [("mistral-7b", rl.load_model), ("sdxl", rl.load_model), ("deepseek-v3", rl.load_model), ("a100", rl.load_gpu)]


class Tags(HTMLParser):
    """The tags that are open, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize(("name", "load"), NAMED)
def test_a_spec_is_a_line_in_a_terminal(name, load) -> None:  # type: ignore[no-untyped-def]
    spec = load(name)
    assert repr(spec) == str(spec) == f"<{type(spec).__name__} {spec.name}: {spec.title}>"
    assert len(repr(spec)) < 100


def test_a_part_shows_what_its_file_says() -> None:
    block = rl.load_model("mistral-7b").blocks[0]
    assert repr(block.feed_forward) == "DenseFeedForward(kind='dense', width=14336, gated=True, activation='silu')"
    assert "None" not in repr(rl.load_gpu("a100").peak)


@pytest.mark.parametrize(("name", "load"), NAMED)
def test_a_spec_is_a_table_in_a_notebook(name, load) -> None:  # type: ignore[no-untyped-def]
    spec = load(name)
    page = Tags()
    page.feed(spec._repr_html_())
    assert page.open == []
    assert {spec.name, spec.title, *spec.sources} <= set(page.text)


def test_text_of_a_file_is_not_markup() -> None:
    spec = rl.load_gpu("a100").model_copy(update={"title": "<script>alert(1)</script>"})
    assert "<script" not in spec._repr_html_()
