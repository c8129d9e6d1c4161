"""How far measurements of one condition differ from each other: what no expectation can be better than.

    python -m roofline.evidence.checks.noise TABLE.csv -o roofline/evidence/measurements/noise.csv

reads a table of served runs as ai-dynamo/aiconfigurator publishes it and compares runs that differ in nothing but who
started them, or in the version of the engine. The shipped rows are compared in the same way whenever they are reported.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.runs.shipped import SHIPPED
from roofline.specs.files.paths import is_file

Row = Mapping[str, str]
#: What other people's table says, written by this module.
NOISE: Final = Path(__file__).resolve().parents[1] / "measurements" / "noise.csv"
_SOURCE: Final = "ai-dynamo/aiconfigurator measured serving (Apache-2.0), one server, time per token"
#: Columns of that table that are no condition of a run.
_NAMES: Final = ("id", "silicon_ttft_ms", "silicon_tpot_ms", "measured_on", "image", "backend_version", "model_path")
#: Columns of the shipped tables that are none.
_ABOUT: Final = (
    *("id", "source", "source_url", "locator", "value", "confidence", "unit", "apart", "engine"),
    *("engine_as_published", "gpu_as_published"),
)
#: Values that agree so far, in both times of a run, are one measurement told again, rounded.
_AGAIN: Final = 0.005
#: A model's name without the format of its weights.
_FORMAT: Final = re.compile(r"[-_](nvfp4|mxfp4|fp4|fp8|dynamic).*")


class Noise(NamedTuple):
    """Pairs of measurements of one condition, and the median and 90th percentile of |log| of their ratio."""

    what: str
    pairs: int
    median: float
    p90: float


def noise_of(what: str, ratios: Sequence[float]) -> Noise:
    """The spread of pairs, each the logarithm of a ratio."""
    size = np.abs(ratios)
    return Noise(what, len(size), round(float(np.median(size)), 4), round(float(np.quantile(size, 0.9)), 4))


def of_table(rows: Iterable[Row]) -> list[Noise]:
    """What a published table of served runs says: runs of one version, and of two."""
    own = [row for row in rows if row["mode"] == "agg"]
    found: dict[bool, list[float]] = {True: [], False: []}
    for group in _alike(own, _condition):
        for one, other in combinations(_told_once(group), 2):
            same = one["backend_version"] == other["backend_version"]
            found[same].append(_log(one, other, "silicon_tpot_ms"))
    words = {True: "the same version, run again", False: "another version"}
    return [noise_of(f"{words[same]} ({_SOURCE})", ratios) for same, ratios in found.items() if ratios]


def of_shipped(paths: Iterable[Path] = SHIPPED) -> Iterator[Noise]:
    """What the shipped rows say: one condition as two sources tell it, or as one does of two versions."""
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if not row.get("apart")]
        found: dict[str, list[float]] = defaultdict(list)
        for group in _alike(rows, _shipped_condition):
            for one, other in combinations(group, 2):
                found[_apart(one, other)].append(_log(one, other, "value"))
        yield from (noise_of(f"{words} ({path.name})", ratios) for words, ratios in sorted(found.items()))


def repeats(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Rows of a shipped table that tell one measurement twice: one condition, one version, and a value that is the
    other's, rounded.
    """
    found = []
    for group in _alike(rows, lambda row: (*_shipped_condition(row), row["engine"], row["engine_as_published"])):
        for one, other in combinations(group, 2):
            digits = min(len(each["value"].partition(".")[2]) for each in (one, other))
            if round(float(one["value"]), digits) == round(float(other["value"]), digits):
                found.append((one["id"], other["id"]))
    return found


def read_noise(path: Path = NOISE) -> list[Noise]:
    """What was written of a published table; nothing where there is no file."""
    if not is_file(path):
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Noise(row["what"], int(row["pairs"]), float(row["median"]), float(row["p90"])) for row in rows]


def _alike(rows: Iterable[Row], key: Callable[[Row], tuple[str, ...]]) -> list[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return [group for group in groups.values() if len(group) > 1]


def _condition(row: Row) -> tuple[str, ...]:
    model = _FORMAT.sub("", row["model_path"].rsplit("/", 1)[-1].lower())
    return (*(value for name, value in row.items() if name not in _NAMES), model)


def _shipped_condition(row: Row) -> tuple[str, ...]:
    """All that a run depends on but the version of its engine."""
    return (row["engine"].partition("@")[0], *(value for name, value in row.items() if name not in _ABOUT))


def _apart(one: Row, other: Row) -> str:
    if one["source"] != other["source"]:
        return "another source"
    same = (one["engine"], one["engine_as_published"]) == (other["engine"], other["engine_as_published"])
    return "the same version, run again" if same else "another version"


def _told_once(group: Sequence[Row]) -> list[Row]:
    """A group without measurements that are told again."""
    kept: list[Row] = []
    for row in group:
        if not any(row["backend_version"] == known["backend_version"] and _again(row, known) for known in kept):
            kept.append(row)
    return kept


def _again(one: Row, other: Row) -> bool:
    return all(abs(_log(one, other, name)) < _AGAIN for name in ("silicon_tpot_ms", "silicon_ttft_ms"))


def _log(one: Row, other: Row, name: str) -> float:
    return float(np.log(float(one[name]) / float(other[name])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: compare the runs of a table and write what they say."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.checks.noise", description=__doc__)
    parser.add_argument("table", type=Path, help="CSV of served runs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV to write")
    options = parser.parse_args(arguments)
    with options.table.open(encoding="utf-8", newline="") as file:
        found = of_table(list(csv.DictReader(file)))
    with options.output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Noise._fields)
        writer.writerows(found)


if __name__ == "__main__":
    main()
