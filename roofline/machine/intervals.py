"""80 % intervals of an engine, by what is asked for and by how the chip is known, as multiples of the expected time.

An engine errs differently when it reads a prompt, writes a token and serves others meanwhile, so that each of these has
an interval of its own. What is made of several of them, as a whole request is of its prefill and its decode steps, has
the sum of their low and of their high ends: both phases are taken to err to the same side. Of left-out runs that were
timed as a whole, such sums hold four fifths (docs/validation.md); with errors taken as independent they hold fewer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

Range = tuple[float, float]
#: How the coefficients of a chip are known, best first.
QUALITIES: Final = ("measured", "class", "other")
#: By how much the logarithms of an interval grow for chips of a maker none of whose chips an engine was fitted to.
#: Assumed (unverified): of the two such groups of left-out rows one errs by half as much again, one does not.
OTHER_MAKER: Final = 1.5


class Spans(NamedTuple):
    """One interval for a chip whose own kernels were measured, for one of a measured class, and for others."""

    measured: Range = (1.0, 1.0)
    sibling: Range = (1.0, 1.0)
    other: Range = (1.0, 1.0)

    def of(self, quality: str) -> Range:
        """That of a chip whose coefficients are known in this way."""
        return {"measured": self.measured, "class": self.sibling}.get(quality, self.other)


class Intervals(NamedTuple):
    """Intervals of reading a prompt, of a decode step, of a whole picture, of the first token and of each token behind
    a server, and of a step of a picture.
    """

    prefill: Spans = Spans()
    decode: Spans = Spans()
    whole: Spans = Spans()
    first: Spans = Spans()
    served: Spans = Spans()
    step: Spans = Spans()

    def of(self, timed: str, quality: str) -> Range:
        """The interval of one of these, for a chip that is known in this way."""
        spans: Spans = getattr(self, timed)
        return spans.of(quality)

    def to_dict(self) -> dict[str, dict[str, list[float]]]:
        """As JSON: by what is timed and by how the chip is known."""
        return {
            timed: {quality: list(spans.of(quality)) for quality in QUALITIES}
            for timed, spans in zip(self._fields, self, strict=True)
        }


#: Names of what has an interval.
TIMED: Final = Intervals._fields
#: Whose interval a phase of a run has; those that are not named here read what is given, as a prefill does.
_LIKE: Final = {"decode": "decode", "draft": "decode", "denoise": "step", "refine": "step", "control": "step"}


def timed_as(phase: str) -> str:
    """Whose interval a phase of a run has, by its name."""
    return _LIKE.get(phase, "prefill")


def widened(span: Range, by: float) -> Range:
    """An interval whose logarithms are so many times as long."""
    return (span[0] ** by, span[1] ** by)
