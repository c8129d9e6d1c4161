"""Speculation as memory: MTP layers, EAGLE heads, smaller models; the times of the run stay what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import roofline as rl
from roofline.architectures.text.drafting import draft_parameters
from roofline.errors import UnsupportedError, UsageError
from roofline.runs.ask import ask
from roofline.runs.load import load_model

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 2048,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_hidden_layers": 1,
    "rms_norm_eps": 1e-05,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "vocab_size": 128256,
}
EAGLE3 = LLAMA | {"draft_vocab_size": 32000}
EAGLE1 = LLAMA | {"architectures": ["LlamaForCausalLMEagle"], "bias": True}


def _write(folder: Path, config: dict[str, Any], **changes: Any) -> str:
    path = folder / "head.json"
    path.write_text(json.dumps(config | changes), encoding="utf-8")
    return str(path)


def _head(folder: Path, config: dict[str, Any], **changes: Any) -> float:
    spec: Any = load_model(_write(folder, config, **changes))
    return draft_parameters(spec)


def test_an_eagle_3_head_is_counted_exactly(tmp_path: Path) -> None:
    """A published head of Qwen3-4B (Qwen3-4B-Instruct-2507-EAGLE3-ShareGPT-SW512): 202,700,416 elements in its file.

    Of these 151,936 + 32,000 are tables between the two vocabularies, no parameters.
    """
    sizes = {"hidden_size": 2560, "intermediate_size": 9728, "vocab_size": 151936, "sliding_window": 512}
    assert _head(tmp_path, EAGLE3, **sizes) == 202_700_416 - 151_936 - 32_000


def test_an_eagle_3_head_by_hand(tmp_path: Path) -> None:
    """Projection of three hidden states, q, k, v from 8192 elements, a feed-forward, four norms, 32,000 tokens."""
    attention = 8192 * (4096 + 2 * 1024) + 4096 * 4096
    parts = (3 * 4096 * 4096, attention, 3 * 4096 * 14336, 4 * 4096, 4096 * 32000)
    assert _head(tmp_path, EAGLE3) == sum(parts)


@pytest.mark.parametrize(
    ("billions", "sizes"),
    [
        # Source: SafeAILab/EAGLE, README: parameters of the EAGLE 1 heads
        (0.25, {}),
        (0.99, {"hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64}),
        (0.24, {"intermediate_size": 11008, "num_key_value_heads": 32, "vocab_size": 32000}),
        (0.37, {"hidden_size": 5120, "intermediate_size": 13824, "num_attention_heads": 40, "num_key_value_heads": 40}),
    ],
)
def test_eagle_1_heads_have_the_published_sizes(tmp_path: Path, billions: float, sizes: dict[str, int]) -> None:
    assert _head(tmp_path, EAGLE1, **sizes) == pytest.approx(billions * 1e9, abs=5e6)


def test_a_head_of_another_width_has_an_embedding_of_its_own(tmp_path: Path) -> None:
    narrow = _head(tmp_path, EAGLE3, target_hidden_size=8192)
    assert narrow == _head(tmp_path, EAGLE3) + 3 * 4096 * 4096 + 128256 * 4096


def test_listed_layers_say_how_many_hidden_states_are_taken(tmp_path: Path) -> None:
    own = {"use_aux_hidden_state": True, "eagle_aux_hidden_state_layer_ids": [1, 29]}
    assert _head(tmp_path, EAGLE3, eagle_config=own) == _head(tmp_path, EAGLE3) - 4096 * 4096


def test_a_head_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a head that drafts for another model"):
        rl.estimate(_write(tmp_path, EAGLE3), gpu="a100")


def test_a_head_with_latent_attention_is_refused(tmp_path: Path) -> None:
    latent = {"kv_lora_rank": 512, "q_lora_rank": None, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64}
    experts = {"n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "first_k_dense_replace": 1}
    config = EAGLE3 | latent | experts | {"model_type": "deepseek_v3", "v_head_dim": 128, "num_key_value_heads": 32}
    with pytest.raises(UnsupportedError, match="softmax attention alone"):
        load_model(_write(tmp_path, config))


def test_a_draft_is_held_and_changes_no_time(tmp_path: Path) -> None:
    plain = rl.estimate("llama-3.1-8b", gpu="a100", batch=4)
    for draft in (_write(tmp_path, EAGLE3), "llama-3.2-1b"):
        est = rl.estimate("llama-3.1-8b", gpu="a100", batch=4, draft=draft)
        m, held = est.memory, est.memory.draft_weights_bytes + est.memory.draft_cache_bytes
        assert m.draft_weights_bytes == 2 * est.parameters.beside["draft"]
        assert m.total_bytes == plain.memory.total_bytes + held + m.draft_activation_bytes
        assert m.max_batch < plain.memory.max_batch
        assert m.max_context < plain.memory.max_context
        assert est.parameters.total == plain.parameters.total
        assert est.latency.to_dict() == plain.latency.to_dict()
        assert [phase.name for phase in est.phases] == [phase.name for phase in plain.phases]
        assert sum(row.params for row in est.ops("draft")) == est.parameters.beside["draft"]


def test_the_cache_of_a_draft_has_slots_for_its_tokens() -> None:
    """A draft caches what its model does; both have room for the tokens of a draft, beyond the last one."""
    est = rl.estimate(
        "llama-3.1-8b", gpu="a100", batch=4, prompt=500, generate=101, draft="llama-3.2-1b", draft_tokens=7
    )
    model, draft = 32 * 2 * 8 * 128 * 2, 16 * 2 * 8 * 64 * 2
    assert est.memory.draft_cache_bytes == 4 * (draft * (600 + 7) + model * 7)
    assert est.inputs["draft"] == "llama-3.2-1b"
    assert est.inputs["draft_tokens"] == 7


def test_mtp_layers_draft_in_the_formats_of_their_model() -> None:
    est = rl.estimate("deepseek-v3", gpu="h200", gpus=8, draft="mtp")
    assert est.parameters.beside["draft"] == est.parameters.beside["mtp"]
    assert est.inputs["draft_tokens"] == 1
    assert est.memory.draft_cache_bytes == 1152 * (512 + 127 + 1) + 61 * 1152
    assert not any("neither held nor run" in note for note in est.assumptions)
    assert any("draft mtp" in note for note in est.assumptions)


def test_a_recurrence_keeps_a_state_for_each_token_of_a_draft() -> None:
    plain = rl.estimate("qwen3.5-27b", gpu="h200")
    one, three = (rl.estimate("qwen3.5-27b", gpu="h200", draft="mtp", draft_tokens=n) for n in (1, 3))
    more = three.memory.draft_cache_bytes - one.memory.draft_cache_bytes
    assert more >= 2 * plain.memory.state_bytes > 0


def test_only_models_that_have_them_draft_with_mtp_layers() -> None:
    with pytest.raises(UsageError, match=r"no layers of its own .* deepseek-v3"):
        rl.estimate("llama-3.1-8b", gpu="a100", draft="mtp")


def test_a_draft_larger_than_its_model_or_of_other_tokens_is_told() -> None:
    larger = [w.code for w in rl.estimate("llama-3.2-1b", gpu="a100", draft="llama-3.1-8b").warnings]
    assert larger == ["draft-larger"]
    assert [w.code for w in rl.estimate("llama-3.1-8b", gpu="a100", draft="gpt2").warnings] == ["draft-vocabulary"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draft_tokens": 3}, "goes with --draft"),
        ({"draft": "llama-3.2-1b", "draft_tokens": 0}, "draft-tokens must be"),
        ({"draft": "llama-3.2-1b", "draft_tokens": 129}, "from 1 to 128"),
        ({"draft": "bert-base"}, "generates"),
        ({"draft": "stable-diffusion-v1-5"}, "language model"),
        ({"draft": 5}, "a name or a file"),
        ({"draft": "no-such-model"}, "no model named"),
    ],
)
def test_drafts_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rl.estimate("llama-3.1-8b", gpu="a100", **options)


def test_a_head_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="made for another model"):
        rl.estimate("llama-3-70b", gpu="h200", gpus=2, draft=_write(tmp_path, EAGLE3))


def test_encoders_take_no_draft() -> None:
    with pytest.raises(UsageError, match="models that generate"):
        rl.estimate("bert-base", gpu="a100", draft="llama-3.2-1b")


def test_a_draft_is_split_as_its_model_where_its_heads_divide() -> None:
    one = rl.estimate("llama-3-70b", gpu="h100", tp=8, draft="llama-3.2-1b")
    whole = rl.estimate("llama-3.1-8b", gpu="h100", draft="llama-3.2-1b").memory.draft_weights_bytes
    assert one.memory.draft_weights_bytes == pytest.approx(whole / 8, rel=1e-3)
    replicated = rl.estimate("llama-3-70b", gpu="h100", tp=8, draft="gpt2")
    assert replicated.memory.draft_weights_bytes == 2 * replicated.parameters.beside["draft"]
    assert any("its heads do not divide" in note for note in replicated.assumptions)


def test_the_last_stage_of_a_pipeline_holds_the_draft() -> None:
    """The first stage has as many layers and an embedding, the last a head and the draft."""
    options = {"tp": 4, "pp": 2, "draft": "llama-3.2-1b"}
    stages = ask("llama-3-70b", "h100", options).stages().each
    assert [stage.aside is not None for stage in stages] == [False, True]
    plain = rl.estimate("llama-3-70b", gpu="h100", tp=4, pp=2)
    est = rl.estimate("llama-3-70b", gpu="h100", **options)
    assert est.memory.total_bytes > plain.memory.total_bytes
