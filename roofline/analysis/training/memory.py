"""What one device holds in a training step, part by part, at the fullest of four moments.

    loss       the forward pass of a micro-batch is done: its activations are there, and the logits with what they need
    backward   the first layer behind the loss goes backwards: activations, and what it needs beside them
    gradients  the backward pass is done: of activations one layer's are left, and all gradients are there
    update     the optimizer runs: gradients, in fp32 where it wants them so

Buffers of gradients that a framework makes once are there at all moments; PyTorch makes gradients as they come and
frees them after each step (`zero_grad(set_to_none=True)`), so that the first micro-batch of a step has none beside its
activations.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from roofline.answer.memory import Memory, Part
from roofline.num import Num, first_value, maximum, minimum
from roofline.runs.training.recipes import Recipe
from roofline.runs.training.states import Sharing, States

Loss = Literal["unfused", "in-place", "fused", "chunked"]
#: Bytes per logit at the fullest moment of a loss, its gradient included.
_LOGITS: Final[dict[Loss, float]] = {
    "unfused": 12.0,  # backwards: log-softmax, its gradient and that of the likelihood in fp32
    "in-place": 6.0,  # one copy in fp32, which becomes the softmax, then its gradient; and one of 16 bit
    "fused": 4.0,  # logits and their gradient in 16 bit
    "chunked": 2.0 + 4.0 / 8.0,  # all logits, and of one chunk what a fused kernel has
}
#: Elements that DeepSpeed sums at once (`reduce_bucket_size`), twice where it overlaps (`overlap_comm`).
BUCKET: Final = 5e8


def loss_bytes(rows: Num, vocabulary: float, loss: Loss, devices: float = 1.0, head: float = 0.0) -> Num:
    """Bytes that logits and the cross-entropy need at their fullest moment, of so many tokens with labels.

    `devices` share the vocabulary. Chunk by chunk the gradient of the head is there twice, `head` bytes each: what one
    chunk gives, and their sum.

    Sources: PyTorch, backward of log_softmax and nll_loss: output, and gradient of output and of input, each in fp32;
    Megatron Core, vocab_parallel_cross_entropy; torchtune, CEWithChunkedOutputLoss (8 compiled chunks of the head).
    """
    logits = rows * vocabulary / devices
    return logits * _LOGITS[loss] + (2.0 * head if loss == "chunked" else 0.0)


def bucket_bytes(states: States, recipe: Recipe, sharing: Sharing) -> float:
    """Bytes of buffers through which gradients of all replicas are summed.

    PyTorch's DDP copies every gradient into a bucket (`gradient_as_bucket_view=False`); Megatron sums in the buffer in
    fp32 where gradients are; FSDP's are counted with the layers that it gathers; DeepSpeed and its like, which keep
    gradients in 16 bit, fill two buckets.
    """
    if sharing.devices == 1 or recipe.holding == "shards":
        return 0.0
    if recipe.holding == "master":
        whole = states.gradients * (sharing.devices if sharing.zero > 1 else 1.0)
        return 2.0 * min(whole, BUCKET * recipe.compute) if recipe.step else 0.0
    return states.gradients if sharing.zero == 0 else 0.0


class Activations(NamedTuple):
    """Bytes of one micro-batch on one stage.

    layers    what all its layers keep for their backward pass, by the policy of recomputing
    first     what the embedding keeps beside them, of each micro-batch in flight
    last      what the head keeps, of the one that it has
    live      what one layer needs beside what is kept while it goes backwards: all that it keeps where it is done
              again, gradients of activations
    loss      at the fullest moment of the loss, without what `last` has of it already
    head      gradient of the head, which is there before those of layers
    in_flight micro-batches of all layers of the stage that are kept at once
    """

    layers: Num = 0.0
    first: Num = 0.0
    last: Num = 0.0
    live: Num = 0.0
    loss: Num = 0.0
    in_flight: Num = 1.0
    head: Num = 0.0

    @property
    def kept(self) -> Num:
        """All that is kept for backward passes."""
        return self.in_flight * (self.layers + self.first) + self.last


class Around(NamedTuple):
    """What is held beside states and activations, in bytes.

    gathered   weights that are gathered for a layer, or widened from a narrow base; a gradient before it is shared out
    buffers    of gradients on their way, random numbers, rotary tables
    frozen     weights that nothing trains
    runtime    context, libraries, buffers of exchanges: outside of what an allocator hands out
    reserve    share that the allocator has beyond what is in use
    """

    gathered: Num = 0.0
    buffers: Num = 0.0
    frozen: Num = 0.0
    runtime: Num = 0.0
    reserve: float = 0.0


class _Moment(NamedTuple):
    name: str
    gradients: Num
    activations: Num
    loss: Num
    passing: Num

    @property
    def total(self) -> Num:
        return self.gradients + self.activations + self.loss + self.passing


def stays(recipe: Recipe, microbatches: Num) -> bool:
    """Whether gradients are there when a micro-batch begins: they have a buffer, or are added up over several."""
    return recipe.holding == "master" or first_value(microbatches) > 1.0


def _moments(states: States, taken: Activations, around: Around, *, stays: bool) -> list[_Moment]:
    early = states.gradients if stays else 0.0
    beside = states.copies + around.gathered
    return [
        _Moment("loss", early, taken.kept, taken.loss, beside),
        _Moment("backward", early if stays else taken.head, taken.kept + taken.live, 0.0, beside),
        _Moment("gradients", states.gradients, taken.live, 0.0, beside),
        _Moment("update", states.gradients, 0.0, 0.0, states.step),
    ]


def parts_of(
    states: States, taken: Activations, around: Around, *, stays: bool, room: Num = float("inf")
) -> tuple[Part, ...]:
    """The parts at the fullest moment, which the note of the activations names.

    What the allocator reserves ends with the `room`: it frees what it holds unused before it gives up (PyTorch,
    CUDACachingAllocator). Of a grid of runs the moment is that of the first.
    """
    moments = _moments(states, taken, around, stays=stays)
    most = max(moments, key=lambda moment: float(first_value(moment.total)))
    allocated = states.weights + around.frozen + states.master + states.optimizer + states.ema + around.buffers
    allocated = allocated + most.total
    gathered = most.passing if most.name != "update" else 0.0
    reserve = minimum(allocated * around.reserve, maximum(0.0, room - allocated - around.runtime))
    parts = [
        Part("weights_bytes", "weights", states.weights + around.frozen),
        Part("gradients_bytes", "gradients", most.gradients),
        Part("master_bytes", "master weights", states.master),
        Part("optimizer_bytes", "optimizer states", states.optimizer),
        Part("ema_bytes", "running mean of the weights", states.ema),
        Part("activations_bytes", "activations", most.activations, _WHEN[most.name]),
        Part("loss_bytes", "logits and loss", most.loss),
        Part("gathered_bytes", "gathered and cast weights", gathered),
        Part("update_bytes", "gradients in fp32", most.passing - gathered),
        Part("buffers_bytes", "buffers of gradients", around.buffers),
        Part("runtime_bytes", "runtime", around.runtime),
        Part("reserve_bytes", "allocator's reserve", reserve),
    ]
    return tuple(part for part in parts if part.name in _ALWAYS or first_value(part.bytes) > 0.0)


_ALWAYS: Final = ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes", "loss_bytes")
_WHEN: Final = {
    "loss": "fullest at the loss",
    "backward": "fullest as the backward pass begins",
    "gradients": "fullest as the backward pass ends",
    "update": "fullest as the optimizer runs",
}


def allocated_bytes(parts: tuple[Part, ...]) -> Num:
    """What an allocator counts as in use: all but the runtime and its own reserve."""
    total: Num = 0.0
    for part in parts:
        if part.name not in ("runtime_bytes", "reserve_bytes"):
            total = total + part.bytes
    return total


def fullest(stages: list[tuple[Part, ...]], capacity: Num, usable: Num | None = None) -> Memory:
    """The memory of the stage that needs most. `usable`: what programs can have of the capacity."""
    most = max(stages, key=lambda parts: sum(float(first_value(part.bytes)) for part in parts))
    return Memory(most, capacity, usable=usable)
