"""From training rows to the coefficients of a framework, none of them of a model or of a chip.

A coefficient starts from what the chip's measured kernels say and moves away only as far as rows insist; so many of
them are fitted as there are rows to tell them. How far to trust the result is judged by leaving out, in turn, each
model, each chip and each source, and fitting again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from roofline.evidence.fits.robust import Array, Search, fit_robust
from roofline.evidence.runs.expecting import KeptTimes
from roofline.evidence.training.prepared import Framework, TrainingRun
from roofline.machine.engine import Engine, load_engine, read_engine

Prior = tuple[float, float, float, float]
#: Where the search starts, the least and most that physics allows, and how far (in logarithms) a coefficient may stray
#: before that costs as much as five rows that are off by a tenth. In order of importance.
PRIORS: Final[dict[str, Prior]] = {
    "compute": (0.9, 0.3, 1.5, 0.25),
    "experts": (0.7, 0.1, 3.0, 0.6),
    "attention": (0.9, 0.1, 1.5, 0.4),
    "backward": (1.0, 0.7, 2.0, 0.2),
    "shown": (0.2, 0.01, 1.0, 1.0),
    "unit_attention": (2000.0, 300.0, 8192.0, 0.6),
    "unit_unpack": (1.0, 0.05, 16.0, 1.0),
    "rows": (1.0, 0.1, 5.0, 0.6),
    "network": (1.5, 1.0, 20.0, 0.7),
    "exchange": (1.0, 0.05, 10.0, 0.7),
    "quantisation": (0.5, 0.02, 5.0, 1.0),
    "kernel_s": (1.5e-5, 1e-7, 2e-4, 1.0),
    "step_s": (5e-3, 1e-5, 1.0, 1.5),
    "streaming": (1.0, 0.3, 1.2, 0.25),
    "update": (1.0, 0.3, 5.0, 0.4),
}
#: Of these, limits of an engine: none where nothing tells them.
LIMITS: Final = ("unit_attention", "unit_unpack")
_OF_HABITS: Final = ("backward", "network", "update", "experts")
_ROWS_PER_COEFFICIENT: Final = 2
_ITERATIONS: Final = 14
_NEAR: Final = 5
LEAST_ROWS: Final = 3
#: Bits of weights that are widened before they are multiplied, and of fewer.
_NARROW: Final = 8.0


class Fitted(NamedTuple):
    """A framework as rows have it, their log errors (expected over measured), and what was fitted."""

    framework: Framework
    errors: Array
    free: tuple[str, ...]
    at_bound: tuple[str, ...]


def shipped(engine: str) -> Framework:
    """A framework as its file has it."""
    habits = read_engine(engine).training
    if habits is None:
        raise LookupError(f"engine {engine} trains nothing")
    return Framework(load_engine(engine), habits)


def start_of(engine: str) -> Framework:
    """A framework with its habits, before anything is fitted: coefficients that no row tells stay there."""
    starts = {name: prior[0] for name, prior in PRIORS.items()} | {"experts": 1.0, **dict.fromkeys(LIMITS, 0.0)}
    return moved(shipped(engine), starts)


def moved(start: Framework, values: dict[str, float]) -> Framework:
    """A framework with some coefficients set."""
    habits: dict[str, Any] = {name: values[name] for name in _OF_HABITS if name in values}
    if "shown" in values:
        habits["hidden"] = 1.0 - values["shown"]
    own = {name: value for name, value in values.items() if name not in (*_OF_HABITS, "shown")}
    engine: Engine = start.engine._replace(**own)  # type: ignore[arg-type]
    return Framework(engine, start.habits.model_copy(update=habits))


def current(framework: Framework, name: str) -> float:
    """What a framework has of a coefficient."""
    if name == "shown":
        return max(1.0 - framework.habits.hidden, 0.01)
    return float(getattr(framework.habits if name in _OF_HABITS else framework.engine, name))


def free_of(runs: Sequence[TrainingRun]) -> tuple[str, ...]:
    """As many coefficients as rows can tell, and none about what they do not hold."""
    links = [run for run in runs if run.question.gpus > 1]
    wanted = dict.fromkeys(PRIORS, True)
    wanted["exchange"] = wanted["shown"] = bool(links)
    wanted["network"] = any(_crosses(run) for run in runs)
    wanted["quantisation"] = any(run.question.precision.matrix_dtype() in ("fp8", "fp4") for run in runs)
    wanted["experts"] = any(
        flow.op.kind == "experts" for run in runs for each in run.passes for flow in each.work.flows
    )
    wanted["attention"] = len({run.question.run.sequence for run in runs}) > 1
    wanted["unit_attention"] = wanted["attention"] and len({run.gpu for run in runs}) > 1
    wanted["unit_unpack"] = any(run.question.precision.weights.bits <= _NARROW for run in runs if run.question.run.base)
    kinds = len({repr(run.asked.options) + run.model + run.gpu for run in runs})
    chosen = [name for name, asked in wanted.items() if asked]
    return tuple(chosen[: max(1, kinds // _ROWS_PER_COEFFICIENT)])


def _crosses(run: TrainingRun) -> bool:
    node = run.question.layout.spread.node
    return node is not None and run.question.gpus > node.count


class _Expecting:
    """Rows expected with one framework after another; rows of one question once, kernels' times as they were."""

    def __init__(self, runs: Sequence[TrainingRun]) -> None:
        distinct: dict[int, int] = {}
        self._places = [distinct.setdefault(id(run.passes), len(distinct)) for run in runs]
        alone = dict(zip(self._places, runs, strict=True))
        self._runs = [alone[place] for place in range(len(alone))]
        self._kept = KeptTimes()

    def seconds(self, framework: Framework) -> Array:
        """Seconds of a step of each row. Shape [rows]."""
        alone = framework.engine._replace(step_s=0.0, sequence_s=0.0, request_s=0.0)
        driven = {id(run.question.gpu): self._kept.driven(run.question.gpu, alone) for run in self._runs}
        each = []
        for run in self._runs:
            on = driven[id(run.question.gpu)]
            each.append(float(run.step_again(framework, on.chip, self._kept.time_of(on)).expected_s))
        return np.asarray(each)[self._places]


