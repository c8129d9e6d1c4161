"""What inputs are made from: names, runs and parts of files that are right before they are changed."""

from __future__ import annotations

from typing import Any, Final

GPUS: Final = ("a100", "h100", "mi300x", "apple-m4-max", "tpu-v5e", "xeon-8592", "rtx-4090", "b200")
TEXT_MODELS: Final = ("mistral-7b", "mixtral-8x7b", "deepseek-v3", "gpt-oss-20b", "t5-large", "bert-base-uncased")
PICTURES: Final = ("sd15-unet", "sdxl", "flux.1-dev", "sd-vae", "dit-xl-2-256")
ENGINES: Final = ("generic", "vllm", "llama.cpp", "sglang", "trtllm", "ideal")
#: Options of a run, as a user may add them to a file of his own.
RUNS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {},
    {},
    {"batch": 64, "prompt": 4000},
    {"weights": "q4_k_m"},
    {"weights": "int4-g128"},
    {"weights": "fp8"},
    {"fusion": "eager"},
    {"fusion": "compiled"},
    {"tp": 2},
    {"tp": 8, "pad_heads": True},
    {"pp": 2},
    {"cp": 2},
    {"ep": 2},
    {"dp": 2},
    {"offload": "weights=0.5"},
    {"offload": "experts@cpu"},
    {"kv_cache": "fp8"},
    {"engine": "vllm"},
    {"engine": "vllm@2023"},
    {"engine": "tensorrt-llm@0.15"},
    {"engine": "llama.cpp"},
    {"engine": "ideal"},
    {"generate": 0},
    {"generate": 1, "prompt": 1},
    {"logits": "all"},
    {"work": "reference"},
    {"latent": "naive"},
    {"chunk": 256},
    {"kv_layout": "paged"},
    {"memory": "48GB"},
)
PICTURE_RUNS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {},
    {},
    {"batch": 4},
    {"height": 256, "width": 512},
    {"steps": 1},
    {"weights": "fp8"},
    {"fusion": "eager"},
    {"offload": "model"},
    {"slicing": True},
    {"weights": "fp32"},
    {"guidance": 1.0},
)


SPREADS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"tp": 8},
    {"tp": 2},
    {"pp": 16},
    {"offload": "weights=0.5"},
    {"dp": 3},
)


QUANTISED: Final[tuple[dict[str, Any], ...]] = (
    {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True},
    {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"-:.*lm_head": {}, r"+:.*\.1\..*": {"bits": 8}}},
    {"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": ["lm_head", "re:.*mlp.*gate.*"]},
    {"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": ["model.layers.0", "*.k_proj"]},
    {
        "quant_method": "bitsandbytes",
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
    },
    {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "re:(a|b)*c"]},
    {
        "quant_method": "compressed-tensors",
        "ignore": ["lm_head", "re:.*self_attn.*", "re:.*.*.*.*x"],
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True},
                "input_activations": {"num_bits": 8, "type": "float", "strategy": "token", "dynamic": True},
            }
        },
    },
)
VISION: Final = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
    "projection_dim": 768,
    "vocab_size": 32000,
}


COMMANDS: Final = (
    *("estimate", "estimate", "ops", "explain", "fit", "levels", "show", "list", "import", "validate"),
    *("compare", "cost", "recommend", "sweep"),
)
SAID: Final = (
    "8",
    "16",
    "1000",
    "0.5",
    "50%",
    "vllm",
    "paged:16",
    "weights=0.5",
    "experts@cpu",
    "model",
    "euler",
    "1 GB",
    "fp8",
)
