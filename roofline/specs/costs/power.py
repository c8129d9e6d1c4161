"""What chips draw when they idle and when they work: measured watts, from `hardware/power.csv`."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from roofline.specs.costs.rows import Row, read_rows
from roofline.specs.files.library import bundled

_COLUMNS: Final = (
    *("name", "state", "watts", "scope", "tdp_w", "cap_w", "busy_percent", "workload", "date", "source"),
    *("doubt", "note"),
)
#: What a chip was doing, and what else is in the watts: hosts, fans, buildings; or that it shared its work with cores.
STATES: Final = ("idle", "prefill", "decode", "load", "serving", "provisioned")
SCOPES: Final = ("gpu", "gpu beside cores", "system", "system share", "data centre share")
_MOST: Final = 1e5
#: Per cent of its time that a chip must have been busy for its draw to be that of work.
_BUSY: Final = 90.0


class Draw(NamedTuple):
    """What one chip drew in one state: watts, the limit that its maker states, and a lower one where it was set."""

    name: str
    state: str
    watts: float
    scope: str
    limit: float | None
    cap: float | None
    busy: float | None
    date: str
    source: str
    doubt: str

    @property
    def usual(self) -> bool:
        """Whether it is of the chip alone, which did all, at its own limit, and busy where it is said to work."""
        held_back = self.cap is not None and self.limit is not None and self.cap < self.limit
        told = self.busy is None or self.busy >= _BUSY
        return self.scope == "gpu" and not held_back and told


@cache
def draws() -> tuple[Draw, ...]:
    """All that was measured."""
    found = []
    for row in read_rows(bundled("hardware") / "power.csv", _COLUMNS, _COLUMNS, "table of watts"):
        draw = Draw(
            name=row.text("name"),
            state=row.word("state", STATES),
            watts=row.number("watts", _MOST),
            scope=row.word("scope", SCOPES),
            limit=_limit(row, "tdp_w"),
            cap=_limit(row, "cap_w"),
            busy=_limit(row, "busy_percent"),
            date=row.date("date"),
            source=row.text("source"),
            doubt=row.text("doubt"),
        )
        found.append(draw)
    return tuple(found)


def _limit(row: Row, column: str) -> float | None:
    return row.number(column, _MOST) if row.text(column) else None