def fit(
    start: Framework, runs: Sequence[TrainingRun], free: Sequence[str] | None = None, near: Framework | None = None
) -> Fitted:
    """The coefficients that rows support; `near`: look first where that framework is."""
    names = tuple(free_of(runs) if free is None else free)
    priors = [PRIORS[name] for name in names]
    expecting = _Expecting(runs)

    def predict(values: Array) -> Array:
        return expecting.seconds(moved(start, dict(zip(names, map(float, values), strict=True))))

    measured = np.asarray([run.seconds for run in runs])
    first, low, high, belief = zip(*priors, strict=True)
    guess = None if near is None else [current(near, name) for name in names]
    search = Search(first, low, high, belief, guess, _ITERATIONS if near is None else _NEAR)
    found = fit_robust(predict, measured, search, weights_of(runs))
    values = [float(f"{value:.3g}") for value in found.values]
    framework = moved(start, dict(zip(names, values, strict=True)))
    errors = np.log(predict(np.asarray(values)) / measured)
    at_bound = tuple(name for name, bound in zip(names, found.at_bound, strict=True) if bound)
    return Fitted(framework, errors, names, at_bound)


def weights_of(runs: Sequence[TrainingRun]) -> Array:
    """How much each row counts, 1 on average: n rows of one model, chip and format count as the root of n."""
    cells = [(run.row.source, run.model, run.gpu, run.question.mode) for run in runs]
    sizes = Counter(cells)
    weights = np.asarray([sizes[cell] ** -0.5 for cell in cells])
    return np.asarray(weights / weights.mean())


#: Ways of leaving rows out.
WAYS: Final[dict[str, Callable[[TrainingRun], str]]] = {
    "model": lambda run: run.model,
    "gpu": lambda run: run.gpu,
    "source": lambda run: run.row.source,
}


class LeftOut(NamedTuple):
    """A row's log error by a framework that was fitted without its group."""

    engine: str
    way: str
    group: str
    row: str
    error: float


def left_out(name: str, fitted: Fitted, runs: Sequence[TrainingRun]) -> list[LeftOut]:
    """The errors of a framework's rows, left out in each way; of a chip, without its own kernels' measurements too."""
    found: list[LeftOut] = []
    start = fitted.framework
    for way, key in WAYS.items():
        for group in sorted({key(run) for run in runs}):
            members = [run for run in runs if key(run) == group]
            others = [run for run in runs if key(run) != group]
            if len(others) < LEAST_ROWS or len(members) > 4 * len(others):
                continue
            again = fit(start_of(name), others, [each for each in free_of(others) if each in fitted.free], start)
            for run in members:
                blind = run.gpu if way == "gpu" else None
                expected = float(run.step(again.framework, blind).expected_s)
                error = float(f"{np.log(expected / run.seconds):.4f}")
                found.append(LeftOut(name, way, group, run.row.id, error))
    return found
