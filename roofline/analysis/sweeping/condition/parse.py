"""A condition, read and applied to columns.

condition  = both {or both}             both = sure {and sure}          sure = not sure | comparison
comparison = sum [(< <= > >= == != sum) | [not] in (value, …)]
sum        = product {+ - product}      product = factor {* / factor}   factor = -factor | value | (condition)
value      = number[unit] | 'text' | column | true | false
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from roofline.analysis.sweeping.condition.tokens import Token, tokens, wrong
from roofline.errors import UsageError

#: Brackets, signs and negations within each other.
DEEPEST: Final = 40
_COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_RECKONED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
Columns: TypeAlias = Mapping[str, Any]


class _Node(NamedTuple):
    """A part of a condition: what it gives on columns, and where it stands."""

    value: Callable[[Columns], Any]
    place: int


@dataclass(frozen=True)
class Condition:
    """What must hold of a row: its text, the columns that it names, and what it is on them."""

    text: str
    names: tuple[str, ...]
    value: Callable[[Columns], Any]

    def holds(self, columns: Columns) -> Any:
        """Where it holds, as an array that broadcasts with the columns. Raises UsageError, with its place, for texts
        that are reckoned with, or numbers where something is true or is not.
        """
        import numpy as np

        with np.errstate(all="ignore"):
            return self.value(columns)


def parse(text: str) -> Condition:
    """Read a condition. Raises UsageError with the place of what is wrong."""
    reader = _Reader(text)
    node = reader.condition()
    if reader.here.kind != "end":
        raise reader.wrong("here it should end, or go on with and, or")
    return Condition(text, tuple(dict.fromkeys(reader.names)), reader.truth(node))


class _Reader:
    """Reads a condition word by word."""

    def __init__(self, text: str) -> None:
        self.text, self.words, self.at, self.depth = text, list(tokens(text)), 0, 0
        self.names: list[str] = []

    @property
    def here(self) -> Token:
        return self.words[self.at]

    def wrong(self, what: str, place: int | None = None) -> UsageError:
        return wrong(self.text, self.here.place if place is None else place, what)

    def takes(self, *signs: str) -> str:
        """Whether one of these signs comes next; it is then behind us."""
        if self.here.kind == "sign" and self.here.text in signs:
            self.at += 1
            return self.words[self.at - 1].text
        return ""

    def deeper(self, part: Callable[[], _Node]) -> _Node:
        """A part within another one."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"more than {DEEPEST} brackets or signs within each other")
        node = part()
        self.depth -= 1
        return node

    def condition(self) -> _Node:
        return self._joined("or", self._both, operator.or_)

    def _both(self) -> _Node:
        return self._joined("and", self._sure, operator.and_)

    def _joined(self, word: str, part: Callable[[], _Node], join: Callable[[Any, Any], Any]) -> _Node:
        node = part()
        if self.here.text != word or self.here.kind != "sign":
            return node
        values = [self.truth(node)]
        while self.takes(word):
            values.append(self.truth(part()))

        def all_of(columns: Columns) -> Any:
            found = values[0](columns)
            for value in values[1:]:
                found = join(found, value(columns))
            return found

        return _Node(all_of, node.place)

    def _sure(self) -> _Node:
        place = self.here.place
        if not self.takes("not"):
            return self._comparison()
        value = self.truth(self.deeper(self._sure))
        return _Node(lambda columns: ~value(columns), place)

    def _comparison(self) -> _Node:
        left = self._sum()
        if sign := self.takes(*_COMPARED):
            node = self._compared(left, sign, self._sum())
            if self.here.text in _COMPARED and self.here.kind == "sign":
                raise self.wrong("one comparison at a time: a < b and b < c")
            return node
        outside = bool(self.takes("not"))
        if self.takes("in"):
            return self._among(left, outside)
        if outside:
            raise self.wrong("behind a value, not is followed by in")
        return left

    def _among(self, left: _Node, outside: bool) -> _Node:
        """One of several values; with `outside` none of them."""
        if not self.takes("("):
            raise self.wrong("in is followed by values in brackets: in ('a100', 'h100')")
        found = [self._compared(left, "==", self._sum())]
        while self.takes(","):
            found.append(self._compared(left, "==", self._sum()))
        self._closed()
        if not outside:
            return _Node(lambda columns: _any_of([node.value(columns) for node in found]), left.place)
        there = self._compared(left, "==", left)
        return _Node(lambda columns: there.value(columns) & ~_any_of([n.value(columns) for n in found]), left.place)

    def _compared(self, left: _Node, sign: str, right: _Node) -> _Node:
        def value(columns: Columns) -> Any:
            return self._compare(sign, left.value(columns), right.value(columns), right.place)

        return _Node(value, left.place)

    def _compare(self, sign: str, left: Any, right: Any, place: int) -> Any:
        """Where two columns compare so; what has no value compares with nothing."""
        import numpy as np

        text = left.dtype.kind == "O", right.dtype.kind == "O"
        if not any(text):
            found = _COMPARED[sign](left, right)
            return found & (left == left) & (right == right) if sign == "!=" else found  # noqa: PLR0124
        if sign not in ("==", "!="):
            raise self.wrong("a text is compared by ==, != or in", place)
        if not all(text) and _only_texts(left if text[0] else right):
            raise self.wrong("a text is never a number; a text stands in quotation marks", place)
        nothing = np.asarray(left == None) | np.asarray(right == None)  # noqa: E711
        return np.asarray(_COMPARED[sign](left, right), dtype=np.bool_) & ~nothing.astype(np.bool_)

    def _sum(self) -> _Node:
        return self._reckoned(("+", "-"), lambda: self._reckoned(("*", "/"), self._factor))

    def _reckoned(self, signs: tuple[str, str], part: Callable[[], _Node]) -> _Node:
        node = part()
        steps: list[tuple[Callable[[Any, Any], Any], Callable[[Columns], Any]]] = []
        while sign := self.takes(*signs):
            if not steps:
                first = self.number(node)
            steps.append((_RECKONED[sign], self.number(part())))
        if not steps:
            return node

        def value(columns: Columns) -> Any:
            found = first(columns)
            for reckon, other in steps:
                found = reckon(found, other(columns))
            return found

        return _Node(value, node.place)

    def _factor(self) -> _Node:
        token = self.here
        if self.takes("-"):
            value = self.number(self.deeper(self._factor))
            return _Node(lambda columns: -value(columns), token.place)
        if self.takes("("):
            node = self.deeper(self.condition)
            self._closed()
            return node
        if self.takes("true", "false"):
            return _constant(token.text == "true", bool, token.place)
        if token.kind in ("sign", "end"):
            missing = "a condition ends too early" if token.kind == "end" else f"{token.text!r} stands in the place"
            raise self.wrong(f"{missing}: a column, a number, a 'text' or a bracket is wanted")
        self.at += 1
        if token.kind == "name":
            self.names.append(token.text)
            return _Node(lambda columns: columns[token.text], token.place)
        if token.kind == "number":
            return _constant(token.value, float, token.place)
        return _constant(token.text, object, token.place)

    def _closed(self) -> None:
        if not self.takes(")"):
            raise self.wrong("a bracket is not closed here")

    def truth(self, node: _Node) -> Callable[[Columns], Any]:
        """A part that must be true or not."""

        def value(columns: Columns) -> Any:
            found = node.value(columns)
            if found.dtype.kind != "b":
                raise self.wrong("is neither true nor false: compare it, as in ttft_s < 0.5", node.place)
            return found

        return value

    def number(self, node: _Node) -> Callable[[Columns], Any]:
        """A part that must be a number."""

        def value(columns: Columns) -> Any:
            found = node.value(columns)
            if found.dtype.kind not in "fi":
                raise self.wrong("is no number, and is reckoned with", node.place)
            return found if found.dtype.kind == "f" else found.astype(float)

        return value


def _constant(value: Any, kind: type, place: int) -> _Node:
    def given(columns: Columns) -> Any:
        import numpy as np

        array: Any = np.empty((), dtype=kind)
        array[()] = value
        return array

    return _Node(given, place)


def _only_texts(column: Any) -> bool:
    return all(value is None or isinstance(value, str) for value in column.reshape(-1)[:1000].tolist())


def _any_of(found: Sequence[Any]) -> Any:
    value = found[0]
    for other in found[1:]:
        value = value | other
    return value
