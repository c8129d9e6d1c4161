"""Training: FLOPs and their days, checkpoints, states of optimizers, dropout, and Stable Diffusion's days and cost."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, Final

import roofline as rl
from roofline.analysis.training.conventions.terms import total
from roofline.answer.times import Times
from roofline.machine.machine import Machine
from roofline.runs.training.optimizers import optimizer_of
from roofline.workload.op import Op

from .ask import Check, cost, differs, elements, equal, gpu, lower, run, upper

A100: Final = "a100-sxm-80gb"
_DAY: Final = 86400.0
_SIX_N: Final = "6 N D, N all parameters"


def _days(model: str, on: str, gpus: int, mfu: float, tokens: float) -> float:
    """Days that so many tokens take at a share of the peak, the FLOPs counted as 6 N D."""
    found = rl.flops(model, gpu=on, gpus=gpus, mfu=mfu, tokens=tokens)
    rate = found.rate(found.count("six_n"))
    assert rate is not None
    return tokens / rate / _DAY


def _budget(**asked: Any) -> float:
    """FLOPs of a run, 6 N D."""
    laws = rl.flops(**asked).laws
    assert laws is not None
    return laws.value


#: Of DeepSeek-V3's report: tokens of its pre-training, and parameters that one visits as the report rounds them.
_TOKENS: Final = 14.8e12
_ACTIVE: Final = 37e9
_HOURS: Final = 2.79e6


def _deepseek_mfu() -> float:
    """By 6 of every parameter that a token visits."""
    found = rl.flops("deepseek-v3", gpu="h800-pcie", precision="fp8", tokens_per_s=_TOKENS / (_HOURS * 3600.0))
    used = found.used(found.count("six_n_active"))
    assert used is not None
    return 100 * used


def _deepseek_mfu_of_37b() -> float:
    peak = float(Machine.of(gpu("h800-pcie")).tensor["fp8"])
    return 100 * _budget(params=_ACTIVE, tokens=_TOKENS) / (_HOURS * 3600.0 * peak)


def _repeated(model: str) -> float:
    """FLOPs of the layers with all of them done again, over those without."""
    found = rl.flops(model, sequence=4096)
    again, once = found.count("hardware_full").terms, found.count("ledger_full").terms
    assert again is not None and once is not None
    return (total(again) - again["head"]) / (total(once) - once["head"])


_AGAIN: Final = "of the layers, attention with them; logits are not done again"

FLOPS: Final[dict[str, Check]] = {
    "nano_train_days": equal(partial(_days, "nanogpt-124m", A100, 8, 0.3, 3e11), _SIX_N),
    "sb_l70_train": equal(lambda: _budget(model="llama-3-70b", tokens=15e12), _SIX_N),
    "sb_l70_days": equal(partial(_days, "llama-3-70b", "tpu-v5p", 8960, 0.4, 15e12), _SIX_N),
    "sb_dsv3_mfu": differs(
        _deepseek_mfu,
        _deepseek_mfu_of_37b,
        "6 FLOPs of every parameter that a token visits, 14.8e12 tokens, the dense fp8 peak of an H800 PCIe; 37B is "
        "37e9 parameters there",
    ),
    "sb_remat": equal(partial(_repeated, "llama-3-70b"), _AGAIN),
    "stas_mfu_hfu": equal(partial(_repeated, "llama-2-7b"), _AGAIN),
    "tm101_neox": upper(lambda: float(Machine.of(gpu(A100)).tensor["bf16"]) / 1e12, "our dense peak"),
}


@cache
def _parts(model: str, **options: Any) -> tuple[dict[str, float], float]:
    """Bytes of each part of a training step's memory on one GPU, and the parameters."""
    found = rl.train(model, gpu=A100, sequence=1024, engine="ideal", **options)
    return {part.name: float(part.bytes) for part in found.memory.parts}, float(found.parameters.total)


def _checkpoint() -> float:
    """Weights in fp32 and two moments."""
    parts, _ = _parts("nanogpt-124m", precision="amp")
    return parts["weights_bytes"] + parts["optimizer_bytes"]


def _states(optimizer: str) -> float:
    """Bytes of a parameter: the copy in fp32 that is updated, and what the optimizer keeps."""
    parts, parameters = _parts("gpt2", optimizer=optimizer)
    return (parts["master_bytes"] + parts["optimizer_bytes"]) / parameters


def _states_without_scales(optimizer: str) -> float:
    parts, parameters = _parts("gpt2", optimizer=optimizer)
    rule = optimizer_of(optimizer)
    return parts["master_bytes"] / parameters + rule.moments * rule.bits / 8


MEMORY: Final[dict[str, Check]] = {
    "nano_ckpt_est": equal(lambda: _checkpoint() / 1e9, "weights in fp32 and two moments"),
    "nano_ckpt_meas": equal(_checkpoint, "weights in fp32 and two moments; the file holds more than these"),
    "tm101_adam8": differs(
        partial(_states, "adamw-8bit"),
        partial(_states_without_scales, "adamw-8bit"),
        "a copy in fp32 and two moments of a byte; of GPT-2, with the scale of each block of 256 and small tensors in "
        "fp32; without these",
    ),
    "tm101_sgdm": equal(partial(_states, "sgd-momentum"), "a copy in fp32 and one moment"),
}


def _dropout_time(beside: str) -> float:
    """Microseconds of a kernel that reads and writes once in fp16 what an op of the block writes; no mask."""
    est = run("bert-large-block", "v100-sxm2-32gb", batch=8, prompt=512, generate=1, fusion="eager")
    size = elements(est, beside, "write")
    return (
        float(cost(Op("dropout", "pointwise", "layers", read=size, write=size), "v100-sxm2-32gb", "fp16").bound_s) * 1e6
    )


_ALONE: Final = "the time; a kernel of its own that reads and writes once, the mask that it keeps left out"

DROPOUT: Final[dict[str, Check]] = {
    "a1_dropout_time": lower(partial(_dropout_time, "o_proj"), _ALONE),
    "a1_dropout2_time": lower(partial(_dropout_time, "up_proj"), _ALONE),
}

#: The README's images at 256 and at 512 pixels, and A100: images per second at each.
_IMAGES: Final = (1_126_400_000, 1_740_800_000)
_RATES: Final = {8: (1100, 290), 16: (2180, 585), 32: (4080, 1195), 64: (8530, 2340), 128: (11600, 4590)}
_MEASURED: Final = "the README's images at 256 and at 512 pixels over its measured images per second"


def _seconds(gpus: int) -> float:
    return sum(images / rate for images, rate in zip(_IMAGES, _RATES[gpus], strict=True))


def _dollars(gpus: int) -> float:
    asked = rl.train("sd-2.1-base", gpu=A100, gpus=gpus, height=512, width=512, engine="ideal", price="2/h")
    paid = asked.cost_of(Times.certain(_seconds(gpus)))
    assert paid is not None
    return float(paid.expected)


DIFFUSION: Final[dict[str, Check]] = {
    f"msd_{gpus}_days": equal(partial(lambda gpus: _seconds(gpus) / _DAY, gpus), _MEASURED) for gpus in (8, 32, 64, 128)
} | {f"msd_{gpus}_cost": equal(partial(_dollars, gpus), f"{_MEASURED}, at 2 USD per GPU-hour") for gpus in _RATES}

CHECKS: Final = FLOPS | MEMORY | DROPOUT | DIFFUSION
