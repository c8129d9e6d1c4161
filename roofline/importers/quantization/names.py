"""What checkpoints call the modules of a layer: by kind of attention and of feed-forward, as data.

Of the names of an operation those hold whose first part the family uses (`CONTAINERS`). Source: the model code of
transformers 5.23.0, vLLM (fused names), and the checkpoints of DeepSeek and Kimi.
"""

from __future__ import annotations

from typing import Final

#: The first parts of names inside a layer, of families that are not like Llama.
CONTAINERS: Final[dict[str, str]] = {
    "gpt2 gpt_bigcode gptj codegen gpt_neo": "attn mlp",
    "gpt_neox": "attention mlp",
    "opt": "self_attn fc1 fc2",
    "bloom falcon": "self_attention mlp",
    "mpt": "attn ffn",
    "bert roberta xlm-roberta electra distilbert": "attention intermediate output ffn",
    "t5 mt5": "layer",
    "bart mbart": "self_attn encoder_attn fc1 fc2",
    "dbrx": "norm_attn_norm ffn",
    "mixtral phimoe minimax_m2 minimax minimax_text_01 minimax_m3 minimax_m3_vl_text": "self_attn block_sparse_moe mlp",
    "granitemoe granitemoeshared granitemoehybrid granitemoe_swa": "self_attn mamba block_sparse_moe shared_mlp mlp",
    "llama4_text": "self_attn feed_forward",
    "jamba bamba falcon_h1": "self_attn mamba feed_forward",
    "nemotron_h mamba falcon_mamba mamba2 mamba_ssm": "mixer",
    "lfm2 lfm2_moe lfm3": "self_attn conv feed_forward",
    "jetmoe": "self_attention mlp",
    "bailing_moe bailing_moe_v2 bailing_moe_linear bailing_moe_linear_v2": "attention mlp",
    "longcat_flash": "self_attn mlps mlp",
    "recurrent_gemma": "temporal_block mlp_block",
    "rwkv": "attention feed_forward",
    "xlstm": "mlstm_layer ffn",
    "step3p5 step3p7": "self_attn mlp moe share_expert",
    "deepseek_v4 deepseek_ref": "self_attn mlp attn ffn",
    "deepseek_v3 deepseek_v32 kimi_k2": "self_attn mlp",
    "kimi_linear kimi_k3": "self_attn mlp block_sparse_moe",
    "zamba zamba2": "mamba mamba_decoder shared_transformer linear",
    "gemma4_text": "self_attn mlp experts moe router per_layer_input_gate per_layer_projection",
}
USUAL: Final = "self_attn linear_attn mlp per_layer_input_gate per_layer_projection laurel altup".split()  # noqa: SIM905

#: Where layers stand in a checkpoint, of families that are not like Llama.
PREFIXES: Final[dict[str, str]] = {
    "gpt2 gpt_bigcode gptj codegen gpt_neo bloom falcon": "transformer.h",
    "gpt_neox": "gpt_neox.layers",
    "opt": "model.decoder.layers",
    "mpt dbrx": "transformer.blocks",
    "bert electra": "encoder.layer bert.encoder.layer electra.encoder.layer",
    "roberta xlm-roberta": "encoder.layer roberta.encoder.layer",
    "distilbert": "transformer.layer distilbert.transformer.layer",
    "mamba falcon_mamba mamba2 mamba_ssm": "backbone.layers",
    "nemotron_h": "backbone.layers model.layers",
    "rwkv": "rwkv.blocks",
    "xlstm": "backbone.blocks",
    "t5 mt5": "decoder.block",
    "bart mbart": "model.decoder.layers",
    "deepseek_v4 deepseek_ref": "model.layers layers",
}
#: Where layers of an encoder before a decoder stand.
ENCODERS: Final[dict[str, str]] = {"t5 mt5": "encoder.block", "bart mbart": "model.encoder.layers"}
#: Where the layers of the text model of a multimodal one stand.
MULTIMODAL: Final = ("model.language_model.layers", "language_model.model.layers", "model.layers")

_FUSED: Final = "mlp.gate_up_proj feed_forward.gate_up_proj"
DENSE: Final[dict[str, str]] = {
    "gate_proj": f"""
        mlp.gate_proj {_FUSED} feed_forward.gate_proj feed_forward.w1 mlp_block.gate_proj ffn.proj_up_gate
        shared_mlp.input_linear block_sparse_moe.w1 layer.{{last}}.DenseReluDense.wi_0
    """,
    "up_proj": f"""
        mlp.up_proj {_FUSED} mlp.c_fc mlp.fc_in mlp.fc1 mlp.dense_h_to_4h fc1 ffn.up_proj ffn.proj_up ffn.lin1
        intermediate.dense mixer.up_proj feed_forward.up_proj feed_forward.w3 mlp_block.up_proj
        shared_mlp.input_linear block_sparse_moe.w3 layer.{{last}}.DenseReluDense.wi_1 layer.{{last}}.DenseReluDense.wi
    """,
    "down_proj": """
        mlp.down_proj mlp.c_proj mlp.fc_out mlp.fc2 mlp.dense_4h_to_h fc2 ffn.down_proj ffn.proj_down ffn.lin2
        output.dense mixer.down_proj feed_forward.down_proj feed_forward.w2 mlp_block.down_proj
        shared_mlp.output_linear block_sparse_moe.w2 layer.{last}.DenseReluDense.wo
    """,
}

#: Modules that checkpoints of a family have fused, and families whose experts have matrices w1, w2 and w3.
STORED_FUSED: Final[dict[str, str]] = {
    "phi3 phi4mm": "qkv_proj gate_up_proj",
    "glm glm4": "gate_up_proj",
    "gpt_oss": "gate_up_proj",
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
"""
HEADS: Final = "lm_head language_model.lm_head model.lm_head embed_out head output"
OUTSIDE: Final[dict[str, str]] = {
    "per_layer_model_projection": "model.per_layer_model_projection model.language_model.per_layer_model_projection",
    "altup_projections": "model.altup_projections.0 model.language_model.altup_projections.0",
    "altup_unembed_projections": "model.altup_unembed_projections.0 model.language_model.altup_unembed_projections.0",
}
