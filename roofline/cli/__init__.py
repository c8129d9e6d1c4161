"""The command line: parses, calls one function of analysis, renders with report."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from contextlib import suppress
from errno import EBADF
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Entry point of the `roofline` command: errors become one message and exit code 2."""
    # pydantic would search every installed distribution for plugins, which takes as long as an estimate
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # most commands end before there is garbage to look for, and at their end nobody needs the memory
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    try:
        _prepare_streams()
        code = _guarded("--debug" in sys.argv)
        _leave_in_peace()
    except KeyboardInterrupt:  # also while modules load
        _leave_in_peace()
        sys.stderr.write("roofline: stopped\n")
        code = 130
    sys.exit(code)


def _guarded(debug: bool) -> int:
    """The exit code of the command line, after its message where something goes wrong."""
    from roofline.errors import RooflineError

    try:
        from roofline.cli.app import build_for

        code = _run(build_for(sys.argv[1:]))
        sys.stdout.flush()  # what could not be written is known now or never
    except RooflineError as error:
        if debug:
            raise
        return _refused(str(error))
    except BrokenPipeError:
        _swallow_output()
        return 0
    except OSError as error:
        if debug:
            raise
        _swallow_output()
        return _refused(f"{error.filename or 'standard output'}: {error.strerror or error}")
    except (MemoryError, RecursionError, OverflowError) as error:
        if debug:
            raise
        return _refused(f"{type(error).__name__}: this is more than can be computed here")
    return code


def _refused(text: str) -> int:
    from roofline.visible import shortened, visible

    with suppress(OSError):  # where even that cannot be told, the code tells it
        sys.stderr.write(f"roofline: {shortened(visible(text))}\n")
        sys.stderr.flush()
    return 2


def _swallow_output() -> None:
    """Let what is left go nowhere: it cannot be written, and would fail again at the end."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _leave_in_peace() -> None:
    """Nothing is left to be stopped but the end itself, which would answer with a traceback."""
    import signal

    if sys.modules.get("threading") is None or _in_main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


class _Closed(io.TextIOBase):
    """Standard output that was closed: what is written to it is lost, and that is no success."""

    def write(self, text: str) -> int:
        raise OSError(EBADF, "is closed, and the answer is lost", None)


def _prepare_streams() -> None:
    """Letters that a stream does not have become question marks; errors that nobody wants to see go nowhere."""
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
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
            return 2
        return _refused(message(error))
    except Abort:
        raise KeyboardInterrupt from None
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # the parser found the pipe closed, and would exit with 1
            raise leaving.__context__ from None
        raise
    if code == _STOPPED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


#: What newer parsers make of a stop, without a word.
_STOPPED: Final = 130
