"""Every flag that a config class knows, turned: what its class builds then, or does not, is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.workload.run import TextRun

from .reading import spec_of

MODELS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_flags_small.json").read_text())["models"]


@pytest.mark.parametrize("name", MODELS)
def test_flags_change_the_parameters_as_in_the_class(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    turned = {key: (model["config"] | {key: value}, number) for key, (value, number) in model["flags"].items()}
    expected = {"none": model["parameters"]} | {key: number for key, (_, number) in turned.items()}
    configs = {"none": model["config"]} | {key: config for key, (config, _) in turned.items()}
    assert {key: _parameters(tmp_path, config) for key, config in configs.items()} == expected


def _parameters(folder: Path, config: dict[str, Any]) -> float:
    return transformer_workload(spec_of(folder, config), TextRun(1.0, 64.0, 1.0)).parameters
