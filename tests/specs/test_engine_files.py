"""Engine files: what stands in them by hand, and that a fit leaves it alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import roofline as rl
from roofline.errors import SpecError
from roofline.evidence.fits.engine_files import KEPT, kept_lines
from roofline.machine.engine import engine_names, engine_path, read_engine
from roofline.runs.ask import ask
from roofline.runs.changes import formats_of
from roofline.specs.files.engines import kept_caches
from roofline.specs.formats.caches import read_cache
from roofline.specs.formats.dtypes import find_dtype

ENGINES = engine_names()[1:]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fit_keeps_what_stands_in_a_file_by_hand(engine: str) -> None:
    """Blocks of the documentation and their sources, line by line."""
    data = yaml.safe_load(engine_path(engine).read_text(encoding="utf-8"))
    kept = yaml.safe_load("\n".join(kept_lines(engine))) or {}
    assert kept == {key: value for key, value in data.items() if key in KEPT}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_says_of_chunks_and_memory_has_sources(engine: str) -> None:
    spec = read_engine(engine)
    assert bool(spec.chunk) == bool(spec.chunk_sources)
    assert spec.memory.sources


@pytest.mark.parametrize("engine", ["ideal", *ENGINES])
def test_every_cache_that_is_tried_is_taken(engine: str) -> None:
    """Wide to narrow, and each a format that `--kv-cache` takes."""
    formats = formats_of(engine)
    assert formats is not None
    bits = [read_cache(name).bits for name in formats.cache]
    assert bits == sorted(bits, reverse=True)
    weights = [find_dtype(name).bits for name in formats.weights]
    assert weights == sorted(weights, reverse=True)


def test_every_cache_that_is_listed_is_read() -> None:
    assert {"llama.cpp", "mlx", "lmdeploy", "generic"} <= kept_caches().keys()
    for names in kept_caches().values():
        assert all(read_cache(name).name == name for name in names)


@pytest.mark.parametrize("engine", ["llama.cpp", "lmdeploy", "mlx", "vllm", "generic"])
def test_the_caches_of_an_engine_are_among_its_remedies(engine: str) -> None:
    """None is refused and then swallowed."""
    formats = formats_of(engine)
    asked = {"engine": engine, "batch": 64, "prompt": 8192}
    question = ask("llama-3-8b", "rtx-4090", asked)
    words = [change.words for change in question.kind.changes(question)]
    tried = rl.fit("llama-3-8b", gpu="rtx-4090", **asked).to_dict()["remedies"]
    assert formats is not None
    for name in formats.cache:
        assert f"KV-cache in {name}" in words
        assert any(f"KV-cache in {name}" in remedy["change"] for remedy in tried)


def test_a_file_that_lists_what_is_no_cache_is_refused(tmp_path: Path) -> None:
    text = engine_path("vllm").read_text(encoding="utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(text + "formats: {cache: [int4-gptq], sources: [mine]}\n", encoding="utf-8")
    with pytest.raises(SpecError, match="is no format of a cache"):
        read_engine(str(path))
