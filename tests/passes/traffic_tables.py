"""The recorded traffic beside our own, and the tables of docs/traffic.md made from both.

`python tests/passes/traffic_tables.py` writes the tables anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.architectures.text.transformer import forward_ops
from roofline.passes.fusion.levels import apply_fusion
from roofline.passes.fusion.traffic import ELEMENTWISE, Traffic, by_class
from roofline.runs.load import load_model
from roofline.specs.text.kinds import transformer_class
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.shapes import Span
from roofline.workload.workload import Phase, Workload

FIXTURE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "llm_traffic.json").read_text())
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "traffic.md"
BF16: Final = Precision.of("bf16")
#: Models whose reference code has habits of its own, which the eager pass does not copy.
OTHER_CODE: Final = ("opt-125m", "gpt-j-6b")


class Run(NamedTuple):
    """One recorded forward: `new` tokens of `batch` sequences behind `past` cached ones."""

    model: str
    attention: str
    batch: int
    new: int
    past: int
    ids: bool
    classes: dict[str, list[int]]

    @property
    def label(self) -> str:
        what = f"decode at {self.past}" if self.new == 1 else f"prefill {self.new}"
        return f"{self.model}, {what}{f' behind {self.past}' if self.new > 1 and self.past else ''}, batch {self.batch}"

    def recorded(self) -> dict[str, Traffic]:
        """By class, without the token ids where the recorder made them itself."""
        found = {name: Traffic(*map(float, counts)) for name, counts in self.classes.items()}
        if self.ids:
            found[ELEMENTWISE] = found[ELEMENTWISE].plus(Traffic(1.0, 0.0, 8.0 * self.batch * self.new), -1.0)
        return found

    def counted(self) -> dict[str, Traffic]:
        """By class, as the eager pass counts it; classes with nothing in them are left out."""
        phase = phase_at(self.model, self.batch, self.new, self.past, "eager", self.attention)
        return {name: part for name, part in by_class(phase, BF16).items() if part.bytes}


RUNS: Final = [Run(**row) for row in FIXTURE["rows"]]


@cache
def spec_of(model: str) -> TransformerSpec:
    """A model of the library, or one of those that are recorded but not in it."""
    if model == "deepseek-v2-lite":
        return _latent_model()
    if model == "small-mixture":
        heads, routed = {"heads": 4, "kv_heads": 2, "head_dim": 16}, {"width": 96, "experts": 6, "top_k": 2}
        return _changed("mixtral-8x7b", {"layers": 2}, heads, routed, width=64, vocabulary=1000)
    if model == "qwen3-0.6b":
        heads = {"heads": 16, "kv_heads": 8, "head_dim": 128, "qk_norm": "head"}
        sizes = {"width": 1024, "vocabulary": 151936, "tied_embeddings": True}
        return _changed("llama-3-8b", {"layers": 28}, heads, {"width": 3072}, **sizes)
    spec = load_model(model)
    assert isinstance(spec, TransformerSpec)
    return spec


def _latent_model() -> TransformerSpec:
    """DeepSeek-V2-Lite: latent attention without a query latent, experts behind one dense layer."""
    attention = {"kind": "latent", "heads": 16, "kv_rank": 512, "key_dim": 128, "rope_dim": 64, "value_dim": 128}
    experts = {"kind": "experts", "width": 1408, "experts": 64, "top_k": 6, "shared_width": 2816}
    dense = {"kind": "dense", "width": 10944, "gated": True}
    document = {
        "family": "transformer",
        "name": "deepseek-v2-lite",
        "title": "DeepSeek-V2-Lite",
        "vocabulary": 102400,
        "width": 2048,
        "max_context": 163840,
        "positions": {"kind": "rotary"},
        "norm": {"kind": "rms"},
        "blocks": (
            {"layers": 1, "attention": attention, "feed_forward": dense},
            {"layers": 26, "attention": attention, "feed_forward": experts},
        ),
        "sources": ("DeepSeek-V2-Lite's config.json",),
    }
    return transformer_class(document).model_validate(document)


def _changed(
    base: str, group: dict[str, Any], attention: dict[str, Any], feed_forward: dict[str, Any], **model: Any
) -> TransformerSpec:
    spec = spec_of(base)
    old = spec.blocks[0]
    assert old.attention is not None and old.feed_forward is not None
    group |= {"attention": old.attention.model_copy(update=attention)}
    group |= {"feed_forward": old.feed_forward.model_copy(update=feed_forward)}
    return spec.model_copy(update=model | {"blocks": (old.model_copy(update=group),)})


def phase_at(model: str, batch: int, new: int, past: int, level: Any, attention: Any = "eager") -> Phase:
    """One forward pass with all logits at a fusion level."""
    span = Span(float(batch), float(new), float(past))
    ops = forward_ops(spec_of(model), span, rows=span.tokens)
    return apply_fusion(Workload((Phase("forward", tuple(ops)),)), level, attention=attention).phases[0]


def _total(parts: dict[str, Traffic]) -> Traffic:
    total = Traffic(0.0, 0.0, 0.0)
    for part in parts.values():
        total = total.plus(part)
    return total


def _row(*cells: object) -> str:
    return "| " + " | ".join(f"{c:,.0f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def _runs_table(runs: list[Run]) -> Iterator[str]:
    yield "| run | attention | bytes | recorded | difference | kernels | recorded |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for run in runs:
        ours, theirs = _total(run.counted()), _total(run.recorded())
        share = f"{100 * (ours.bytes / theirs.bytes - 1):.2f} %" if run.model in OTHER_CODE else ""
        apart = share or round(ours.bytes - theirs.bytes)
        yield _row(run.label, run.attention, ours.bytes, theirs.bytes, apart, ours.kernels, theirs.kernels)


def _classes_table() -> Iterator[str]:
    yield "| run | class | kernels | bytes | recorded | difference |"
    yield "|---|---|--:|--:|--:|--:|"
    for run in RUNS:
        if run.attention == "eager" and run.batch == 1 and run.ids and run.model != "gpt2-xl":
            ours, theirs = run.counted(), run.recorded()
            for name in ours:
                difference = ours[name].bytes - theirs[name].bytes
                yield _row(run.label, name, ours[name].kernels, ours[name].bytes, theirs[name].bytes, difference)


def _other_code_table() -> Iterator[str]:
    yield "| run | class | kernels | recorded | bytes | recorded |"
    yield "|---|---|--:|--:|--:|--:|"
    for run in RUNS:
        if run.model in OTHER_CODE:
            ours, theirs = run.counted(), run.recorded()
            for name in ours:
                one, other = ours[name], theirs[name]
                if one != other:
                    yield _row(run.label, name, one.kernels, other.kernels, one.bytes, other.bytes)


def _levels_table() -> Iterator[str]:
    levels = (("eager", "eager"), ("eager", "sdpa"), ("flash", "eager"), ("compiled", "eager"))
    yield "| model | phase | | eager | eager, sdpa | flash | compiled |"
    yield "|---|---|---|--:|--:|--:|--:|"
    for model in ("gpt2", "gpt2-xl", "llama-2-7b", "mistral-7b"):
        for name, new, past in (("prefill 512", 512, 0), ("decode at 512", 1, 512)):
            phases = [phase_at(model, 1, new, past, *level) for level in levels]
            yield _row(model, name, "MB", *(f"{phase.bytes(BF16) / 1e6:,.1f}" for phase in phases))
            yield _row(model, name, "kernels", *(phase.kernels for phase in phases))
            yield _row(model, name, "GFLOP", *(f"{phase.flops / 1e9:,.2f}" for phase in phases))


def tables() -> dict[str, str]:
    """The tables of docs/traffic.md, by the name of their marker."""
    published = [run for run in RUNS if run.ids]
    return {
        name: "\n".join(lines)
        for name, lines in {
            "runs": _runs_table(published),
            "classes": _classes_table(),
            "further": _runs_table([run for run in RUNS if not run.ids]),
            "other-code": _other_code_table(),
            "levels": _levels_table(),
        }.items()
    }


def filled(text: str) -> str:
    """A document with the tables between its markers made anew."""
    for name, table in tables().items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        assert len(pattern.findall(text)) == 1, name
        text = pattern.sub(lambda _: begin + "\n" + table + "\n\n" + end, text)  # noqa: B023
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
