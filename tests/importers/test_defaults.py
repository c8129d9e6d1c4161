"""The defaults of config classes: data that stands beside the functions which read it, every fact once."""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.json_document import read_json

FILES = sorted((Path(roofline.__file__).parent / "importers" / "huggingface").glob("*/defaults.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_facts_stand_beside_their_families_and_once(file: Path) -> None:
    """`read_json` refuses a key that stands twice, which `json` would read over."""
    facts = read_json(file).data
    assert {FAMILIES[model_type].partition(".")[0] for model_type in facts} == {file.parent.name}
    assert all(set(fact) <= {"defaults", "names"} for fact in facts.values())


def test_a_type_without_a_class_has_no_defaults() -> None:
    assert defaults_of("mamba_ssm") == names_of("mamba_ssm") == {}
    assert defaults_of("llama")["hidden_size"] == 4096
    assert names_of("gpt2")["hidden_size"] == "n_embd"
