"""Values as JSON has them, and numbers with what they count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from roofline.num import Num


def plain(value: Any) -> Any:
    """A value as JSON: whole floats as integers, arrays as lists, non-finite numbers as null."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value == int(value) and abs(value) < 2**63 else value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def counted(value: Num | int, what: str) -> str:
    """A number and what it counts, in the singular for one: `1 step`, `50 steps`, `20/50 steps`."""
    if isinstance(value, (int, float)):
        text = f"{value}" if isinstance(value, int) else f"{value:g}"
        return f"{text} {what}" + ("" if value == 1 else "s")
    return "/".join(f"{v:g}" for v in value.flat) + f" {what}s"


def counted_whole(value: int, what: str) -> str:
    """A whole number and what it counts, with thousands apart: `1 request`, `1,204 requests`."""
    return f"{value:,} {what}" + ("" if value == 1 else "s")


def listed(parts: Sequence[str], comma: str = ", ") -> str:
    """Words in a row: `a`, `a and b`, `a, b and c`; nothing of none."""
    return " and ".join(part for part in (comma.join(parts[:-1]), *parts[-1:]) if part)


def plural(amount: Any, text: str, what: str) -> str:
    """A text for an amount, and what it counts: `1 sequence`, `2.5 tokens`."""
    return f"{text} {what}" + ("" if float(amount) == 1.0 else "s")


def largest_value(value: Num) -> float:
    """A number, or the largest of a grid."""
    return value if isinstance(value, float) else float(value.max())
