"""Tables of what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.catalogue.rows import MIXED_IN
from roofline.report.tables.grid import grid
from roofline.specs.formats.dtypes import DTYPES
from roofline.units import format_count, format_si
from roofline.workload.storage.products import Ways, product_of

if TYPE_CHECKING:
    from roofline.analysis.catalogue.rows import EngineRow, GPURow, ModelRow, NodeRow, PrecisionRow, SchedulerRow
    from roofline.report.tables.console import Console

_NONE: Final = "–"
#: Makers with a table of accelerators of their own.
_MAKERS: Final = {"nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple", "intel": "Intel", "google": "Google"}
_GROUPS: Final = (
    *(f"accelerators of {maker}" for maker in _MAKERS.values()),
    "other accelerators",
    "processors, as hosts",
)
#: How titles begin, and how they do for one row.
_ONE: Final = {
    "models": "model",
    "accelerators": "accelerator",
    "other accelerators": "other accelerator",
    "processors, as hosts": "processor, as host",
    "nodes": "node",
    "frameworks that train models": "framework that trains models",
    "engines and versions of them": "engine or version of one",
    "schedulers": "scheduler",
    "number formats": "number format",
}


class Listing(NamedTuple):
    """How a list is shown: its title behind the number of rows, the sides of its columns, and the cells of a row.

    Where rows have a `group`, each group is a table of its own, whose name stands in the title.
    """

    title: str
    columns: dict[str, str]
    cells: Callable[[Any], Sequence[str]]
    group: Callable[[Any], str] = lambda row: ""


def print_list(what: str, rows: Iterable[Any], console: Console) -> None:
    """The table of `roofline list`, without columns in which nothing stands.

    No name is cut even where the terminal is narrower: names are copied.
    """
    listing = LISTINGS[what]
    groups: dict[str, list[Sequence[str]]] = {}
    for row in rows:
        groups.setdefault(listing.group(row), []).append(listing.cells(row))
    for group, lines in sorted(groups.items(), key=lambda item: _place(item[0])):
        title = _counted(len(lines), listing.title.format(group=group))
        filled = [any(cells) for cells in zip(*lines, strict=True)]
        columns = tuple(compress(listing.columns.items(), filled))
        console.print(grid(title, columns, [list(compress(line, filled)) for line in lines]), crop=False)


def _counted(number: int, title: str) -> str:
    """A title behind the number of its rows: `1 framework that trains models`."""
    if number == 1:
        many = next((many for many in _ONE if title.startswith(many)), "")
        title = _ONE.get(many, "") + title.removeprefix(many)
    return f"{number} {title}"


def _place(group: str) -> int:
    """Groups of accelerators in the order of _GROUPS, those of other makers before the processors."""
    return _GROUPS.index(group) if group in _GROUPS else 0


def _model(row: ModelRow) -> list[str]:
    parameters = format_count(row.parameters) if row.parameters else _NONE
    context = f"{row.max_context:,}" if row.max_context else ""
    active = format_count(row.active) if row.active and row.active != row.parameters else ""
    return [row.name, row.kind, parameters, context, active, row.title, ", ".join(row.aliases)]


def _gpu(row: GPURow) -> list[str]:
    peak = format_si(row.peak_16bit, "FLOP/s") if row.peak_16bit else _NONE
    memory = [format_si(row.bandwidth, "B/s"), format_si(row.capacity, "B"), row.sold]
    return [row.name, peak, *memory, row.title, ", ".join(row.aliases)]


def _maker(row: GPURow) -> str:
    if row.kind == "cpu":
        return _GROUPS[-1]
    return f"accelerators of {_MAKERS[row.vendor]}" if row.vendor in _MAKERS else _GROUPS[-2]


def _node(row: NodeRow) -> list[str]:
    between = format_si(row.scale_out_bandwidth, "B/s") if row.scale_out_bandwidth else _NONE
    return [row.name, f"{row.count} × {row.gpu}", row.scale_up, format_si(row.scale_up_bandwidth, "B/s"), between]


def _engine(row: EngineRow) -> list[str]:
    error = f"{100 * row.median_error:.0f} %" if row.median_error is not None else _NONE
    runs = f"{row.runs:,}" if row.runs else _NONE
    return [row.name, row.version or _NONE, runs, error, row.title, ", ".join(row.aliases)]


def _work(row: EngineRow) -> str:
    return "frameworks that train models" if row.trains else "engines and versions of them"


def _scheduler(row: SchedulerRow) -> list[str]:
    return [row.name, f"{row.calls_of_20_steps} calls", row.follows, ", ".join(row.aliases)]


def _precision(row: PrecisionRow) -> list[str]:
    return [row.name, f"~{row.bits:.2f}" if row.mix else f"{row.bits:g}", _multiplied(row), row.layout]


def _multiplied(row: PrecisionRow) -> str:
    """In which format matrices stored so are multiplied by habit: with activations that are quantised, or that are not,
    integers with their like.
    """
    stored = DTYPES.get(row.name)  # some formats are those of caches alone
    usual = None if stored is None else product_of(stored, DTYPES["bf16"], Ways())
    if usual is not None and usual.way == "quantised":
        return usual.dtype
    if row.compute in ("fp8", "fp4") or row.bits >= 16:
        return row.compute
    return f"{row.compute} with {row.compute}" if row.compute == row.name else "activations' format"


#: How each list is shown, by what `roofline list` calls it.
LISTINGS: Final[dict[str, Listing]] = {
    "models": Listing(
        "models; `roofline show NAME` prints one",
        {
            "name": "name",
            "kind": "name",
            "parameters": "right",
            "context": "right?",
            "active": "right?",
            "model": "left?",
            "aliases": "text?",
        },
        _model,
    ),
    "gpus": Listing(
        "{group}; dense peaks; memory as counted and as sold",
        {
            "name": "name",
            "16 bit": "right",
            "bandwidth": "right",
            "memory": "right",
            "sold": "right?",
            "accelerator": "left?",
            "aliases": "text?",
        },
        _gpu,
        _maker,
    ),
    "nodes": Listing(
        "nodes; bandwidth per accelerator and direction",
        {"name": "name", "accelerators": "name", "link": "left?", "in the node": "right", "between nodes": "right?"},
        _node,
    ),
    "engines": Listing(
        "{group}, the measured runs that each is fitted to and the error of the fit",
        {
            "name": "name",
            "version": "left?",
            "runs": "right",
            "median error": "right",
            "engine": "left?",
            "aliases": "text?",
        },
        _engine,
        _work,
    ),
    "schedulers": Listing(
        "schedulers; what is called is the denoiser",
        {"name": "name", "20 steps": "right", "follows": "name", "aliases": "text?"},
        _scheduler,
    ),
    "precisions": Listing(
        f"number formats; ~ is the mean of a mix, here in {MIXED_IN}",
        {"name": "name", "bits": "right", "multiplied in": "name", "layout": "left?"},
        _precision,
    ),
}
