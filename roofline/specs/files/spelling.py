"""Names as people write them: `llama3.1:8b`, `Qwen/Qwen3-32B`, `RTX 4090`, `gemma3:27b-it`.

A name is compared without its organisation, without case, with one sign between words, and without a sign between
letters and a number. Words that say how a model was tuned, not how large it is, may stand behind its name; a number
format there is an option, and is said to be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

#: Longer names stand for nothing.
_LONGEST: Final = 200
_SIGNS: Final = re.compile(r"[-_:\s]+")
_JOINT: Final = re.compile(r"(?<=[a-z])-(?=\d)")
#: What tuning makes of a model leaves its shapes as they are.
_TUNED: Final = re.compile(r"-(?:instruct|it|chat|base|pt|hf|text|latest|thinking|reasoning|sft|dpo|original)$")
_FORMAT: Final = re.compile(
    r"-(i?q\d(?:-[klmnsx0-9]+){0,3}|[bf]?f(?:p|loat)?16|fp8\w*|fp4|int[48]|awq|gptq|(?:nv|mx)fp[48]|w\d+a\d+|gguf|mlx|[348]-?bits?|bnb|qat)$"
)


class Meant(NamedTuple):
    """The known name that is meant, and the number format that was written behind it."""

    name: str
    format: str = ""


def meant_by(name: str, known: Mapping[str, str]) -> Meant | None:
    """What a name means among `known` names and aliases, each with the name that it stands for; None where unsure."""
    if len(name) > _LONGEST:
        return None
    table: dict[str, set[str]] = {}
    for one, target in known.items():
        table.setdefault(_plain(one), set()).add(target)
    rest, formats = _plain(name), list[str]()
    while rest:
        found = table.get(rest, set())
        if len(found) == 1:
            return Meant(next(iter(found)), "-".join(reversed(formats)))
        shorter = _TUNED.sub("", rest)
        if shorter == rest and (end := _FORMAT.search(rest)):
            formats.append(_spelled(end[1]))
            shorter = rest[: end.start()]
        if shorter == rest:
            return None
        rest = shorter
    return None


def _spelled(written: str) -> str:
    """A format as GGUF files write it, where it is one of theirs."""
    return written.replace("-", "_") if re.match(r"i?q\d", written) else written


def _plain(name: str) -> str:
    return _JOINT.sub("", _SIGNS.sub("-", name.strip().lower().rsplit("/", 1)[-1]).strip("-"))
