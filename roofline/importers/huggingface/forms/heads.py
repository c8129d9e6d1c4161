"""What `architectures` says: which class a file was saved from, and so which head its model has, if any.

A class that generates has the head over the vocabulary. A class of the bare layers (`MistralModel`) has none; one that
classifies (`Qwen3ForSequenceClassification`) has scores instead. Both only encode: a sequence goes through the layers
at once, every position is computed, and nothing is cached. So do models whose attention sees both directions, and those
that sentence-transformers saved, whatever class they name. A model that retrieves pages (ColPali) projects every
position to a short vector.

Source: the model classes of transformers 5.24.0, whose heads were read off models of every class; `masking_utils.py`
there (`is_causal`); Gemma3TextConfig and Gemma4TextConfig (`use_bidirectional_attention`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import SpecError
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.forms.classes import class_facts, first_class, type_of_class
from roofline.importers.json_document import read_json
from roofline.specs.files.paths import is_file

Body = dict[str, Any]
_LABELS: Final = 2
_GENERATES: Final = re.compile(r".*(ForCausalLM|ForConditionalGeneration|LMHeadModel|LMHead|ForGeneration)\w{0,12}")
_REWARDS: Final = re.compile(r".*For(Process)?RewardModel")
_BARE: Final = re.compile(r".*(Model|Encoder|ForRetrieval|ForEmbedding|ForTextEmbedding)")


#: Types of embedding models whose own code has no causal mask.
_MUTUAL: Final = ("bidir_mistral", "llama_bidirec", "nvembed")


class _Scores(NamedTuple):
    """A head of scores: whether it has a bias, and whether it has two whatever labels a file names."""

    bias: bool
    two: bool = False


#: Ends of class names. The classes of BERT and its kin, of encoders with decoders, are other ones.
_SCORES: Final = {
    "ForSequenceClassification": _Scores(bias=False),
    "ForTokenClassification": _Scores(bias=True),
    "ForQuestionAnswering": _Scores(bias=True, two=True),
}


def follow_architecture(config: Config, body: Body, model_type: str, file: Path) -> None:
    """Change the body of a language model to that of the class that a file names. Raises SpecError with the place."""
    said = config.outer or config
    name = _architecture(said)
    _check_name(config, said, name, model_type)
    modules = _sentence_modules(file)
    if modules:
        config.notes.append(_of_sentences(modules))
    if not body.get("head", True):
        _encoder_head(config, name)
        return
    if "encoder" in body:
        _two_stacks(config, body, name)
        return
    if name in class_facts()["untied"].split() and body.get("tied_embeddings"):
        body["tied_embeddings"] = False
        config.notes.append(f"{name} ties no weights, whatever tie_word_embeddings says")
    mutual = _both_directions(config, body, str(said.data.get("model_type")))
    if scores := next((rule for end, rule in _SCORES.items() if name.endswith(end)), None):
        labels = _LABELS if scores.two else _labels(config, said)
        _encode(body, {"labels": labels} | ({"bias": True} if scores.bias else {}))
    elif name.endswith("ForRetrieval") and said.given("embedding_dim"):
        _encode(body, {"labels": said.whole("embedding_dim"), "bias": True})
    elif _REWARDS.fullmatch(name):
        labels = _LABELS if "Process" in name else 1
        _encode(body, {"labels": labels, "bias": True, "inner": body["width"]})
        body.setdefault("unverified", []).append(f"head of {name}: two layers with biases, as in Qwen2.5-Math-RM")
    elif modules or mutual or (_BARE.fullmatch(name) and not _GENERATES.fullmatch(name) and not _own_head(said, name)):
        _encode(body)
        config.notes.append(_headless(name, mutual=mutual, saved=bool(modules)))
    if labels := body.get("classifier", {}).get("labels"):
        config.notes.append(f"{name} has {labels:,} scores in place of a head: it encodes and generates nothing")


def _own_head(config: Config, name: str) -> bool:
    """Whether code of its own generates, whatever class a file names: ChatGLMModel is loaded as a model that does."""
    classes = config.data.get("auto_map")
    if not isinstance(classes, dict):
        return False
    generates = any(key in classes for key in ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM"))
    generates = generates or any(_GENERATES.fullmatch(name) for name in _named_classes(classes))
    return generates or ("AutoModel" not in classes and not type_of_class(name))


def _named_classes(auto_map: Mapping[str, Any]) -> Iterator[str]:
    """Names of the classes in an `auto_map`, whose values are `file.Class`, or lists of them."""
    for value in auto_map.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield one.rpartition(".")[2]


def _architecture(config: Config) -> str:
    """The class that a file names first; empty where it names none. Raises SpecError for what is no list of names."""
    names = config.data.get("architectures")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        config.refuse("architectures", "must be a list of names of classes")
    return first_class(config.data)


def _check_name(config: Config, said: Config, name: str, model_type: str) -> None:
    """Tell of a class that the library does not have, or that it has for another model type."""
    outermost = str(said.data.get("model_type", model_type))
    known = class_facts()["types"]
    if not name or outermost not in known:
        return
    of = type_of_class(name)
    if not of and not said.data.get("auto_map"):
        version = class_facts()["version"]
        config.notes.append(f"architectures: {name[:60]} is no class of {version}; read as model_type {outermost}")
    elif of and name not in known[outermost].split():
        config.notes.append(f"architectures: {name} is a class of {of}, and model_type {outermost} counts")


def _labels(config: Config, said: Config) -> int:
    """Labels of a classifier: `num_labels`, else as many as `id2label` names, else the two of every config class."""
    for place in (said, config):
        place.ignore("num_labels", "id2label", "label2id")
        if place.given("num_labels"):
            return place.whole("num_labels")
        named = place.data.get("id2label")
        if named is not None and not isinstance(named, dict):
            place.refuse("id2label", "must map numbers to names of labels")
        if named:
            return len(named)
    config.notes.append(f"the file names no labels: {_LABELS}, as every config class has")
    return _LABELS


def _encode(body: Body, classifier: Body | None = None) -> None:
    """Make of a decoder one that only encodes, with a classifier or without a head."""
    for key in ("tied_embeddings", "head_bias", "head_vocabulary", "mtp"):
        body.pop(key, None)
    body |= {"head": False, "generates": False}
    if classifier is not None:
        body["classifier"] = classifier


def _headless(name: str, *, mutual: bool, saved: bool) -> str:
    why = "sentence-transformers saved it" if saved else "its attention sees both directions" if mutual else ""
    return f"{name or 'the model'} has no head, so it encodes and generates nothing{': ' * bool(why)}{why}"


def _both_directions(config: Config, body: Body, outermost: str) -> bool:
    """Let attention see both directions where a file says so. Windows are bounds on each side, as the library's are."""
    config.ignore("use_bidirectional_attention", "is_causal", "bidirectional")
    # within PaliGemma the flag concerns the prefix alone, behind which the model generates
    gemma = config.outer is None and config.data.get("use_bidirectional_attention") in (True, "all")
    flagged = config.data.get("is_causal") is False or config.data.get("bidirectional") is True
    flagged = flagged or outermost in _MUTUAL
    if not gemma and not flagged:
        return False
    key = "use_bidirectional_attention" if gemma else "is_causal"
    for group in body["blocks"]:
        attention = group.get("attention") or {}
        if attention.get("kind") != "softmax" or "chunk" in attention:
            config.unsupported(key, "layers that see both directions are modelled with softmax attention alone")
        attention["causal"] = False
        if outermost in _MUTUAL:
            attention.pop("window", None)
        if "window" in attention:
            attention["window"] = attention["window"] // 2 + 1 if gemma else attention["window"] + 1
    return True


