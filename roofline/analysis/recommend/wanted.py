"""What a plan must do: users or a rate, limits on times, a budget, and where to look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from roofline.errors import UsageError
from roofline.runs.checks import is_many, number, whole_number
from roofline.units import parse_quantity

#: Devices of the largest plan that is looked at where nothing is said.
MOST_GPUS: Final = 64
_MOST_GPUS: Final = 1024
_LEAST: Final = 1e-9
_MOST_RATE: Final = 1e6
_SECONDS_OF: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "day": 86400.0}
_PER: Final = re.compile(r"(?P<number>[-+.0-9eE]{1,40})\s*/\s*(?P<per>s|min|h|day)")
#: The limits on times by their options, with the quantities that they are about.
LIMITS: Final = {"ttft": "ttft_s", "tpot": "tpot_s", "total": "total_s"}
#: The options of `recommend` alone.
NAMES: Final = ("rate", "tokens_per_s", "budget", "formats", "max_gpus", "top", *LIMITS)
ANY: Final = "any"


@dataclass(frozen=True)
class Wanted:
    """What is wanted: `users` at once or `rate` requests per second (both None: the run as asked), `limits` in seconds
    by quantity, `budget` per hour, `gpus` by name or `any`, `formats` of weights and `engines` (empty: as asked).
    """

    users: int | None = None
    rate: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None
    gpus: tuple[Any, ...] = (ANY,)
    formats: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    max_gpus: int = MOST_GPUS
    top: int = 3

    @property
    def anywhere(self) -> bool:
        """Whether every accelerator with a known price is looked at."""
        return any(isinstance(gpu, str) and gpu.lower() == ANY for gpu in self.gpus)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "users": self.users,
            "rate": self.rate,
            "limits": dict(self.limits),
            "budget_per_hour": self.budget,
            "gpus": [str(getattr(gpu, "name", gpu)) for gpu in self.gpus],
            "formats": list(self.formats),
            "engines": list(self.engines),
            "max_gpus": self.max_gpus,
        }


def read_wanted(gpu: Any, options: Mapping[str, Any]) -> tuple[Wanted, dict[str, Any]]:
    """What is wanted, and the options of every run that are left. Raises UsageError."""
    left = {name: value for name, value in options.items() if name not in NAMES and value is not None}
    for name in ("users", "max_gpus", "top"):
        if is_many(options.get(name)):
            raise UsageError(f"{name} takes one value here; several have --gpu, --formats and --engine")
    users, rate = left.pop("users", None), _rate(options.get("rate"))
    if users is not None and rate is not None:
        raise UsageError("--users and --rate: say one of them; users send the next request when the last is answered")
    _refuse_useless(left, users is not None or rate is not None, rate is not None)
    formats = (*_several(options.get("formats")), *_taken(left, "weights"))
    wanted = Wanted(
        users=None if users is None else int(float(whole_number("users", users))),
        rate=rate,
        limits=_limits(options),
        budget=_number("budget", options.get("budget"), 1e9),
        gpus=tuple(gpu) if is_many(gpu) else (ANY if gpu is None else gpu,),
        formats=tuple(dict.fromkeys(formats)),
        engines=tuple(dict.fromkeys(_taken(left, "engine"))),
        max_gpus=_most(options.get("max_gpus"), "max-gpus", MOST_GPUS, _MOST_GPUS),
        top=_most(options.get("top"), "top", 3, 100),
    )
    for name, value in left.items():
        if is_many(value):
            raise UsageError(f"{name} takes one value here; several have --gpu, --formats and --engine")
    if not wanted.gpus:
        raise UsageError("--gpu has no values")
    return wanted, left


def _refuse_useless(left: Mapping[str, Any], loaded: bool, rated: bool) -> None:
    """Raises UsageError for options of a run that a plan decides itself."""
    if loaded and left.get("dp") is not None:
        raise UsageError("--dp: the plan says how many replicas it takes; --max-gpus bounds them")
    if loaded and left.get("batch") is not None:
        raise UsageError("--batch: the users, or the rate, make the batch")
    if rated and left.get("load") is not None:
        raise UsageError("--load and --rate: the rate says how busy the machine is; give one of the two")


def _limits(options: Mapping[str, Any]) -> dict[str, float]:
    found = {LIMITS[name]: _seconds(name, options[name]) for name in LIMITS if options.get(name) is not None}
    speed = _number("tokens-per-s", options.get("tokens_per_s"), 1e9)
    if speed is not None:
        found["tpot_s"] = min(1.0 / speed, found.get("tpot_s", float("inf")))
    return found


def _taken(left: dict[str, Any], name: str) -> tuple[str, ...]:
    return _several(left.pop(name, None))


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    found = tuple(value) if is_many(value) else tuple(str(value).split(",") if "=" not in str(value) else [str(value)])
    if not found or not all(str(each).strip() for each in found):
        raise UsageError("--formats: an empty name or value")
    return tuple(str(each).strip() for each in found)


def _seconds(name: str, value: Any) -> float:
    """A time: a number of seconds, or text with a unit."""
    if isinstance(value, str) and not _is_number(value):
        try:
            seconds = parse_quantity(value, "time")
        except ValueError as error:
            raise UsageError(f"--{name}: {error}") from None
    else:
        seconds = _number(name, value, 1e6) or 0.0
    if not 0.0 < seconds <= 1e6:
        raise UsageError(f"--{name} must be a time above 0, such as 50ms or 0.5, not {str(value)[:40]!r}")
    return seconds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(name: str, value: Any, most: float) -> float | None:
    """A number above 0 and at most so large."""
    return None if value is None else number(name, value, _LEAST, most)


def _rate(value: Any) -> float | None:
    """So many a second: a number, or text with a unit of time: `200/min`."""
    match = _PER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _number("rate", value, _MOST_RATE)
    each = _number("rate", match["number"], _MOST_RATE * _SECONDS_OF[match["per"]])
    return None if each is None else each / _SECONDS_OF[match["per"]]


def _most(value: Any, name: str, default: int, most: int) -> int:
    found = default if value is None else int(float(whole_number(name, value)))
    if found > most:
        raise UsageError(f"--{name} is at most {most:,}, not {found:,}")
    return found
