"""What help shows first of each command: what it is for in a line, an example, and the options that matter most.

A test runs every example.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: The commands by the question that they answer.
QUESTIONS: Final[dict[str, tuple[str, ...]]] = {
    "How fast, how much memory": ("estimate", "fit", "sweep", "plot"),
    "Which machine, what does it cost": ("compare", "recommend", "cost"),
    "Training": ("train", "flops"),
    "Why": ("explain", "ops", "levels"),
    "Own measurements": ("validate", "calibrate"),
    "What is there": ("list", "show", "import", "schema"),
}


class Shown(NamedTuple):
    """What is shown of a command: its use in a few words, the arguments of an example, the options that matter most,
    as they are written without dashes; none where all of them are shown.
    """

    use: str
    arguments: str
    options: tuple[str, ...] = ()


_RUN: Final = ("model", "gpu", "batch", "prompt", "generate", "steps", "weights", "engine", "gpus")
SHOWN: Final[dict[str, Shown]] = {
    "estimate": Shown("times and memory of a run, what bounds it", "--model llama-3.1-8b --gpu a100 --batch 8", _RUN),
    "fit": Shown(
        "does it fit, with room for how much, and what would help",
        "--model llama-3.1-70b --gpu h100",
        ("model", "gpu", "users", "prompt", "generate", "weights", "engine", "gpus", "all"),
    ),
    "sweep": Shown(
        "every combination of the values of options, also into a file",
        "--model mistral-7b --gpu a100 --batch 1:256:x2",
        ("model", "gpu", "batch", "prompt", "generate", "weights", "engine", "output", "where", "top"),
    ),
    "plot": Shown(
        "a picture: roofline, memory, curves or bars",
        "--model mistral-7b --gpu a100,h100 -o roofline.svg",
        ("output", "kind", "model", "gpu", "batch", "prompt", "generate", "weights", "engine"),
    ),
    "compare": Shown(
        "runs side by side: the best, by how much, how surely",
        "--model mistral-7b --gpu a100,h100",
        _RUN,
    ),
    "recommend": Shown(
        "the few best machines for users or a rate, limits and a budget",
        "--model llama-3.1-8b --users 16 --tpot 50ms",
        ("model", "gpu", "users", "rate", "ttft", "tpot", "budget", "formats", "top"),
    ),
    "cost": Shown(
        "rented, bought or from an API, and when which is cheaper",
        "--model llama-3.1-8b --gpu h100 --users 16",
        ("model", "gpu", "users", "prompt", "generate", "weights", "engine", "price", "load", "tokens-per-day"),
    ),
    "train": Shown(
        "how fast it trains, in how much memory, for how many dollars",
        "--model llama-3.1-8b --gpu h100 --gpus 8 --tokens 1B",
        ("model", "gpu", "gpus", "sequence", "global-batch", "micro-batch", "tokens", "lora", "zero", "recompute"),
    ),
    "flops": Shown(
        "FLOPs of a training step by every published convention, MFU",
        "--model llama-2-7b --gpu a100 --tokens-per-s 3000",
        ("model", "gpu", "sequence", "tokens-per-s", "mfu", "budget", "params", "tokens"),
    ),
    "explain": Shown(
        "every number's formula, values and source",
        "--model mistral-7b --gpu a100 --only tpot",
        ("only", "terms", *_RUN[:5], "weights", "engine"),
    ),
    "ops": Shown(
        "a phase op by op: FLOPs, bytes, time, what bounds each",
        "--model sdxl --gpu rtx-4090 --phase denoise --by kind",
        ("phase", "by", "sort", *_RUN[:5], "weights", "engine"),
    ),
    "levels": Shown(
        "kernels, bytes and bound from eager to fused",
        "--model sdxl --gpu rtx-4090",
        ("model", "gpu", "phase", "batch", "prompt", "height", "width", "weights"),
    ),
    "validate": Shown("predictions against published runs, or your own", "--by gpu"),
    "calibrate": Shown("an engine of your own, fitted to your runs", "runs.csv --output my-engine.yaml"),
    "list": Shown(
        "models, GPUs, nodes, engines, schedulers, precisions",
        "gpus --for llama-3.1-8b",
        ("what", "match", "for", "sort", "spec-dir", "json", "csv"),
    ),
    "show": Shown("one file of them, ready to be changed", "a100"),
    "import": Shown("a model file from a config.json or a file of weights", "config.json --output my-model.yaml"),
    "schema": Shown("what a file may say, as JSON Schema", "model"),
}


def example(command: str) -> str:
    """A command line that works, of a command."""
    return f"roofline {command} {SHOWN[command].arguments}"
