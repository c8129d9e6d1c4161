"""The table of a steady load, and how readings are written in it and in that of a static batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Answer
from roofline.answer.plain import counted_whole
from roofline.answer.service import LIMITS, Service
from roofline.answer.times import Times
from roofline.num import first_value
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_COLUMNS: Final = (
    *(("", "left"), ("floor", "right?"), ("bound", "right")),
    *(("expected", "right"), ("80 % interval", "right?")),
)


def print_service(est: Answer, console: Console) -> None:
    """The steady load of the users, in a sentence and a table; nothing where the engine is no server."""
    service = est.service
    if service is not None:
        print_table(service_table(service), console)
        console.print(standing(service))
        console.print()


def service_table(service: Service) -> Grid:
    """Times and rates of a steady load in their readings."""
    users = counted_whole(int(first_value(service.users)), "user")
    sends = "sends the next request when the last is answered"
    rows = [[title, *shown_times(times, show)] for title, times, show in _rows(service) if times is not None]
    return grid(f"Steady load: {users}, each {sends}", _COLUMNS, rows)


def _rows(service: Service) -> Iterator[tuple[str, Times | None, Callable[[float], str]]]:
    yield "time to first token", service.ttft_s, format_time
    if service.overhead is not None:
        server = f"  at the client (+ {format_time(first_value(service.overhead.expected))})"
        yield server, service.client_ttft_s, format_time
    yield "time per output token", service.tpot_s, format_time
    yield "whole request", service.request_s, format_time
    yield "output tokens per second, all", service.output_tokens_per_s, SHOWN["tokens"]
    yield "tokens/s writing, per user", service.output_tokens_per_s_per_user, SHOWN["tokens"]
    yield "requests per second", service.requests_per_s, significant


def standing(service: Service) -> str:
    """How many run and wait, and what gives way first."""
    running, waiting = first_value(service.running), first_value(service.waiting)
    waits = f", {waiting:,.0f} wait" if waiting else ""
    share = f"prompts of others take {100 * first_value(service.prompts_share):.0f} % of the time"
    return f"{running:,.0f} run at once{waits}; {share}; limited by {LIMITS[service.limited_by]}"


def shown_times(times: Times, show: Callable[[float], str]) -> list[str]:
    """Floor, bound, expected and interval, each as `show` writes it."""
    floor, bound, expected, low, high = (float(value) for value in times)
    interval = f"{show(low)} – {show(high)}" if low != high else "–"
    return [show(floor), show(bound), show(expected), interval]


def _tokens(value: float) -> str:
    """A rate of tokens: whole from a hundred on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def significant(value: float) -> str:
    """A rate to three significant digits: 0.186, 2.31, 1,204."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


#: How a quantity is written, by its unit.
SHOWN: Final[dict[str, Callable[[float], str]]] = {"s": format_time, "tokens": _tokens}
