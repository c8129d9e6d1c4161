"""JSON as inert data: the text checked once, and the place of a key found only when an error needs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from roofline.errors import Place, SpecError
from roofline.specs.files.document import MAX_DEPTH, MAX_VALUES, place_at, read_text

JsonPath: TypeAlias = tuple[str | int, ...]
#: Quantised mixtures of experts list tens of thousands of modules.
MAX_BYTES: Final = 20_000_000
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


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


def parse_json(text: str, name: str) -> JsonDocument:
    """Parse JSON text; `name` stands for the file in errors. A duplicate key is an error."""
    try:
        data = json.loads(text, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise SpecError(f"is not valid JSON: {message}", place_at(name, text, error.lineno, error.colno)) from None
    except _DuplicateKeyError as error:
        _refuse_duplicate(name, text, str(error))
    except RecursionError:
        raise SpecError(f"is nested deeper than {MAX_DEPTH} levels", Place(name)) from None
    except ValueError as error:
        raise SpecError(f"is not valid JSON: {error}", Place(name)) from None
    _check_size(name, data)
    return JsonDocument(name, text, data)


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


def _check_size(name: str, data: Any) -> None:
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
        if count > MAX_VALUES:
            raise SpecError(f"holds more than {MAX_VALUES:,} values", Place(name))
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
