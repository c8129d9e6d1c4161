"""Where each headline number comes from: formula, substituted values, result, the lines of the specs, the source."""

from __future__ import annotations

from roofline.analysis.elasticity import explain_elasticities
from roofline.analysis.estimate import Answer
from roofline.analysis.explain_expected import explain_expected
from roofline.analysis.service.explain import explain_service
from roofline.answer.derivation import Derivation
from roofline.runs.money.derivations import money_derivations

__all__ = ["Derivation", "explain"]


def explain(est: Answer) -> list[Derivation]:
    """The derivations of an answer's headline numbers, in the order in which one follows from the other."""
    derivations = est.question.kind.derivations(est)
    money = money_derivations(est, est.costs, loaded=est.served_rate is not None) if est.question.money.given else ()
    return [*derivations, *explain_expected(est), *explain_service(est), *explain_elasticities(est), *money]
