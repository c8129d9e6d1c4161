"""The command line: parses, calls one function of analysis, renders with report."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Entry point of the `roofline` command: errors become one message and exit code 2."""
    # pydantic would search every installed distribution for plugins, which takes as long as an estimate
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # most commands end before there is garbage to look for, and at their end nobody needs the memory
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    from roofline.errors import RooflineError

    debug = "--debug" in sys.argv
    _prepare_streams()
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
    except OSError as error:
        if debug:
            raise
        sys.stderr.write(f"roofline: {error.filename or 'standard output'}: {error.strerror or error}\n")
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # what is left cannot be written
        sys.exit(2)
    except (MemoryError, RecursionError) as error:
        if debug:
            raise
        sys.stderr.write(f"roofline: {type(error).__name__}: this is more than can be computed here\n")
        sys.exit(2)


def _prepare_streams() -> None:
    """Letters that a stream does not have become question marks; a stream that was closed swallows what it is given."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


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
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # click found the pipe closed, and would exit with 1
            return 0
        raise
    return code if isinstance(code, int) else 0
