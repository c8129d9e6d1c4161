"""Further encoders, and encoders with a decoder, of unusual sizes and flags: counts equal a framework's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import encodes_only, transformer_workload
from roofline.errors import UnsupportedError
from roofline.passes.fusion.levels import apply_fusion
from roofline.workload.run import TextRun

from .reading import spec_and_back

FILE: Final = Path(__file__).parent / "llm_encoders_further.json"
ORACLE: Final[dict[str, Any]] = json.loads(FILE.read_text())["models"]
BERT: Final = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
}


@pytest.mark.parametrize("name", ORACLE)
def test_counts_are_those_of_the_framework(name: str, tmp_path: Path) -> None:
    facts = ORACLE[name]
    spec = spec_and_back(tmp_path, facts["config"])
    for batch, tokens in ((1, 64), (3, 333)):
        found = facts[f"{batch}x{tokens}"]
        ideal = transformer_workload(spec, TextRun(float(batch), float(tokens), 2.0, work="reference"))
        eager = apply_fusion(ideal, "eager")
        assert ideal.parameters == facts["parameters"]
        assert eager["prefill"].flops == found["prefill"]
        assert encodes_only(spec) == ("decode" not in found)
        if "decode" in found:
            assert eager["decode"].flops == found["decode"]
            assert 2 * ideal.cache_elements() == found["cache"]


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        # jinaai/jina-embeddings-v2-base-en, nomic-ai/nomic-embed-text-v1.5, Alibaba-NLP/gte-multilingual-base:
        # shapes of their checkpoints, which bring code of their own
        (
            BERT
            | {"model_type": "bert", "vocab_size": 30528, "type_vocab_size": 2, "max_position_embeddings": 8192}
            | {"feed_forward_type": "geglu", "position_embedding_type": "alibi", "emb_pooler": "mean"},
            137_368_320,
        ),
        (
            {"model_type": "nomic_bert", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": 3072}
            | {"n_positions": 8192, "vocab_size": 30528, "type_vocab_size": 2, "activation_function": "swiglu"},
            136_731_648,
        ),
        (
            BERT
            | {"model_type": "new", "vocab_size": 250048, "type_vocab_size": 1, "max_position_embeddings": 8192}
            | {"position_embedding_type": "rope", "pack_qkv": True, "unpad_inputs": False},
            305_368_320,
        ),
    ],
)
def test_files_with_code_of_their_own_have_the_parameters_of_their_checkpoints(
    config: dict[str, Any], parameters: int, tmp_path: Path
) -> None:
    assert transformer_workload(spec_and_back(tmp_path, config), TextRun()).parameters == parameters


def test_a_window_on_both_sides_is_computed_by_pairs(tmp_path: Path) -> None:
    """Of n tokens the i-th sees those at most 64 away: ModernBERT's layers cost less than the square of the tokens."""
    spec = spec_and_back(tmp_path, ORACLE["modernbert"]["config"])
    (window,) = {group.attention.window for group in spec.blocks if group.attention and group.attention.window}
    tokens = 1000
    seen = sum(min(i, window - 1) + min(tokens - 1 - i, window - 1) + 1 for i in range(tokens))
    cores = [
        op for op in transformer_workload(spec, TextRun(1.0, float(tokens)))["prefill"].ops if op.name == "attention"
    ]
    assert {op.flops for op in cores if "sliding" in op.block} == {4.0 * 192 * seen}
    assert {op.flops for op in cores if "full" in op.block} == {4.0 * 192 * tokens**2}


def test_layers_that_are_run_again_are_held_once(tmp_path: Path) -> None:
    """ALBERT: parameters of a group of layers, FLOPs and streamed weights of every layer."""
    config = ORACLE["albert"]["config"]
    few, many = (spec_and_back(tmp_path, config | {"num_hidden_layers": layers}) for layers in (1, 12))
    one, all_ = (transformer_workload(spec, TextRun()) for spec in (few, many))
    assert one.parameters == all_.parameters
    layer = one["prefill"].total(lambda op: op.flops if op.block.startswith("group") else 0.0)
    assert all_["prefill"].flops - one["prefill"].flops == 11 * layer


@pytest.mark.parametrize(
    ("name", "change", "key"),
    [
        ("longt5", {"encoder_attention_type": "transient-global"}, "encoder_attention_type"),
        ("ernie", {"use_task_id": True}, "use_task_id"),
        ("deberta-v3", {"pos_att_type": ["p2p"]}, "pos_att_type"),
        ("deberta", {"talking_head": True}, "talking_head"),
        ("gte", {"logn_attention_scale": True}, "logn_attention_scale"),
        ("mvp", {"use_prompt": True}, "use_prompt"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(name: str, change: dict[str, Any], key: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=key):
        spec_and_back(tmp_path, ORACLE[name]["config"] | change)
