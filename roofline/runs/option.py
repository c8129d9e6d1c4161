"""What an option is: its name, type, default and help, and which kinds of run take it."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, TypeAlias

Type: TypeAlias = Literal["int", "float", "str", "bool", "str | float", "str | int", "bool | str"]

TEXT: Final = ("text", "encoder")
IMAGE: Final = ("image",)
ALL: Final = (*TEXT, *IMAGE)


class Option(NamedTuple):
    """One option.

    name      as a keyword; on the command line with `-` for `_`
    type      of one value
    default   what stands where nothing is given; None: found out
    help      for people, one line
    metavar   what stands for the value in help
    kinds     the kinds of run that take it
    short     a letter on the command line
    listing   the listing that a shell completes from
    size      a number that may be a numpy axis
    words     what may stand behind a flag, and says no more than the flag alone
    """

    name: str
    type: Type
    default: Any
    help: str
    metavar: str = ""
    kinds: tuple[str, ...] = ALL
    short: str = ""
    listing: str = ""
    size: bool = False
    words: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """As on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def is_given(self, value: Any) -> bool:
        """Whether a value asks for anything: not false, not the default, not None where that is it or false is."""
        if value is None:
            return bool(self.default)
        if value is False:
            return False
        return hasattr(value, "tolist") or value is True or bool(value != self.default)
