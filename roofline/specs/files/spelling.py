"""Names as people write them: `llama3.1:8b`, `Qwen/Qwen3-32B`, `RTX 4090`, `gemma3:27b-it`.

A name is compared without its organisation, without case, with one sign between words, and without a sign between
letters and a number. Words that say how a model was tuned, not how large it is, may stand behind its name; a number
format there is an option, and is said to be one. Where nothing is found so, no sign counts but one between numbers, and
of an accelerator not its maker either: `geforce 4090`, `Radeon RX 7900 XTX`, `MacBook Pro M3 Max`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from roofline.errors import UsageError
from roofline.specs.formats.dtypes import find_dtype

#: Longer names stand for nothing.
_LONGEST: Final = 200
_SIGNS: Final = re.compile(r"[-_:\s]+")
_JOINT: Final = re.compile(r"(?<=[a-z])-(?=\d)(?!\d-?bits?\b)")
#: What tuning makes of a model leaves its shapes as they are.
_TUNED: Final = re.compile(
    r"-(?:instruct|it|chat|base|pt|hf|text|latest|thinking|reasoning|sft|dpo|original|code|python)$"
)
#: Patterns that are compiled where a name is looked for that is none of the library's.
#: A sign that is not between two numbers.
_ANY_SIGN: Final = r"(?<!\d)-|-(?!\d)"
#: Who makes an accelerator or builds it in, and words of its edition: none tells one chip from another.
_MAKER: Final = (
    r"^(?:nvidia|geforce|amd|radeon|instinct|intel|tesla|apple|google|aws|mac-?book(?:-(?:pro|air))?"
    r"|mac-(?:pro|mini|studio)|imac)(?:-|(?=\d))"
)
_EDITION: Final = r"-(?:gpu|graphics|edition|workstation|generation|card)$"
#: Models of which no shapes are published.
_SECRET: Final = r"(?:chat-?)?gpt-?(?:3\.5|4|5).*|chat-?gpt|o[134](?:-.*)?|(?:anthropic-)?claude.*|gemini.*"
#: How many of an accelerator: `8x h100`, `h100 x8`, `2 x 4090`.
_TIMES: Final = r"(?:(\d{1,4}) ?[xX×*] ?(.+)|(.+?)[ -]?[xX×*] ?(\d{1,4}))"
_FORMAT: Final = re.compile(
    r"[-.]((?:ud-)?i?q\d(?:-[klmnsx0-9]+){0,3}|[bf]?f(?:p|loat)?16|fp8\w*|fp4|int[48]|awq|gptq|(?:nv|mx)fp[48]"
    r"|w\d+a\d+|gguf|mlx|[2-8]-?bits?|bnb|nf4|qat|i1|dynamic|static|block|quantized)$"
)
#: What the names of files say, as `--weights` has it.
_SAID: Final = {
    "fp8-dynamic": "fp8",
    "fp8-static": "fp8",
    "w4a16": "int4-g128",
    "w8a16": "int8",
    "w8a8": "int8",
    "q8": "q8_0",
    "q6": "q6_k",
}
#: Formats of which a word gives the kind alone: 4 bit where no bits are said.
_KINDS: Final = {"mlx": "mlx-{}bit", "bnb": "bnb-{}bit", "awq": "awq", "gptq": "gptq-int{}"}
_USUAL: Final = "q4_k_m"
#: Words that say the format of activations as well.
_BOTH: Final = {"w8a8"}
_BITS: Final = re.compile(r"(?:int)?([2-8])(?:-?bits?)?")


class Meant(NamedTuple):
    """The known name that is meant, and the words of a number format that were written behind it, the first first."""

    name: str
    formats: tuple[str, ...] = ()


def meant_by(name: str, known: Mapping[str, str], maker: bool = False) -> Meant | None:
    """What a name means among `known` names and aliases, each with the name that it stands for; None where unsure.

    `maker`: the maker of a thing may stand before its name, or be left out.
    """
    if len(name) > _LONGEST:
        return None
    found = _meant(_plain(name), known, str)
    return found or _meant(_plain(name), known, _made if maker else _bare)


def _meant(name: str, known: Mapping[str, str], key: Callable[[str], str]) -> Meant | None:
    """The only one that has the key of a name, of which words behind it may be left out."""
    table: dict[str, set[str]] = {}
    for one, target in known.items():
        table.setdefault(key(_plain(one)), set()).add(target)
    rest, formats = name, list[str]()
    while rest:
        found = table.get(key(rest), set())
        if len(found) == 1:
            return Meant(next(iter(found)), tuple(reversed(formats)))
        shorter = _TUNED.sub("", rest)
        if shorter == rest and (end := _FORMAT.search(rest)):
            formats.append(_spelled(end[1]))
            shorter = rest[: end.start()]
        if shorter == rest:
            return None
        rest = shorter
    return None


def times_of(name: str) -> tuple[int, str] | None:
    """The number and the name of `8x h100`; None where no number stands there."""
    found = re.fullmatch(_TIMES, name.strip()[:_LONGEST])
    return None if found is None else (int(found[1] or found[4]), (found[2] or found[3]).strip())


def is_secret(name: str) -> bool:
    """Whether a name is that of a model whose shapes its makers keep to themselves."""
    return bool(re.fullmatch(_SECRET, _plain(name[:_LONGEST])))


def squeezed(name: str) -> str:
    """A name of which no sign counts but one between numbers, nor case."""
    return _bare(_plain(name))


def _bare(plain: str) -> str:
    return re.sub(_ANY_SIGN, "", plain)


def _made(plain: str) -> str:
    """A name without its maker and its edition."""
    plain = plain.replace("-mobile", "-laptop")
    for pattern in (_MAKER, _EDITION):
        while (shorter := re.sub(pattern, "", plain)) != plain:
            plain = shorter
    return _bare(plain)


def weights_meant(formats: Sequence[str]) -> tuple[str, bool]:
    """Words of a number format as one of `--weights`, and whether they leave nothing open: neither which, nor that of
    activations.
    """
    bits = next((said[1] for word in formats if (said := _BITS.fullmatch(word))), "")
    kinds = [_KINDS[word].format(bits or 4) for word in formats if word in _KINDS]
    spelled = [_SAID.get(word, word) for word in formats]
    trained = ["q4_0"] if "qat" in formats else []  # Google's, trained for that format
    found = next((word for word in (*kinds, *spelled, *trained) if _is_taken(word)), None)
    if found is not None and (bits or not {"mlx", "bnb"} & {*formats}):
        return found, not _BOTH & {*formats}
    usual = (f"q{bits}_k_m", f"q{bits}_k", f"q{bits}_0") if "gguf" in formats else (f"mlx-{bits}bit",)
    return found or next((word for word in (*spelled, *usual) if bits and _is_taken(word)), _USUAL), False


def _is_taken(word: str) -> bool:
    try:
        find_dtype(word)
    except UsageError:
        return False
    return True


def _spelled(written: str) -> str:
    """A format as GGUF files write it, where it is one of theirs."""
    return written.replace("-", "_") if re.match(r"(ud-)?i?q\d", written) else written


def _plain(name: str) -> str:
    return _JOINT.sub("", _SIGNS.sub("-", name.strip().lower().rsplit("/", 1)[-1]).strip("-"))
