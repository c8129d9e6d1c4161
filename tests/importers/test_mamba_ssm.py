"""The config.json that state-spaces/mamba writes for itself: no model_type, and shapes in `ssm_cfg`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.architectures.text.transformer import transformer_workload
from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config
from roofline.workload.run import TextRun

MAMBA: Final[dict[str, Any]] = {
    "d_model": 2560,
    "n_layer": 64,
    "vocab_size": 50277,
    "ssm_cfg": {},
    "rms_norm": True,
    "residual_in_fp32": True,
    "fused_add_norm": True,
    "pad_vocab_size_multiple": 8,
}
MAMBA2: Final[dict[str, Any]] = {
    **MAMBA,
    "d_intermediate": 0,
    "ssm_cfg": {"layer": "Mamba2"},
    "attn_layer_idx": [],
    "attn_cfg": {},
    "pad_vocab_size_multiple": 16,
    "tie_embeddings": True,
}


def _read(config: dict[str, Any], folder: Path) -> Any:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return read_config(path)


@pytest.mark.parametrize(("config", "model"), [(MAMBA, "mamba-2.8b"), (MAMBA2, "mamba2-2.7b")])
def test_it_is_the_model_of_that_name(config: dict[str, Any], model: str, tmp_path: Path) -> None:
    run = TextRun(1.0, 512.0, 9.0)
    ours, named = (transformer_workload(spec, run) for spec in (_read(config, tmp_path), rl.load_model(model)))
    assert ours.parameters == named.parameters
    assert [phase.flops for phase in ours.phases] == [phase.flops for phase in named.phases]


@pytest.mark.parametrize("change", [{"attn_layer_idx": [9]}, {"ssm_cfg": {"layer": "Mamba3"}}, {"rms_norm": False}])
def test_what_is_not_modelled_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not modelled"):
        _read(MAMBA2 | change, tmp_path)
