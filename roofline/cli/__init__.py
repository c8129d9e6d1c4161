"""The command line: parses, calls one function of analysis, renders with report."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Entry point of the `roofline` command: errors become one message and exit code 2."""
    # pydantic would search every installed distribution for plugins, which takes as long as an estimate
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(200_000)  # most commands end before there is any garbage
    from roofline.errors import RooflineError

    debug = "--debug" in sys.argv
    try:
        from roofline.cli.app import build_for

        sys.exit(_run(build_for(sys.argv[1:])))
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


def _run(program: typer.Typer) -> int:
    """The exit code of one command line."""
    from typer import Abort

    from roofline.cli.parsing import ParserError, message

    try:
        code = program(prog_name="roofline", standalone_mode=False)
    except ParserError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            sys.stderr.write(f"roofline: {message(error)}\n")
        return 2
    except Abort:
        sys.stderr.write("roofline: stopped\n")
        return 130
    return code if isinstance(code, int) else 0
