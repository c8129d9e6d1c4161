"""Architectures with recurrences: GGUF's keys as those of the family's config.json.

Source: ggml-org/llama.cpp @007dbbf3, conversion/*.py (which key comes from which) and src/llama-arch.cpp (names).
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.gguf.common import Keys, Translate, decoder, experts, head_width, rotated, shared_width
from roofline.importers.gguf.metadata import Metadata


def _gated_delta(m: Metadata) -> Keys:
    """Sizes of the gated delta nets of Qwen3-Next and Qwen3.5, under the names of state spaces."""
    values = m.whole("ssm.time_step_rank")
    inner = m.whole("ssm.inner_size")
    if inner % values:
        m.refuse("ssm.inner_size", f"{inner:,} do not divide by {values} value heads")
    return {
        "linear_conv_kernel_dim": m.whole("ssm.conv_kernel"),
        "linear_num_key_heads": m.whole("ssm.group_count"),
        "linear_num_value_heads": values,
        "linear_key_head_dim": m.whole("ssm.state_size"),
        "linear_value_head_dim": inner // values,
        "layer_types": _kinds(m, m.whole("full_attention_interval", default=4)),
        **rotated(m, head_width(m)),
    }


def _kinds(m: Metadata, period: int) -> list[str]:
    return ["linear_attention" if (index + 1) % period else "full_attention" for index in range(m.layers)]


def qwen3next(m: Metadata) -> Keys:
    """Qwen3-Next."""
    return decoder(m, "qwen3_next", shared_expert_intermediate_size=shared_width(m), **experts(m), **_gated_delta(m))


def qwen35(m: Metadata) -> Keys:
    """Qwen3.5, dense."""
    return decoder(m, "qwen3_5_text", **_gated_delta(m))


def qwen35moe(m: Metadata) -> Keys:
    """Qwen3.5 with experts."""
    keys = decoder(m, "qwen3_5_moe_text", shared_expert_intermediate_size=shared_width(m))
    keys.pop("intermediate_size", None)
    return keys | experts(m) | _gated_delta(m)


def mamba(m: Metadata) -> Keys:
    """Mamba; Falcon Mamba where its scan is normed."""
    normed = bool(m.raw("ssm.dt_b_c_rms"))
    return _state_space(
        m,
        "falcon_mamba" if normed else "mamba",
        intermediate_size=m.whole("ssm.inner_size"),
        time_step_rank=m.whole("ssm.time_step_rank"),
    )


def mamba2(m: Metadata) -> Keys:
    """Mamba-2."""
    heads, inner, width = m.whole("ssm.time_step_rank"), m.whole("ssm.inner_size"), m.whole("embedding_length")
    sizes: dict[str, Any] = {"num_heads": heads, "head_dim": inner // heads, "n_groups": m.whole("ssm.group_count")}
    return _state_space(m, "mamba2", **sizes, expand=inner / width)


def _state_space(m: Metadata, model_type: str, **more: Any) -> Keys:
    m.raw("attention.head_count")
    m.raw("feed_forward_length")
    return {
        "model_type": model_type,
        "num_hidden_layers": m.layers,
        "hidden_size": m.whole("embedding_length"),
        "vocab_size": m.rows("token_embd.weight"),
        "tie_word_embeddings": "output.weight" not in m.tensors,
        "state_size": m.whole("ssm.state_size"),
        "conv_kernel": m.whole("ssm.conv_kernel"),
        "use_bias": m.any("ssm_in.bias"),
        "use_conv_bias": m.any("ssm_conv1d.bias"),
        **more,
    }


RECURRENT: Final[dict[str, Translate]] = {
    "qwen3next": qwen3next,
    "qwen35": qwen35,
    "qwen35moe": qwen35moe,
    "mamba": mamba,
    "mamba2": mamba2,
}
