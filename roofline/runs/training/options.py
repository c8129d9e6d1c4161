"""The options of a training run, each declared once: command line, keywords and checks are made of them."""

from __future__ import annotations

from typing import Final

from roofline.runs.money.options import MONEY
from roofline.runs.option import Option
from roofline.runs.options import OPTIONS, SPEC_DIR

#: By the headings under which help shows them.
PANELS: Final[dict[str, tuple[Option, ...]]] = {
    "Workload": (
        Option("sequence", "int", None, "Tokens of a sequence. Default: 4096, or what the model is made for.", "N"),
        Option("micro_batch", "int", 1, "Sequences or pictures that a replica takes at once.", "N", short="b"),
        Option(
            "global_batch",
            "int",
            None,
            "Those of one step of the optimizer, over all replicas. Default: a micro-batch on each, four per stage of "
            "a pipeline.",
            "N",
        ),
        Option("tokens", "float", None, "Tokens in all: 2T, or 2e12. Then days, GPU-hours and cost are told.", "T"),
        Option("steps", "float", None, "Steps of the optimizer in all.", "N"),
        Option("samples", "float", None, "Sequences or pictures in all.", "N"),
        Option("decoder", "int", None, "Tokens of the decoder behind an encoder. Default: a quarter.", "N"),
    ),
    "How it trains": (
        Option(
            "recompute",
            "str",
            "none",
            "What is done again in the backward pass, to keep less: none, selective (scores) or full (whole layers).",
            "none|selective|full",
        ),
        Option(
            "optimizer",
            "str",
            "adamw",
            "adamw, adamw-8bit, adamw-bf16, adafactor, muon, lion, sgd, sgd-momentum.",
            "NAME",
        ),
        Option(
            "precision",
            "str",
            "bf16",
            "In which matrices are multiplied, and what is kept wider: bf16, fp16, amp, fp32, tf32, bf16-pure, fp8, "
            "mxfp8, nvfp4.",
            "NAME",
        ),
        Option("lora", "int", None, "Rank of adapters (LoRA), which are trained in place of the weights.", "R"),
        Option(
            "targets",
            "str",
            None,
            "Matrices with an adapter: q_proj,v_proj, attention or all-linear. Default: q and v, as PEFT's.",
            "NAMES",
        ),
        Option("base", "str", None, "Format of the frozen weights below adapters: bf16, int8 or nf4.", "DTYPE"),
        Option("ema", "bool", False, "Keep a running mean of the weights."),
        Option("attention", "str", "flash", "flash, or eager: through scores in memory.", "flash|eager"),
    ),
    "Over several GPUs": (
        Option("gpus", "int", None, "GPUs in all: tp × pp × cp × dp. What is not named is dp.", "N"),
        OPTIONS["tp"],
        OPTIONS["pp"],
        Option("vpp", "int", 1, "Chunks of layers on each GPU of a pipeline, each a stage (interleaved).", "N"),
        Option(
            "schedule", "str", "1f1b", "Order of micro-batches: 1f1b, gpipe or zero-bubble.", "1f1b|gpipe|zero-bubble"
        ),
        Option("cp", "int", None, "Context-parallel GPUs: tokens of a sequence.", "N"),
        Option("ep", "int", None, "GPUs that experts are spread over, out of tp × cp × dp.", "N"),
        Option("dp", "int", None, "Replicas.", "N"),
        Option(
            "zero",
            "int",
            None,
            "What replicas share: 0 nothing, 1 the optimizer, 2 gradients too, 3 weights too. Default: the engine's.",
            "0|1|2|3",
        ),
        Option("fsdp", "bool", False, "The same as --zero 3."),
        Option("no_sequence_parallel", "bool", False, "Tensor parallelism without splitting norms by tokens."),
        OPTIONS["node"],
    ),
    "What": (
        Option(
            "engine",
            "str",
            None,
            "Framework whose measured efficiencies to expect (`roofline list engines`); `ideal` is the roofline. "
            "Default: by what is trained.",
            "NAME",
            listing="list_trainers",
        ),
        SPEC_DIR,
    ),
    "Image models": (
        OPTIONS["height"],
        OPTIONS["width"],
        Option("part", "str", "denoiser", "What is trained: denoiser, vae or controlnet.", "NAME"),
        Option(
            "judges",
            "str",
            "none",
            "What judges an autoencoder beside pixels: none, perceptual (features), adversarial (a discriminator too).",
            "none|perceptual|adversarial",
        ),
        Option("encode", "bool", False, "Encode pictures and texts in every step; else both were encoded before."),
    ),
    "Memory": (OPTIONS["runtime_reserve"], OPTIONS["memory"]),
    "Money and power": MONEY,
}
TRAINING: Final[dict[str, Option]] = {option.name: option for panel in PANELS.values() for option in panel}
