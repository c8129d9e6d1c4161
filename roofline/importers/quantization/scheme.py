"""A quantisation as all tools' descriptions come to: a format, and rules for modules with another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

from roofline.errors import SpecError, UnsupportedError
from roofline.importers.json_document import JsonDocument
from roofline.importers.quantization.rules import How, Rule

Path = tuple[str, ...]
#: Formats of integers that have names of their own.
_SHORT: Final = {"int4-s-channel": "int4", "int8-s-channel": "int8", "int4-z128": "int4-gptq", "int8-z128": "int8-gptq"}
#: Words in the name of a key that may say something about bytes.
_BYTES: Final = re.compile(
    r"bits|group|dtype|type|format|size|quant|exclude|ignore|skip|target|module|layer|block|pack|embed|head|expert|rank"
)


class Scheme(NamedTuple):
    """A quantisation: the format of linear layers (None: they stay as they are) and rules, the first of which counts.

    `head`, `embedding`, `router`: whether the format is theirs too; `experts_only`: whether it is that of the experts
    alone. `cache` and `activations` are formats that the checkpoint wants. `notes` are told with every estimate.
    """

    dtype: str | None
    rules: tuple[Rule, ...] = ()
    head: bool | str = False
    embedding: bool = False
    router: bool = False
    experts_only: bool = False
    cache: str | None = None
    activations: str | None = None
    notes: tuple[str, ...] = ()


class Description:
    """The mapping in which a tool describes what it did, read key by key; `path` is where it stands."""

    def __init__(self, document: JsonDocument, path: Path, data: Mapping[str, Any]) -> None:
        self.document, self.path, self.data = document, path, data
        self.used: set[str] = {"quant_method"}

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, which counts as read; the default where it is absent or null."""
        self.used.add(key)
        value = self.data.get(key)
        return default if value is None else value

    def first(self, *keys: str, default: Any = None) -> Any:
        """The value of the first of these spellings that is there."""
        found = [self.get(key) for key in keys]
        return next((value for value in found if value is not None), default)

    def whole(self, *keys: str, default: Any = None, least: int = 1, most: int = 1 << 20) -> Any:
        """A whole number in a range; the default where no spelling is there."""
        value = self.first(*keys, default=default)
        key = next((key for key in keys if self.data.get(key) is not None), keys[0])
        if value is default:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(key, f"{_shown(value)} is not a whole number from {least} to {most}")
        return value

    def group_size(self, *keys: str, default: Any = None) -> Any:
        """A group size; None where one group is a whole channel (-1, 0 or null)."""
        value = self.whole(*keys, default=default, least=-1)
        if value == 0:
            self.refuse(
                next(key for key in keys if key in self.data), "0 is no size of a group", "-1 is a whole channel."
            )
        return None if value == -1 else value

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.get(key, default)
        if not isinstance(value, bool):
            self.refuse(key, f"must be true or false, not {_shown(value)}")
        return value

    def texts(self, *keys: str) -> list[str]:
        """The texts of lists, joined; a single text is a list of one."""
        out: list[str] = []
        for key in keys:
            value = self.get(key, [])
            items = [value] if isinstance(value, str) else value
            if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
                self.refuse(key, f"must be a list of names of modules, not {_shown(value)}")
            out += items
        return out

    def section(self, key: str) -> Description | None:
        """A mapping inside; None where it is absent or null."""
        value = self.get(key)
        return None if value is None else self.inside(key, value)

    def inside(self, key: str, value: Any) -> Description:
        """A mapping that stands under a key."""
        if not isinstance(value, dict):
            self.refuse(key, f"must be a mapping, not {_shown(value)}")
        return Description(self.document, (*self.path, key), value)

    def sections(self, key: str) -> dict[str, Description]:
        """The mappings that stand in a mapping."""
        section = self.section(key)
        return {} if section is None else section.all_sections()

    def all_sections(self) -> dict[str, Description]:
        """The mappings that this one is made of."""
        self.used.update(self.data)
        return {name: self.inside(name, value) for name, value in self.data.items()}

    def refuse(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise SpecError: a value that cannot be."""
        raise SpecError(message[:200], self.document.place((*self.path, key)), self.field(key), hint)

    def unsupported(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise UnsupportedError: a value that may be right, but that is not understood."""
        raise UnsupportedError(message[:200], self.document.place((*self.path, key)), self.field(key), hint)

    def field(self, key: str) -> str:
        """The whole name of a key."""
        return ".".join((*self.path, key))

    def harmless(self, names: str) -> None:
        """Count keys as read that change no bytes."""
        self.used.update(names.split())

    def unread(self) -> tuple[str, ...]:
        """Notes on keys that were not read. Raises UnsupportedError for one whose name may concern bytes."""
        notes = []
        for key, value in self.data.items():
            if key in self.used or value in (None, False, "", [], {}):
                continue
            if _BYTES.search(key):
                self.unsupported(key, "unknown key, which may change the bytes", "Remove it if it changes none.")
            notes.append(f"{self.field(key)}: not known, taken to change no bytes")
        return tuple(notes)


def left_alone(names: Iterable[str], how: How = "name") -> tuple[Rule, ...]:
    """Rules for modules that stay as they are; `re:` marks a regular expression."""
    return tuple(rule_of(name, None, how) for name in names)


def rule_of(text: str, dtype: str | None, how: How = "name", *, forced: bool = False) -> Rule:
    """A rule; `re:` before its text marks a regular expression."""
    if text.startswith("re:"):
        return Rule(text[3:], "match", dtype, forced, text)
    return Rule(text, how, dtype, forced)


def integer(bits: int, size: int | None, zero: str) -> str:
    """The name of integers in groups (None: per channel): no zero points (s), fp16 ones (g) or narrow ones (z)."""
    name = f"int{bits}-{zero}-channel" if size is None else f"int{bits}-{zero}{size}"
    return _SHORT.get(name, name)


def floats(bits: int, size: int | None, *, by_channel: bool = False, exponents: bool = False) -> str | None:
    """The name of floats in groups (None: per tensor or channel), whose scales may be exponents; None where none is."""
    if bits == 8 and size:
        return "mxfp8" if size == 32 and exponents else f"fp8-s{size}"
    if bits == 8:
        return "fp8-channel" if by_channel else "fp8"
    return {(4, 16): "nvfp4", (4, 32): "mxfp4", (6, 32): "mxfp6"}.get((bits, size or 0))


def with_activations(dtype: str, bits: int) -> str:
    """The name of weights that are floats with activations that are floats of so many bits."""
    if bits == 8 and dtype.startswith(("nvfp4", "mxfp4")):
        return f"{dtype}-a8"
    return f"{dtype}-a4" if bits == 4 and dtype == "mxfp4" else dtype


def fp8_blocks(description: Description, key: str, value: Any) -> str:
    """The name of 8-bit floats in blocks: `[128, 128]` or `128x128`, outputs before inputs."""
    sizes = [int(part) for part in value.split("x") if part.isdigit()] if isinstance(value, str) else value
    good = isinstance(sizes, list) and len(sizes) == 2 and all(_is_size(size) for size in sizes)
    if not good:
        description.refuse(key, f"{str(value)[:40]!r} is no block of two sizes", "As in [128, 128]: outputs, inputs.")
    outputs, inputs = sizes
    return f"fp8-b{inputs}" if inputs == outputs else f"fp8-b{inputs}x{outputs}"


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1 << 20


def cache_of(description: Description, *keys: str) -> str | None:
    """The format of a cache under the first of these keys that is there: a name, or bits and type of its elements.

    `static` and `dynamic` are scales of 8-bit floats.
    """
    given = [(key, value) for key in keys if (value := description.get(key)) is not None]
    if not given:
        return None
    key, value = given[0]
    if isinstance(value, str):
        named = {"fp8": "fp8", "fp8_e4m3": "fp8", "nvfp4": "nvfp4", "int8": "int8", "fp8_e5m2": "fp8_e5m2"}
        named |= {"static": "fp8", "dynamic": "fp8", "auto": "", "none": "", "fp16": "fp16", "bf16": "bf16"}
        if value.lower() not in named:
            description.unsupported(key, f"{value[:40]!r} is not a known format of a cache", "Known: fp8, int8, nvfp4.")
        return named[value.lower()] or None
    section = description.inside(key, value)
    bits, kind = section.whole("num_bits", least=1, most=16), section.get("type", "int")
    found = {(8, "float"): "fp8", (8, "int"): "int8", (4, "float"): "nvfp4"}.get((bits, str(kind)))
    if found is None:
        description.unsupported(
            key, f"a cache of {bits} bit {_shown(kind)} is not modelled", "Known: 8 bit float or int."
        )
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
