"""Rules that name modules, as the tools write them: plain names, globs, regular expressions; matched in bounded time.

A regular expression comes from a file that anybody may have written. What could take exponential time (a repeat of what
itself repeats or branches) is refused, and so are more rules than can be tried on all modules in about a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from time import process_time
from typing import Final, Literal, NamedTuple

from roofline.importers.quantization.named import Named, Test, beginnings, runs, stands_at

#: match, search: a regular expression from the beginning of a name, or anywhere in it. name: the name, a module that it
#: stands in, or its end; a glob or an expression where it is written as one. part: a part of the name.
How = Literal["match", "search", "name", "part", "linear"]

_LONGEST: Final = 4000
_MOST_TESTS: Final = 2_000_000
_SECONDS: Final = 1.0
#: Ways of going through a name of so many letters that are tried at most.
_LETTERS: Final = 64
_MOST_WAYS: Final = 3e6
_SPECIAL: Final = re.compile(r"[\\()\[\]^$+|?{}]")
_LAYER: Final = re.compile(r"^(?:.*?\.)?(?:layers|h|blocks|layer|block)\.(\d{1,9})(?:\.(.*))?$")
#: A layer that an expression names in so many words: nothing but this layer can match.
_LITERAL: Final = re.compile(r"(?:layers|h|blocks|layer|block)(?:\\\.|\.|\[\.\])(\d{1,9})(?:\\\.|\[\.\])")
_EXPERT: Final = re.compile(r"experts\.(\d{1,9})(?!\d)")
_NUMBERED_EXPERT: Final = re.compile(r"experts[^A-Za-z]*[\d(\[]")


class Rule(NamedTuple):
    """Modules that a pattern names, and the format that they take; None: that of the unquantised weights.

    `forced`: also for routers and embeddings, which tools leave alone unless they are named. `text` is the rule as the
    file has it.
    """

    pattern: str
    how: How
    dtype: str | None
    forced: bool = False
    text: str = ""

    @property
    def shown(self) -> str:
        """The rule as the file has it."""
        return self.text or self.pattern


class UnmatchableError(Exception):
    """A rule that cannot be matched: its number, what is wrong, what to do."""

    def __init__(self, index: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.index, self.message, self.hint = index, message, hint


class Matcher:
    """Rules in their order: the first that names a module counts.

    `matched` has those that named a module. `numbers_experts`: whether an expression may tell experts apart by their
    number; `numbered` has the experts that plain names do, by layer.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.numbers_experts = False
        self.numbered: dict[int, set[int]] = {}
        self.matched: set[int] = set()
        self._plain: dict[tuple[int, str], dict[str, int]] = {}
        self._anywhere: dict[str, int] = {}
        self._twins: dict[int, int] = {}
        self._tried: list[tuple[int, int | None, Test]] = []
        self._known: dict[Named, tuple[int, ...]] = {}
        self._tests = 0
        self._since = process_time()
        for index, rule in enumerate(rules):
            self._add(index, rule)

    def _add(self, index: int, rule: Rule) -> None:
        layered = _LAYER.match(rule.pattern) if rule.how == "name" else None
        if rule.how == "linear":
            self._tried.append((index, None, _always))
        elif layered and not _SPECIAL.search(rule.pattern) and "*" not in rule.pattern:
            layer, tail = int(layered[1]), layered[2] or ""
            prefix = rule.pattern[: layered.start(1) - 1]
            self._twins[index] = self._plain.setdefault((layer, tail), {}).setdefault(prefix, index)
            if expert := _EXPERT.search(tail):
                self.numbered.setdefault(layer, set()).add(int(expert[1]))
        elif rule.how == "name" and not _SPECIAL.search(rule.pattern) and "*" not in rule.pattern:
            self._twins[index] = self._anywhere.setdefault(rule.pattern.strip("."), index)
            self.numbers_experts = self.numbers_experts or bool(_EXPERT.search(rule.pattern))
        else:
            self.numbers_experts = self.numbers_experts or bool(_NUMBERED_EXPERT.search(rule.pattern))
            literal = None if set("|?{") & set(rule.pattern) else _literal_layer(rule)
            self._tried.append((index, literal, _test(index, rule)))

    def first(self, module: Named) -> Rule | None:
        """The first rule that names a module and applies to its kind. Raises UnmatchableError where that takes long."""
        found = {*self._by_name(module), *self._by_trial(module)}
        self.matched |= found
        return next((self.rules[index] for index in sorted(found) if _applies(self.rules[index], module.kind)), None)

    def unmatched(self) -> list[Rule]:
        """The rules that name none of the modules that were asked about, also none that an earlier rule names."""
        tests = {index: (layer, test) for index, layer, test in self._tried}
        missing = []
        for index, rule in enumerate(self.rules):
            if index in self.matched or self._twins.get(index, index) in self.matched or rule.how == "linear":
                continue
            if index not in tests or not self._names_any(index, *tests[index]):
                missing.append(rule)
        return missing

    def _by_name(self, module: Named) -> Iterator[int]:
        """Plain names: the module's, or of one that it stands in, in its layer or in all; or a part of its name."""
        if self._plain:
            for beginning in beginnings(module.tails):
                key = module.layer, beginning.replace("{e}", str(module.expert))
                for prefix, index in self._plain.get(key, {}).items():
                    if stands_at(prefix, module.prefixes):
                        yield index
        if self._anywhere:
            for run in runs(module.tails, module.prefixes):
                if (part := run.replace("{e}", str(module.expert))) in self._anywhere:
                    yield self._anywhere[part]

    def _by_trial(self, module: Named) -> tuple[int, ...]:
        """Of the other rules those that name a module, up to the first that applies."""
        asked = module if self.numbers_experts else module._replace(expert=0)
        found = self._known.get(asked)
        if found is None:
            found = self._known[asked] = tuple(self._try(asked))
        return found

    def _try(self, module: Named) -> Iterator[int]:
        if not self._tried:
            return
        number = len(module.tails) * max(len(module.prefixes), 1)
        spelled = module.spelled()
        for index, layer, test in self._tried:
            if layer is not None and layer != module.layer:
                continue
            self._count(index, number)
            if module.kind == "linear" if test is _always else spelled.meant_by(test):
                yield index
                if _applies(self.rules[index], module.kind):
                    return

    def _names_any(self, index: int, layer: int | None, test: Test) -> bool:
        for module in self._known:
            if layer is None or layer == module.layer:
                names = module.names()
                self._count(index, len(names))
                if any(test(name) for name in names):
                    return True
        return False

    def _count(self, index: int, tests: int) -> None:
        self._tests += tests
        if self._tests > _MOST_TESTS or process_time() - self._since > _SECONDS:
            message = f"{len(self.rules):,} rules on the modules of all layers take too long to match"
            raise UnmatchableError(index, message, "Name modules in full, or join expressions.")


