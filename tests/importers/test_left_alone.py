"""A quantisation that leaves every module alone leaves the bytes as they were, in every family.

What has no module name would be counted in the narrow format, and be seen here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.defaults import defaults_of
from roofline.importers.huggingface.read import family_function, import_config, read_config
from roofline.importers.json_document import parse_json
from roofline.importers.quantization.modules import module_names

from .configs import LLAMA, MOE, written
from .test_quantized_bytes import HYBRID

_ORACLE: Final = Path(__file__).parent.parent / "oracle"


def _configs() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in ("llm_exotic_small", "llm_exotic", "llm_all", "llm_encoders"):
        models = json.loads((_ORACLE / f"{name}.json").read_text())["models"]
        found |= {f"{name}-{key}": row["config"] for key, row in models.items() if "config" in row}
    return found | {"llama": LLAMA, "moe": MOE, "hybrid": HYBRID}


CONFIGS: Final = _configs()


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """A config in bf16 without a quantisation."""
    out = {key: value for key, value in config.items() if key not in ("quantization_config", "expert_dtype", "dtype")}
    return {**out, "torch_dtype": "bfloat16"}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_left_alone_keeps_its_bytes(tmp_path: Path, name: str) -> None:
    config = _plain(CONFIGS[name])
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"-:.*": {}}}
    whole = rl.estimate(read_config(written(tmp_path, config)), gpu="h100", generate=2).memory.weights_bytes
    path = written(tmp_path, {**config, "quantization_config": quantization})
    assert rl.estimate(read_config(path), gpu="h100", generate=2).memory.weights_bytes == pytest.approx(
        whole, rel=1e-12
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_every_family_can_be_quantised_and_written(tmp_path: Path, name: str) -> None:
    """The overrides that come out name operations that the model has: others would be refused."""
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {r"-:.*\.1\..*": {}}}
    path = written(tmp_path, {**_plain(CONFIGS[name]), "quantization_config": quantization})
    data = import_config(path)
    assert not any("at" in block for block in data["blocks"])
    assert rl.estimate(read_config(path), gpu="h100", generate=2).memory.weights_bytes > 0


def test_modules_have_the_names_of_the_checkpoint() -> None:
    kind = "qwen3_5_moe_text"
    config = Config(parse_json(json.dumps(HYBRID), "config.json"), HYBRID["text_config"], defaults=defaults_of(kind))
    names = [module.name for module in module_names(family_function(kind)(config), kind, multimodal=True)]
    prefix = "model.language_model.layers"
    assert f"{prefix}.0.linear_attn.in_proj_qkv" in names
    assert f"{prefix}.7.self_attn.q_proj" in names
    assert f"{prefix}.7.mlp.experts.5.down_proj" in names
    assert f"{prefix}.2.self_attn.q_proj" not in names
    assert {"lm_head", "model.embed_tokens"} <= set(names)
