"""A quantisation that leaves every module alone leaves the bytes as they were, in every family.

What has no module name would be counted in the narrow format, and be seen here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.defaults import defaults_of
from roofline.importers.huggingface.read import family_function, import_config, import_named, read_config
from roofline.importers.json_document import parse_json
from roofline.importers.quantization.modules import ModuleNames, module_names
from roofline.workload.op import Op
from roofline.workload.run import TextRun
from roofline.workload.storage.formats import ROLES, names_of

from .configs import LLAMA, MOE, written
from .stored.test_safetensors import size, write
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
    whole = rl.estimate(read_config(written(tmp_path, config)), gpu="h100").memory.weights_bytes
    path = written(tmp_path, {**config, "quantization_config": quantization})
    assert rl.estimate(read_config(path), gpu="h100").memory.weights_bytes == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_family_can_be_quantised_and_written(tmp_path: Path, name: str) -> None:
    """The overrides that come out name operations that the model has: others would be refused."""
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {r"-:.*\.1\..*": {}}}
    path = written(tmp_path, {**_plain(CONFIGS[name]), "quantization_config": quantization})
    data = import_config(path)
    assert not any("at" in block for block in data["blocks"])
    assert rl.estimate(read_config(path), gpu="h100").memory.weights_bytes > 0


REST: Final = "model.all_else.weight"
#: What has no module: states, poolings, sinks, convolutions, gates by head, and the adapters of Zamba.
_WITHOUT_A_MODULE: Final = {
    *("scan", "time_shift", "channel_shift", "compressor_pool", "indexer_pool", "input_gate", "recurrence_gate"),
    *(f"{matrix}_adapter_{half}" for matrix in "qkv" for half in "ab"),
    *("conv", "attention"),
}


def _tensor_of(op: Op, names: ModuleNames) -> str:
    """The tensor that holds an operation: under the first name of the modules that it may have."""
    meant = {name for name in names_of(op) if name == op.name or name not in ROLES}
    for prefix, known in (("model.layers.0.", names.inside), ("", names.outside)):
        for module, operations in known.items():
            if not meant.isdisjoint(operations):
                return f"{prefix}{module.replace('{e}', '0')}.weight"
    return REST


@pytest.mark.parametrize("name", CONFIGS)
def test_a_checkpoint_of_every_family_takes_the_bytes_of_its_files(tmp_path: Path, name: str) -> None:
    """Every matrix is found by the name of its tensor: in fp32 beside norms in 16 bit it takes its own bytes."""
    path = written(tmp_path, _plain(CONFIGS[name]))
    names = import_named(path).names
    assert names is not None
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
    ops = [op for op in build_workload(rl.load_model(str(path)), TextRun(1.0, 1.0, 0.0)).holders() if op.params]
    for op in ops:
        called = _tensor_of(op, names)
        before = tensors.get(called, ("", (0,)))[1][0]
        tensors[called] = ("BF16" if called == REST else "F32", (before + int(op.count * op.params),))
    write(tmp_path / "model.safetensors", tensors)
    spec: Any = rl.load_model(str(tmp_path))
    assert not [told for told in spec.assumed if "elements in the files" in told and "tower" not in told]
    without = {"no_vision": True} if spec.towers else {}
    weights = rl.estimate(spec, gpu="h100", **without).memory.weights_bytes
    assert weights == pytest.approx(size(tensors), rel=1e-9)
    assert {op.name for op in ops if _tensor_of(op, names) == REST and op.kind != "norm"} <= _WITHOUT_A_MODULE


def test_modules_have_the_names_of_the_checkpoint() -> None:
    kind = "qwen3_5_moe_text"
    config = Config(parse_json(json.dumps(HYBRID), "config.json"), HYBRID["text_config"], defaults=defaults_of(kind))
    names = module_names(family_function(kind)(config), kind, multimodal=True)
    prefix = "model.language_model.layers"
    found = {
        f"{prefix}.0.linear_attn.in_proj_qkvz": ("in_proj_qkv", "in_proj_z"),
        f"{prefix}.7.self_attn.q_proj": ("q_proj", "output_gate_proj"),
        f"{prefix}.7.mlp.experts.5.down_proj": ("experts_down",),
        f"{prefix}.7.mlp.experts.gate_up_proj": ("experts_gate", "experts_up"),
        f"{prefix}.0.linear_attn.conv1d": ("conv",),
        "lm_head": ("head",),
        "model.language_model.embed_tokens": ("embedding",),
        f"{prefix}.0.input_layernorm": (),
    }
    assert {name: names.operations(name) for name in found} == found
