"""What is asked of `roofline flops`, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.analysis.training.conventions.speed import Speed
from roofline.analysis.training.conventions.terms import Counted
from roofline.analysis.training.scaling import MOST
from roofline.errors import UsageError
from roofline.runs.checks import number, whole_number
from roofline.runs.load import ModelLike, Origin, locate_gpu, locate_model
from roofline.runs.names import check_names
from roofline.runs.training.sizes import decoder_of, sequence_of
from roofline.specs.text.transformer import TransformerSpec

#: What may be asked beside a model.
NAMES: Final = (
    *("sequence", "batch", "decoder", "gpu", "gpus", "precision", "tokens_per_s", "tokens_per_s_per_gpu", "mfu"),
    *("budget", "gpu_hours", "params", "tokens", "spec_dir"),
)
#: What is said of a model, and means nothing without one.
_OF_MODEL: Final = ("sequence", "batch", "decoder", "tokens_per_s", "tokens_per_s_per_gpu")
_HOUR: Final = 3600.0


class Wanted(NamedTuple):
    """A point of the scaling laws: any of a budget in FLOPs, parameters and tokens. `gpu_hours` made the budget."""

    budget: float | None = None
    params: float | None = None
    tokens: float | None = None
    gpu_hours: float | None = None


class Question(NamedTuple):
    """What is asked: a model at one length, a speed, a point of the laws; None where it is not asked."""

    counted: Counted | None
    origin: Origin | None
    speed: Speed | None
    wanted: Wanted
    notes: tuple[str, ...] = ()


def ask(model: ModelLike | None, options: Mapping[str, Any]) -> Question:
    """Resolve and check everything once. Raises UsageError, UnknownNameError or SpecError."""
    given = _given(options)
    if model is None:
        _need_model(given)
    counted, origin, notes = _counted(model, given) if model is not None else (None, None, ())
    speed = _speed(given)
    wanted = _wanted(given, speed)
    if model is None and wanted == Wanted():
        raise UsageError(
            "nothing to count: --model NAME for its FLOPs by every convention, or --budget, --params or --tokens for "
            "the scaling laws"
        )
    _agree(given, wanted)
    return Question(counted, origin, speed, wanted, notes)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    check_names(options, NAMES)
    return {name: value for name, value in options.items() if value is not None}


def _need_model(given: Mapping[str, Any]) -> None:
    for name in _OF_MODEL:
        if name in given:
            raise UsageError(f"{_flag(name)} goes with a model: --model NAME")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _counted(model: ModelLike, given: Mapping[str, Any]) -> tuple[Counted, Origin, tuple[str, ...]]:
    spec, origin = locate_model(model, given.get("spec_dir"))
    if not isinstance(spec, TransformerSpec):
        raise UsageError(
            f"{getattr(spec, 'name', model)} makes pictures, and these conventions count tokens of language models; "
            "`roofline train` gives the FLOPs of its training step, `roofline ops` those of each operation"
        )
    batch = float(whole_number("batch", given.get("batch", 1)))
    sequence, notes = sequence_of(spec, given.get("sequence"))
    decoder, more = decoder_of(spec, sequence, given.get("decoder"))
    return Counted(spec, sequence, batch, decoder), origin, (*notes, *more)


def _speed(given: Mapping[str, Any]) -> Speed | None:
    """The speed that is given or asked for. Raises UsageError for one without an accelerator, and for several."""
    asked = [name for name in ("tokens_per_s", "tokens_per_s_per_gpu", "mfu") if name in given]
    needs = [name for name in (*asked, "gpu_hours", "gpus", "precision") if name in given]
    if "gpu" not in given:
        if needs:
            raise UsageError(f"{_flag(needs[0])} is told against the peak of an accelerator: --gpu NAME")
        return None
    if len(asked) > 1:
        raise UsageError(f"{_flag(asked[0])} and {_flag(asked[1])}: one follows from the other; give one of the two")
    gpus = float(whole_number("gpus", given.get("gpus", 1)))
    mfu = number("mfu", given["mfu"], 1e-6, 1.0, "a share: 40 % is 0.4") if "mfu" in given else None
    rate = None
    if asked and asked[0] != "mfu":
        rate = number(asked[0].replace("_", "-"), given[asked[0]], 1e-9, 1e18)
        rate *= gpus if asked[0] == "tokens_per_s_per_gpu" else 1.0
    gpu, _ = locate_gpu(given["gpu"], given.get("spec_dir"))
    return Speed.of(gpu, gpus, str(given.get("precision", "bf16")), rate, mfu)


def _wanted(given: Mapping[str, Any], speed: Speed | None) -> Wanted:
    found = {name: number(name, given[name], 1.0, MOST) for name in ("budget", "params", "tokens") if name in given}
    if "gpu_hours" not in given:
        return Wanted(**found)
    if "budget" in given:
        raise UsageError("--budget and --gpu-hours: both say how much is spent; give one of the two")
    if speed is None or speed.mfu is None:
        raise UsageError("--gpu-hours is a budget with --gpu NAME and --mfu SHARE, for example --gpu h100 --mfu 0.4")
    hours = number("gpu-hours", given["gpu_hours"], 1e-6, 1e15)
    return Wanted(**found | {"budget": hours * _HOUR * speed.peak * speed.mfu}, gpu_hours=hours)


def _agree(given: Mapping[str, Any], wanted: Wanted) -> None:
    """Raises UsageError where a budget, parameters and tokens are all given: two make the third."""
    if None not in (wanted.budget, wanted.params, wanted.tokens):
        raise UsageError("a budget, --params and --tokens: two of them make the third (6 N D); give two of the three")
