"""Classes of diffusers and their options against the classes themselves: parameters and FLOPs of unusual configs.

`classes.json` was computed on the meta device with torch 2.14.1, diffusers 0.42.1 and transformers 5.24.0: parameters
of the built class, FLOPs of `FlopCounterMode` for a batch of one with latents of `side` × `side`. Autoencoders encode
and decode.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.image.pipeline import image_workload
from roofline.importers.huggingface.read import read_config
from roofline.workload.run import ImageRun

ROWS: Final[list[dict[str, Any]]] = json.loads((Path(__file__).parent / "classes.json").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['class']}-{row['name']}")
def test_parameters_and_flops_are_those_of_the_class(tmp_path: Path, row: dict[str, Any]) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"_class_name": row["class"], **row["config"]}))
    spec: Any = read_config(file)
    side = float(row["side"] * getattr(spec, "scale", 8))
    workload = image_workload(spec, ImageRun(height=side, width=side, passes=1.0, steps=1.0))
    assert workload.parameters == row["parameters"]
    assert sum(op.flops * op.count for phase in workload.phases for op in phase.ops) == row["flops"]
