"""First tokens behind a server: what a bench should have shown, and the server's own time that explains the rest.

A bench that starts all `users` at once and sends `waves` requests for each has the first wave in its mean: `users`
prompts in a row, of which a request waits for `(users + 1) / 2`. The other waves are those of the steady load
(`docs/serving.md`). What is measured beyond is the server's: a time per request, per layer of experts, per token of the
prompt (`server:` in an engine's file), and so many decode steps as it lets pass before it looks for requests (`polls`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.service.evaluate import answered, load_of
from roofline.evidence.fits.robust import Search, fit_robust
from roofline.evidence.kernels.tables import Array
from roofline.runs.ask import ask
from roofline.runs.text.service.running import OVERHEADS, overhead_counts

FIRST_TOKENS: Final = Path(__file__).parents[1] / "measurements" / "first_tokens.csv"
#: Engines that rows are about: each counts the same where one stands for all.
SERVERS: Final = ("vllm", "tensorrt-llm", "sglang")
#: The times that are fitted: one per layer says less than one per layer of experts.
FITTED: Final = ("overhead", "overhead_experts", "overhead_spread", "overhead_token")
#: Where the search for each starts, and the least and most [s].
_SEARCH: Final[dict[str, tuple[float, float, float]]] = {
    "overhead": (5e-3, 1e-6, 1.0),
    "overhead_experts": (3e-4, 1e-7, 1e-2),
    "overhead_spread": (3e-4, 1e-7, 1e-2),
    "overhead_token": (3e-6, 1e-10, 1e-4),
}
#: What makes less than this share of the typical server's time is none.
_NOTHING: Final = 0.05


class FirstToken(NamedTuple):
    """A row: the conditions of a bench, and the mean time to the first token that its clients saw [s].

    `waves`: requests for each user, 0 where none start together; `polls`: steps between which the server looks for
    requests; `apart`: why the row takes no part.
    """

    id: str
    source: str
    version: str
    engine: str
    model: str
    gpu: str
    options: Mapping[str, object]
    waves: float
    polls: float
    seconds: float
    apart: str


@dataclass(frozen=True)
class Prepared:
    """A row with what is expected of it.

    Seconds: `steady` of a user long after the start, `bench` with the first wave and the steps between polls in the
    mean; `span` the ends of the 80 % interval of `steady`, as multiples. `counts`: how often a request pays for each of
    FITTED.
    """

    row: FirstToken
    steady: float
    bench: float
    span: tuple[float, float]
    counts: tuple[float, ...]

    def expected(self, times: Sequence[float]) -> float:
        """Seconds with the server's own `times`, in the order of FITTED."""
        return self.bench + self.own(times)

    def own(self, times: Sequence[float]) -> float:
        """Seconds of the server alone."""
        return float(np.dot(self.counts, times))

    def covered(self, times: Sequence[float], spread: tuple[float, float]) -> bool:
        """Whether what was measured lies in the interval, where the server's own times vary by `spread`."""
        low, high = (self.bench * end + self.own(times) * wide for end, wide in zip(self.span, spread, strict=True))
        return low <= self.row.seconds <= high


def read_first_tokens(path: Path = FIRST_TOKENS) -> list[FirstToken]:
    """The rows of the file, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(cells) for cells in csv.DictReader(file)]


def _row(cells: Mapping[str, str]) -> FirstToken:
    sizes = {name: int(cells[name]) for name in ("prompt", "generate", "users")}
    formats = {name: cells[name] for name in ("weights", "kv_cache") if cells[name]}
    experts = {"ep": int(cells["expert_parallel"])} if cells["expert_parallel"] else {}
    return FirstToken(
        id=cells["id"],
        source=cells["source"],
        version=cells["version"],
        engine=cells["engine"],
        model=cells["model"],
        gpu=cells["gpu"],
        options={"engine": cells["engine"], "tp": int(cells["tensor_parallel"])} | sizes | formats | experts,
        waves=float(cells["waves"] or 0.0),
        polls=float(cells["polls"] or 0.0),
        seconds=float(cells["ttft_ms"]) * 1e-3,
        apart=cells["apart"],
    )


def prepared(row: FirstToken, engine: str | None = None) -> Prepared:
    """A row with what is expected of it, by its own engine or another."""
    options = dict(row.options) | ({"engine": engine} if engine else {})
    answer = evaluate(ask(row.model, row.gpu, options), Answer)
    load = load_of(answer)
    ttft, users = answered(load).ttft_s, float(answer.question.run.users)
    steady = float(ttft.expected)
    span = float(ttft.low) / steady, float(ttft.high) / steady
    first = (users + 1.0) / 2.0 * float(load.prompt.expected)
    share = 1.0 / max(row.waves, 1.0) if row.waves else 0.0
    paid = dict(zip(OVERHEADS, overhead_counts(answer.question), strict=True))
    waits = row.polls * float(load.step.expected)
    counts = tuple(float(paid[name]) for name in FITTED)
    return Prepared(row, steady, (1.0 - share) * steady + share * first + waits, span, counts)


def fit_server(rows: Sequence[Prepared]) -> tuple[float, ...]:
    """The server's own times that explain rows best, in the order of FITTED [s]; 0 where they ask for none."""
    bench = np.asarray([row.bench for row in rows])
    measured = np.asarray([row.row.seconds for row in rows])
    counts = np.asarray([row.counts for row in rows])
    start, low, high = zip(*(_SEARCH[name] for name in FITTED), strict=True)
    search = Search(start, low, high)
    found = fit_robust(lambda values: bench + counts @ values, measured, search, weights_of(rows)).values
    parts = counts.mean(axis=0) * found
    told = parts > _NOTHING * parts.sum()
    return tuple(float(f"{time:.2g}") if some else 0.0 for time, some in zip(found, told, strict=True))


def weights_of(rows: Sequence[Prepared]) -> Array:
    """How much each row counts: n of one server, model and chip as the root of n, each engine the same."""
    cells = [(row.row.engine, row.row.source, row.row.version, row.row.model, row.row.gpu) for row in rows]
    sizes = Counter(cells)
    weights = np.asarray([sizes[cell] ** -0.5 for cell in cells])
    engines = np.asarray([row.row.engine for row in rows])
    for name in sorted(set(engines)):
        weights[engines == name] /= weights[engines == name].sum()
    return np.asarray(weights / weights.mean())


def errors(rows: Sequence[Prepared], times: Sequence[float]) -> Array:
    """log(expected / measured) of each row with the server's own times."""
    return np.asarray([np.log(row.expected(times) / row.row.seconds) for row in rows])


def left_out(rows: Sequence[Prepared], key: Callable[[FirstToken], str]) -> Array:
    """The errors of rows by a fit without the group that `key` puts them in; none where there is but one group."""
    groups = sorted({key(row.row) for row in rows})
    return np.concatenate([*(_without(rows, key, group) for group in groups if len(groups) > 1), np.zeros(0)])


def _without(rows: Sequence[Prepared], key: Callable[[FirstToken], str], group: str) -> Array:
    members = [row for row in rows if key(row.row) == group]
    return errors(members, fit_server([row for row in rows if key(row.row) != group]))


def taking_part(rows: Sequence[FirstToken], engine: str | None = None) -> Iterator[FirstToken]:
    """The rows of an engine (or of all) that nothing sets apart."""
    return (row for row in rows if not row.apart and engine in (None, row.engine))
