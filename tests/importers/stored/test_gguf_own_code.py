"""GGUF headers of families with code of their own give the same model as their config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.importers.huggingface.read import read_config
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun
from tests.importers.stored.blueprint import Blueprint
from tests.importers.stored.gguf_writer import write

TESTS: Final = Path(__file__).parents[2]
MODELS: Final[dict[str, Any]] = json.loads((TESTS / "importers" / "own_families.json").read_text())["models"]
_ORION: Final = {"model_type": "orion", "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 8}
_SIZES: Final = {"intermediate_size": 96, "vocab_size": 100, "max_position_embeddings": 64}
_GPT2: Final = {"n_embd": 128, "n_layer": 2, "n_head": 8, "n_inner": 512, "n_positions": 64, "vocab_size": 100}
_LATENT: Final = {"q_lora_rank": 48, "kv_lora_rank": 32, "qk_nope_head_dim": 24, "qk_rope_head_dim": 8}
OTHERS: Final[dict[str, Any]] = {
    "minicpm3": {**_ORION, **_SIZES, **_LATENT, "model_type": "minicpm3"},
    "orion": {**_ORION, **_SIZES},
    "plamo": {**_ORION, **_SIZES, "model_type": "plamo", "n_shared_head": 4},
    "codeshell": {"model_type": "codeshell", **_GPT2, "num_query_groups": 2},
    "jais": {
        "model_type": "jais",
        **_GPT2,
        "activation_function": "swiglu",
        "position_embedding_type": "alibi",
        "tie_word_embeddings": False,
    },
}


class LatentBlueprint(Blueprint):
    """Latent attention as MiniCPM 3's converter writes it: one tensor for keys and values, no width of values."""

    def _latent(self, at: str, a: Any) -> None:
        width, key = self.spec.width, a.key_dim + a.rope_dim
        self._say(attention__head_count=a.heads, attention__head_count_kv=a.heads, attention__key_length=key)
        self._say(attention__q_lora_rank=a.query_rank, attention__kv_lora_rank=a.kv_rank)
        self._say(rope__dimension_count=a.rope_dim)
        self._add(at + "attn_q_a", width, a.query_rank)
        self._add(at + "attn_q_a_norm", a.query_rank)
        self._add(at + "attn_q_b", a.query_rank, a.heads * key)
        self._add(at + "attn_kv_a_mqa", width, a.kv_rank + a.rope_dim)
        self._add(at + "attn_kv_a_norm", a.kv_rank)
        self._add(at + "attn_kv_b", a.kv_rank, a.heads * (a.key_dim + a.value_dim))
        self._add(at + "attn_output", a.heads * a.value_dim, width)


class Case(NamedTuple):
    model: str
    arch: str
    fused: tuple[str, ...] = ()
    keys: Mapping[str, Any] = MappingProxyType({})
    dense: int = 0


CASES: Final = [
    Case("baichuan-7b", "baichuan"),
    Case("baichuan-13b", "baichuan"),
    Case("baichuan2-13b", "baichuan"),
    Case("chatglm3-6b", "chatglm", ("qkv", "up")),
    Case("glm-4-9b-chat", "chatglm", ("qkv", "up")),
    Case("qwen-7b", "qwen", ("qkv",), {"feed_forward_length": 22016}),
    Case("internlm2-7b", "internlm2"),
    Case("minicpm-2b", "minicpm"),
    Case("deepseek-moe-16b", "deepseek", keys={"leading_dense_block_count": 1}, dense=1),
    Case("orion", "orion"),
    Case("plamo", "plamo"),
    Case("codeshell", "codeshell", ("qkv",)),
    Case("jais", "jais", ("qkv",)),
    Case("minicpm3", "minicpm3"),
]


def _spec(case: Case, folder: Path) -> TransformerSpec:
    path = folder / f"{case.model}.json"
    found = MODELS.get(case.model) or {"config": OTHERS.get(case.model)}
    path.write_text(json.dumps(found["config"]))
    spec = read_config(path)
    assert isinstance(spec, TransformerSpec)
    return spec


def _counts(spec: Any) -> tuple[Any, ...]:
    workload = build_workload(spec, TextRun(2.0, 300.0, 100.0))
    phases = [float(phase.flops) for phase in workload.phases]
    return (workload.parameters, float(workload.cache_elements()), spec.positions.kind, *phases)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arch}-{case.model}")
def test_a_header_gives_the_shapes_of_the_config(case: Case, tmp_path: Path) -> None:
    spec = _spec(case, tmp_path)
    kind = LatentBlueprint if case.arch == "minicpm3" else Blueprint
    blueprint = kind(spec, case.arch, lambda index: int(0 < case.dense <= index), fused=case.fused)
    keys = {f"{case.arch}.{key}": value for key, value in case.keys.items()}
    path = write(tmp_path / "model.gguf", blueprint.keys | keys, blueprint.tensors)
    assert _counts(rl.load_model(str(path))) == _counts(spec)
