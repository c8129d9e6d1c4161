"""YAML as inert data, with a place for every value.

Only plain data is understood: mappings with text keys, lists, text, numbers, true, false and null. Tags are refused, so
nothing in a file can name a Python object. Differences from PyYAML's loaders, each on purpose: `312e12` is a number,
`on`, `no` and dates stay text, a duplicate key is an error, and aliases are expanded within a budget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import yaml

from roofline.errors import Place, SpecError
from roofline.specs.files.paths import is_file, is_folder

MAX_BYTES: Final = 2_000_000
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 200_000

_Path = tuple[str | int, ...]
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT: Final = re.compile(r"[-+]?((0|[1-9][0-9_]*)(\.[0-9_]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
}
_PLAIN_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(NamedTuple):
    """A file's data as plain Python, and the place of every key and value in it."""

    path: str
    text: str
    data: Any
    places: dict[_Path, tuple[int, int]]

    def place(self, path: _Path) -> Place:
        """The place of the value at `path`, or of its nearest ancestor that stands in the file."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return place_at(self.path, self.text, line, column)


def place_at(path: str, text: str, line: int, column: int) -> Place:
    """A place with the text of its line."""
    lines = text.splitlines()
    return Place(path, line, column, lines[line - 1] if 0 < line <= len(lines) else "")


def read_text(path: Path, what: str = "spec", limit: int = MAX_BYTES) -> str:
    """The text of a file, or a SpecError saying why it is not one: missing, a folder, too large, binary."""
    name = str(path)
    try:
        if is_folder(path):
            raise SpecError(f"is a folder; a {what} is a file", Place(name))
        if not is_file(path):
            raise SpecError(f"no such {what} file", Place(name))
        size = path.stat().st_size
        if size > limit:
            raise SpecError(f"{size:,} bytes; a {what} has at most {limit:,}", Place(name))
        raw = path.read_bytes()
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", Place(name)) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"is not text (byte {error.start} is not UTF-8); a {what} is UTF-8"
        raise SpecError(message, Place(name, line, column)) from None
    if "\0" in text:
        raise SpecError(f"is a binary file; a {what} is UTF-8 text", Place(name))
    return text


def read_document(path: Path) -> Document:
    """Read a YAML file. Raises SpecError with file, line and column."""
    return parse_document(read_text(path), str(path))


def parse_document(text: str, name: str) -> Document:
    """Parse YAML text; `name` stands for the file in errors."""
    return _Composer(text, name).compose()


class _Composer:
    """Builds plain data from parser events without recursion into the parser, so that depth is ours to bound."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.places: dict[_Path, tuple[int, int]] = {}
        self.anchors: dict[str, Any] = {}
        self.open_anchors: set[str] = set()
        self.values = 0

    def compose(self) -> Document:
        try:
            events = yaml.parse(self.text, Loader=_PLAIN_LOADER)
            data = self._document(events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            problem = (error.problem or "cannot be parsed").replace("\n", " ")
            if "nesting depth" in problem:  # PyYAML since 6.0.4 has a limit of its own, met while it reads ahead
                raise SpecError(f"is nested deeper than {MAX_DEPTH} levels", self._place(line, column)) from None
            raise SpecError(f"is not valid YAML: {problem}", self._place(line, column)) from None
        except yaml.YAMLError as error:
            raise SpecError(f"is not valid YAML: {' '.join(str(error).split())[:200]}", self._place(1, 1)) from None
        return Document(self.name, self.text, data, self.places)

    def _place(self, line: int, column: int) -> Place:
        return place_at(self.name, self.text, line, column)

    def _fail(self, event: Any, message: str, hint: str = "") -> NoReturn:
        mark = event.start_mark
        raise SpecError(message, self._place(mark.line + 1, mark.column + 1), hint=hint)

    def _document(self, events: Iterator[Any]) -> Any:
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(event, "holds a second document; a spec is one")
                data = self._value(next(events), events, (), 0)
        if documents == 0:
            raise SpecError("is empty", self._place(1, 1))
        return data

    def _value(self, event: Any, events: Iterator[Any], path: _Path, depth: int) -> Any:
        self.values += 1
        if depth > MAX_DEPTH:
            self._fail(event, f"is nested deeper than {MAX_DEPTH} levels")
        if self.values > MAX_VALUES:
            self._fail(event, f"holds more than {MAX_VALUES:,} values")
        mark = event.start_mark
        self.places.setdefault(path, (mark.line + 1, mark.column + 1))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None and event.tag != "!":
            self._fail(event, f"has the tag {event.tag!r}; a spec is plain data without tags")
        anchor = event.anchor
        if anchor is not None:
            self.open_anchors.add(anchor)
        value = self._content(event, events, path, depth)
        if anchor is not None:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = value
        return value

    def _content(self, event: Any, events: Iterator[Any], path: _Path, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            return _scalar(event.value) if plain else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            for inner in events:
                if isinstance(inner, yaml.SequenceEndEvent):
                    break
                items.append(self._value(inner, events, (*path, len(items)), depth + 1))
            return items
        return self._mapping(events, path, depth)

    def _mapping(self, events: Iterator[Any], path: _Path, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._fail(event, "a key must be plain text")
            key = event.value
            if key in mapping:
                first = self.places.get((*path, key), (0, 0))[0]
                self._fail(event, f"duplicate key {key!r}", f"It stands on line {first} already; keep one.")
            if key == "<<":
                self._fail(event, "merge keys are not part of a spec", "Write the values out.")
            mark: Any = event.start_mark
            self.places[(*path, key)] = (mark.line + 1, mark.column + 1)
            mapping[key] = self._value(next(events), events, (*path, key), depth + 1)
        return mapping

    def _alias(self, event: Any) -> Any:
        name = event.anchor
        if name in self.open_anchors:
            self._fail(event, f"alias *{name} refers to the value that contains it")
        if name not in self.anchors:
            self._fail(event, f"alias *{name} has no anchor before it")
        self.values += _size(self.anchors[name], MAX_VALUES)
        if self.values > MAX_VALUES:
            self._fail(event, f"aliases expand to more than {MAX_VALUES:,} values")
        return self.anchors[name]


def _size(value: Any, limit: int) -> int:
    """How many values a tree holds, counting no further than `limit`."""
    stack, count = [value], 0
    while stack and count <= limit:
        item = stack.pop()
        count += 1
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return count


def _scalar(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if not (text[0].isdigit() or text[0] in "+-."):
        return text
    if len(text) <= 40:
        if _INT.fullmatch(text):
            return int(text.replace("_", ""))
        if _FLOAT.fullmatch(text):
            return float(text.replace("_", ""))
    return text
