"""Builds the site: `python -m docs.site [--executed | --serve]`.

It runs the notebooks, keeping their copies with output in `build/notebooks`, and builds `build/site` of these and of
`docs/`, refusing broken links and anything that a reader's browser would fetch from elsewhere. `--executed` takes the
copies that are there (`pytest -m notebook tests/test_notebooks.py` makes them too); `--serve` shows pages while one
writes them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from docs.site.notebooks import ROOT
from docs.site.remote import remote


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 0 where the site was built, else the exit code of what failed."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.site", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--executed", action="store_true", help="take the notebooks' copies in build/notebooks")
    parser.add_argument(
        "--serve", action="store_true", help="serve the pages while one writes them; implies --executed"
    )
    options = parser.parse_args(arguments)
    if find_spec("mkdocs") is None:
        print("site: the site's builder is not installed: pip install -e '.[docs]'", file=sys.stderr)
        return 2
    if not (options.executed or options.serve):
        ran = _run("pytest", "-m", "notebook", "--dist", "load", "tests/test_notebooks.py")
        if ran:
            return ran
    if options.serve:
        return _run("mkdocs", "serve", "-f", ".mkdocs.yml")
    return (
        _run("mkdocs", "build", "--strict", "-f", ".mkdocs.yml") or _local()
    )  # --quiet would also keep quiet about what is wrong


def _run(*command: str) -> int:
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=quiet, check=False).returncode


def _local() -> int:
    found = list(remote(ROOT / "build" / "site"))
    for line in found:
        print(f"fetched from elsewhere: {line}", file=sys.stderr)
    if not found:
        print(f"built {len(list((ROOT / 'build' / 'site').rglob('*.html')))} pages: build/site/index.html")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
