"""Answers for programs: JSON and CSV on standard output, unrounded SI values, nothing else there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from roofline.visible import visible


def write_json(value: Any, stream: TextIO | None = None) -> None:
    """One JSON document. Numbers that are not finite have become null before."""
    out = stream or sys.stdout
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    out.write(visible(text, json=True) + "\n")


def write_csv(rows: Sequence[Mapping[str, Any]], stream: TextIO | None = None) -> None:
    """A header and one line per row; the columns are those of the first row."""
    if not rows:
        return
    import csv

    writer = csv.DictWriter(stream or sys.stdout, fieldnames=list(rows[0]), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value
