"""What checkpoints call the modules of a layer: by kind of attention and of feed-forward, as data.

Of the names of an operation those hold whose first part the family uses (`CONTAINERS`). Source: the model code of
transformers 5.23.0, vLLM (fused names), and the checkpoints of DeepSeek and Kimi.
"""

from __future__ import annotations

from typing import Final

_FUSED: Final = "mlp.gate_up_proj feed_forward.gate_up_proj"
DENSE: Final[dict[str, str]] = {
    "gate_proj": f"""
        mlp.gate_proj {_FUSED} feed_forward.gate_proj feed_forward.w1 mlp_block.gate_proj ffn.proj_up_gate
        shared_mlp.input_linear block_sparse_moe.w1 layer.{{last}}.DenseReluDense.wi_0 mlp.c_fc_0 mlp.c_fc2 mlp.w2
        mlp.dense_h_to_4h ffn.proj_1
    """,
    "up_proj": f"""
        mlp.up_proj {_FUSED} mlp.c_fc mlp.fc_in mlp.fc1 mlp.dense_h_to_4h fc1 ffn.up_proj ffn.proj_up ffn.lin1
        intermediate.dense mixer.up_proj feed_forward.up_proj feed_forward.w3 mlp_block.up_proj
        shared_mlp.input_linear block_sparse_moe.w3 layer.{{last}}.DenseReluDense.wi_1 layer.{{last}}.DenseReluDense.wi
        mlp.c_fc_1 mlp.w1 ffn.proj_1
    """,
    "down_proj": """
        mlp.down_proj mlp.c_proj mlp.fc_out mlp.fc2 mlp.dense_4h_to_h fc2 ffn.down_proj ffn.proj_down ffn.lin2
        output.dense mixer.down_proj feed_forward.down_proj feed_forward.w2 mlp_block.down_proj
        shared_mlp.output_linear block_sparse_moe.w2 layer.{last}.DenseReluDense.wo ffn.proj_2
    """,
}

#: Modules that checkpoints of a family have fused, and families whose experts have matrices w1, w2 and w3.
STORED_FUSED: Final[dict[str, str]] = {
    "phi3 phi4mm": "qkv_proj gate_up_proj",
    "glm glm4": "gate_up_proj",
    "gpt_oss": "gate_up_proj",
    "baichuan": "W_pack",
    "qwen jais codeshell openai-gpt": "c_attn",
    "chatglm": "query_key_value dense_h_to_4h",
    "internlm2": "wqkv",
    "phi-msft": "Wqkv",
    "openelm": "qkv_proj proj_1",
    "qwen3_next": "in_proj_qkvz in_proj_ba",
}
LETTERED: Final = "mixtral phimoe minimax_m2 minimax minimax_text_01 kimi_linear deepseek_ref"

_ROUTED: Final = ("mlp", "block_sparse_moe", "ffn", "feed_forward", "mixer", "moe")


def _experts(matrix: str, letter: str, joined: str) -> str:
    """Names of one matrix of the experts: each expert's, those of all, and where gate and up are one tensor."""
    each = [f"{part}.experts.{{e}}.{name}" for part in _ROUTED for name in (matrix, letter)]
    whole = [f"{part}.experts.{name}" for part in _ROUTED for name in (matrix, joined, letter)]
    alone = [f"moe.{matrix}", f"experts.{{e}}.{matrix}", f"experts.{matrix}", f"experts.{joined}"]
    linear = "output_linear" if matrix == "down_proj" else "input_linear"
    return " ".join(dict.fromkeys([*each, *whole, *alone, f"block_sparse_moe.{linear}"]))


EXPERTS: Final[dict[str, str]] = {
    "experts_gate": _experts("gate_proj", "w1", "gate_up_proj"),
    "experts_up": _experts("up_proj", "w3", "gate_up_proj"),
    "experts_down": _experts("down_proj", "w2", "down_proj"),
}
ROUTER: Final = """
    mlp.gate mlp.router block_sparse_moe.gate block_sparse_moe.router.layer ffn.gate ffn.router.layer mixer.gate
    feed_forward.router feed_forward.gate moe.gate router.proj mlp.gate.wg
    mlp.router.gate mlp.router.classifier mlp.router.layer block_sparse_moe.router
"""


def _shared(matrix: str, letter: str, linear: str) -> str:
    inside = ("shared_experts", "shared_expert", "shared_mlp")
    names = [f"{part}.{module}.{name}" for part in _ROUTED for module in inside for name in (matrix, letter)]
    fused = [] if matrix == "down_proj" else [f"mlp.{module}.gate_up_proj" for module in inside]
    return " ".join([*names, *fused, f"share_expert.{matrix}", f"shared_mlp.{linear}"])


SHARED: Final[dict[str, str]] = {
    "shared_gate_proj": _shared("gate_proj", "w1", "input_linear"),
    "shared_up_proj": _shared("up_proj", "w3", "input_linear"),
    "shared_down_proj": _shared("down_proj", "w2", "output_linear"),
}
SHARED_GATE: Final = "mlp.shared_expert_gate"
LATENT: Final[dict[str, str]] = {
    "latent_down_proj": "mixer.fc1_latent_proj mlp.fc1_latent_proj",
    "latent_up_proj": "mixer.fc2_latent_proj mlp.fc2_latent_proj",
}
#: Paths beside the layers of Gemma 3n and Gemma 4.
PER_LAYER: Final[dict[str, str]] = {
    "per_layer_gate": "per_layer_input_gate",
    "per_layer_projection": "per_layer_projection",
}
LAUREL: Final[dict[str, str]] = {"laurel_left": "laurel.linear_left", "laurel_right": "laurel.linear_right"}
ALTUP: Final[dict[str, str]] = {
    "altup_router": "altup.modality_router",
    "altup_prediction_coefs": "altup.prediction_coefs",
    "altup_correction_coefs": "altup.correction_coefs",
}
#: What no tool narrows, by the last word of its name: convolutions, sinks.
BESIDE: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys("conv1d conv_1d conv q_conv1d k_conv1d v_conv1d".split(), ("conv",)),  # noqa: SIM905
    "sinks": ("attention",),
}
#: Modules outside of the layers: embeddings, heads, and matrices.
EMBEDDINGS: Final = """
    model.embed_tokens model.language_model.embed_tokens language_model.model.embed_tokens transformer.wte
    transformer.word_embeddings gpt_neox.embed_in model.decoder.embed_tokens backbone.embeddings backbone.embedding
    model.embeddings model.embed embed shared model.shared embeddings.word_embeddings rwkv.embeddings
    model.tok_embeddings transformer.embedding.word_embeddings transformer.token_embeddings transformer.embd.wte
"""
HEADS: Final = (
    "lm_head language_model.lm_head model.lm_head embed_out head output transformer.output_layer lm_head.linear"
)
OUTSIDE: Final[dict[str, str]] = {
    "per_layer_model_projection": "model.per_layer_model_projection model.language_model.per_layer_model_projection",
    "altup_projections": "model.altup_projections.0 model.language_model.altup_projections.0",
    "altup_unembed_projections": "model.altup_unembed_projections.0 model.language_model.altup_unembed_projections.0",
}
