"""What is kept of each parameter between steps, and beside it while a step runs.

    master     weights in 16 bit for products, a copy in fp32 that the optimizer updates
    shards     weights in fp32, spread over devices; products take them gathered in 16 bit, layer by layer
    autocast   weights in fp32; what products need is cast to 16 bit and kept while a forward pass is under way
    pure       everything in 16 bit, moments too

Sources: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), section 3; Megatron Core, Distributed Optimizer: 20 bytes
with gradients in fp16, 18 in fp32, 16 where all is fp32; DeepSpeed, estimate_zero2_model_states_mem_needs: 2 + 4 of
gradients; DeepSpeed, BF16_Optimizer: gradients in fp32, and those of the last micro-batch until the next one begins
(`clear_lp_grads`); PyTorch, torch.amp (`cache_enabled`) and FSDP (arXiv:2304.11277, section 4.4); Transformer Engine:
weights in fp8 with a transpose each, cached over micro-batches (`is_first_microbatch`).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from roofline.runs.training.formats import MODES
from roofline.runs.training.optimizers import OPTIMIZERS, Optimizer, optimizer_of, typical
from roofline.specs.engine_training import TrainingHabits
from roofline.specs.formats.dtypes import find_dtype

_WIDE: Final = 4.0
_HALF: Final = 2.0
_SIXTEEN: Final = 16.0
#: Of gradients where there is a master copy, in bf16.
_GRADIENTS: Final = {"wide": _WIDE, "narrow": _HALF, "both": _WIDE + _HALF}
Holding = Literal["fp32", "master", "shards", "autocast", "pure"]
#: Ways to train that say themselves how weights are held.
_HELD: Final[dict[str, Holding]] = {
    "fp32": "fp32",
    "tf32": "fp32",
    "amp": "autocast",
    "amp-fp16": "autocast",
    "bf16-pure": "pure",
}
#: Of each way to hold them: weights, master, a moment; and gradients, 0 where habits say.
_BYTES: Final[dict[Holding, tuple[float, float, float, float]]] = {
    "fp32": (_WIDE, 0.0, _WIDE, _WIDE),
    "master": (_HALF, _WIDE, _WIDE, 0.0),
    "shards": (_WIDE, 0.0, _WIDE, _WIDE),
    "autocast": (_WIDE, 0.0, _WIDE, _WIDE),
    "pure": (_HALF, 0.0, _HALF, _HALF),
}


class Recipe(NamedTuple):
    """Bytes of one parameter that is trained.

    weights, gradients, master   between steps; `optimizer`: states, of a large matrix
    moment     of an element of a moment, where the optimizer does not say
    copies     of weights of products, cast or transposed, while a micro-batch is under way
    step       beside all else of a device's share, while the optimizer runs: gradients widened to fp32
    ema        a running mean of the weights
    compute    of an element as products take it, as it is gathered
    holding    how weights are held
    narrow     copies are in less than 16 bit: of matrices of layers, not of the head
    """

    weights: float
    gradients: float
    master: float
    optimizer: float
    moment: float = _WIDE
    copies: float = 0.0
    step: float = 0.0
    ema: float = 0.0
    compute: float = _HALF
    holding: Holding = "master"
    rule: Optimizer = OPTIMIZERS["adamw"]
    wide_embeddings: bool = False
    narrow: bool = False

    @property
    def total(self) -> float:
        """Between steps: weights, gradients, master copy and the optimizer's states."""
        return self.weights + self.gradients + self.master + self.optimizer


def recipe_of(
    mode: str, optimizer: str, habits: TrainingHabits, *, adapters: bool = False, base: str | None = None,
    ema: bool = False,
) -> Recipe:  # fmt: skip
    """The recipe of a way to train: of all weights, or of `adapters` on a frozen `base`.

    Adapters are in fp32 or, where the framework leaves them in the format of the base, in 16 bit, moments too: PEFT's
    `autocast_adapter_dtype`. Raises UsageError for an optimizer that there is not.
    """
    rule = optimizer_of(optimizer)
    holding = _adapters(mode, habits) if adapters else _HELD.get(mode) or _half(habits)
    weights, master, moment, gradients = _BYTES[holding]
    gradients = gradients or (_HALF if mode == "fp16" else _GRADIENTS[habits.gradients])
    return Recipe(
        weights,
        gradients,
        master,
        typical(rule, moment),
        moment=moment,
        copies=0.0 if adapters else _copies(mode, holding, habits),
        step=_WIDE if master and gradients < _WIDE else 0.0,
        ema=max(weights, master) if ema else 0.0,
        compute=find_dtype(MODES[mode][1]).bits / 8.0,
        holding=holding,
        rule=rule,
        wide_embeddings=habits.wide_embeddings,
        narrow=find_dtype(MODES[mode][0]).bits < _SIXTEEN,
    )


def _half(habits: TrainingHabits) -> Holding:
    return "pure" if habits.half == "master" and not habits.master else habits.half


def _adapters(mode: str, habits: TrainingHabits) -> Holding:
    return "fp32" if habits.adapters_wide or mode in ("fp32", "tf32") else "pure"


def _copies(mode: str, holding: Holding, habits: TrainingHabits) -> float:
    """Of a weight of a product: in the format of products, beside how it is held; below 16 bit twice, turned too."""
    matrices = find_dtype(MODES[mode][0])
    if matrices.bits < _SIXTEEN:
        return 2.0 * matrices.bits / 8.0 if habits.casts else 0.0
    return _HALF if holding in ("autocast", "shards") else 0.0
