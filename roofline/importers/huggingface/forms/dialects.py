"""Files that say in other words what a config.json says: Mistral's and Meta's `params.json`, and speculators' drafts.

What they say is put into the words of the config class that they mean; keys without such a word stay as they are, and
are accounted for as those of any file.

Sources: mistralai/mistral-inference, args.py; vllm-project/vllm, transformers_utils/configs/mistral.py and
configs/speculators; meta-llama/llama, model.py (the width of a feed-forward); state-spaces/mamba, Mamba2 (its sizes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.errors import UnsupportedError
from roofline.importers.json_document import JsonDocument, JsonPath
from roofline.specs.base import LARGEST

Data = dict[str, Any]
#: A key that says that the file was translated, so that rules of the library's classes do not bind it.
DIALECT: Final = "_dialect"
#: Word of a params.json -> word of a config class.
_WORDS: Final = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "hidden_dim": "intermediate_size",
    "norm_eps": "rms_norm_eps",
    "tied_embeddings": "tie_word_embeddings",
    "tie_embeddings": "tie_word_embeddings",
    "activation": "hidden_act",
    "max_seq_len": "max_position_embeddings",
}
_OF_EXPERTS: Final = {
    "num_experts": "n_routed_experts",
    "num_experts_per_tok": "num_experts_per_tok",
    "expert_hidden_dim": "moe_intermediate_size",
    "num_shared_experts": "n_shared_experts",
    "first_k_dense_replace": "first_k_dense_replace",
    "route_every_n": "moe_layer_freq",
    "num_expert_groups": "n_group",
    "num_expert_groups_per_tok": "topk_group",
    "routed_scale": "routed_scaling_factor",
}
#: Words about positions, running and training.
_WITHOUT_SHAPE: Final = ("yarn", "llama_4_scaling", "use_scaled_rope", "causal", "max_batch_size", "lora", "model_type")
_SPECULATORS: Final = "transformer_layer_config"


class _Translated(JsonDocument):
    """A document in the words of a config class, whose places are those of the words in the file."""

    def __init__(self, document: JsonDocument, data: Data, words: Mapping[str, str]) -> None:
        super().__init__(document.path, document.text, data)
        self._words = {native: word for word, native in words.items()}

    def place(self, path: JsonPath) -> Any:
        """The place of what a value was made of."""
        rest = tuple(part for part in path if part not in ("text_config", _SPECULATORS))
        said = tuple(self._words.get(str(part), part) for part in rest)
        found = super().place(said)
        return found if len(said) < 2 or found != super().place(()) else super().place((_SPECULATORS, *rest))


def in_words_of_classes(document: JsonDocument) -> JsonDocument:
    """The document, translated where it is of another dialect. Raises UnsupportedError with the place."""
    data = document.data
    if not isinstance(data, dict):
        return document
    if isinstance(data.get(_SPECULATORS), dict) and "speculators_model_type" in data:
        return _Translated(document, _speculator(document, data), {})
    return _Translated(document, _params(document, data), _WORDS) if _is_params(data) else document


def _is_params(data: Data) -> bool:
    """Whether it is a params.json: by its words, which DistilBERT's config shares."""
    if not {"dim", "n_layers"} <= data.keys() or "architectures" in data:
        return False
    if data.get("model_type") == "mamba":
        return True
    return data.get("model_type") in (None, "transformer") and bool(data.keys() & {"hidden_dim", "multiple_of"})


def _params(document: JsonDocument, data: Data) -> Data:
    """A params.json of Mistral or Meta as a config: of Mistral's vision and audio models, a nested one."""
    taken = {key: value for key, value in data.items() if key not in _WITHOUT_SHAPE}
    config = {_WORDS.get(key, key): value for key, value in taken.items() if _WORDS.get(key) not in taken}
    if data.get("model_type") == "mamba":
        return _mamba(config)
    if "multiple_of" in config:
        return _meta(document, config)
    silent = {"hidden_act": "silu", "tie_word_embeddings": False, "sliding_window": None, "model_type": "mistral"}
    config = {**silent, **config}
    _windows(config)
    _quantised(config)
    _experts(document, config)
    for key in ("multimodal", "vision_encoder"):
        if not isinstance(config.get(key, {}), (dict, type(None))):
            raise UnsupportedError("must be a mapping", document.place((key,)), key)
    return {DIALECT: "params.json", **_with_media(config)}


