"""The laws over many random questions: `python -m tests.laws --count 20000 --seed 7`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from random import Random

from tests.laws.laws import LAWS, broken
from tests.laws.questions import chance


def main() -> int:
    """Ask so many questions and print what breaks a law; 1 where anything does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--law", action="append", choices=sorted(LAWS))
    parser.add_argument("--shown", type=int, default=8)
    given = parser.parse_args()
    found: Counter[str] = Counter()
    asked, started = 0, time.monotonic()
    for number in range(given.start, given.start + given.count):
        random = Random(f"{given.seed}/{number}")
        question = chance(random)
        try:
            failures = broken(question, random, tuple(given.law or LAWS))
            if failures is None:
                continue
            asked += 1
            for law, text in failures:
                found[law] += 1
                if found[law] <= given.shown:
                    print(f"{law} #{number} {tuple(question)}: {text}", flush=True)
        except Exception as error:
            found["traceback"] += 1
            if found["traceback"] <= given.shown:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
                print(f"traceback #{number} {question}: {type(error).__name__} {str(error)[:150]} at {where}")
    print(f"{asked} questions of {given.count} answered in {time.monotonic() - started:.0f} s; broken: {dict(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
