"""What a device of an image model's training run does for a micro-batch of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roofline.analysis.training.image.training import discriminator_training, image_training
from roofline.analysis.training.work import StageWork
from roofline.passes.training.flow import Flow
from roofline.passes.training.image.step import ImageTraining
from roofline.passes.training.kept.rules import Rules
from roofline.runs.training.run import TrainQuestion
from roofline.workload.run import ImageRun


def image_work(question: TrainQuestion) -> StageWork:
    """The one stage: what encodes, what is trained, and where an autoencoder has a judge of its own that one's step.

    Raises UsageError for a part that the model does not have.
    """
    run = question.run
    pictures = ImageRun(run.micro_batch, run.height, run.width, 1.0, 1.0)
    step = image_training(
        question.spec,
        pictures,
        part=run.part,
        adapters=run.adapters and run.adapters._replace(wide=question.habits.adapters_wide),
        cached=run.cached,
        recompute="full" if run.recompute == "full" else "none",
        judges=run.judges,
    )
    encoding = tuple(Flow(op, False, False, False, False) for phase in step.frozen for op in phase.ops)
    steps = [step, *([discriminator_training(question.spec, pictures)] if run.judges == "adversarial" else [])]
    flows = (*encoding, *_held_once(steps))
    return StageWork(
        number=1,
        first=True,
        last=True,
        flows=flows,
        rules=Rules(),
        forward=tuple(flow.op for flow in flows),
        recompute=step.recomputed,
        backward=tuple(op for each in steps for op in each.backward),
        kept=_kept(step),
    )


def _held_once(steps: Sequence[ImageTraining]) -> Iterator[Flow]:
    """The flows of all passes; what reads several pictures holds its weights in the first of its passes alone.

    Features are made of the given picture and then of the other; a discriminator stands behind the generator first.
    """
    for index, step in enumerate(steps):
        for flow in step.flows:
            again = index > 0 or (flow.op.block == "made" and flow.op.name.startswith("vgg."))
            yield flow._replace(op=flow.op._replace(params=0.0, active=0.0)) if again else flow


def _kept(step: ImageTraining) -> float:
    return float(sum(kept.bytes for kept in (*step.kept, *step.loss)))
