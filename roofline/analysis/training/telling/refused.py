"""What cannot be trained, or not split so, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from roofline.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    from roofline.runs.training.run import TrainQuestion

#: Advice for serving engines alone: no framework that trains fills up with empty heads.
_PADDED: Final = re.compile(r"(, or|;) --pad-heads .*$")
_NEITHER: Final = "neither divides the other"
_HEADS: Final = re.compile(r"the (\d+) key-value heads")
_UNREAD: Final = "not known what it reads"
_UNSPLIT: Final = "cannot be split over --cp"


@contextmanager
def plain_refusals(question: TrainQuestion) -> Iterator[None]:
    """Refusals of a model's ops are told as those of its training."""
    try:
        yield
    except (UnsupportedError, UsageError) as error:
        told = _plainly(question, str(error))
        if told == str(error):
            raise
        raise UsageError(told) from error


def _unread(question: TrainQuestion, text: str) -> str:
    op = text.partition(" (")[0]
    return (
        f"training of {question.spec.title} is not supported: the gradients of one of its layers ({op}) are not "
        "modelled. `roofline estimate` says how fast it runs; `roofline list models` names others"
    )


def _plainly(question: TrainQuestion, text: str) -> str:
    if _UNREAD in text:
        return _unread(question, text)
    if _UNSPLIT in text:
        return (
            f"--cp {question.plan.cp}: sequences of {question.spec.title} cannot be split over GPUs, as not all its "
            "layers are softmax attention; split it with --tp or --pp, or let replicas share states with --zero 3"
        )
    told = _PADDED.sub("", text)
    if told.endswith(_NEITHER) and (found := _HEADS.search(told)) is not None:
        heads = int(found[1])
        return f"{told}; use {', '.join(str(size) for size in range(1, heads + 1) if heads % size == 0)}"
    return told
