"""How an op is wired: the values it reads and writes by name, and how its gradient remembers them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

#: How a gradient remembers what an op read:
#: `>` as the kind of the op says, and element-wise sums and copies remember nothing
#: `*` a product of two: each, where the other needs a gradient
#: `@` a product with weights of its own: what was read, where they are trained
#: `^` a power: what was read
#: `$` a root or an exponential: its own result
#: `=` a sum, as large as what was read whatever else is written
#: `&` attention whose heads are merged by a copy
#: `%` a sample of a normal distribution: what was read, both its exponentials, and noise of 4 bytes
#: `:` as `>`, of a copy that is made first because what is read lies otherwise
#: `#` a maximum over pixels: what was read, and where it was
Sign: TypeAlias = Literal[">", "*", "@", "^", "$", "=", "&", "%", ":", "#"]
_SIGNS: Final = get_args(Sign)


class Wire(NamedTuple):
    """One execution: reads, sign, and the name of what is written.

    Of a read `a|b` counts the first that there is; `a!` is read for the last time: who reads it next reads an input.
    """

    reads: tuple[str, ...]
    sign: Sign
    writes: str


@lru_cache(maxsize=1024)
def wires(text: str) -> tuple[Wire, ...]:
    """`q > q; k > k`: an op that runs twice. Raises ValueError for a text without a sign."""
    return tuple(map(_wire, text.split(";")))


def _wire(text: str) -> Wire:
    words = text.split()
    for sign in _SIGNS:
        if sign in words:
            place = words.index(sign)
            return Wire(tuple(words[:place]), sign, words[place + 1])
    raise ValueError(f"{text!r} has no sign")
