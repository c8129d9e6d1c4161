"""docs/published.md: every published number, ours beside it, and the verdict.

Written by `python -m published.document` in the folder `tests`; a test holds that it is up to date.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np

from .ask import Check
from .coverage import CHECKS, STATUSES, open_rows
from .rows import HERE, Row, rows

TARGET: Final = HERE.parent.parent / "docs" / "published.md"

_INTRODUCTION: Final = """# The articles' numbers, recomputed

Every number of the articles in `tests/published/published_numbers.yaml`, asked of the calculator through its public API
by `tests/published/`, which holds them all in the test-suite and writes this page.

* **agrees**: within the rounding of the printed figure (exactly, where the row is exact).
* **corrected**: an erratum of the article; ours agrees with what it should say.
* **differs**: the article rounds a count by more than its figure's rounding; the same question at its rounded size
  agrees, and that value stands in the verdict.
* **holds**: a measurement, which does not cross our limit.
* **nothing to compute**: the reason is given.

Several GPUs are taken as one, with peaks, memory and bandwidth added, where an article leaves the links between them
out. Where an article rounds a machine (an A100 at 1.5 TB/s) or a model (7e9 parameters), that is a file of its own:

    roofline estimate --spec-dir tests/published/specs --model nominal-7b --gpu baseten-t4 --prompt 350 --generate 151
"""


class Judged(NamedTuple):
    """One row with what became of it."""

    row: Row
    verdict: str
    ours: str = ""
    difference: str = ""
    note: str = ""


def judge(row: Row) -> Judged:
    """The verdict on one row. A verdict that begins with `WRONG` fails the tests."""
    check = CHECKS.get(row.id)
    if check is None:
        waiting = open_rows()[row.id]
        return Judged(row, waiting.status, note=waiting.reason)
    ours = check.ours()
    verdict, note = _verdict(row, check, ours)
    reference = row.leading(ours) if check.sense != "equal" else row.expected
    return Judged(row, verdict, show(ours), _difference(ours, reference), note)


def _verdict(row: Row, check: Check, ours: Any) -> tuple[str, str]:
    if check.sense == "lower":
        return ("holds" if row.exceeds(ours) else "WRONG: below our lower limit"), check.note
    if check.sense == "upper":
        return ("holds" if row.stays_below(ours) else "WRONG: above our upper limit"), check.note
    if check.nominal is None:
        right = "corrected" if row.right is not None else "agrees"
        return (right if row.agrees(ours) else "WRONG"), check.note
    nominal = check.nominal()
    if row.agrees(ours):
        return "WRONG: listed as different, yet it agrees", check.note
    return ("differs" if row.agrees(nominal) else "WRONG"), f"{check.note}: {show(nominal)} at its size"


def show(value: Any, digits: int = 6) -> str:
    """A value for people: whole numbers in full, others to `digits` digits."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {show(item, digits)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        nested = bool(value) and isinstance(value[0], (list, tuple))
        return ("; " if nested else ", ").join(show(item, digits) for item in value)
    if value is None or isinstance(value, str):
        return value or "–"
    return _number(value, digits)


def _number(value: float, digits: int) -> str:
    if abs(value) >= 1e16 or 0 < abs(value) < 1e-3:
        return f"{value:.6g}"
    if float(value) == int(value):
        return f"{int(value):,}"
    return f"{float(value):,.0f}" if abs(value) >= 1e6 else f"{float(value):,.{digits}g}"


def _difference(ours: Any, reference: Any) -> str:
    got, want = np.asarray(ours, dtype=float), np.asarray(reference, dtype=float)
    if got.size > 2:
        return f"{_signless(float(np.max(np.abs(got - want))))} at most"
    return ", ".join(_percent(a, b) for a, b in zip(got.flat, want.flat, strict=True))


def _signless(value: float) -> str:
    return "0" if value < 1e-9 else f"{value:.1g}"


def _percent(ours: float, reference: float) -> str:
    share = 100 * (ours / reference - 1)
    if abs(share) < 1e-6:
        return "0"
    return f"{share:+.0f} %" if abs(share) >= 10 else f"{share:+.2g} %"


def document() -> str:
    """The page."""
    judged = [judge(row) for row in rows().values()]
    parts = [_INTRODUCTION, _summary(judged)]
    for article, group in groupby(judged, key=lambda one: one.row.article):
        members = list(group)
        sources = ", ".join(dict.fromkeys(one.row.source for one in members))
        parts += [f"## {article}\n", f"Source: {sources}.\n", _table(members)]
    return "\n".join(parts)


def _summary(judged: list[Judged]) -> str:
    counts = Counter(one.verdict for one in judged)
    order = [*(verdict for verdict in counts if verdict not in STATUSES), *(s for s in STATUSES if s in counts)]
    lines = [f"| {verdict} | {counts[verdict]} |" for verdict in order]
    return "\n".join(["| verdict | rows |", "|---|---:|", *lines, f"| all | {len(judged)} |", ""])


def _table(members: list[Judged]) -> str:
    lines = ["| quantity | published | ours | difference | verdict |", "|---|---:|---:|---:|---|"]
    for one in members:
        row = one.row
        quantity = row.quantity + (f" ({row.conditions})" if row.conditions else "")
        notes = ". ".join(text.rstrip(".") for text in (one.note, row.note) if text)
        verdict = f"**{one.verdict}**" + (f": {notes}" if notes else "")
        published = show(row.value, 12) + (f" {row.unit}" if row.unit not in ("1", "qualitative") else "")
        cells = (quantity, f"{published}{' (measured)' if row.role == 'measured' else ''}", one.ours, one.difference)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, verdict)) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(f"wrote {TARGET}")
