"""The words of the tables as a page: `python -m roofline.cli.glossary [FILE [--check]]`."""

from __future__ import annotations

import sys
from pathlib import Path

from roofline.cli.writing import made
from roofline.report.glossary import page


def main(arguments: list[str]) -> int:
    """Print the page, write it to a file, or check that a file equals it."""
    if not arguments:
        sys.stdout.write(page())
        return 0
    target = Path(arguments[0])
    return made(target, page(target.read_text(encoding="utf-8") if target.exists() else ""), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
