"""A sweep whose work is done elsewhere is the same sweep."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.analysis import grids
from roofline.analysis.sweeping.plan import planned

ASKED: dict[str, Any] = {"gpu": ["a100", "h100", "l4"], "tp": [1, 3], "batch": range(1, 30), "prompt": range(1, 900, 9)}


def same(executor: Any) -> None:
    here = rl.sweep("mistral-7b", **ASKED)
    there = rl.sweep("mistral-7b", executor=executor, **ASKED)
    assert there.axes == here.axes and sorted(map(str, there.refused)) == sorted(map(str, here.refused))
    for name, column in here.columns.items():
        assert np.array_equal(column, there[name], equal_nan=name != "fits"), name
    blocks = list(rl.sweep_blocks("mistral-7b", executor=executor, **ASKED))
    assert [str(block) for block in blocks] == [str(block) for block in rl.sweep_blocks("mistral-7b", **ASKED)]
    assert sum(each.points for block in blocks for each in block.refused) == len(here) // 2


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "BLOCK", 700)
    with ThreadPoolExecutor(1) as executor:
        same(executor)


def test_processes() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        same(executor)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True) as local,
        distributed.Client(local) as client,
    ):
        yield client


def test_a_cluster_of_dask(cluster: Any) -> None:
    same(cluster)


@pytest.mark.parametrize("wrong", ["a100", 3, object()])
def test_what_takes_no_work_is_refused(wrong: Any) -> None:
    with pytest.raises(rl.UsageError, match="has no submit"):
        rl.sweep("mistral-7b", gpu="a100", batch=[1, 2], executor=wrong)


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
def test_stretches_are_all_parts_once(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "BLOCK", 7)
    plan = planned("mistral-7b", ["a100", "l4"], {"tp": [1, 2, 3], "batch": range(1, 5), "prompt": range(1, 5)})
    whole = [part.behind for part in plan.parts()]
    found = []
    for start, count in plan.stretches(most):
        parts = iter(plan.parts(start))
        found += [next(parts).behind for _ in range(count)]
    assert found == whole


def test_what_is_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from roofline.analysis.sweeping import workers

    monkeypatch.setattr(grids, "BLOCK", 7)
    monkeypatch.setattr(workers, "_UNDER_WAY", 3)
    taken: list[int] = []

    class Counting(Executor):
        def submit(self, work: Any, /, *given: Any, **more: Any) -> Any:
            taken.append(1)
            with ThreadPoolExecutor(1) as one:
                return one.submit(work, *given, **more)

    blocks = rl.sweep_blocks("mistral-7b", gpu="a100", batch=range(1, 400), executor=Counting())
    next(blocks)
    assert sum(taken) <= 4
