"""JSON as inert data: the text checked once, and the place of a key found only when an error needs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from roofline.errors import Place, SpecError
from roofline.specs.files.document import MAX_DEPTH, MAX_VALUES, place_at, read_text

JsonPath: TypeAlias = tuple[str | int, ...]
#: Quantised mixtures of experts list tens of thousands of modules: the longest such config.json has 3.1 MB.
MAX_BYTES: Final = 4_000_000
#: The index of a checkpoint names each tensor of each expert: 17 MB where there are 384 of them.
MAX_INDEX_BYTES: Final = 40_000_000
MAX_INDEX_VALUES: Final = 400_000
#: Texts whole, also one that does not end, and possessively: nothing of one is gone through twice, nor kept for it.
_TEXT: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?+|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_NUMBER: Final = re.compile(r"\d{4301,}")


class _DuplicateKeyError(ValueError):
    """A mapping says one key twice; carries the key."""


class JsonDocument:
    """A JSON file's data, and where its keys stand."""

    def __init__(self, path: str, text: str, data: Any) -> None:
        self.path, self.text, self.data = path, text, data

    def place(self, path: JsonPath) -> Place:
        """The place of the value at `path`, or of its nearest ancestor."""
        places = _places(self.text)
        while path and path not in places:
            path = path[:-1]
        return _place(self.path, self.text, places.get(path, [0])[0])


def read_json(path: Path, what: str = "config.json") -> JsonDocument:
    """Read a JSON file. Raises SpecError with file, line and column."""
    return parse_json(read_text(path, what, MAX_BYTES), str(path))


def read_index(path: Path) -> JsonDocument:
    """Read the index of a checkpoint, which is longer than other JSON. Raises SpecError as `read_json` does."""
    return parse_json(read_text(path, "index", MAX_INDEX_BYTES), str(path), MAX_INDEX_VALUES)


def parse_json(text: str, name: str, most: int = MAX_VALUES) -> JsonDocument:
    """Parse JSON text of at most so many values; `name` stands for the file in errors. A duplicate key is an error."""
    _check_number(name, text, most)
    try:
        data = json.loads(text, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        _refuse_other(name, text)
        message = error.msg[:1].lower() + error.msg[1:]
        raise SpecError(f"is not valid JSON: {message}", place_at(name, text, error.lineno, error.colno)) from None
    except _DuplicateKeyError as error:
        _refuse_duplicate(name, text, str(error))
    except RecursionError:
        raise SpecError(f"is nested deeper than {MAX_DEPTH} levels", Place(name)) from None
    except ValueError as error:
        if long := _NUMBER.search(text):
            said = f"a whole number of {len(long[0]):,} digits"
            raise SpecError(f"is not valid JSON: {said}", _place(name, text, long.start())) from None
        raise SpecError(f"is not valid JSON: {error}", Place(name)) from None
    _check_size(name, data, most)
    return JsonDocument(name, text, data)


def _refuse_other(name: str, text: str) -> None:
    """Say what a file is that was taken for JSON: a pointer of Git LFS, or a page of a web site."""
    start = text[:200].lstrip().lower()
    if start.startswith("version https://git-lfs"):
        hint = "Fetch the file itself: git lfs pull, in the folder of the repository."
        raise SpecError("is a Git LFS pointer, which stands for the file and is not it", Place(name), hint=hint)
    if start.startswith(("<!doctype html", "<html", "<head")):
        hint = "Save the file itself: on a hub, behind `raw` or `download`, with /resolve/ for /blob/ in its address."
        raise SpecError(
            "is an HTML page, no JSON: the page that shows the file, or one that asks to log in", Place(name), hint=hint
        )


def _check_number(name: str, text: str, most: int) -> None:
    """Refuse a file of too many values before they are made: brackets and commas outside of texts are counted."""
    if text.count(",") + text.count("[") + text.count("{") > most:
        bare = _TEXT.sub("", text)
        if bare.count(",") + bare.count("[") + bare.count("{") > most:
            raise SpecError(f"holds more than {most:,} values", Place(name))


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return mapping


def _refuse_duplicate(name: str, text: str, key: str) -> NoReturn:
    offsets = next((found for path, found in _places(text).items() if path[-1:] == (key,) and len(found) > 1), [0, 0])
    first, second = (_place(name, text, offset) for offset in offsets[:2])
    hint = f"It stands on line {first.line} already; keep one."
    raise SpecError(f"duplicate key {key[:60]!r}", second, key[:60], hint)


def _check_size(name: str, data: Any, most: int) -> None:
    level, count = [data], 1
    for depth in range(MAX_DEPTH + 2):
        held: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                held.extend(value.values())
            elif isinstance(value, list):
                held.extend(value)
        if not held:
            return
        count += len(held)
        if depth >= MAX_DEPTH:
            raise SpecError(f"is nested deeper than {MAX_DEPTH} levels", Place(name))
        if count > most:
            raise SpecError(f"holds more than {most:,} values", Place(name))
        level = held


def _place(name: str, text: str, offset: int) -> Place:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return place_at(name, text, line, column)


def _places(text: str) -> dict[JsonPath, list[int]]:
    """The offsets of every key and list item, by path; several where a key stands twice."""
    places: dict[JsonPath, list[int]] = {(): [0]}
    path: list[str | int] = []
    opened: list[str] = []
    expect_key = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "{[":
            opened.append(token)
            expect_key = token == "{"
            path.append("" if expect_key else 0)
        elif token in "}]":
            if opened:
                opened.pop()
                path.pop()
        elif token == ",":
            if opened and opened[-1] == "[":
                path[-1] = int(path[-1]) + 1
            expect_key = bool(opened) and opened[-1] == "{"
        elif token != ":":
            if expect_key:
                path[-1] = _unquoted(token)
                expect_key = False
                places.setdefault(tuple(path), []).append(match.start())
            elif opened and opened[-1] == "[":
                places.setdefault(tuple(path), []).append(match.start())
    return places


def _unquoted(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token.strip('"')
