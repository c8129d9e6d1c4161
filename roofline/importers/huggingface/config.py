"""A mapping of a config.json, read key by key: every getter checks the value and remembers that the key was read.

Three states of a key are told apart, because the reference code does: *absent* takes the default of the model's config
class (`defaults.json` of its family), *null* takes what the mapping function says it means, and a value is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from roofline.errors import SpecError, UnsupportedError, likeness
from roofline.importers.json_document import JsonDocument, JsonPath
from roofline.specs.base import LARGEST, MOST_LAYERS

_UNSET: Final[Any] = object()
#: How many letters more or less, and how alike, a key is that was meant to be another.
_LONGER: Final = 2
ALIKE: Final = 0.84


class ContradictionError(SpecError):
    """Two sizes that do not go together, of which the file may have stated one."""


class Config:
    """One mapping of a config file.

    `path` is where it stands in the file, `defaults` the values that its config class gives absent keys, `names` other
    spellings of a key that the class accepts (`hidden_size` for `n_embd`). `used` collects the keys that were read,
    `notes` what the user should be told of how the file was read.
    """

    def __init__(
        self,
        document: JsonDocument,
        data: Mapping[str, Any],
        path: JsonPath = (),
        defaults: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
        outer: Config | None = None,
    ) -> None:
        self.document, self.data, self.path, self.outer = document, data, path, outer
        self.defaults: Mapping[str, Any] = defaults or {}
        self.names: Mapping[str, str] = names or {}
        self.used: set[str] = set()
        self.assumed: dict[str, Any] = {}
        self.children: list[Config] = []
        self.notes: list[str] = []

    # --- presence

    def has(self, *keys: str) -> bool:
        """Whether any of these keys stands in the file, null or not."""
        return any(self._spelling(key) in self.data for key in keys)

    def given(self, *keys: str) -> bool:
        """Whether any of these keys stands in the file with a value that is not null."""
        return any(self.data.get(self._spelling(key)) is not None for key in keys)

    def raw(self, *keys: str, default: Any = _UNSET) -> Any:
        """The value of the first of these keys that stands in the file, else the default of the class, unchecked.

        All of `keys` are spellings of one thing; all count as read. Raises SpecError where none is there and no default
        is known, or where two spellings disagree.
        """
        found: list[tuple[str, Any]] = []
        for key in keys:
            for spelling in (key, *self._other_spellings(key)):
                if spelling in self.data:
                    self.used.add(spelling)
                    found.append((spelling, self.data[spelling]))
        if found:
            first = found[0]
            for other in found[1:]:
                if other[1] != first[1]:
                    self.refuse(other[0], f"{shown(other[1])} contradicts {first[0]} = {shown(first[1])}")
            return first[1]
        for key in keys:
            if key in self.defaults:
                self.assumed[key] = self.defaults[key]
                return self.defaults[key]
        if default is not _UNSET:
            return default
        raise self.missing(keys[0])

    def ignore(self, *keys: str) -> None:
        """Count keys as read that this family knows and that change no shape. A text may name several, with spaces."""
        for key in " ".join(keys).split():
            self.used.update((key, *self._other_spellings(key)))

    # --- typed getters; `null` is what a null means (without it, a null is refused); `default` stands in for an absent
    # key of which the class has no default

    def whole(self, *keys: str, default: Any = _UNSET, null: Any = _UNSET, least: int = 1) -> int:
        """A whole number from `least` to 10^9."""
        value = self.raw(*keys, default=default)
        if value is None and null is not _UNSET:
            value = null
        if value is None and default is None:
            return value  # type: ignore[return-value]
        return self._whole(self._present(keys), value, least)

    def whole_or_none(self, *keys: str, default: int | None = None, least: int = 1) -> int | None:
        """A whole number, or None where the value is null or where the key and a default of the class are absent."""
        value = self.raw(*keys, default=default)
        return None if value is None else self._whole(self._present(keys), value, least)

    def number(self, *keys: str, default: Any = _UNSET, null: Any = _UNSET) -> float:
        """A finite number that is not negative."""
        value = self.raw(*keys, default=default)
        if value is None and null is not _UNSET:
            value = null
        key = self._present(keys)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(key, f"must be a number, not {shown(value)}")
        if not 0 <= value <= 1e12:
            self.refuse(key, f"{value} is not a number from 0 to 10^12")
        return float(value)

    def flag(self, *keys: str, default: Any = _UNSET, null: bool | None = False) -> bool:
        """True or false."""
        value = self.raw(*keys, default=default)
        if value is None and null is not None:
            value = null
        if not isinstance(value, int) or value not in (0, 1):
            self.refuse(self._present(keys), f"must be true or false, not {shown(value)}")
        return bool(value)

    def text(self, *keys: str, default: Any = _UNSET, choices: Sequence[str] = ()) -> str:
        """Text, one of `choices` where these are given."""
        value = self.raw(*keys, default=default)
        key = self._present(keys)
        if not isinstance(value, str):
            self.refuse(key, f"must be text, not {shown(value)}")
        if choices and value not in choices:
            self.unsupported(key, f"{value[:60]!r} is not modelled", f"Understood: {', '.join(choices)}.")
        return value

    def items(self, *keys: str, length: int | None = None, default: Any = _UNSET) -> list[Any] | None:
        """A list, of `length` items where that is given; None where null or absent without a default."""
        value = self.raw(*keys, default=None if default is _UNSET else default)
        if value is None:
            return None
        key = self._present(keys)
        if not isinstance(value, (list, tuple)):
            self.refuse(key, f"must be a list, not {shown(value)}")
        if length is not None and len(value) != length:
            self.refuse(key, f"has {len(value)} items for {length} layers")
        return list(value)

    def texts(self, *keys: str, length: int | None = None, choices: Sequence[str] = ()) -> list[str] | None:
        """A list of texts, each one of `choices`; None where null or absent."""
        value = self.items(*keys, length=length)
        for item in value or ():
            if not isinstance(item, str):
                self.refuse(self._present(keys), f"must be a list of texts, not of {shown(item)}")
            if choices and item not in choices:
                self.unsupported(
                    self._present(keys), f"{item[:60]!r} is not modelled", f"Understood: {', '.join(choices)}."
                )
        return value

    def wholes(self, *keys: str, length: int | None = None, least: int = 0) -> list[int] | None:
        """A list of whole numbers; None where null or absent."""
        value = self.items(*keys, length=length)
        return None if value is None else [self._whole(self._present(keys), item, least) for item in value]

    def section(self, key: str, defaults: Mapping[str, Any] | None = None) -> Config | None:
        """A nested mapping as a Config of its own, whose keys are checked too; None where null or absent."""
        value = self.raw(key, default=None)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(key, f"must be a mapping, not {shown(value)}")
        child = Config(self.document, value, (*self.path, key), defaults)
        self.children.append(child)
        return child

    # --- refusing

    def refuse(self, key: str, message: str, hint: str = "", error: type[SpecError] = SpecError) -> NoReturn:
        """Raise SpecError at a key: the file contradicts itself or has a value that cannot be."""
        raise error(message, self.document.place((*self.path, key)), self.field_name(key), hint)

    def missing(self, key: str, hint: str = "") -> SpecError:
        """The error of a key that must be there: at the one that is likely meant, where one is a slip away."""
        place = self.document.place(self.path)
        slips = [other for other in self.data if other not in self.used and other not in self.defaults]
        written = next((other for other in slips if _is_slip(other, key)), None)
        if written is not None:
            place = self.document.place((*self.path, written))
            hint = f"Did you mean it with {written[:60]!r} on line {place.line}?"
        return SpecError(f"{key!r} is missing", place, self.field_name(key), hint)

    def unsupported(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise UnsupportedError at a key: a value that may be right, but that is not modelled."""
        raise UnsupportedError(message, self.document.place((*self.path, key)), self.field_name(key), hint)

    def must_be(self, key: str, *understood: Any, default: Any = _UNSET) -> None:
        """Read a key of which only some values are modelled; any other is refused."""
        value = self.raw(key, default=understood[0] if default is _UNSET else default)
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in understood):
            known = ", ".join(_spelled(one) for one in understood)
            self.unsupported(key, f"{shown(value)} is not modelled", f"Understood: {known}.")

    def divides(self, key: str, whole: int, what: str, parts: int) -> int:
        """Whole / parts, refused at `key` where it leaves a remainder."""
        if whole % parts:
            self.refuse(key, f"{whole:,} {what} do not divide by {parts:,}", error=ContradictionError)
        return whole // parts

    def field_name(self, key: str) -> str:
        """The whole name of a key, with the mappings that it stands in."""
        return ".".join(str(part) for part in (*self.path, key))

    # --- inside

    def _whole(self, key: str, value: Any, least: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(key, f"must be a whole number, not {shown(value)}")
        if not least <= value <= LARGEST:
            self.refuse(key, f"{str(value)[:40]} is not a whole number from {least} to 10^9")
        if value > MOST_LAYERS and key.endswith(("layers", "n_layer", "num_blocks")):
            self.refuse(key, f"{value:,} layers are more than {MOST_LAYERS:,}")
        return value

    def _present(self, keys: tuple[str, ...]) -> str:
        return next((self._spelling(key) for key in keys if self._spelling(key) in self.data), keys[0])

    def _spelling(self, key: str) -> str:
        if key in self.data:
            return key
        return next((other for other in self._other_spellings(key) if other in self.data), key)

    def _other_spellings(self, key: str) -> list[str]:
        return [other for other, native in self.names.items() if native == key]


def _is_slip(written: str, meant: str) -> bool:
    """Whether a key is another one that is written wrongly: nearly as long, and of the same letters but a few."""
    if abs(len(written) - len(meant)) > _LONGER:
        return False
    return likeness(written, meant) >= ALIKE


def shown(value: Any) -> str:
    """A value as JSON spells its constants, cut where it is long."""
    text = _spelled(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _spelled(value: Any) -> str:
    """A value as JSON spells its constants."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)
