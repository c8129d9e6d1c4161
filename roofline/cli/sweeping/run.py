"""A sweep from its first point to the file that holds its last."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from roofline import __version__
from roofline.analysis.sweeping.fingerprint import fingerprint
from roofline.analysis.sweeping.plan import BEGINNING, Place, Plan
from roofline.analysis.sweeping.rows import Rows, joined
from roofline.analysis.sweeping.stream import Batch, Keeper, batches, empty
from roofline.cli.sweeping.progress import Bar, duration
from roofline.cli.sweeping.wanted import ASKED, UNASKED, Wanted, is_stream
from roofline.cli.terminal import console, tell
from roofline.errors import UsageError
from roofline.report.streams.files import Growing, Progress
from roofline.units import format_si

#: Points from which on a sweep tells its size.
_TOLD: Final = 1_000_000


@dataclass
class Seen:
    """What a sweep has met: points, rows, and points that cannot be with the first reason."""

    progress: Progress = field(default_factory=Progress)

    def meet(self, batch: Batch, strict: bool) -> None:
        """A further batch. Raises UsageError for points that cannot be, where none may be left out."""
        first = batch.refused[0].reason if batch.refused else ""
        if first and strict:
            raise UsageError(first)
        told = self.progress
        self.progress = Progress(
            *batch.behind,
            told.rows + batch.number,
            told.points + batch.points,
            told.refused + sum(each.points for each in batch.refused),
            told.reason or first,
        )

    def tell(self, condition: bool) -> None:
        """What was left out. Raises UsageError where nothing is left."""
        told = self.progress
        if told.refused and told.refused == told.points:
            raise UsageError(told.reason)
        if told.refused:
            tell(f"{told.refused:,} of {told.points:,} points cannot be and are left out: {told.reason}")
        if condition and not told.rows:
            tell("no row meets the --where")


class Cost(NamedTuple):
    """What a whole sweep takes, from its first batch: seconds, and bytes of a file."""

    seconds: float
    size: float


def run(plan: Plan, wanted: Wanted) -> None:
    """Run a sweep as it is wanted."""
    if wanted.output is not None and not is_stream(wanted.output):
        _to_file(plan, wanted)
    elif wanted.form == "table":
        _to_terminal(plan, wanted)
    else:
        _to_pipe(plan, wanted)


def _begun(plan: Plan, wanted: Wanted, start: Place = BEGINNING, done: int = 0) -> tuple[Iterator[Batch], Bar]:
    """The batches of a sweep, whose size is told, or asked about, after the first."""
    begun = time.monotonic()
    stream = batches(plan, plan.parts(start), wanted.condition)
    first = next(stream, None)
    if first is not None and plan.points >= _TOLD and not done:
        size = 0 if wanted.form == "table" or wanted.best else sum(len(wanted.encoded(rows)) for rows in first.rows)
        share = plan.points / max(1, first.points)
        _confirm(plan, wanted, Cost((time.monotonic() - begun) * share, size * share))
    return chain([first] if first is not None else [], stream), Bar(plan.points, done)


def _confirm(plan: Plan, wanted: Wanted, cost: Cost) -> None:
    """Tell the size of a sweep; of a large one, go on only if that is wanted."""
    size = f", about {format_si(cost.size, 'B', 2)}" if cost.size else ""
    told = f"{plan.points:,} points{size}, about {duration(cost.seconds)}"
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    if wanted.yes or plan.points <= ASKED or (plan.points <= UNASKED and not asks):
        tell(told)
        return
    if not asks:
        raise UsageError(f"{told}: --yes runs it")
    sys.stderr.write(f"{told}. Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was run")


def _kept(plan: Plan, wanted: Wanted, seen: Seen) -> Rows:
    """The best rows of a sweep."""
    keeper = Keeper(plan, wanted.best)
    stream, bar = _begun(plan, wanted)
    try:
        for batch in stream:
            seen.meet(batch, wanted.strict)
            for rows in batch.rows:
                keeper.take(rows)
            bar.advance(batch.points)
    finally:
        bar.clear()
    seen.tell(wanted.condition is not None)
    found = keeper.finished()
    _tell_unfit(found)
    return found


def _tell_unfit(rows: Rows) -> None:
    """Rows that do not fit into memory are no answer to which is best."""
    if "fits" in rows.columns and len(rows) and not rows["fits"].all():
        count = int((~rows["fits"]).sum())
        tell(f"{count:,} of these {len(rows):,} rows do not fit in memory; --where fits leaves such out")


def _to_pipe(plan: Plan, wanted: Wanted) -> None:
    """Rows to standard output, or to a device."""
    if wanted.resume:
        raise UsageError("--resume goes on with a file: name it with --output")
    if wanted.output is None:
        out = getattr(sys.stdout, "buffer", None)
        sys.stdout.flush()
        _pour(plan, wanted, out.write if out is not None else lambda data: sys.stdout.write(data.decode()))
        return
    with wanted.output.open("wb") as file:
        _pour(plan, wanted, file.write)


def _pour(plan: Plan, wanted: Wanted, write: Callable[[bytes], object]) -> None:
    if wanted.form == "parquet":
        raise UsageError(f"--output {wanted.output}: Parquet is written to a file, not to a pipe")
    seen = Seen()
    if wanted.best:
        rows = _kept(plan, wanted, seen)
        write(wanted.head(plan) + wanted.encoded(rows))
        return
    stream, bar = _begun(plan, wanted)
    head = wanted.head(plan)
    try:
        for batch in stream:
            seen.meet(batch, wanted.strict)
            for rows in batch.rows:
                write(head + wanted.encoded(rows))
                head = b""
            bar.advance(batch.points)
    finally:
        bar.clear()
    seen.tell(wanted.condition is not None)
    write(head)


def _to_file(plan: Plan, wanted: Wanted) -> None:
    """Rows to a file that grows beside its place."""
    kept = wanted.condition and wanted.condition.text
    mark = fingerprint(plan, __version__, wanted.form, wanted.columns, kept, wanted.best)
    growing = wanted.growing(mark)
    growing.check(wanted.resume and not wanted.best, wanted.force)
    if wanted.best:
        _best_to_file(plan, wanted, growing)
        return
    seen = Seen(growing.progress_of(wanted.resume))
    stream, bar = _begun(plan, wanted, Place(*seen.progress[:2]), seen.progress.points)
    growing.start(wanted.head(plan), wanted.resume)
    if wanted.resume and not seen.progress.points:
        tell(f"nothing of {wanted.output} is there to go on with: it begins anew")
    try:
        for batch in stream:
            seen.meet(batch, wanted.strict)
            for rows in batch.rows:
                growing.append(wanted.encoded(rows))
            growing.reach(seen.progress)
            bar.advance(batch.points)
        seen.tell(wanted.condition is not None)
        bar.clear()
        growing.finish()
    except BaseException as error:
        bar.clear()
        growing.stop()
        if isinstance(error, KeyboardInterrupt):
            tell(f"{growing.progress.rows:,} rows are in {growing.part.name}; --resume goes on")
        raise
    _tell_written(wanted, seen.progress.rows)


def _best_to_file(plan: Plan, wanted: Wanted, growing: Growing) -> None:
    """The best rows, which are known at the end alone: until then there is no file, and nothing to go on with."""
    if wanted.resume:
        tell("--sort, --top and --pareto know their rows at the end alone: the sweep begins anew")
    seen = Seen()
    rows = _kept(plan, wanted, seen)
    growing.start(wanted.head(plan), False)
    try:
        growing.append(wanted.encoded(rows))
        growing.finish()
    except BaseException:
        growing.discard()
        raise
    _tell_written(wanted, len(rows))


def _tell_written(wanted: Wanted, rows: int) -> None:
    size = wanted.output.stat().st_size if wanted.output is not None else 0
    tell(f"{rows:,} rows in {wanted.output} ({format_si(size, 'B', 2)})")


def _to_terminal(plan: Plan, wanted: Wanted) -> None:
    """The first rows as a table, with how many more there are."""
    from roofline.report.tables.deciding.sweep import SHOWN

    if wanted.resume:
        raise UsageError("--resume goes on with a file: name it with --output")
    seen = Seen()
    rows = _kept(plan, wanted, seen) if wanted.best else _first(plan, wanted, seen, SHOWN)
    more = max(len(rows), seen.progress.rows if not wanted.best else 0) - SHOWN
    _print(plan, wanted, rows.take(slice(SHOWN)) if len(rows) > SHOWN else rows)
    if more > 0:
        tell(f"and {more:,} rows more: --output FILE, --csv and --json have all, --sort and --top the best")


def _first(plan: Plan, wanted: Wanted, seen: Seen, count: int) -> Rows:
    """The first rows; without a condition, what follows is counted and not worked out."""
    kept: list[Rows] = []
    stream, bar = batches(plan, plan.parts(), wanted.condition), Bar(plan.points)
    if wanted.condition is not None:
        stream, bar = _begun(plan, wanted)
    for batch in stream:
        seen.meet(batch, wanted.strict)
        if sum(map(len, kept)) < count:
            kept += [rows.take(slice(count)) for rows in batch.rows]
        bar.advance(batch.points)
        if wanted.condition is None and sum(map(len, kept)) >= count:
            break
    bar.clear()
    if wanted.condition is not None or seen.progress.points == plan.points:
        seen.tell(wanted.condition is not None)
    else:
        rest = plan.points - seen.progress.points
        seen.progress = seen.progress._replace(rows=seen.progress.rows + rest)
    return joined(kept) if kept else empty(plan)


def _print(plan: Plan, wanted: Wanted, rows: Rows) -> None:
    from roofline.analysis.sweeping.told import told_of
    from roofline.report.tables.deciding.sweep import print_shared, print_sweep
    from roofline.report.tables.estimate import print_warnings
    from roofline.runs.telling.notes import taken_names

    varied = [name for name in plan.names if len(plan.values(name)) > 1] or list(plan.names[:1])
    fixed = [f"{name} {plan.values(name)[0]}" for name in plan.names if name not in varied]
    title = f"Sweep of {plan.points:,} points" + (f": {', '.join(fixed)}" if fixed else "")
    if wanted.columns:
        rows, varied = wanted.shown(rows), list(wanted.columns)
    out, told = console(), told_of(plan)
    print_shared(told, out)
    print_sweep(rows, varied, plan.names, title, out)
    models, gpus = (plan.values(name) if name in plan.names else () for name in ("model", "gpu"))
    for line in taken_names(models, gpus):
        out.print(line, style="dim")
    print_warnings(told.warnings, out)
