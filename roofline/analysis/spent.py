"""Where the expected time goes: of each phase and of the whole run, by part of the model and by cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from roofline.analysis.clock import STAGES
from roofline.analysis.estimate import Answer
from roofline.analysis.explain_expected import causes, fetched_s
from roofline.answer.phase import OUTSIDE, OpRow, PhaseEstimate
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL

#: Causes as they are told together: what the host adds is one.
_TOGETHER: Final[Mapping[str, str]] = {
    **dict.fromkeys(("request", "sequences", "step", "host kernels"), "host"),
    "bound": "up to the bound",
}
_FETCHED, _BESIDE, _EXCHANGES = "fetched from the host", "beside the phases", "communication"
_ENGINE: Final = "engine, beside ops"
#: Blocks of layers, by how their names end, as people say them.
_ENDS: Final = {"attention": "attention", "feed_forward": "feed-forward", "cross": "cross-attention"}
#: Where one part takes so much, kinds of ops tell more.
_MOST: Final = 0.9
_KINDS: Final = {"linear": "linear", "pointwise": "element-wise", "norm": "norms", "gather": "look-ups"}


class Spent(NamedTuple):
    """A phase, or the whole run where `repeat` is None: its times, and its seconds by what they are of, the largest
    first: by `block` of the model or kind of `op`, by `cause`, and those of the whole run by `phase`.
    """

    name: str
    repeat: float | None
    times: Times
    by: Mapping[str, Mapping[str, float]]

    @property
    def each(self) -> float:
        """How often it runs."""
        return 1.0 if self.repeat is None else self.repeat


def time_spent(est: Answer) -> list[Spent]:
    """The phases in order, and the whole run last where that is more than one phase once.

    Each of the ways to share them out sums to the expected time. Of the ideal engine that is the bound, and its
    causes are what binds each op.
    """
    est.refuse_grid("where the time goes is told")
    found = [_of_phase(est, phase) for phase in est.phases]
    total = est.latency.total
    if total is None or (len(found) == 1 and found[0].repeat == 1.0):
        return found
    return [*found, _whole(est, found, total)]


def _of_phase(est: Answer, phase: PhaseEstimate) -> Spent:
    rows = est.ops(phase.name)
    by, parts = _parts(rows)
    named = _bound(rows) if est.question.engine == IDEAL else _causes(est, phase)
    return Spent(phase.name, float(phase.repeat), phase.times, {by: parts, "cause": named})


def _whole(est: Answer, found: Sequence[Spent], total: Times) -> Spent:
    """All phases with their repeats, and what no phase holds."""
    phases = [(phase.name, phase.each * float(phase.times.expected)) for phase in found]
    beside = float(total.expected) - sum(seconds for _, seconds in phases)
    fetched = min(fetched_s(est) or 0.0, max(beside, 0.0))
    rest = [(_FETCHED, fetched), (_BESIDE, beside - fetched)]
    by = {"phase": _largest([*phases, *rest])}
    for way in ("block", "cause"):
        if all(way in phase.by for phase in found):
            each = [(name, phase.each * seconds) for phase in found for name, seconds in phase.by[way].items()]
            by[way] = _largest([*each, *rest])
    return Spent("the whole run", None, total, by)


def _causes(est: Answer, phase: PhaseEstimate) -> dict[str, float]:
    return _largest([(_TOGETHER.get(cause.name, cause.name), cause.seconds) for cause in causes(est, phase)])


def _bound(rows: Iterable[OpRow]) -> dict[str, float]:
    """What binds each op: compute, exchanges, or the memory, shared by what is moved."""
    found: list[tuple[str, float]] = []
    for row in rows:
        moved = {"weights": row.weight_bytes, "cache": row.cache_bytes, "activations": row.activation_bytes}
        sizes = {name: float(size) for name, size in moved.items()}
        if row.bound_by != "memory" or not sum(sizes.values()):
            found.append((row.bound_by or row.name, float(row.bound_s)))
        else:
            found += [(name, float(row.bound_s) * size / sum(sizes.values())) for name, size in sizes.items()]
    return _largest(found)


def _parts(rows: Sequence[OpRow]) -> tuple[str, dict[str, float]]:
    """Seconds by block of the model; by kind of op where nearly all is one block."""
    blocks = _blocks(rows)
    inside = {name: seconds for name, seconds in blocks.items() if name not in (_ENGINE, STAGES, _EXCHANGES)}
    if inside and max(inside.values()) <= _MOST * sum(inside.values()):
        return "block", blocks
    return "op", _largest([(_outer(row) or _KINDS.get(row.kind, row.kind), float(row.expected_s)) for row in rows])


def _blocks(rows: Sequence[OpRow]) -> dict[str, float]:
    heads = defaultdict[str, float](float)
    for row in rows:
        if not _outer(row):
            heads[row.block.partition(".")[0]] += float(row.expected_s)
    common = next((head for head, time in heads.items() if time > _MOST * sum(heads.values())), "")
    attends = any(row.kind == "attention" for row in rows)
    return _largest([(_outer(row) or _block(row, common, attends), float(row.expected_s)) for row in rows])


def _outer(row: OpRow) -> str:
    """The name of what is no part of the model: exchanges, other stages, and what the engine adds."""
    if row.kind == "collective":
        return _EXCHANGES
    if row.kind == OUTSIDE:
        return STAGES if row.name == STAGES else _ENGINE
    return ""


def _block(row: OpRow, common: str, attends: bool) -> str:
    """The block of an op in words: its first name, the next one where nearly all ops share that, without a number."""
    path = [part for part in row.block.split(".") if not part.isdigit()]
    if path[-1] in _ENDS:
        return "mixers" if path[-1] == "attention" and not attends else _ENDS[path[-1]]
    name = path[1] if path[0] == common and len(path) > 1 else path[0]
    return "other" if name.startswith("<") else name.replace("_", " ")


def _largest(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Sums by name, the largest first, without what is nothing; of what is below zero the others bear their share."""
    sums = defaultdict[str, float](float)
    for name, seconds in found:
        sums[name] += seconds
    whole = sum(sums.values())
    above = {name: seconds for name, seconds in sums.items() if seconds > 1e-9 * abs(whole)}
    scale = whole / (sum(above.values()) or 1.0)
    return {name: above[name] * scale for name in sorted(above, key=lambda name: -above[name])}
