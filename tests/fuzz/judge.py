"""What an input may come to: an answer whose numbers are sound, or a refusal in a sentence. All else is a failure."""

from __future__ import annotations

import math
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from roofline.errors import RooflineError
from roofline.visible import LONGEST, visible

#: Seconds of processor time, bytes beyond what the process has, that an input may take.
SECONDS: Final = 5.0
BYTES: Final = 500 * 2**20
#: Numbers that may be less than nothing: what is left of a memory, and errors.
_SIGNED: Final = ("left", "spare", "headroom", "free", "error", "bias", "elasticities", "elasticity")


class Verdict(NamedTuple):
    """`ok`, `refused`, or a failure; what was said, or what is wrong."""

    kind: str
    said: str = ""

    @property
    def fails(self) -> bool:
        """Whether it must not be."""
        return self.kind not in ("ok", "refused")


class _TooSlow(BaseException):  # no error of the program's, which it may not catch
    pass


def judged(run: Callable[[], Any]) -> Verdict:
    """What a call comes to: what it gives is looked through for numbers without sense."""
    try:
        with _limits():
            answer = run()
            wrong = next(nonsense(answer), None)
    except RooflineError as error:
        return _refusal(str(error))
    except _TooSlow:
        return Verdict("hang", f"more than {SECONDS:g} s of processor time")
    except MemoryError:
        return Verdict("memory", f"more than {BYTES / 2**20:.0f} MiB")
    except Exception as error:
        return Verdict("traceback", f"{type(error).__name__}: {str(error)[:200]} {_where(error)}")
    return Verdict("ok") if wrong is None else Verdict("nonsense", wrong)


def _refusal(text: str) -> Verdict:
    if text != visible(text):
        return Verdict("unsafe", text)
    if not text.strip() or len(text) > LONGEST:
        return Verdict("unclear", text)
    return Verdict("refused", text)


def _where(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "roofline" in code.co_filename:
            place = f"{code.co_filename.rpartition('roofline/')[2]}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return place


@contextmanager
def _limits() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooSlow

    before, soft = signal.signal(signal.SIGPROF, stop), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_held() + BYTES, soft[1]))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        resource.setrlimit(resource.RLIMIT_AS, soft)
        signal.signal(signal.SIGPROF, before)


def _held() -> int:
    """Bytes of address space that the process has."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


def nonsense(value: Any, name: str = "") -> Iterator[str]:
    """Numbers that are not finite or less than nothing, and readings in the wrong order."""
    if isinstance(value, dict):
        yield from _disorder(value, name)
        for key, member in value.items():
            yield from nonsense(member, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, member in enumerate(value):
            called = member.get("quantity", index) if isinstance(member, dict) else index
            yield from nonsense(member, f"{name}[{called}]")
    elif isinstance(value, complex) or (
        isinstance(value, (int, float))
        and (not math.isfinite(value) or (value < 0 and not any(word in name for word in _SIGNED)))
    ):
        yield f"{name} = {value}"


def _disorder(value: dict[str, Any], name: str) -> Iterator[str]:
    for lesser, larger in (("floor", "bound"), ("bound", "expected"), ("low", "expected"), ("expected", "high")):
        one, other = value.get(lesser), value.get(larger)
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            if ("throughput" in name or "_per_s" in name) and lesser in ("floor", "bound"):
                one, other = other, one
            if one > other * (1 + 1e-9):
                yield f"{name}: {lesser} {value[lesser]:g}, {larger} {value[larger]:g}"
