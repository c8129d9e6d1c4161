"""`roofline import` writes a model file that gives the numbers of the config it came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import mtp_parameters, transformer_workload
from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.model_file import model_text
from roofline.specs.files.document import parse_document
from roofline.specs.files.reader import validate_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun

_ORACLE: Final = Path(__file__).parent.parent / "oracle"
CONFIGS: Final[dict[str, Any]] = {
    name: facts["config"]
    for file in ("llm_exotic.json", "llm_exotic_small.json")
    for name, facts in json.loads((_ORACLE / file).read_text())["models"].items()
}


def _numbers(spec: TransformerSpec) -> list[float]:
    workload, precision = transformer_workload(spec, TextRun(3.0, 700.0, 9.0)), Precision.of("bf16")
    phases = [(float(p.flops), float(p.vector_flops), float(p.bytes(precision))) for p in workload.phases]
    cache = [float(workload.cache_elements()), float(workload.state_bytes(precision))]
    return [workload.parameters, workload.active_parameters, mtp_parameters(spec), *cache, *sum(phases, ())]


@pytest.mark.parametrize("name", CONFIGS)
def test_import_then_load_equals_loading_the_config(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(CONFIGS[name]))
    direct = read_config(path)
    written = validate_model(parse_document(model_text(import_config(path)), "model.yaml"))
    assert isinstance(direct, TransformerSpec)
    assert isinstance(written, TransformerSpec)
    assert written.model_dump() == direct.model_dump()
    assert _numbers(written) == _numbers(direct)