def _applies(rule: Rule, kind: str) -> bool:
    """Whether a rule reaches a module of this kind: a narrow format only where tools touch it or are told to."""
    return kind in ("linear", "head") or rule.dtype is None or rule.forced


def _always(name: str) -> bool:
    return True


def _literal_layer(rule: Rule) -> int | None:
    found = _LITERAL.search(rule.pattern) if rule.how in ("match", "search") else None
    if found is None and rule.how == "name" and "*" in rule.pattern and not _SPECIAL.search(rule.pattern):
        found = _LAYER.match(rule.pattern.replace("*", ""))
        if found and f".{found[1]}." not in f"{rule.pattern}.":
            found = None
    return int(found[1]) if found else None


def _test(index: int, rule: Rule) -> Test:
    """A function that says whether a rule names a module."""
    pattern = rule.pattern
    if len(pattern) > _LONGEST:
        raise UnmatchableError(index, f"has {len(pattern):,} characters", f"At most {_LONGEST:,} are matched.")
    if rule.how == "part":
        return lambda name: pattern in name
    if rule.how == "search":
        return _expression(index, pattern).search
    if rule.how == "match":
        return _expression(index, pattern).match
    if not _SPECIAL.search(pattern.replace("?", "")):
        return _glob(pattern)
    return _expression(index, pattern).search


def _glob(pattern: str) -> Test:
    """A glob over a name, over a module that it stands in, or over its end."""
    whole, inside = re.compile(translate(pattern)).match, re.compile(translate(f"{pattern}.*")).match
    below = re.compile(translate(f"*.{pattern}")).match
    return lambda name: whole(name) or inside(name) or below(name)


def _expression(index: int, pattern: str) -> re.Pattern[str]:
    """A regular expression that matches in bounded time."""
    if danger := _danger(pattern):
        message = f"regular expression {pattern[:60]!r} {danger}"
        raise UnmatchableError(index, message, "Write it with fewer repeats, or name the modules.")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnmatchableError(index, f"{pattern[:60]!r} is no regular expression: {error}"[:200], "Mend it.") from None


def _danger(pattern: str) -> str:
    """What could make an expression slow: a repeat of what repeats or branches, or more ways than can be tried.

    The ways of going through a name of some 64 letters: so many for every repeat, two for what may be left out, one for
    each branch. What may stand at the beginning and at the end is tried once.
    """
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "x", pattern)
    bare = re.sub(r"(?:\.[*+]\??){2,}", ".*", re.sub(r"\(\?[:=!<P][=!]?(?:<?\w+>)?", "(", bare))
    bare = re.sub(r"^\^?\.\*\??|\.\*\??\$?$", "", bare)
    branches, repeated, closed, ways, repeats = [1], [False], False, 1.0, 0
    for place, letter in enumerate(bare):
        lazy = letter in "?+" and bare[place - 1 : place] in ("*", "+", "?", "}")
        if letter in "*+{?" and place and not lazy:
            if closed and letter != "?":
                return "repeats what itself repeats or branches"
            exact = letter == "{" and re.match(r"\{\d*\}", bare[place:])
            repeats += letter != "?" and not exact
            ways *= 2 if letter == "?" else 1 if exact else _LETTERS / repeats
            repeated = [True] * len(repeated) if letter != "?" else repeated
        if letter == "|":
            branches[-1] += 1
        if letter == "(":
            branches.append(1)
            repeated.append(False)
        closed = False
        if letter == ")" and len(branches) > 1:
            number, inside = branches.pop(), repeated.pop()
            ways, closed = ways * number, inside or number > 1
    return "could be gone through in too many ways" if ways * branches[0] > _MOST_WAYS else ""
