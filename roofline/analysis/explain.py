"""Where each headline number comes from: formula, substituted values, result, the lines of the specs, the source."""

from __future__ import annotations

from roofline.analysis.elasticity import explain_elasticities
from roofline.analysis.explain_expected import explain_expected
from roofline.analysis.service.explain import explain_service
from roofline.answer.derivation import Derivation
from roofline.runs.kind import Outcome

__all__ = ["Derivation", "explain"]


def explain(est: Outcome) -> list[Derivation]:
    """The derivations of an answer's headline numbers, in the order in which one follows from the other."""
    derivations = est.question.kind.derivations(est)
    return [*derivations, *explain_expected(est), *explain_service(est), *explain_elasticities(est)]
