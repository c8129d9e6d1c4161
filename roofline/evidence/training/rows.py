"""Published runs that trained a model, with their conditions, as rows of `measurements/training.csv`.

One row is one figure. What a source leaves out is empty there, and None or an empty text here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from roofline.errors import UsageError

TRAINING_ROWS: Final = Path(__file__).resolve().parents[1] / "measurements" / "training.csv"
#: Metrics, and what each is.
METRICS: Final = {
    "tokens_per_s_per_gpu": "tokens a second and GPU",
    "images_per_s_per_gpu": "pictures a second and GPU",
    "tflops_per_gpu": "TFLOP/s and GPU by a convention",
    "step_s": "seconds of a step of the optimizer",
    "gpu_hours": "GPU-hours of the whole run",
    "peak_memory_gb": "GB at the fullest moment on one GPU",
}
_WHOLE: Final = (
    *("layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "image_px", "gpus", "tp", "pp", "vpp", "cp", "ep", "dp"),
    *("zero_stage", "sequence_length", "micro_batch", "grad_accumulation", "global_batch", "lora_rank"),
)
_REAL: Final = ("params", "tokens_total", "value")


class TrainingRow(NamedTuple):
    """One figure of one run; the columns of the file, numbers as numbers."""

    id: str
    source: str
    locator: str
    date: str
    model: str
    model_as_published: str
    params: float | None
    layers: int | None
    hidden: int | None
    heads: int | None
    kv_heads: int | None
    ffn: int | None
    vocab: int | None
    image_px: int | None
    gpu: str
    gpus: int | None
    tp: int | None
    pp: int | None
    vpp: int | None
    cp: int | None
    ep: int | None
    dp: int | None
    zero_stage: int | None
    sequence_parallel: str
    sequence_length: int | None
    micro_batch: int | None
    grad_accumulation: int | None
    global_batch: int | None
    tokens_total: float | None
    method: str
    lora_rank: int | None
    lora_targets: str
    base_weights: str
    precision: str
    activation_checkpointing: str
    optimizer: str
    framework: str
    attention: str
    compile: str
    offload: str
    metric: str
    value: float | None
    convention: str
    other_metrics: str
    confidence: str
    notes: str

    @property
    def of_memory(self) -> bool:
        """Whether it is about memory, not time."""
        return self.metric == "peak_memory_gb"

    @property
    def family(self) -> str:
        """The letters that its name begins with: one source."""
        return self.id.partition("-")[0]


def read_training(path: Path = TRAINING_ROWS) -> list[TrainingRow]:
    """The rows of a file. Raises UsageError, naming the line, for a cell that is no number where one must be."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(path, line, cells) for line, cells in enumerate(csv.DictReader(file), start=2)]


def _row(path: Path, line: int, cells: Mapping[str, str]) -> TrainingRow:
    known: dict[str, object] = {}
    for name in TrainingRow._fields:
        text = (cells.get(name) or "").strip()
        known[name] = _number(path, line, name, text) if name in (*_WHOLE, *_REAL) else text
    if known["metric"] not in METRICS:
        raise UsageError(f"{path}, line {line}: metric must be one of {', '.join(METRICS)}, not {known['metric']!r}")
    return TrainingRow(**known)  # type: ignore[arg-type]


def _number(path: Path, line: int, name: str, text: str) -> float | int | None:
    if not text:
        return None
    try:
        return float(text) if name in _REAL else int(text)
    except ValueError:
        raise UsageError(f"{path}, line {line}: {name} must be a number, not {text[:40]!r}") from None
