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


def clip(config: Config) -> dict[str, Any]:
    """CLIPTextModel, with or without the projection of its pooled output."""
    config.ignore(_HARMLESS)
    width = config.whole("hidden_size", default=512)
    heads = config.whole("num_attention_heads", default=8)
    config.ignore("projection_dim")
    names = config.data.get("architectures") or []
    projected = "CLIPTextModelWithProjection" in names
    body = {
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
    if projected:
        body["projection"] = config.whole("projection_dim", default=512)
    return body


def t5(config: Config) -> dict[str, Any]:
    """T5EncoderModel with a gated feed-forward (version 1.1)."""
    config.ignore(_HARMLESS)
    config.must_be("feed_forward_proj", "gated-gelu")
    config.must_be("is_gated_act", True, default=True)
    config.must_be("dense_act_fn", "gelu_new", default="gelu_new")
    return {
        "family": "text_encoder",
        "kind": "t5",
        "vocabulary": config.whole("vocab_size", default=32128),
        "width": config.whole("d_model"),
        "layers": config.whole("num_layers"),
        "heads": config.whole("num_heads"),
        "head_dim": config.whole("d_kv"),
        "feed_forward": config.whole("d_ff"),
        "activation": "gated_gelu",
        "tokens": 512,
        "buckets": config.whole("relative_attention_num_buckets", default=32),
        "dtype": "bf16",
    }
