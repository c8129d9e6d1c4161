"""A training step of an image model or of one part of it: which ops run, which gradients they need, what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from roofline.architectures.image.codecs.codec import CODECS, Codec, decode_phase, encode_phase
from roofline.architectures.image.critics import discriminator_ops, distance_ops, features_ops
from roofline.architectures.image.denoiser import CONTROLS, Control
from roofline.architectures.image.pipeline import image_workload
from roofline.errors import UsageError
from roofline.num import Num
from roofline.passes.training.adapters import Adapters
from roofline.passes.training.image.programs import program_of
from roofline.passes.training.image.step import ImageTraining, Recompute, step_of, tracer_of
from roofline.passes.training.image.trace import Tracer
from roofline.passes.training.image.unroll import plain_program
from roofline.passes.training.image.unrolled import runs
from roofline.passes.training.image.values import Value
from roofline.passes.training.image.wires.critics import CRITICS
from roofline.passes.training.kept.storage import Kept
from roofline.runs.training.run import Judges, Part
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.plain import PlainSpec
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase

_COLOURS: Final = 3.0


def image_training(
    spec: ImageSpec,
    run: ImageRun,
    *,
    part: Part = "denoiser",
    adapters: Adapters | None = None,
    cached: bool = True,
    recompute: Recompute = "none",
    judges: Judges = "none",
) -> ImageTraining:
    """One pass of a device over `run.batch` pictures of `run.height` by `run.width` pixels.

    `part`: what is trained. A denoiser predicts the noise in latents; a ControlNet steers one that stays as it is, but
    that gradients pass through; a vae encodes and decodes. `cached`: latents and embedded texts are at hand, else the
    pipeline's encoders make them in every step. `judges` of a vae: none; `perceptual`, a distance of features as well;
    `adversarial`, a discriminator beside both, whose own step `discriminator_training` gives.

    Raises UsageError for a part that the model does not have, and UnsupportedError for a family whose training is not
    modelled.
    """
    once = replace(run, steps=1.0, passes=1.0, strength=None)
    _refuse(spec, part, adapters, recompute)
    if part == "vae":
        return _autoencoder(_codec(spec), once, recompute, judges)
    frozen = () if cached else _encoders(spec, once, part)
    if part == "controlnet":
        return _controlnet(spec, once, recompute, frozen)
    trained = _denoiser(spec)
    ops = _phase(_without_control(spec), once, "denoise")
    program = program_of(trained, ops)
    tracer = tracer_of(program, adapters)
    tracer.run(program)
    return step_of(tracer, recompute, frozen=frozen, loss=_squares(ops))


def _refuse(spec: ImageSpec, part: Part, adapters: Adapters | None, recompute: Recompute) -> None:
    """Raises UsageError for what the code of a model does not do."""
    own = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    if adapters is not None and part != "denoiser":
        raise UsageError(f"adapters go beside a denoiser's layers, and --part is {part}")
    if isinstance(own, PlainSpec) and (recompute != "none" or adapters is not None):
        what = "checkpoints" if recompute != "none" else "adapters"
        raise UsageError(f"{spec.name}: the code of this model has no {what}")


def _denoiser(spec: ImageSpec) -> ImageSpec:
    own = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    if not isinstance(own, ImageSpec) or isinstance(own, (*CODECS, *CONTROLS)):
        raise UsageError(f"{spec.name} has no denoiser to train: name what is trained with --part")
    return own


def _codec(spec: ImageSpec) -> Codec:
    own = spec.autoencoder if isinstance(spec, PipelineSpec) else spec
    if not isinstance(own, CODECS):
        raise UsageError(f"{spec.name} has no autoencoder: --part vae trains one")
    return own


def _without_control(spec: ImageSpec) -> ImageSpec:
    """A pipeline whose denoiser is trained alone."""
    return spec.model_copy(update={"controlnet": None, "refiner": None}) if isinstance(spec, PipelineSpec) else spec


def _phase(spec: ImageSpec, run: ImageRun, name: str) -> list[Op]:
    for phase in image_workload(spec, run).phases:
        if phase.name == name:
            return list(phase.ops)
    raise UsageError(
        f"{spec.title} does not {name}, and nothing else of it can be trained here; name a whole model that makes "
        "pictures: `roofline list models image`"
    )


def _encoders(spec: ImageSpec, run: ImageRun, part: Part) -> tuple[Phase, ...]:
    """What turns pictures and texts into what the denoiser reads. Raises UsageError for a part on its own."""
    if not isinstance(spec, PipelineSpec):
        raise UsageError(f"{spec.name} is one part of a pipeline: what encodes pictures and texts is not known of it")
    phases = [phase for phase in image_workload(spec, run).phases if phase.name.startswith("text_encode")]
    if isinstance(spec.autoencoder, CODECS):
        phases.insert(0, encode_phase(spec.autoencoder, run, 1.0))
    return tuple(phases)


def _controlnet(spec: ImageSpec, run: ImageRun, recompute: Recompute, frozen: tuple[Phase, ...]) -> ImageTraining:
    """A ControlNet is trained through a denoiser that stays as it is."""
    control = spec.controlnet if isinstance(spec, PipelineSpec) else None
    if not isinstance(control, CONTROLS):
        raise UsageError(f"{spec.name} has no ControlNet: --part controlnet trains that of a pipeline with one")
    tracer = _controls(control, _phase(spec, run, "control"))
    ops = _phase(spec, run, "denoise")
    tracer.run(program_of(_denoiser(spec), ops))
    return step_of(tracer, recompute, frozen=frozen, loss=_squares(ops))


def _controls(control: Control, ops: list[Op]) -> Tracer:
    """The ControlNet, traced; what follows is not trained and reads its features and the same text."""
    tracer = Tracer(lambda piece: True)
    tracer.run(program_of(control, ops))
    tracer.names = {name: value for name, value in tracer.names.items() if name in ("control", "text")}
    tracer.trained = lambda piece: False
    return tracer


def _autoencoder(spec: Codec, run: ImageRun, recompute: Recompute, judges: Judges) -> ImageTraining:
    """Pictures to latents and back; then what judges them reads the given ones and those that were made."""
    ops = [op for phase in (encode_phase(spec, run, 1.0), decode_phase(spec, run)) for op in phase.ops if runs(op)]
    tracer = Tracer(lambda piece: True)
    tracer.run(program_of(spec, ops))
    if judges != "none":
        _judge(tracer, spec, run, judges)
    return step_of(tracer, recompute, loss=_squares(ops))


def _judge(tracer: Tracer, spec: Codec, run: ImageRun, judges: Judges) -> None:
    """Distances of features, whose weights stay as they are, and the discriminator, which gradients pass through.

    A discriminator's weights are not frozen meanwhile: they get gradients that nobody uses.
    """
    made, pixels = tracer.names["x"], Plane(run.batch, run.height, run.width)
    trained, tracer.trained = tracer.trained, lambda piece: False
    for name, picture in (("given", _picture(pixels, _COLOURS)), ("made", made)):
        tracer.names["v"] = picture
        tracer.run(plain_program(features_ops(name, pixels), CRITICS))
    tracer.run(plain_program(distance_ops(pixels), CRITICS))
    tracer.trained = trained
    if judges == "adversarial":
        tracer.names["v"] = made
        tracer.run(plain_program(discriminator_ops(pixels, float(spec.pixel_channels)), CRITICS))


def discriminator_training(spec: ImageSpec, run: ImageRun) -> ImageTraining:
    """The own step of a discriminator of an autoencoder's pictures: over given ones and as many that were made.

    None of them needs a gradient. Raises UsageError for a model without an autoencoder.
    """
    channels = float(_codec(spec).pixel_channels)
    tracer, pixels = Tracer(lambda piece: True), Plane(run.batch, run.height, run.width)
    for _ in range(2):
        tracer.names["v"] = _picture(pixels, channels)
        tracer.run(plain_program(discriminator_ops(pixels, channels), CRITICS))
    step = step_of(tracer)
    return step._replace(trainable=step.trainable / 2.0)


def _picture(pixels: Plane, channels: float) -> Value:
    return Value(channels * pixels.pixels, 0.0, 1.0, False)


def _squares(ops: list[Op]) -> tuple[Kept, ...]:
    """The mean of squared differences keeps what was predicted and what was wanted, both in 4 bytes."""
    elements: Num = ops[-1].write
    return (Kept("loss", "loss", 1.0, wide=2.0 * elements),)
