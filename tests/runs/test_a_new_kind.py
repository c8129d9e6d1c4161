"""A kind of run is one value: one that nobody knew before is estimated, printed, drawn, swept and explained."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import roofline as rl
from roofline.answer.derivation import Derivation
from roofline.answer.memory import Limit, Memory, Part
from roofline.answer.phase import Parameters, PhaseEstimate, Warn
from roofline.answer.quantity import Quantity
from roofline.num import Num
from roofline.report.plots.roofline import memory_figure
from roofline.runs import registry
from roofline.runs.checks import whole_number
from roofline.runs.devices.spread import ALONE
from roofline.runs.execution import Execution, Stage, Stages
from roofline.runs.kind import Kind, Needs, Outcome, Question
from roofline.runs.option import Option
from roofline.runs.options import OPTIONS
from roofline.runs.telling.spoken import Told
from roofline.specs.base import Spec
from roofline.specs.gpu import GPUSpec
from roofline.workload import constructors as make
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase, Workload


class Index(Spec):
    """Vectors that are searched by multiplying all of them with a query."""

    name: str
    title: str
    sources: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    vectors: int
    width: int


@dataclass(frozen=True)
class Search:
    """`batch` queries at once."""

    batch: Num


class Searching(Kind):
    name: ClassVar[str] = "searching"
    noun: ClassVar[str] = "an index"
    levels: ClassVar[tuple[str, ...]] = ("flash",)
    sizes: ClassVar[tuple[str, ...]] = ("batch",)
    columns: ClassVar[tuple[str, ...]] = ("query_s", "queries_per_s", "index_bytes", "total_bytes", "fits")
    curves: ClassVar[Mapping[str, str]] = {"latency": "query_s", "throughput": "queries_per_s"}

    def takes(self, spec: Any) -> bool:
        return isinstance(spec, Index)

    def refusal(self, option: Option, spec: Any) -> str:
        return f"{option.flag} means nothing to {self.noun}"

    def resolve(self, spec: Any, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None) -> Any:
        precision = Precision.of(given.get("weights", "fp16"))
        return Search(whole_number("batch", given.get("batch", 1))), Execution(
            precision, "flash", given.get("engine", "ideal"), ALONE, "flash"
        )

    def workload(self, spec: Any, run: Any) -> Workload:
        op = make.linear("search", "index", run.batch, float(spec.width), float(spec.vectors))
        return Workload((Phase("search", (op,), tokens=run.batch),))

    def stages(self, question: Question, run: Any) -> Stages:
        whole = question.workload(run)
        return Stages((Stage(1, whole, whole),))

    def parameters(self, question: Question, whole: Workload) -> Parameters:
        return Parameters(whole.parameters, whole.parameters, 0.0)

    def held(self, question: Question, stages: Stages) -> Num:
        return stages.each[0].workload.weight_bytes(question.precision)

    def memory(self, question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
        index = Part("index_bytes", "index", self.held(question, stages), "all vectors")
        limit = Limit("max_vectors", int, "largest index {:,} vectors".format, "{:,} vectors".format)
        return Memory((index,), question.machine().capacity, (limit,))

    def quantities(self, question: Question, phases: tuple[PhaseEstimate, ...], memory: Memory) -> Iterator[Quantity]:
        times = phases[0].times
        yield Quantity("query_s", "latency", "time per batch of queries", "s", times, phases=("search",))
        rate = times.rate(question.run.batch)
        yield Quantity("queries_per_s", "throughput", "queries per second", "queries", rate)

    def inputs(self, outcome: Outcome) -> dict[str, Any]:
        return {"batch": outcome.question.run.batch, "fusion": "flash"}

    def assumptions(self, outcome: Outcome) -> list[str]:
        return ["every vector is looked at"]

    def warnings(self, outcome: Outcome) -> list[Warn]:
        return [Warn("exhaustive", "an index that is searched whole")]

    def derivations(self, outcome: Outcome) -> Iterator[Derivation]:
        yield Derivation("latency.query_s", "s", float(outcome.phases[0].times.bound), "one product", "", "a test")

    def told(self, question: Question) -> Told:
        return Told("one batch of queries", "a search", "Latency of a search")

    def speech(self, outcome: Outcome) -> str:
        return "found at once"


KIND = Searching()
VECTORS, WIDTH = 1_000_000, 1_024


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    kinds = {home: registry._kind(home) for home in registry.HOMES} | {"a test": KIND}
    monkeypatch.setattr(registry, "HOMES", tuple(kinds))
    monkeypatch.setattr(registry, "_kind", kinds.__getitem__)
    for name in ("batch", "weights", "activations", "engine"):
        monkeypatch.setitem(OPTIONS, name, OPTIONS[name]._replace(kinds=(*OPTIONS[name].kinds, KIND.name)))
    return Index(name="index", title="Index", sources=("a test",), vectors=VECTORS, width=WIDTH)


def test_it_is_estimated(index: Index) -> None:
    est = rl.estimate(index, gpu="a100", batch=8)
    assert est.memory.index_bytes == est.memory.total_bytes == 2 * VECTORS * WIDTH
    assert est.phase("search").flops == 2 * 8 * VECTORS * WIDTH
    assert est.latency.query.bound == est.phase("search").times.bound
    assert est.throughput.queries.bound == 8 / est.latency.query.bound
    data = est.to_dict()
    assert data["latency"]["query_s"]["bound"] == est.latency.query.bound
    assert data["latency"]["ttft_s"] is None
    assert data["memory"]["max_vectors"] == 0
    assert est.records()[0]["queries_per_s_bound"] == est.throughput.queries.bound


def test_it_is_printed_drawn_and_explained(index: Index) -> None:
    est = rl.estimate(index, gpu="a100", batch=8)
    assert (
        str(est)
        == "Index on NVIDIA A100 SXM4 80GB, a search: fits (2.05 GB in 85.9 GB); found at once (roofline bound)."
    )
    shown = est._repr_html_()
    for words in ("queries per second", "Latency of a search", "largest index 0 vectors", "all vectors", "exhaustive"):
        assert words in shown
    assert [found.quantity for found in est.explain()] == ["latency.query_s", "elasticity.query"]
    for figure in (est.plot(), memory_figure(est)):
        figure.savefig(io.BytesIO(), format="png")


def test_it_is_fitted(index: Index) -> None:
    fit = rl.fit(index, gpu="a100", batch=8)
    assert fit.verdict == "Index in fp16 with a batch of 8 fits on one A100 SXM4 80GB."
    assert fit.to_dict()["memory"]["index_bytes"] == 2 * VECTORS * WIDTH
    assert [trial.words for trial in fit.remedies.each] == ["weights in int4-g128", "weights in int8"]
    assert "all vectors" in fit._repr_html_()


def test_it_is_swept_over_sizes_and_accelerators(index: Index) -> None:
    grid = rl.sweep(index, gpu=["a100", "h100", "l4"], batch=[1, 8, 64], engine=["ideal", "generic"])
    assert grid.shape == (3, 2, 3)
    for row in grid.records():
        est = rl.estimate(index, gpu=row["gpu"], batch=row["batch"], engine=row["engine"])
        assert row["query_s"] == pytest.approx(est.latency.query.expected, rel=1e-12)
    assert np.all(grid["index_bytes"] == 2 * VECTORS * WIDTH)


def test_it_refuses_what_it_has_no_use_for(index: Index) -> None:
    with pytest.raises(rl.UsageError, match="--height means nothing to an index"):
        rl.estimate(index, gpu="a100", height=512)
