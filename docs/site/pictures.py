"""The pictures of the pages, light and dark: `python -m docs.site.pictures` draws them anew into `docs/pictures`."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from docs.site.notebooks import ROOT

FOLDER: Final = ROOT / "docs" / "pictures"
#: Each picture's name and the command that draws it.
PICTURES: Final = {"mistral-7b": "plot --model mistral-7b --gpu a100 --gpu h100 --batch 8"}
#: The ending of a picture's name and the option, by the page's colours.
THEMES: Final = {"": "light", "-dark": "dark"}


def main() -> int:
    """Draws all; the exit code of the first command that fails."""
    # without a date in the file and with names of its own, a picture changes only where what it shows does
    fixed = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "0"}
    for name, command in PICTURES.items():
        for ending, theme in THEMES.items():
            target: Path = FOLDER / f"{name}{ending}.svg"
            line = [sys.executable, "-m", "roofline", *shlex.split(command), "--theme", theme, "-o", str(target)]
            done = subprocess.run(line, cwd=ROOT, env=fixed, check=False)
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
