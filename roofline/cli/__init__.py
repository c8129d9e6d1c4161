"""The command line: parses, calls one function of analysis, renders with report."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of the `roofline` command: errors become one message and exit code 2."""
    # pydantic would search every installed distribution for plugins, which takes as long as an estimate
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from roofline.errors import RooflineError

    debug = "--debug" in sys.argv
    try:
        from roofline.cli.app import build_for

        build_for(sys.argv[1:])(prog_name="roofline")
    except RooflineError as error:
        if debug:
            raise
        sys.stderr.write(f"roofline: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except (MemoryError, RecursionError) as error:
        if debug:
            raise
        sys.stderr.write(f"roofline: {type(error).__name__}: this is more than can be computed here\n")
        sys.exit(2)
