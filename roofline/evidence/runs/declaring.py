"""What can be known of an engine before any row."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.engine import Engine
from roofline.specs.formats.unpacking import Way

#: Habits of an engine, which no fit touches.
HABITS: Final = (
    *("half_sums", "fed", "joins", "widens", "mixes", "matvec", "first_from_decode", "shares"),
    *("multiplies", "unpacks"),
)

#: Seconds of a launch that no interpreter stands behind: as the fits of serving engines start.
_COMPILED_LAUNCH: Final = 2e-6


class Declared(NamedTuple):
    """What is known of an engine before any row: whose kernels it runs, its habits, which measured one is like it.

    `apart` keeps its rows out of the generic engine's fit. A version says of which engine it is one (`of`), its text,
    and the months since and until which it was current; a backend the makers of chips (`vendors`) that choose it.
    `same`: it runs the kernels of the one that it is `like`. Where rows are few, `free` names the only coefficients
    that stray from that one.
    """

    title: str
    library: str | None = None
    half_sums: bool = False
    fed: bool = False
    joins: str = "none"
    widens: bool = False
    mixes: bool = False
    matvec: bool = False
    first_from_decode: bool = False
    shares: tuple[int, ...] = ()
    multiplies: str | None = None
    unpacks: Way = "none"
    aliases: tuple[str, ...] = ()
    notes: str = ""
    like: str = "generic"
    eager: bool = False
    apart: bool = False
    same: bool = False
    of: str = ""
    version: str = ""
    since: str = ""
    until: str = ""
    vendors: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    fusion: str = "flash"

    @property
    def typical(self) -> bool:
        """Whether it is what one expects of an engine today: the generic engine is fitted to such."""
        return not (self.eager or self.apart)


def launched(declared: Declared, like: Engine) -> Engine:
    """The engine that a declared one is like, without its host where that launches kernels from Python and the declared
    one does not: from C++ or as a recorded graph.
    """
    return like._replace(kernel_s=_COMPILED_LAUNCH) if declared.fed and not declared.eager else like