def _encoder_head(config: Config, name: str) -> None:
    """Of an encoder the layers and the pooler are counted, whatever class saved it."""
    if "For" in name or name.endswith("LMHeadModel"):
        config.notes.append(
            f"{name}: the encoder with the pooler of its bare class; the head of its task is not counted"
        )


def _two_stacks(config: Config, body: Body, name: str) -> None:
    """An encoder before a decoder: the encoder alone where the class has no more."""
    if name.endswith("EncoderModel"):
        body["blocks"] = body.pop("encoder")
        for key in ("tied_embeddings", "head_bias", "notes"):
            body.pop(key, None)
        body["head"] = False
        config.notes.append(f"{name} is the encoder alone")
    elif name and not _GENERATES.fullmatch(name):
        config.notes.append(f"{name}: encoder and decoder are read as those of a model that generates, with its head")


def _sentence_modules(file: Path) -> list[str]:
    """The types of the modules that sentence-transformers lists beside a config.json; none where it does not."""
    path = file.with_name("modules.json")
    if file.name != "config.json" or not is_file(path):
        return []
    listed = read_json(path, "modules.json").data
    if not isinstance(listed, list) or not all(isinstance(module, dict) for module in listed):
        raise SpecError(f"{path}: must be a list of modules")
    return [str(module.get("type", "")) for module in listed]


def _of_sentences(modules: list[str]) -> str:
    dense = sum(module.rpartition(".")[2] == "Dense" for module in modules)
    beside = f"; its dense {'layer is' if dense == 1 else f'{dense} layers are'} not counted" if dense else ""
    return f"modules.json: a model of sentence-transformers, of which the layers are counted{beside}"
