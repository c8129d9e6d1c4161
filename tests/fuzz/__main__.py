"""`python -m tests.fuzz --count 100000 --seed 7`: inputs at random by hand, and what they come to."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.corpus import FURTHER, KINDS, drawn
from tests.fuzz.judge import judged


def main() -> int:
    """Try the inputs and print the failures as they come and the counts at the end; 1 where there were failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--kind", choices=tuple(KINDS), help="only inputs of this kind")
    parser.add_argument("--keep", type=Path, help="folder in which the file of the last input stays")
    parser.add_argument("--configs", type=Path, action="append", default=[], help="folder of further config.json files")
    given = parser.parse_args()
    FURTHER.extend(given.configs)
    counts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    with TemporaryDirectory() as folder:
        where = given.keep or Path(folder)
        for number in range(given.first, given.first + given.count):
            found = drawn(number, given.seed, where)
            if given.kind is not None and found.kind != given.kind:
                continue
            start = time.process_time()
            verdict = judged(found.run)
            slowest = max(slowest, time.process_time() - start)
            counts[found.kind, verdict.kind] += 1
            if number % 5000 == 4999:
                sys.stderr.write(f"{number + 1 - given.first:,} inputs\n")
            if verdict.fails:
                sys.stdout.write(f"{found.label}, {found.kind}: {verdict.kind}: {verdict.said}\n")
                sys.stdout.flush()
    kinds = sorted({verdict for _, verdict in counts})
    for kind in KINDS:
        sys.stdout.write(f"{kind:16}" + "".join(f"{name} {counts[kind, name]:,}  " for name in kinds) + "\n")
    sys.stdout.write(f"slowest: {slowest:.2f} s\n")
    return int(any(verdict not in ("ok", "refused") for verdict in kinds))


if __name__ == "__main__":
    sys.exit(main())
