"""From what a user says to a question: names to specs, options checked once, at the door."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from roofline.errors import UnknownNameError, UsageError
from roofline.runs.checks import checked
from roofline.runs.kind import Asked, Kind, Question
from roofline.runs.load import GPULike, ModelLike, Origin, locate_gpu, locate_model
from roofline.runs.memory_size import resized
from roofline.runs.money.terms import MONEY, read_terms
from roofline.runs.names import check_names, no_gpu
from roofline.runs.options import OPTIONS
from roofline.runs.registry import kind_of
from roofline.specs.files.library import is_node
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.gpu import GPUSpec

#: Characters of the longest word that an option may be: numbers of more digits are none.
_LONGEST: Final = 4000
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def ask(model: ModelLike, gpu: GPULike | None = None, options: Mapping[str, Any] = _NOTHING) -> Question:
    """Resolve and check everything once: `options` by the names of `roofline.runs.options`.

    Raises UsageError, UnknownNameError or SpecError.
    """
    check_names(options)
    options = checked(options)
    spec_dir = options.get("spec_dir")
    money = read_terms(options, spec_dir)
    node = options.get("node")
    accelerator, gpu_origin, node = _accelerator(gpu, node, spec_dir)
    if options.get("memory") is not None:
        sold, accelerator = accelerator.memory, resized(accelerator, options["memory"])
        gpu_origin = gpu_origin._replace(sold=sold)
    spec, model_origin = locate_model(model, spec_dir, tags=True)
    if model_origin.weights is not None:
        model, options = Path(model_origin.path).stem, {**options, "weights": _tagged(model_origin, spec, options)}
    kind = kind_of(spec)
    given = _given(kind, spec, {name: value for name, value in options.items() if name not in MONEY})
    if node is not None:
        given["node"] = node
    run, execution = kind.resolve(spec, accelerator, given, spec_dir)
    asked = Asked(model, gpu, options)
    question = Question(kind, spec, model_origin, accelerator, gpu_origin, run, execution, asked=asked, money=money)
    return kind.settled(question, given)


def ask_again(question: Question, changed: Mapping[str, Any]) -> Question:
    """The same as it was asked, with some options changed.

    Raises UsageError for options that do not go together, and where the question was not asked by name.
    """
    asked = question.asked
    if asked is None:
        raise UsageError("this run was not asked by name, so it cannot be asked again with something changed")
    return ask(asked.model, asked.gpu, {**asked.options, **changed})


def _tagged(origin: Origin, spec: Any, options: Mapping[str, Any]) -> str:
    """The format of the weights that a model's name says. Raises UsageError where the option says another."""
    named, weights = str(origin.weights), options.get("weights")
    if weights is not None and find_dtype(named) != find_dtype(str(weights)):
        found = f"{origin.alias} is {spec.name} with weights {named}, and --weights says {str(weights)[:60]}"
        raise UsageError(f"{found}: take --model {spec.name} --weights {weights}"[:400])
    return named


def _given(kind: Kind, spec: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that ask for anything. Raises UsageError for one that this kind of run has no use for."""
    given = {}
    for name, value in options.items():
        if isinstance(value, str) and len(value) > _LONGEST:
            raise UsageError(f"--{name.replace('_', '-')} has {len(value):,} characters; at most {_LONGEST:,} are read")
        option = OPTIONS.get(name)
        if option is not None and option.is_given(value):
            if kind.name not in option.kinds:
                raise UsageError(kind.refusal(option, spec))
            given[name] = value
    return given


def _accelerator(gpu: GPULike | None, node: Any, spec_dir: str | None) -> tuple[GPUSpec, Origin, Any]:
    """The accelerator and the node; that of a node, where `gpu` names one or is left out: it then counts as named."""
    if gpu is None and node is None:
        raise no_gpu()
    try:
        if gpu is not None:
            return *locate_gpu(gpu, spec_dir), node
    except UnknownNameError:
        if node is not None or not isinstance(gpu, str) or not is_node(gpu, spec_dir):
            raise
        node = gpu
    from roofline.runs.devices.resolve import locate_node

    return *locate_gpu(locate_node(node, spec_dir)[0].gpu, spec_dir), node
