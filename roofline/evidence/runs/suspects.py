"""Which condition of a measured row must be wrong, where its time lies below the speed of light of what it states.

Each condition is changed alone, to the likeliest other value, and the first change with which the time becomes possible
is named. It is a suspicion: several changes may do.
"""

from __future__ import annotations

from collections.abc import Iterator

from roofline.errors import RooflineError
from roofline.evidence.runs.rows import MeasuredRun
from roofline.evidence.runs.runs import prepare

#: A time that is so many times too short is in another unit.
_ANOTHER_UNIT = 200.0
_UNKNOWN = "no single one of its formats, sizes or devices explains it"


def suspect(run: MeasuredRun, floor_s: float, spec_dir: str | None = None) -> str:
    """What of a row may be wrong, in words, for a measured time below a floor of `floor_s` seconds."""
    if floor_s / run.seconds > _ANOTHER_UNIT:
        return f"the unit: the time is {floor_s / run.seconds:,.0f} times too short"
    for text, changed in _changes(run):
        try:
            floor, _ = prepare(changed, spec_dir).bounds()
        except RooflineError:
            continue
        if floor <= run.seconds:
            return text
    return _UNKNOWN


def _changes(run: MeasuredRun) -> Iterator[tuple[str, MeasuredRun]]:
    """The likeliest mistakes, the smallest first: what is changed, and the row with it changed."""
    if run.image:
        yield "the format: it may have run in fp16", run._replace(weights="fp16")
        sizes = dict(run.image)
        yield "the batch or guidance: half of the work explains it", _scaled(run, "steps", sizes.get("steps", 2) // 2)
        return
    for name in ("fp8", "int4"):
        yield f"the format of the weights: {name} explains it", run._replace(weights=name)
    yield "the format of the KV-cache: fp8 explains it", run._replace(kv_cache="fp8")
    for factor in (2, 4, 8):
        plan = run.plan._replace(tp=run.plan.tp * factor)
        yield f"the number of devices: {factor} times as many explain it", run._replace(plan=plan)
    yield "the batch: half of it explains it", run._replace(batch=max(1, run.batch // 2))
    yield "the batch: 1 explains it", run._replace(batch=1)
    yield "the prompt: half of it explains it", run._replace(prompt=max(1, run.prompt // 2))
    if run.metric == "output_tokens_per_s":
        yield (
            "the metric: prompt and generated tokens together explain it",
            run._replace(value=run.value * run.generate / (run.prompt + run.generate)),
        )


def _scaled(run: MeasuredRun, name: str, value: int) -> MeasuredRun:
    return run._replace(image=tuple((key, max(1, value) if key == name else old) for key, old in run.image))
