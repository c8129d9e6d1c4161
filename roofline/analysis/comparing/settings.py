"""What all runs of a comparison share, and what they differ in, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.runs import shown_value

if TYPE_CHECKING:
    from roofline.analysis.comparing.side_by_side import SideBySide

#: Inputs that runs may share, beside the sizes of their kind.
_SETTINGS: Final = ("model", "gpu", "gpus", "weights", "activations", "kv_cache", "fusion", "engine")
#: Values that go without saying.
_SILENT: Final = (("gpus", 1),)
_CALLED: Final = {"gpu": "GPU", "gpus": "GPUs"}


def shared(found: SideBySide[Any]) -> Iterator[str]:
    """What is the same in every run: `mistral-7b`, `weights bf16`, `batch 1`."""
    answers = [row.answer for row in found.rows if row.answer is not None]
    for name in (*_SETTINGS, *answers[0].question.kind.sizes):
        values = {answer.inputs.get(name) for answer in answers}
        value = values.pop() if len(values) == 1 else None
        if value is not None and name not in found.varied and (name, value) not in _SILENT:
            yield str(value) if name in ("model", "gpu") else f"{name.replace('_', '-')} {shown_value(value)}"


def varied_by(found: SideBySide[Any]) -> str:
    """The options that tell runs apart: `gpu and weights`."""
    names = [_CALLED.get(name, name.replace("_", "-")) for name in found.varied]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
