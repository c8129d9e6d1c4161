"""The verdict on one run: sentences first, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from roofline.analysis.elasticity import elasticities
from roofline.analysis.estimate import Answer
from roofline.analysis.fit.answer import Fitting, fit
from roofline.analysis.verdict.focus import Focus, focus_of
from roofline.analysis.verdict.helps import Help, helps, same_batch
from roofline.analysis.verdict.words import IMPOSSIBLE, verdict
from roofline.answer.phase import unfit_engines


class Verdict(NamedTuple):
    """One or two sentences, and the numbers behind them.

    `elasticities`: per quantity, by how many per cent it changes per per cent of each figure of the hardware; `focus`:
    the phase that takes longest, and what binds it; `helps`: what would help, each evaluated.
    """

    text: str
    elasticities: Mapping[str, Mapping[str, float]]
    focus: Focus
    helps: tuple[Help, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the sentences."""
        return {
            "limits": self.focus.to_dict(),
            "helps": [help_.to_dict() for help_ in self.helps],
            "elasticities": {name: dict(parts) for name, parts in self.elasticities.items()},
        }


def verdict_of(est: Answer) -> Verdict:
    """What limits a run, how sure that is, and what would help most; that it does not fit, first of all."""
    elasticity = elasticities(est)
    focus = focus_of(est, elasticity)
    if bool(est.memory.fits):
        found = helps(est, focus, elasticity)
        text = " ".join([*unfit_engines(est.warnings), verdict(est, focus, found)])
        return Verdict(text, elasticity, focus, found)
    asked = same_batch(est)
    text = fit(asked.model, asked.gpu, asked.options, Fitting).verdict if asked is not None else "It does not fit."
    return Verdict(f"{text} {IMPOSSIBLE}", elasticity, focus, ())
