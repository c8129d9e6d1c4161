"""Every file in `models/` loads, is called what it says, and gives the numbers that were published about its model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.specs.base import Published
from roofline.specs.files.library import bundled, find
from roofline.specs.files.reader import read_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun
from roofline.workload.workload import Workload

FILES: Final = sorted(bundled("models").glob("*.yaml"))
SIXTEEN_BIT: Final = 2.0


ALL: Final = {path.stem: read_model(path) for path in FILES}
#: Image models have their own oracle in tests/diffusion/.
SPECS: Final = {name: spec for name, spec in ALL.items() if isinstance(spec, TransformerSpec)}
ROWS: Final = [
    pytest.param(name, row, id=f"{name}-{index}-{row.quantity}")
    for name, spec in SPECS.items()
    for index, row in enumerate(spec.published)
]


def _workload(spec: TransformerSpec, prompt: float = 512.0, generate: float = 2.0) -> Workload:
    return transformer_workload(spec, TextRun(1.0, prompt, generate, "all"))


def _cache_growth(spec: TransformerSpec) -> float:
    longer, shorter = _workload(spec, 513.0, 1.0), _workload(spec, 512.0, 1.0)
    return float(longer.cache_elements() - shorter.cache_elements()) * SIXTEEN_BIT


def _prefill_flops(spec: TransformerSpec) -> float:
    fusion = pytest.importorskip("roofline.passes.fusion.levels")
    return float(fusion.apply_fusion(_workload(spec), "eager")["prefill"].flops)


#: What a `published:` row may name.
QUANTITIES: Final[dict[str, Callable[[TransformerSpec], float]]] = {
    "parameters": lambda spec: _workload(spec).parameters,
    "active_parameters": lambda spec: _workload(spec).active_parameters,
    "embedding_parameters": lambda spec: _workload(spec).embedding_parameters,
    "kv_cache_bytes_per_token": _cache_growth,
    "prefill_512_flops": _prefill_flops,
    "decode_flops_at_512": lambda spec: float(_workload(spec)["decode"].flops),
}


def test_the_shelf_is_full() -> None:
    assert len(FILES) >= 35


@pytest.mark.parametrize("name", ALL)
def test_a_file_is_called_what_it_says(name: str) -> None:
    assert ALL[name].name == name


@pytest.mark.parametrize("name", ALL)
def test_every_model_has_a_published_number_and_a_source(name: str) -> None:
    assert ALL[name].sources
    assert name not in SPECS or SPECS[name].published


def test_every_name_and_alias_stands_for_one_file() -> None:
    names = Counter(alias.lower() for spec in ALL.values() for alias in (spec.name, *spec.aliases))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", ALL)
def test_aliases_are_found_without_parsing(name: str) -> None:
    for alias in ALL[name].aliases:
        assert find("models", alias).path.stem == name


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_published_numbers_hold(name: str, row: Published) -> None:
    computed = QUANTITIES[row.quantity](SPECS[name])
    assert computed == pytest.approx(row.value, rel=row.tolerance, abs=0)


@pytest.mark.parametrize("name", SPECS)
def test_no_model_stands_on_the_defaults_of_a_class_alone(name: str) -> None:
    """A class's defaults are no evidence of a released model; BERT's are the model, as its paper and guide say."""
    sources = SPECS[name].sources
    assert not all("defaults" in source and "config class" in source for source in sources)
    assert not any(word in source for source in sources for word in ("from memory", "REPORT", "believed"))
