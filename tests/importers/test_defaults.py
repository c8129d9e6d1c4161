"""The defaults of config classes: data that stands beside the functions which read it, every fact once."""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.towers.read import ENCODERS, TOWERS
from roofline.importers.json_document import read_json

FOLDER = Path(roofline.__file__).parent / "importers" / "huggingface"
TOWER_FILE = FOLDER / "towers" / "defaults.json"
FILES = sorted(set(FOLDER.glob("*/defaults.json")) - {TOWER_FILE})


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


def test_towers_have_the_facts_of_their_classes_and_no_others() -> None:
    facts = read_json(TOWER_FILE).data
    used = {*ENCODERS, *(tower.kind for towers in TOWERS.values() for tower in towers.values())}
    assert set(facts) == used - {"moonvit"}, "Kimi-VL brings code of its own, so nothing stands for what its file omits"
