"""What `architectures` says of the head, against the classes of the library, and models that only encode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError, UsageError
from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.model_file import model_text

from .configs import GEMMA, LLAMA, written

FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("heads.json").read_text())["models"]
#: intfloat/e5-mistral-7b-instruct and Alibaba-NLP/gte-Qwen2-1.5B-instruct, the keys that matter.
E5: Final = {
    "architectures": ["MistralModel"],
    "model_type": "mistral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "sliding_window": 4096,
    "vocab_size": 32000,
    "torch_dtype": "float16",
}


def _named(architecture: str, **more: Any) -> dict[str, Any]:
    return {**LLAMA, "architectures": [architecture], **more}


def _notes(folder: Path, data: dict[str, Any]) -> str:
    return " | ".join(read_config(written(folder, data)).assumed)


@pytest.mark.parametrize("name", FACTS)
def test_every_class_has_the_parameters_and_flops_of_the_library(tmp_path: Path, name: str) -> None:
    facts = FACTS[name]
    spec = read_config(written(tmp_path, facts["config"]))
    est = rl.estimate(spec, gpu="h100", prompt=64, fusion="eager", logits="all")
    assert est.parameters.total == facts["parameters"]
    if "flops" in facts:
        assert est.phases[0].flops == facts["flops"]


@pytest.mark.parametrize("name", [name for name in FACTS if "CausalLM" not in name])
def test_what_has_no_head_over_the_vocabulary_only_encodes(tmp_path: Path, name: str) -> None:
    est = rl.estimate(read_config(written(tmp_path, FACTS[name]["config"])), gpu="h100", prompt=64)
    memory = est.to_dict()["memory"]
    assert [phase.name for phase in est.phases] == ["prefill"]
    assert memory["kv_cache_bytes"] == memory["state_bytes"] == 0


def test_e5_mistral_has_no_head(tmp_path: Path) -> None:
    """7,110,660,096 parameters, as its model card says; 131 million less than Mistral 7B."""
    spec = read_config(written(tmp_path, E5))
    assert rl.estimate(spec, gpu="a100", prompt=512).parameters.total == 7_110_660_096
    assert any("MistralModel has no head" in note for note in spec.assumed)


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "LlamaLMHeadModel", None])
def test_a_class_that_generates_is_as_it_was(tmp_path: Path, name: str | None) -> None:
    data = LLAMA if name is None else _named(name)
    assert read_config(written(tmp_path, data)).generates


def test_the_last_generated_token_needs_a_head(tmp_path: Path) -> None:
    """Speculation goes with models that generate."""
    target = written(tmp_path, LLAMA)
    draft = read_config(written(tmp_path, _named("LlamaModel"), "draft.json"))
    with pytest.raises(UsageError, match="must be a language model that generates"):
        rl.estimate(str(target), gpu="h100", draft=draft)


def test_attention_of_embedding_models_sees_both_directions(tmp_path: Path) -> None:
    """gte-Qwen2 says `is_causal: false` and names a class that generates; EmbeddingGemma has bounds on each side."""
    gte = read_config(written(tmp_path, _named("LlamaForCausalLM", is_causal=False)))
    assert not gte.head
    assert not any(group.attention.causal for group in gte.blocks)
    gemma = {**GEMMA, "architectures": ["Gemma3TextModel"], "use_bidirectional_attention": True}
    windows = {group.attention.window for group in read_config(written(tmp_path, gemma)).blocks}
    assert windows == {128 // 2 + 1}


def test_the_prefix_of_paligemma_does_not_make_it_an_encoder(tmp_path: Path) -> None:
    text = {**LLAMA, "model_type": "gemma", "head_dim": 32, "use_bidirectional_attention": True}
    assert read_config(written(tmp_path, {"model_type": "paligemma", "text_config": text})).generates


def test_both_directions_are_softmax_attention(tmp_path: Path) -> None:
    data = {"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 512, "is_causal": False}
    with pytest.raises(SpecError, match="softmax attention alone"):
        read_config(written(tmp_path, data))


def test_nv_embed_is_read_without_what_pools(tmp_path: Path) -> None:
    text = {**LLAMA, "model_type": "bidir_mistral", "sliding_window": 64}
    data = {"model_type": "nvembed", "architectures": ["NVEmbedModel"], "auto_map": {}, "text_config": text}
    spec = read_config(written(tmp_path, data))
    assert (spec.generates, spec.blocks[0].attention.causal, spec.blocks[0].attention.window) == (False, False, None)


def test_labels_are_those_of_the_file(tmp_path: Path) -> None:
    labels = {"0": "a", "1": "b", "2": "c"}
    for more, number in (({"num_labels": 1}, 1), ({"id2label": labels}, 3), ({}, 2)):
        spec = read_config(written(tmp_path, _named("LlamaForSequenceClassification", **more)))
        assert spec.classifier is not None
        assert spec.classifier.labels == number
    assert "the file names no labels: 2" in " | ".join(spec.assumed)


def test_labels_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="num_labels"):
        read_config(written(tmp_path, _named("LlamaForSequenceClassification", num_labels=0)))


def test_a_reward_model_has_two_layers_of_its_own(tmp_path: Path) -> None:
    """Qwen2.5-Math-RM: a square layer and one score, with biases. Source: vLLM, qwen2_rm.py."""
    bare = {**LLAMA, "model_type": "qwen2", "architectures": ["Qwen2Model"]}
    reward = bare | {"architectures": ["Qwen2ForRewardModel"], "auto_map": {}}
    counts = [rl.estimate(read_config(written(tmp_path, data)), gpu="h100").parameters.total for data in (bare, reward)]
    assert counts[1] - counts[0] == 256 * 256 + 256 + 256 + 1


def test_the_head_of_an_encoders_task_is_told(tmp_path: Path) -> None:
    data = {
        "model_type": "bert",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "vocab_size": 512,
        "max_position_embeddings": 64,
    }
    bare = read_config(written(tmp_path, data | {"architectures": ["BertModel"]}))
    task = read_config(written(tmp_path, data | {"architectures": ["BertForMaskedLM"]}))
    assert bare.blocks == task.blocks
    assert any("head of its task is not counted" in note for note in task.assumed)


def test_names_that_contradict_or_are_unknown_are_told(tmp_path: Path) -> None:
    assert "Qwen2ForCausalLM is a class of qwen2, and model_type llama counts" in _notes(
        tmp_path, _named("Qwen2ForCausalLM")
    )
    assert "LlamaForFun is no class of transformers" in _notes(tmp_path, _named("LlamaForFun"))
    assert "architectures" not in _notes(tmp_path, _named("LlamaForCausalLM"))


def test_architectures_is_a_list_of_names(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"config.json:\d+:\d+: architectures: must be a list of names"):
        read_config(written(tmp_path, {**LLAMA, "architectures": "LlamaModel"}))


def test_a_folder_of_sentence_transformers_has_no_head(tmp_path: Path) -> None:
    """EmbeddingGemma and Qwen3-Embedding name classes that generate, and modules.json beside them what is used."""
    written(tmp_path, _named("LlamaForCausalLM"))
    package = "sentence_transformers.models"
    modules = [{"idx": 0, "path": "", "type": f"{package}.Transformer"}]
    written(tmp_path, [*modules, {"idx": 2, "path": "2_Dense", "type": f"{package}.Dense"}], "modules.json")
    spec = read_config(tmp_path)
    assert not spec.generates
    assert any("its dense layer is not counted" in note for note in spec.assumed)


def test_classes_that_never_tie(tmp_path: Path) -> None:
    """transformers 5.24.0 gives NemotronHForCausalLM no `_tied_weights_keys`, nor xLSTMForCausalLM."""
    assert not read_config(written(tmp_path, FACTS["NemotronHForCausalLM tied"]["config"])).tied_embeddings
    data = {
        "model_type": "xlstm",
        "architectures": ["xLSTMForCausalLM"],
        "hidden_size": 256,
        "num_heads": 4,
        "num_blocks": 2,
        "vocab_size": 512,
        "tie_word_embeddings": True,
    }
    assert not read_config(written(tmp_path, data)).tied_embeddings


@pytest.mark.parametrize("name", ["Qwen3ForSequenceClassification", "LlamaModel", "MambaModel"])
def test_what_is_imported_is_what_a_model_file_says(tmp_path: Path, name: str) -> None:
    data = import_config(written(tmp_path, FACTS[name]["config"]))
    again = rl.load_model(str(written(tmp_path, model_text(data), "again.yaml")))
    assert again.model_dump() == read_config(written(tmp_path, FACTS[name]["config"])).model_dump() | {
        "name": again.name
    }


def test_a_classifier_is_whole_on_every_device(tmp_path: Path) -> None:
    spec = read_config(written(tmp_path, _named("LlamaForTokenClassification", num_labels=5)))
    one, two = (
        {op.name: op.flops for op in rl.estimate(spec, gpu="h100", tp=tp).ops("prefill")}["classifier"] for tp in (1, 2)
    )
    assert one == two == 2 * 512 * 256 * 5


def test_a_classifier_needs_a_model_without_a_head(tmp_path: Path) -> None:
    text = model_text(import_config(written(tmp_path, _named("LlamaForSequenceClassification", num_labels=1))))
    with pytest.raises(SpecError, match="classifier goes with head: false"):
        rl.load_model(str(written(tmp_path, text.replace("head: false", "head: true"), "bad.yaml")))


@pytest.mark.parametrize("classes", ["m.ChatGLMForConditionalGeneration", ["m.Tokenizer", "m.MineForCausalLM"]])
def test_a_class_of_own_code_that_generates_settles_what_the_file_is(tmp_path: Path, classes: Any) -> None:
    data = _named("ChatGLMModel", auto_map={"AutoModel": classes})
    assert "generates nothing" not in _notes(tmp_path, data)
    assert [phase.name for phase in rl.estimate(written(tmp_path, data), gpu="h100").phases] == ["prefill", "decode"]


@pytest.mark.parametrize(
    "data",
    [
        _named("LlamaModel"),
        _named("LlamaModel", auto_map={"AutoModel": "m.MineModel"}),
        _named("LlamaForSequenceClassification"),
        _named("LlamaForTokenClassification"),
        _named("LlamaForRewardModel"),
        _named("ColLlamaForRetrieval", embedding_dim=128),
        _named("LlamaForCausalLM", is_causal=False),
        E5,
    ],
)
def test_that_a_model_generates_nothing_is_told(tmp_path: Path, data: dict[str, Any]) -> None:
    assert "generates nothing" in _notes(tmp_path, data)
