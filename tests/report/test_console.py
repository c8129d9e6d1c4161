"""Text and tables at the width of a terminal, in styles where it shows them."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.cli import terminal
from roofline.report.tables.console import Console, Paint, Styled, ansi, colourless, plain
from roofline.report.tables.grid import grid
from roofline.report.tables.lines import cells, cut, wrap


def printed(content: str | list[Styled], width: int = 80, paint: Paint = plain, **options: bool | str) -> str:
    stream = StringIO()
    Console(stream, width, paint).print(content, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@given(st.text(alphabet="ab -é漢\u0301", max_size=60), st.integers(min_value=2, max_value=30))
def test_wrapped_lines_fit_and_are_the_text(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines) == text
    assert all(cells(line.rstrip()) <= width for line in lines)


def test_words_stay_whole_where_a_line_holds_them() -> None:
    assert wrap("first token after a while", 11) == ["first token ", "after a ", "while"]
    assert wrap("unbreakable", 4) == ["unbr", "eaka", "ble"]


def test_wide_characters_take_two_cells_and_accents_none() -> None:
    assert [cells(text) for text in ("ab", "漢字", "e\u0301", "×–─")] == [2, 4, 1, 3]
    assert cut("漢字", 3) == "漢"


def test_pieces_have_styles_and_brackets_are_text() -> None:
    pieces = [Styled("A", "bold"), Styled(" of [b, h, n] in "), Styled("[/]", "yellow")]
    assert printed(pieces) == "A of [b, h, n] in [/]\n"
    assert printed([Styled("A", "bold"), Styled(" b")], paint=ansi) == "\033[1mA\033[0m b\n"
    assert printed("[bold]A[/bold]", paint=ansi) == "[bold]A[/bold]\n"
    warning = [Styled("w", "yellow"), Styled(" x")]
    assert printed(warning, paint=ansi, style="dim") == "\033[2;33mw\033[0m\033[2m x\033[0m\n"
    told = [Styled("w", "yellow"), Styled(" "), Styled("x", "bold")]
    assert printed(told, paint=colourless) == "w \033[1mx\033[0m\n"


def test_a_style_lasts_over_the_end_of_a_line() -> None:
    pieces = [Styled("one two", "bold"), Styled(" three")]
    assert printed(pieces, width=4, paint=ansi).splitlines()[:2] == [
        "\033[1mone\033[0m",
        "\033[1mtwo\033[0m",
    ]


def test_what_a_terminal_would_obey_is_an_escape() -> None:
    assert printed("a\033[31mb\007\tc") == "a\\x1b[31mb\\x07  c\n"
    assert printed("\u202eab\x9b") == "\\u202eab\\x9b\n"


def test_columns_are_left_out_the_last_one_first_before_a_name_is_broken() -> None:
    table = grid(
        "T", [("name", "name"), ("a", "right?"), ("b", "right?"), ("c", "right")], [["long-name"] + ["123"] * 3]
    )
    heads = [
        dict.fromkeys(next(lines for lines in [list(table.lines(width, crop=True))])[2][0].split())
        for width in (40, 24, 18)
    ]
    assert [list(head) for head in heads] == [["name", "a", "b", "c"], ["name", "a", "c"], ["name", "c"]]
    assert all(line.rstrip() == line for line, _ in table.lines(40, crop=True))


def test_a_cell_is_text_whatever_is_in_it() -> None:
    lines = [line for line, _ in grid("T", [("name", "name")], [["[bold]x[/bold]"]]).lines(40, crop=True)]
    assert " [bold]x[/bold]" in lines


def test_what_cannot_be_narrower_is_cut_at_the_width_unless_it_must_stay_whole() -> None:
    table = grid("T", [("name", "name")], [["x" * 30]])
    assert max(cells(line) for line, _ in table.lines(20, crop=True)) == 20
    assert any("x" * 30 in line for line, _ in table.lines(20, crop=False))


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("tty", "environment", "paint"),
    [
        (True, {"TERM": "xterm"}, ansi),
        (True, {"TERM": "dumb"}, plain),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, colourless),
        (False, {"TERM": "xterm"}, plain),
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, ansi),
        (True, {"TERM": "xterm", "FORCE_COLOR": ""}, plain),
    ],
)
def test_styles_are_for_terminals_that_show_them(
    monkeypatch: pytest.MonkeyPatch, tty: bool, environment: dict[str, str], paint: Paint
) -> None:
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Screen() if tty else StringIO())
    assert terminal.console().paint is paint


def test_columns_come_before_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "66")
    assert terminal.console().width == 66
    monkeypatch.setenv("COLUMNS", "wide")
    monkeypatch.setattr("os.get_terminal_size", lambda descriptor: (_ for _ in ()).throw(OSError))
    assert terminal.console().width == 80


@pytest.mark.parametrize(("said", "width"), [("0", 80), ("20", 40), ("²", 80), ("1" * 5000, 80), ("-5", 80)])
def test_a_width_that_holds_no_names_is_not_taken(monkeypatch: pytest.MonkeyPatch, said: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setattr("os.get_terminal_size", lambda descriptor: (_ for _ in ()).throw(OSError))
    assert terminal.console().width == width
