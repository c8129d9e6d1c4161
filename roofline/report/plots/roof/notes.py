"""What a roofline plot says in words: whether its runs fit, what a dot is, what is not drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from roofline.analysis.estimate import Answer
from roofline.machine.engine import IDEAL
from roofline.report.plots.roof.dots import LESSER, Found
from roofline.report.plots.roof.key import unshown
from roofline.report.plots.roof.labelling import Unnamed
from roofline.report.plots.roof.measured import Points
from roofline.report.plots.roof.picture import Picture
from roofline.report.plots.roof.trail import CONTEXT
from roofline.report.plots.series import cautions, machine_title, needs_of, series_names

#: The options that say how long sequences are.
_LENGTHS: Final = ("prompt", "generate")


def title_of(given: str | None, heading: str, estimates: Sequence[Answer]) -> str:
    """The heading; that a run does not fit is part of it."""
    over = _too_large(estimates)
    if not over:
        return given or heading
    if len(over) == len(estimates):
        return f"{given or heading}: does not fit in memory"
    machines = [machine_title(estimate) for estimate in estimates]
    if len(set(machines)) == len(machines):
        where = (name for name, estimate in zip(machines, estimates, strict=True) if not estimate.memory.fits)
        return f"{given or heading}: does not fit in memory on {', '.join(where)}"
    return f"{given or heading}: {'; '.join(over)} does not fit in memory"


def _too_large(estimates: Sequence[Answer]) -> dict[str, str]:
    """The runs that need more memory than there is, by name, and how much they need of what."""
    names = series_names(estimates)
    return {
        name: needs_of(estimate) for estimate, name in zip(estimates, names, strict=True) if not estimate.memory.fits
    }


def note_of(
    estimates: Sequence[Answer], drawn: Picture, found: Sequence[Found], points: Points, unnamed: Unnamed
) -> str:
    """What the picture cannot say."""
    texts = [_what(estimates, drawn), _reached(drawn), _context(estimates, drawn), _left(drawn, found), _hidden(found)]
    texts += [_unnamed(unnamed), _measured(drawn, points), _memory(estimates), cautions(estimates)]
    return " ".join(filter(None, texts))


def _what(estimates: Sequence[Answer], drawn: Picture) -> str:
    """What a dot is, and which time it stands at."""
    engines = list(dict.fromkeys(estimate.question.engine for estimate in estimates))
    at, drop = "at its roofline bound", ""
    if drawn.at == "expected" and engines != [IDEAL]:
        at = f"at the rate expected of engine{'s' * (len(engines) > 1)} {', '.join(engines)}"
        drop = "; the line above it ends at what the roof allows"
    elif drawn.at == "expected":
        at += " (engine ideal)"
    if drawn.is_trail:
        sizes = dict.fromkeys(trail.size for one in drawn.series for trail in one.trails)
        path = f"A path is one kernel over values of {', '.join(sizes)}, {at}; other kernels are left out."
        return " ".join([path, *_shared(estimates, drawn)])
    return f"A dot is a kernel, or several alike, {at}, its area its share of the whole run's time{drop}."


def _shared(estimates: Sequence[Answer], drawn: Picture) -> Iterator[str]:
    """Why values of a path share a point, where some do."""
    alike = [trail for one in drawn.series for trail in one.trails if trail.repeats]
    if alike:
        chunks = dict.fromkeys(
            f"{estimate.inputs['chunk']:,.0f}" for estimate in estimates if estimate.inputs.get("chunk")
        )
        cut = bool(chunks) and any(trail.phase == "prefill" for trail in alike)
        why = f": prompts go through the layers {' or '.join(chunks)} tokens at a time" if cut else ""
        yield f"Values that share a point launch the same kernel{why}."


def followed(drawn: Picture) -> set[str]:
    """The sizes over which paths lead; of a context, the options that it is made of."""
    sizes = {trail.size for one in drawn.series for trail in one.trails}
    return sizes | set(_LENGTHS if CONTEXT in sizes else ())


def conditions_of(told: str, drawn: Picture) -> str:
    """What all runs share, without the sizes over which paths lead."""
    without = followed(drawn)
    return " · ".join(part for part in told.split(" · ") if part.partition(" ")[0] not in without)


def _hidden(found: Sequence[Found]) -> str:
    """Time that runs behind other work, so that shares sum to more than the run."""
    share = -sum(share for one in found for share in one.left.values() if share < 0) / len(found)
    return f"Hidden behind other work: {percent(share)} of the time." if share > 0 else ""


def _reached(drawn: Picture) -> str:
    shown = any(line.lower or line.reached is not None for line in drawn.skylines)
    return "Thin lines: what the chip's best measured kernels reach." if shown else ""


def _context(estimates: Sequence[Answer], drawn: Picture) -> str:
    if followed(drawn).intersection(_LENGTHS):
        return ""
    contexts = {float(p.context) for estimate in estimates for p in estimate.phases if p.name == "decode"}
    if len(contexts) != 1:
        return ""
    context = contexts.pop()
    return f"Decode is one step at the mean context of {context:,.0f} token{'s' if context != 1 else ''}."


def _left(drawn: Picture, found: Sequence[Found]) -> str:
    """Kinds of kernels that take too little of the run to be drawn without FLOPs of matrices."""
    if drawn.is_trail:
        return ""
    each = [{kind: share for kind, share in one.left.items() if share > 0.0} for one in found]
    left = max(each, key=lambda one: sum(one.values()))
    more = unshown(drawn, found)
    hidden = f"; {more} more without FLOPs are not named" if more else ""
    if not left:
        return hidden[2:] and f"{hidden[2:].capitalize()}."
    names = list(dict.fromkeys(kind for one in each for kind in sorted(one, key=lambda kind: -one[kind])))
    total = percent(sum(left.values())) + (" of the time" if len(each) == 1 else " of a run's time at most")
    return f"Not drawn, together {total}: {_listed(names, found)}{hidden}."


def _listed(kinds: Sequence[str], found: Sequence[Found]) -> str:
    """Kinds of kernels that are left out; of those that are shown in another phase or run, the rest."""
    shown, slight = {beside.name for one in found for beside in one.beside}, max(one.slight for one in found)
    lesser = f"{slight} {LESSER if slight > 1 else LESSER[:-1]}"
    whole = [lesser if kind == LESSER else kind for kind in kinds if kind not in shown]
    rest = [kind for kind in kinds if kind in shown]
    return "; ".join([*[", ".join(whole)] * bool(whole), *[f"the rest of {', '.join(rest)}"] * bool(rest)])


def _unnamed(unnamed: Unnamed) -> str:
    joint = "Names without a colour are of several runs. " if unnamed.joint else ""
    if not unnamed.number:
        return joint.strip()
    return f"{joint}Dots without a label: {unnamed.number} of the smallest ({percent(unnamed.share)} of the time)."


def _measured(drawn: Picture, points: Points) -> str:
    texts = []
    if points.others:
        rows = "1 row of the file is" if points.others == 1 else f"{points.others:,} rows of the file are"
        texts.append(f"{rows} about other runs.")
    above = 0
    for one in drawn.series:
        line = drawn.skylines[0] if len(drawn.skylines) == 1 else None
        for point in one.points:
            lines = [line] if line else drawn.skylines
            allowed = max(min(each.highest.peak, point.intensity * each.bandwidth) for each in lines)
            above += point.rate > 1.001 * allowed
    if above:
        told = "Measured points above every roof: {}; their time, FLOPs or bytes must be others than stated."
        texts.append(told.format(above))
    return " ".join(texts)


def _memory(estimates: Sequence[Answer]) -> str:
    over = _too_large(estimates)
    told = "; ".join(need if len(estimates) == 1 else f"{name} ({need})" for name, need in over.items())
    return f"Does not fit in memory: {told}." if told else ""


def percent(share: float) -> str:
    """A share in words."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.{1 if share < 0.1 else 0}f} %"
