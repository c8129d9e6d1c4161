"""The answer of a training question: a sentence, then the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from roofline.analysis.estimate import SCHEMA_VERSION
from roofline.analysis.training.figures import TrainFigures
from roofline.analysis.training.telling.rows import rows_of_step
from roofline.analysis.training.telling.warned import training_assumptions, training_warnings
from roofline.analysis.training.telling.words import verdict
from roofline.answer.phase import Warn, unfit_engines
from roofline.answer.plain import plain
from roofline.machine.engine import IDEAL

_HOUR: Final = 3600.0
_KWH: Final = 3.6e6
_TERA: Final = 1e12
#: The parts of memory that JSON always names.
_HELD: Final = (
    *("weights", "gradients", "master", "optimizer", "activations", "gathered", "loss", "buffers", "runtime"),
    "reserve",
)


@dataclass(frozen=True, eq=False)
class TrainAnswer(TrainFigures):
    """An outcome with the views that people and programs ask for."""

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return " ".join([*unfit_engines(self.warnings), verdict(self)])

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything as resolved, names and values."""
        q, run, plan = self.question, self.question.run, self.question.plan
        adapters = run.adapters
        sizes = {
            "micro_batch": run.micro_batch,
            "global_batch": run.global_batch,
            "sequence": run.sequence or None,
            "decoder": run.decoder or None,
            "height": run.height or None,
            "width": run.width or None,
            "steps": run.steps,
            "tokens": run.tokens,
        }
        return {
            "model": q.spec.name,
            "gpu": q.gpu.name,
            "gpus": plan.devices,
            **{name: getattr(plan, name) for name in ("tp", "pp", "cp", "ep", "dp")},
            "vpp": q.layout.vpp,
            "schedule": q.layout.schedule if plan.pp > 1 else None,
            "zero": q.layout.zero,
            "sequence_parallel": q.layout.sequence_parallel,
            "node": q.layout.spread.node.name if q.layout.spread.node is not None else None,
            **{name: plain(value) for name, value in sizes.items()},
            "microbatches": plain(q.microbatches),
            "recompute": run.recompute,
            "optimizer": run.optimizer,
            "precision": q.mode,
            "lora": plain(adapters.rank) if adapters is not None else None,
            "targets": list(adapters.targets) if adapters is not None else None,
            "base": run.base,
            "ema": run.ema,
            "attention": "eager" if run.eager_attention else "flash",
            "part": run.part if run.height else None,
            "encode": not run.cached if run.height else None,
            "judges": run.judges if run.height else None,
            "engine": q.engine,
            **q.money.inputs(),
        }

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know before trusting the numbers."""
        return training_warnings(self)

    @cached_property
    def assumptions(self) -> list[str]:
        """Everything that was assumed rather than asked."""
        return training_assumptions(self)

    @cached_property
    def sources(self) -> list[str]:
        """Where the shapes and the figures of the hardware come from."""
        q = self.question
        habits = q.habits.sources if q.engine != IDEAL else ()
        node = q.layout.spread.node
        return list(dict.fromkeys([*q.spec.sources, *q.gpu.sources, *(node.sources if node else ()), *habits]))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline train --json`."""
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "inputs": self.inputs,
            "parameters": self.parameters.to_dict(),
            "flops": self._flops(),
            "memory": self._held(),
            "remedies": [remedy.to_dict() for remedy in self.remedies],
            "phases": [phase.to_dict() for phase in self.phases],
            "step": self.times.to_dict(),
            "bubble_s": plain(self.step.bubble_s),
            "exposed_communication_s": plain(self.step.exposed_s),
            "throughput": self._throughput(),
            "mfu": self._shares(),
            "hfu": self.hfu,
            "run": self.whole.to_dict() if self.whole is not None else None,
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": self.sources,
        }

    def _held(self) -> dict[str, Any]:
        """Bytes of the fullest device by what they hold: parts by name, 0 where there is none, and sums."""
        held = {part.name.removesuffix("_bytes"): plain(part.bytes) for part in self.memory.parts}
        room = self.memory.held_dict()
        sums = {name: room[f"{name}_bytes"] for name in ("total", "capacity", "usable")}
        return {**dict.fromkeys(_HELD, 0), **held, **sums, "fits": room["fits"], **room}

    def _throughput(self) -> dict[str, Any]:
        gpus, language = float(self.question.gpus), bool(self.question.run.sequence)
        model = self.times.rate(self.flops.causal / gpus / _TERA)
        named = {
            "tokens_per_s": self.tokens_per_s if language else None,
            "tokens_per_s_per_gpu": self.tokens_per_s * (1.0 / gpus) if language else None,
            "samples_per_s": self.samples_per_s,
            "samples_per_s_per_gpu": self.samples_per_s * (1.0 / gpus),
            "tflops_per_gpu": model,
        }
        return {name: times.to_dict() if times is not None else None for name, times in named.items()}

    def _flops(self) -> dict[str, Any]:
        """FLOPs of a step, of the ledger and by convention."""
        flops, per = self.flops, self.question.run.tokens_per_step
        step = {"ledger_full": flops.full, "ledger_causal": flops.causal, "model_causal": flops.causal}
        step["hardware"] = flops.hardware
        step |= {name: value * per for name, value in self.conventions.items()}
        return {
            "per_step": {name: plain(value) for name, value in step.items()},
            "per_token": {name: plain(value / per) for name, value in step.items()},
        }

    def _shares(self) -> dict[str, float]:
        """MFU by each convention, the ledger's two first; of adapters these alone: others count all weights trained."""
        each = 1.0 / (float(self.times.expected) * self.whole_peak)
        rate = each * self.question.run.tokens_per_step
        known = self.conventions if self.question.run.adapters is None else {}
        told = {name: flops * rate for name, flops in known.items()}
        return {"causal": self.mfu, "full": self.flops.full * each, **told}

    def records(self) -> list[dict[str, Any]]:
        """One flat row per phase of a step, and one for the step: what was asked, counts, times, what is held."""
        return rows_of_step(self, self.inputs)
