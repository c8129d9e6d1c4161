"""The options of every question, each declared once: the command line, the keywords, checks and docs are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.runs.money.options import MONEY
from roofline.runs.option import ALL, IMAGE, TEXT, Option

_DTYPE: Final = "Number format, as `roofline list precisions` prints them."
_TILES: Final = "Autoencoder in overlapping tiles"
_LEVELS: Final = "pictures: also a level that `roofline levels` prints."

#: By the headings under which help shows them.
PANELS: Final[dict[str, tuple[Option, ...]]] = {
    "Workload": (
        Option("batch", "int", None, "Sequences that run together. Default: 1; see --users.", "N", ALL, "b", size=True),
        Option(
            "users",
            "int",
            None,
            "Users of a serving engine, each of whom sends the next request when the last is answered. Default: the "
            "batch of all replicas. Without --batch that is as many of them as run at once.",
            "N",
            ("text",),
            size=True,
        ),
        Option(
            "prompt",
            "int",
            None,
            "Prompt tokens per sequence. Default: 512; 4 where a model hears.",
            "N",
            TEXT,
            "p",
            size=True,
        ),
        Option(
            "generate",
            "int",
            None,
            "Tokens generated per sequence. Default: 128; what the model's file says; none where it only encodes.",
            "N",
            TEXT,
            "n",
            size=True,
        ),
        Option(
            "fusion",
            "str",
            None,
            f"What is written to memory between kernels: eager, flash or compiled; {_LEVELS} Default: flash; pictures: "
            "as the engine does.",
            "eager|flash|compiled",
        ),
        Option(
            "logits", "str", "last", "Positions of the prompt whose logits are computed: last or all.", "last|all", TEXT
        ),
        Option(
            "latent",
            "str",
            "absorbed",
            "Decoding with latent attention: absorbed, or naive on expanded keys.",
            "absorbed|naive",
            TEXT,
        ),
        Option(
            "work",
            "str",
            "ideal",
            "The ideal, or with what the model's reference code does needlessly.",
            "ideal|reference",
            TEXT,
        ),
        Option(
            "kv_layout",
            "str",
            None,
            "How the cache is allocated: ideal, or parts of paged[:BLOCK],full-windows,full-chunks. Default: the "
            "engine's way.",
            "LAYOUT",
            ("text",),
        ),
        Option(
            "chunk",
            "str | int",
            None,
            "Prompt tokens that go through the layers at once; none: all. Default: as the engine does.",
            "N|none",
            ("text",),
        ),
        Option("no_vision", "bool", False, "Leave out the vision and audio towers of the model.", kinds=("text",)),
        Option(
            "vision",
            "bool",
            False,
            "Hold the towers also where the engine loads them only when asked (llama.cpp: --mmproj).",
            kinds=("text",),
        ),
    ),
    "Pictures and sound in the prompt": (
        Option("images", "int", None, "Pictures in each prompt, beside its text.", "N", ("text",), size=True),
        Option(
            "image_size",
            "str",
            None,
            "Height x width of these pictures, and of frames, in pixels; one number for a square. Default: the "
            "encoder's own size, else 1024x1024.",
            "HxW",
            ("text",),
        ),
        Option("frames", "int", None, "Frames of a video in each prompt.", "N", ("text",), size=True),
        Option("seconds", "float", None, "Seconds of sound in each prompt.", "S", ("text",), size=True),
    ),
    "Formats": (
        Option(
            "weights",
            "str",
            None,
            f"Weights. {_DTYPE} Default: the model's own. One part of a picture's pipeline: bf16,denoiser=fp8.",
            "DTYPE",
            listing="list_precisions",
        ),
        Option(
            "activations",
            "str",
            None,
            "Activations. Default: the weights' format, bf16 below 16 bits. Narrow ones multiply on narrow units "
            "(W8A8); 16 bits that are asked for widen the weights.",
            "DTYPE",
            listing="list_precisions",
        ),
        Option(
            "kv_cache",
            "str",
            None,
            "KV-cache, or keys/values such as q8_0/q4_0. Default: 16 bit, or the checkpoint's own.",
            "DTYPE",
            ("text",),
            listing="list_precisions",
        ),
    ),
    "What": (
        Option(
            "engine",
            "str",
            "generic",
            "Whose measured efficiencies to expect, @ which version (vllm@2023); `ideal` is the roofline itself.",
            "NAME",
            listing="list_engines",
        ),
    ),
    "Speculation": (
        Option(
            "draft",
            "str",
            None,
            "What drafts tokens: the model's own MTP layers, an EAGLE head or a model. Held; its time is not counted.",
            "mtp|NAME|FILE",
            ("text",),
            listing="list_models",
        ),
        Option("draft_tokens", "int", None, "Tokens drafted per step. Default: by the kind of draft.", "N", ("text",)),
    ),
    "Several GPUs, and memory elsewhere": (
        Option(
            "gpus",
            "int",
            None,
            "GPUs in all: tp × pp × cp × dp. Alone: as the engine splits, mostly tensors.",
            "N",
        ),
        Option("tp", "int", None, "Tensor-parallel GPUs: heads, columns, rows, vocabulary.", "N", TEXT),
        Option("pp", "int", None, "Pipeline stages.", "N", TEXT),
        Option("microbatches", "int", None, "Parts of the batch in a pipeline. Default: pp.", "N", TEXT),
        Option(
            "ep",
            "int",
            None,
            "GPUs that experts are spread over; alone, attention is data-parallel over them.",
            "N",
            TEXT,
        ),
        Option("dp", "int", None, "Replicas, each with a batch of its own.", "N"),
        Option("cp", "int", None, "Context-parallel GPUs: tokens of the prompt, the cache.", "N"),
        Option(
            "node",
            "str",
            None,
            "How the GPUs are linked. Default: the first known node of this GPU.",
            "NAME|FILE",
            listing="list_nodes",
        ),
        Option("overlap", "str", None, "Hide communication behind work.", "none|full"),
        Option(
            "offload",
            "str",
            None,
            "Keep weights, experts or cache elsewhere, for example experts=0.6@cpu or experts=9/24@cpu; pictures: "
            "model (one part at a time on the GPU), leaf or group[=BLOCKS], each with @pageable or @pinned copies.",
            "PART[=SHARE][@cpu|host|disk]",
        ),
        Option(
            "host",
            "str",
            None,
            "Processor of the host, whose cores compute what is offloaded to it, and the memory that it has in all: "
            "epyc-9654, '2x epyc-9654:768GB', or 64GB alone. Default: the node's, or a usual one with the most that it "
            "takes.",
            "[N x]NAME|FILE[:SIZE]",
            TEXT,
            listing="list_gpus",
        ),
        Option("pad_heads", "bool", False, "Fill up with empty heads where tp does not divide them.", kinds=TEXT),
    ),
    "Memory": (
        Option(
            "runtime_reserve",
            "str | float",
            None,
            "Memory that the runtime keeps on each GPU, for example '1 GB', 10% or vllm. Default: the engine's own.",
            "BYTES",
        ),
        Option(
            "utilisation",
            "str | float",
            None,
            "Share of the memory that the engine takes, above 0 to 1 (0.9 or 90%). Default: the engine's own.",
            "SHARE",
            TEXT,
        ),
        Option(
            "max_sequences",
            "int",
            None,
            "Sequences that the engine has room to draw tokens for. Default: the engine's own.",
            "N",
            ("text",),
        ),
        Option(
            "memory",
            "str",
            None,
            "Memory of another size, as it is sold (48GB has 48 GiB); of a chip with unified memory the machine's, of "
            "which the system lets the GPU have a part. Default: the chip's.",
            "SIZE",
        ),
    ),
    "Image models": (
        Option("height", "int", None, "Height in pixels.", "PX", IMAGE, size=True),
        Option("width", "int", None, "Width in pixels.", "PX", IMAGE, size=True),
        Option("steps", "int", None, "Denoising steps.", "N", IMAGE, size=True),
        Option("guidance", "float", None, "Guidance scale; above 1 the batch is doubled.", "X", IMAGE),
        Option(
            "scheduler",
            "str",
            None,
            "Scheduler, as `roofline list schedulers` prints them.",
            "NAME",
            IMAGE,
            listing="list_schedulers",
        ),
        Option("strength", "float", None, "How much of a given picture is replaced, 0 to 1.", "X", IMAGE),
        Option("tiling", "bool | str", False, f"{_TILES}; `vae` says the same.", kinds=IMAGE, words=("vae",)),
        Option("slicing", "bool", False, "Autoencoder one picture at a time.", kinds=IMAGE),
        Option("no_safety_checker", "bool", False, "Leave out a pipeline's safety checker.", kinds=IMAGE),
    ),
    "Money and power": MONEY,
}
#: Where the specs are: no part of a run.
SPEC_DIR: Final = Option("spec_dir", "str", None, "A folder of your own specs, searched first.", "DIR")

OPTIONS: Final[dict[str, Option]] = {option.name: option for panel in PANELS.values() for option in panel}
KEYWORDS: Final[dict[str, Option]] = OPTIONS | {SPEC_DIR.name: SPEC_DIR}
#: Options that formulas take as numpy axes.
SIZES: Final = tuple(option.name for option in OPTIONS.values() if option.size)
#: Flags that may be followed by a word, and which.
WORDS: Final = {option.flag: option.words for option in OPTIONS.values() if option.words}
#: Options about devices, their memory, and what is elsewhere.
SPREAD: Final = tuple(
    option.name for title in ("Several GPUs, and memory elsewhere", "Memory") for option in PANELS[title]
)
#: Those that say how a model is spread over devices.
AXES: Final = ("tp", "pp", "microbatches", "ep", "pad_heads")


def asked(given: Mapping[str, Any], name: str) -> Any:
    """What an option was given, else its default."""
    return given[name] if name in given else OPTIONS[name].default