def _meta(document: JsonDocument, config: Data) -> Data:
    """Meta's file: the feed-forward is two thirds of four widths, scaled and rounded up."""
    multiple, factor = config.pop("multiple_of"), config.pop("ffn_dim_multiplier", None)
    width = config.get("hidden_size")
    for key, value in (("multiple_of", multiple), ("dim", width)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST:
            raise UnsupportedError(f"must be a whole number, not {str(value)[:40]}", document.place((key,)), key)
    inner = int(2 * 4 * int(width or 0) / 3)
    if isinstance(factor, (int, float)) and 0 < factor < 100:
        inner = int(factor * inner)
    config["intermediate_size"] = multiple * -(-inner // multiple)
    if config.get("vocab_size") == -1:
        hint = "The tokenizer beside it has 32,000 in Llama 2; write that number."
        raise UnsupportedError(
            "-1 leaves the number to the tokenizer", document.place(("vocab_size",)), "vocab_size", hint
        )
    return {DIALECT: "params.json", "model_type": "llama", "hidden_act": "silu", **config}


def _mamba(config: Data) -> Data:
    """Codestral Mamba: Mamba 2 whose sizes beside the width are those of the reference code."""
    width = config.get("hidden_size")
    sizes = {"state_size": 128, "head_dim": 64, "expand": 2, "conv_kernel": 4}
    if isinstance(width, int):
        sizes["num_heads"] = 2 * width // 64
    for key in ("rms_norm", "residual_in_fp32", "fused_add_norm", "pad_vocab_size_multiple"):
        config.pop(key, None)
    return {DIALECT: "params.json", "model_type": "mamba2", "use_bias": False, "use_conv_bias": True, **sizes, **config}


def _windows(config: Data) -> None:
    """A list of windows is repeated over the layers; null means none."""
    listed = config.pop("_sliding_window", None) or config.get("sliding_window")
    layers = config.get("num_hidden_layers")
    if not isinstance(listed, list) or not listed or not isinstance(layers, int) or not 0 < layers <= 10_000:
        return
    widths = sorted({width for width in listed if isinstance(width, int)})
    config["sliding_window"] = widths[0] if len(widths) == 1 else widths or None
    kinds = ["full_attention" if width is None else "sliding_attention" for width in listed]
    config["layer_types"] = [kinds[index % len(kinds)] for index in range(layers)]


def _quantised(config: Data) -> None:
    quantised = config.pop("quantization", None)
    if not isinstance(quantised, dict):
        return
    if quantised.get("qformat_weight") == "fp8_e4m3":
        scheme = "dynamic" if quantised.get("qscheme_act") == "NO_SCALES" else "static"
        config["quantization_config"] = {"quant_method": "fp8", "activation_scheme": scheme}
    else:
        config["quantization_config"] = quantised


def _experts(document: JsonDocument, config: Data) -> None:
    """Routed experts: as Mixtral, or, behind latent attention, as DeepSeek V3 (Mistral Large 3, Mistral Small 4)."""
    experts = config.pop("moe", None)
    latent = config.get("kv_lora_rank") is not None
    if experts is not None and not isinstance(experts, dict):
        raise UnsupportedError("must be a mapping", document.place(("moe",)), "moe")
    if latent:
        config["model_type"] = "deepseek_v3"
        dense = {"first_k_dense_replace": config.get("num_hidden_layers"), "n_routed_experts": None}
        config |= dense if not experts else {str(_OF_EXPERTS.get(key, key)): value for key, value in experts.items()}
    elif experts:
        renamed = {"num_experts": "num_local_experts"}
        config |= {"model_type": "mixtral", **{str(renamed.get(key, key)): value for key, value in experts.items()}}
    for key in ("expert_parallel", "expert_model_parallel"):
        config.pop(key, None)


def _with_media(config: Data) -> Data:
    """The config inside of a multimodal one, where the file has an encoder."""
    media = config.pop("multimodal", None) or {}
    vision = config.pop("vision_encoder", None) or media.get("vision_encoder_args")
    sound = media.get("whisper_model_args")
    outer: Data = {key: config.pop(key) for key in ("quantization_config", "torch_dtype", "dtype") if key in config}
    if isinstance(vision, dict):
        merged = vision.get("mm_projector_id") == "patch_merge"
        biased = bool(vision.get("adapter_bias"))
        of_projector = {"spatial_merge_size": vision.get("spatial_merge_size"), "multimodal_projector_bias": biased}
        outer |= {"model_type": "mistral3", **of_projector} if merged else {"model_type": "llava"}
        return outer | {"text_config": config, "vision_config": {**vision, "model_type": "pixtral"}}
    if isinstance(sound, dict) and isinstance(sound.get("encoder_args"), dict):
        return outer | {"model_type": "voxtral", "text_config": config, "audio_config": _sound(sound["encoder_args"])}
    return outer | config | ({"multimodal": media} if media else {})


def _sound(encoder: Data) -> Data:
    """Whisper's encoder of a Voxtral."""
    words = {
        "dim": "hidden_size",
        "n_layers": "num_hidden_layers",
        "hidden_dim": "intermediate_size",
        "n_heads": "num_attention_heads",
        "max_source_positions": "max_source_positions",
    }
    found = {native: encoder[word] for word, native in words.items() if encoder.get(word) is not None}
    audio = encoder.get("audio_encoding_args")
    if isinstance(audio, dict) and "num_mel_bins" in audio:
        found["num_mel_bins"] = audio["num_mel_bins"]
    return {"model_type": "voxtral_encoder", **found}


def _speculator(document: JsonDocument, data: Data) -> Data:
    """A draft that speculators saved: its layers, with what makes an EAGLE head of them."""
    kind = data["speculators_model_type"]
    layer = data.get("transformer_layer_type", "LlamaDecoderLayer")
    if layer != "LlamaDecoderLayer":
        place = document.place(("transformer_layer_type",))
        raise UnsupportedError(f"{str(layer)[:40]!r} is not modelled", place, "transformer_layer_type")
    if kind not in ("eagle", "eagle3"):
        place = document.place(("speculators_model_type",))
        hint = "Understood: eagle, eagle3."
        raise UnsupportedError(f"{str(kind)[:40]!r} is not modelled", place, "speculators_model_type", hint)
    if data.get("layernorms"):
        raise UnsupportedError(
            "norms of what a head reads are not modelled", document.place(("layernorms",)), "layernorms"
        )
    layers = dict(data[_SPECULATORS])
    kinds = layers.pop("layer_types", None)
    slides = isinstance(kinds, list) and "sliding_attention" in kinds
    if isinstance(kinds, list) and not slides:
        layers.pop("sliding_window", None)
    beside = {key: value for key, value in data.items() if key not in (_SPECULATORS, "architectures", *_OF_SPECULATORS)}
    first = {"bias": bool(data.get("fusion_bias")), "eagle_config": {"use_last_layernorm": False}}
    own = {} if kind == "eagle3" else first
    named = {"architectures": ["LlamaForCausalLMEagle3" if kind == "eagle3" else "EagleLlamaForCausalLM"]}
    return {DIALECT: "speculators", **layers, **beside, **own, **named}


_OF_SPECULATORS: Final = (
    "speculators_model_type",
    "speculators_config",
    "speculators_version",
    "auto_map",
    "fusion_bias",
    "layernorms",
    "transformer_layer_type",
    "embed_requires_grad",
    "transformers_version",
)
