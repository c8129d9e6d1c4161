"""What engines log of their memory, the settings under which they wrote it, and what we say in its place."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.runs.ask import ask

LOGS: Final = Path(__file__).resolve().parents[1] / "measurements" / "memory.csv"
_NUMBERS: Final = {"tp": int, "prompt": int, "generate": int, "chunk": int, "max_sequences": int, "utilisation": float}
_WORDS: Final = ("engine", "weights", "kv_cache")


@dataclass(frozen=True)
class LogLine:
    """One line: its source and version, the options that say its settings, what it tells, its value, a note."""

    id: str
    source: str
    version: str
    model: str
    gpu: str
    options: dict[str, Any]
    quantity: str
    value: float
    notes: str

    def ours(self) -> float:
        """The same quantity as we count it."""
        memory = evaluate(ask(self.model, self.gpu, self.options), Answer).memory
        group, _, name = self.quantity.partition(".")
        assert group in ("pool", "memory")
        return float(getattr(memory.pool if group == "pool" else memory, name))

    @property
    def error(self) -> float:
        """Ours over the log's, less one."""
        return self.ours() / self.value - 1.0


def read_logs(path: Path = LOGS) -> list[LogLine]:
    """The lines of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_line(row) for row in csv.DictReader(file)]


def _line(row: dict[str, str]) -> LogLine:
    options: dict[str, Any] = {name: number(row[name]) for name, number in _NUMBERS.items() if row[name]}
    options |= {name: row[name] for name in _WORDS if row[name]}
    if options["tp"] == 1:
        del options["tp"]
    told = (row["id"], row["source"], row["version"], row["model"], row["gpu"])
    return LogLine(*told, options, row["quantity"], float(row["value"]), row["notes"])
