"""What one device of a training run holds at the fullest moment of a step, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from roofline.analysis.training.activations import activations_of
from roofline.analysis.training.memory import Around, bucket_bytes, fullest, parts_of, stays
from roofline.analysis.training.work import StageWork
from roofline.answer.memory import Memory, Part
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import Num, maximum
from roofline.passes.parallel.pipeline import SUBLAYERS
from roofline.runs.training.frozen import frozen_bytes, unpacked_bytes
from roofline.runs.training.run import TrainQuestion
from roofline.runs.training.states import GRADIENTS, WEIGHTS, Sharing, gathered_bytes, states_of
from roofline.workload.op import Op
from roofline.workload.storage.tensors import Tensor, parameter_tensors

#: Context and libraries where an engine's file has no figure: what `pytorch-eager` was measured to take, and buffers of
#: exchanges as vLLM's.
RUNTIME, LINKED = 0.43e9, 0.41e9


def memory_of(question: TrainQuestion, works: Sequence[StageWork]) -> Memory:
    """The parts on the device of the fullest stage, of what programs can have of its memory."""
    machine = question.machine()
    usable = machine.capacity if question.engine == IDEAL else maximum(0.0, machine.capacity - machine.unseen)
    return fullest([_parts(question, work, usable) for work in works], machine.capacity, usable)


def _parts(question: TrainQuestion, work: StageWork, room: Num) -> tuple[Part, ...]:
    trained, frozen = tensors_of(work)
    recipe, sharing = question.recipe, sharing_of(question)
    states = states_of(trained, recipe, sharing)
    around = Around(
        gathered=_gathered(question, work, frozen, sharing),
        buffers=bucket_bytes(states, recipe, sharing),
        frozen=_frozen(question, frozen, sharing),
        runtime=_runtime(question),
        reserve=0.0 if question.engine == IDEAL else question.habits.reserve,
    )
    taken = activations_of(question, work, _head(question, work))
    return parts_of(states, taken, around, stays=stays(recipe, question.microbatches), room=room)


def tensors_of(work: StageWork) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The tensors of a stage that are trained, and those that are not."""
    trained = parameter_tensors(flow.op for flow in work.flows if flow.weights)
    return trained, parameter_tensors(flow.op for flow in work.flows if not flow.weights)


def sharing_of(question: TrainQuestion) -> Sharing:
    """Who shares states out.

    In a pipeline, FSDP leaves the weights of a stage gathered from micro-batch to micro-batch, and adds their gradients
    up on each device before it shares them out.

    Source: torchtitan, parallelize_llama.py (`reshard_after_forward`: not with a pipeline); PyTorch, PipelineStage
    (`set_requires_gradient_sync` before the last micro-batch); Llama team 2024 (arXiv:2407.21783), section 3.3.2.
    """
    plan, zero = question.plan, question.layout.zero
    if plan.pp > 1 and zero == WEIGHTS and question.recipe.holding == "shards":
        return Sharing.of(plan, GRADIENTS, whole=True)
    return Sharing.of(plan, zero)


def _head(question: TrainQuestion, work: StageWork) -> float:
    """Bytes of the gradient of the head, be it a matrix of its own or the table once more."""
    taught = sum(float(flow.op.weights) for flow in work.flows if flow.op.name == "head" and flow.weights)
    return taught * question.recipe.gradients if question.run.adapters is None else 0.0


def _frozen(question: TrainQuestion, frozen: tuple[Tensor, ...], sharing: Sharing) -> float:
    """Bytes of weights that nothing trains: whole, or as shards where weights are shared out."""
    whole = frozen_bytes(frozen, question.run.base)
    return whole / sharing.devices if sharing.zero == WEIGHTS else whole


def _gathered(question: TrainQuestion, work: StageWork, frozen: tuple[Tensor, ...], sharing: Sharing) -> float:
    """Weights that are gathered for a layer and the next, or widened from a narrow base."""
    unpacked = unpacked_bytes(frozen, question.run.base) if frozen else 0.0
    if sharing.zero < WEIGHTS or sharing.devices == 1:
        return unpacked
    wide = question.habits.gradients != "narrow" and question.recipe.holding == "shards"
    return unpacked + gathered_bytes(units_of(work.forward), question.recipe, reduced=4.0 if wide else None)


def units_of(ops: Iterable[Op]) -> list[float]:
    """Parameters that FSDP gathers at once, in order: a table, layers (of those that are alike two), a head."""
    held: dict[str, float] = {}
    counts: dict[str, dict[str, float]] = {}
    for op in ops:
        if op.params:
            group = op.block.rsplit(".", 1)[0] if op.block.endswith(SUBLAYERS) else op.block
            held[group] = held.get(group, 0.0) + op.count * op.params
            known = counts.setdefault(group, {})
            known[op.name] = known.get(op.name, 0.0) + op.count
    numbers = {group: max(1.0, *known.values()) for group, known in counts.items()}
    return [held[group] / number for group, number in numbers.items() for _ in range(2 if number > 1.0 else 1)]


def _runtime(question: TrainQuestion) -> float:
    """Bytes outside of what the allocator hands out: as asked, as the engine's file says, or as PyTorch's."""
    reserve = question.layout.spread.reserve
    if reserve.source:
        return reserve.bytes
    if question.engine == IDEAL:
        return 0.0
    memory = read_engine(question.engine).memory
    known = memory.runtime > 0.0
    linked = (memory.linked if known else LINKED) if question.gpus > 1 else 0.0
    return (memory.runtime if known else RUNTIME) + linked
