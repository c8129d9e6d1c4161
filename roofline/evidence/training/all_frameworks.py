"""Fits every framework that trains to its rows, and writes its file and the errors of rows that were left out.

python -m roofline.evidence.training.all_frameworks [--only NAME ...] --date 2026-11-28
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from roofline.evidence.training.files import borrowed_text, fitted_text, spans_of, with_interval
from roofline.evidence.training.fit import LEAST_ROWS, LeftOut, fit, left_out, start_of
from roofline.evidence.training.prepared import TrainingRun, prepare
from roofline.evidence.training.rows import TRAINING_ROWS, read_training
from roofline.machine.engine import engine_path
from roofline.specs.files.engines import trainer_names

#: Frameworks of which no row tells the time of a step, and those whose coefficients stand in: PyTorch with the same
#: ways to spread a model, and Hugging Face's modules.
LIKE: Final = {"meta-llama": "llm-foundry", "unsloth": "hf-trainer", "litgpt": "hf-trainer"}
#: The shipped errors.
LEFT_OUT: Final = TRAINING_ROWS.with_name("training_left_out.csv")


def by_framework(runs: Iterable[TrainingRun]) -> dict[str, list[TrainingRun]]:
    """Rows that tell a time and take part, by their framework."""
    found: dict[str, list[TrainingRun]] = {}
    for run in runs:
        if not run.row.of_memory and not run.asked.apart and run.row.metric != "gpu_hours":
            found.setdefault(run.question.engine, []).append(run)
    return found


def read_left_out(path: Path = LEFT_OUT) -> list[LeftOut]:
    """The errors of rows that were left out, as they are shipped."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [LeftOut(r["engine"], r["way"], r["group"], r["row"], float(r["error"])) for r in rows]


def write_left_out(lines: Sequence[LeftOut], path: Path = LEFT_OUT) -> None:
    """Keep the errors of rows that were left out."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LeftOut._fields)
        writer.writerows(sorted(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: fit and write."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.training.all_frameworks", description=__doc__)
    parser.add_argument("--only", nargs="*", help="frameworks; default: all")
    parser.add_argument("--date", required=True, help="of the fit, as 2026-11-28")
    options = parser.parse_args(arguments)
    runs, _ = prepare(read_training())
    kept = read_left_out() if LEFT_OUT.exists() else []
    rows = by_framework(runs)
    for name in options.only or trainer_names():
        own = rows.get(name, [])
        if len(own) < LEAST_ROWS:
            continue
        fitted = fit(start_of(name), own)
        out = left_out(name, fitted, own)
        kept = [line for line in kept if line.engine != name] + out
        engine_path(name).write_text(fitted_text(name, fitted, own, out, options.date), encoding="utf-8")
        told = f"{name}: {len(own)} rows, {len(fitted.free)} coefficients, at a bound: {', '.join(fitted.at_bound)}"
        sys.stdout.write(told + "\n")
    for name, like in LIKE.items():
        engine_path(name).write_text(borrowed_text(name, like, options.date), encoding="utf-8")
    write_left_out(kept)
    for name in trainer_names():
        mine = [line for line in kept if line.engine == name]
        path = engine_path(name)
        path.write_text(with_interval(path.read_text(encoding="utf-8"), spans_of(mine, kept)), encoding="utf-8")


if __name__ == "__main__":
    main()
