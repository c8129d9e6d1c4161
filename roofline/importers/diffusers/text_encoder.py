"""Text encoders of diffusers pipelines: transformers' config.json to the keys of a text encoder spec."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

#: Keys that change no shape.
_HARMLESS: Final = """
    attention_dropout bos_token_id dropout eos_token_id initializer_factor initializer_range layer_norm_eps
    layer_norm_epsilon pad_token_id torch_dtype dtype transformers_version tokenizer_class
    classifier_dropout decoder_start_token_id dropout_rate is_encoder_decoder n_positions output_past
    relative_attention_max_distance use_cache num_decoder_layers task_specific_params tie_word_embeddings
    gradient_checkpointing scale_decoder_outputs is_decoder
"""
#: Feed-forwards of T5: the name of its config, whether it is gated, and the activation of a spec.
_FEED_FORWARDS: Final = {"gated-gelu": (True, "gated_gelu"), "relu": (False, "relu")}


def clip(config: Config) -> dict[str, Any]:
    """CLIPTextModel."""
    config.ignore(_HARMLESS)
    width = config.whole("hidden_size", default=512)
    heads = config.whole("num_attention_heads", default=8)
    config.ignore("projection_dim")
    return {
        "family": "text_encoder",
        "kind": "clip",
        "vocabulary": config.whole("vocab_size", default=49408),
        "width": width,
        "layers": config.whole("num_hidden_layers", default=12),
        "heads": heads,
        "head_dim": config.divides("num_attention_heads", width, "hidden_size", heads),
        "feed_forward": config.whole("intermediate_size", default=2048),
        "activation": config.text("hidden_act", default="quick_gelu", choices=("quick_gelu", "gelu")),
        "tokens": config.whole("max_position_embeddings", default=77),
    }


def clip_with_projection(config: Config) -> dict[str, Any]:
    """CLIPTextModelWithProjection: its pooled output passes a dense layer."""
    return {**clip(config), "projection": config.whole("projection_dim", default=512)}


def t5(config: Config) -> dict[str, Any]:
    """T5EncoderModel: version 1.1 with a gated feed-forward, or the first."""
    return _t5(config, "t5", "relu", 32128)


def umt5(config: Config) -> dict[str, Any]:
    """UMT5EncoderModel: every layer has a bias of positions of its own."""
    return _t5(config, "umt5", "gated-gelu", 250112)


def _t5(config: Config, kind: str, feed_forward: str, vocabulary: int) -> dict[str, Any]:
    config.ignore(_HARMLESS)
    gated, activation = _FEED_FORWARDS[
        config.text("feed_forward_proj", default=feed_forward, choices=tuple(_FEED_FORWARDS))
    ]
    config.must_be("is_gated_act", gated, default=gated)
    config.must_be("dense_act_fn", "gelu_new" if gated else "relu")
    if kind == "umt5":
        config.ignore("scalable_attention")
    return {
        "family": "text_encoder",
        "kind": kind,
        "vocabulary": config.whole("vocab_size", default=vocabulary),
        "width": config.whole("d_model", default=512),
        "layers": config.whole("num_layers", default=6 if kind == "t5" else 8),
        "heads": config.whole("num_heads", default=8 if kind == "t5" else 6),
        "head_dim": config.whole("d_kv", default=64),
        "feed_forward": config.whole("d_ff", default=2048 if kind == "t5" else 1024),
        "activation": activation,
        "tokens": 512,
        "buckets": config.whole("relative_attention_num_buckets", default=32),
        "dtype": "bf16",
    }
