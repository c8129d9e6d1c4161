"""Runs of language models that generate: prefill, then decode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Memory
from roofline.answer.phase import Parameters, PhaseEstimate, Warn
from roofline.answer.plain import counted_whole, plain
from roofline.answer.quantity import Quantity
from roofline.answer.sold import Sold
from roofline.architectures.build import build_workload
from roofline.architectures.text.drafting import draft_parameters
from roofline.architectures.text.transformer import encodes_only, mtp_parameters
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, load_engine, sums_in_half
from roofline.machine.engine_lookup import engine_inputs, engine_told
from roofline.num import Num, first_value
from roofline.runs.budget import budget_of, chunk_of, layout_of
from roofline.runs.changes import Change
from roofline.runs.checks import one_of
from roofline.runs.devices.resolve import engine_on
from roofline.runs.devices.words import per_replica
from roofline.runs.execution import Execution, Stages, machine_of, spread_of
from roofline.runs.formats import text_precision
from roofline.runs.kind import Kind, Needs, Outcome, Question
from roofline.runs.money.tokens import text_sold
from roofline.runs.option import Option
from roofline.runs.options import asked
from roofline.runs.telling.levels import OF_TEXT
from roofline.runs.telling.spoken import Spoken, Told
from roofline.runs.text.changes import text_changes, text_formats, text_plans
from roofline.runs.text.draft import DRAFT, resolve_draft
from roofline.runs.text.headline.batch import text_quantities
from roofline.runs.text.inputs.media import media_inputs, prompt_text, with_media
from roofline.runs.text.memory import text_memory
from roofline.runs.text.options import refuse_idle, text_run
from roofline.runs.text.service.running import settled
from roofline.runs.text.stages import kept_stages, most_needed
from roofline.runs.text.towers import apart_option, tower_precision, towers_parameters, towers_wanted
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_time, short_count
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.workload import FUSIONS, Phase, Workload

#: What language models are asked with where nothing is said.
_FLASH: Final = "flash"
_TIMES: Final = ("ttft_s", "tpot_s", "total_s", "output_tokens_per_s")
_HELD: Final = ("weights_bytes", "kv_cache_bytes", "activation_peak_bytes", "total_bytes", "capacity_bytes", "fits")


class Text(Kind):
    """A batch of sequences: their prompts are read in a prefill, then each decode step gives a token of each."""

    name: ClassVar[str] = "text"
    noun: ClassVar[str] = "a language model"
    levels: ClassVar[Mapping[str, str]] = OF_TEXT
    sizes: ClassVar[tuple[str, ...]] = ("batch", "prompt", "generate")
    columns: ClassVar[tuple[str, ...]] = (*_TIMES, *_HELD)
    curves: ClassVar[Mapping[str, str]] = {"latency": "tpot_s", "throughput": "output_tokens_per_s"}
    served: ClassVar[bool] = True
    focus: ClassVar[Mapping[str, Spoken]] = {
        "decode": Spoken("tpot_s", "Decode", "per token"),
        "prefill": Spoken("ttft_s", "Reading the prompt", "to the first token"),
    }

    def takes(self, spec: Any) -> bool:
        """Whether it is a language model that generates."""
        return isinstance(spec, TransformerSpec) and not encodes_only(spec)

    def precision_of(self, question: Question, phase: Phase) -> Precision:
        """The number formats of the run, or those of its draft."""
        if phase.beside:
            return tower_precision(question.precision)
        draft = question.run.draft
        return draft.precision if draft is not None and phase.name == DRAFT else question.precision

    def refusal(self, option: Option, spec: Any) -> str:
        """Why an option of another kind is not taken."""
        if "text" in option.kinds:
            return f"{option.flag} goes with models that generate, and {spec.name} is an encoder"
        return f"{option.flag} goes with image models, and this is {self.noun}"

    def resolve(
        self, spec: Any, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None
    ) -> tuple[TextRun, Execution]:
        """The run and its execution. Raises UsageError, UnknownNameError or SpecError."""
        engine = engine_on(gpu, given, spec_dir)
        run = self.sized(spec, text_run(spec, given, layout_of(engine)), given)
        if engine != IDEAL and load_engine(engine).first_from_decode and not spec.encoder:
            run = replace(run, first_apart=True)
        level = one_of("fusion", asked(given, "fusion") or _FLASH, FUSIONS)
        precision, ways = text_precision(spec, engine, machine_of(gpu), given)
        spread = spread_of(gpu, given, spec_dir)
        refuse_idle(spec, run, spread)
        towers = towers_wanted(spec, engine, given)
        away = "" if asked(given, "no_vision") else engine
        run = with_media(spec, run, given, loaded=towers, engine=away)
        run = replace(run, draft=resolve_draft(spec, machine_of(gpu), given, (precision, ways), spec_dir))
        chunk = self.chunk(spec, engine, gpu, given.get("chunk"))
        budget, half = budget_of(engine, gpu, given, spread), sums_in_half(engine)
        return run, Execution(precision, level, engine, spread, level, half, chunk, budget, towers)

    def chunk(self, spec: TransformerSpec, engine: str, gpu: GPUSpec, asked: Any) -> float:
        """Tokens of prompts that go through the layers at once; 0: all of them. Raises UsageError."""
        if spec.encoder and asked is not None:
            raise UsageError(f"--chunk: the encoder of {spec.name} sees the whole prompt at once")
        return 0.0 if spec.encoder else chunk_of(engine, gpu, asked)

    def sized(self, spec: TransformerSpec, run: TextRun, given: Mapping[str, Any]) -> TextRun:
        """The run that such a model can make. Raises UsageError for one that it cannot."""
        return run

    def settled(self, question: Question, given: Mapping[str, Any]) -> Question:
        """With the batch that so many users make. Raises UsageError where the engine is no server."""
        return settled(question, given)

    def workload(self, spec: Any, run: Any) -> Workload:
        """Prefill, and decode where more than one token is generated."""
        return build_workload(spec, run.as_run)

    def stages(self, question: Question, run: Any) -> Stages:
        """Pipeline stages, each sharded, at the level of execution."""
        return kept_stages(question, run)

    def parameters(self, question: Question, whole: Workload) -> Parameters:
        """All, those that one token uses, the embedding table; apart, MTP layers, towers and a draft."""
        spec, draft = question.spec, question.run.draft
        further = {"mtp": count} if spec.mtp is not None and (count := mtp_parameters(spec)) else {}
        further |= {"towers": towers_parameters(spec)} if spec.towers else {}
        if draft is not None:
            further["draft"] = draft_parameters(draft.spec, mtp=draft.mtp)
        return Parameters(whole.parameters, whole.active_parameters, whole.embedding_parameters, further)

    def sources(self, question: Question) -> tuple[str, ...]:
        """Those of the model and of a draft."""
        draft = question.run.draft
        return (*question.spec.sources, *(draft.spec.sources if draft is not None else ()))

    def held(self, question: Question, stages: Stages) -> Num:
        """Bytes on the device that needs most."""
        return most_needed(question, stages)

    def memory(self, question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
        """Weights, KV-cache, state, activations, runtime; the largest batch and context."""
        return text_memory(question, stages, parameters, needs)

    def changes(self, question: Question) -> Iterator[Change]:
        """Sequences at once, the engine's share, chunks, formats of the cache, what the host may run."""
        return text_changes(question)

    def formats(self, question: Question) -> Iterator[Change]:
        """Narrower formats of the weights, with what tools leave wide."""
        return text_formats(question)

    def plans(self, question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
        """Tensors, then layers over so many devices; experts whole."""
        return text_plans(question, gpus, node)

    def quantities(self, question: Question, phases: tuple[PhaseEstimate, ...], memory: Memory) -> Iterator[Quantity]:
        """Time to first token, per output token, of the whole request; tokens per second."""
        return text_quantities(question, phases)

    def sold(self, question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Sold]:
        """Tokens: written by the whole run, in and out, and apart those that a prefill reads and that decode writes."""
        return text_sold(question, phases)

    def pace(self, outcome: Outcome) -> Quantity | None:
        """Tokens per second of all sequences while they are written; where one token is all, those that are read."""
        found = outcome.quantity("decode_tokens_per_s") or outcome.quantity("tokens_per_s")
        return found and found._replace(title="tokens/s")

    def inputs(self, outcome: Outcome) -> dict[str, Any]:
        """Sizes, formats and the ways of decoding and of the cache."""
        q, run, precision = outcome.question, outcome.question.run, outcome.question.precision
        return {
            "microbatches": plain(outcome.microbatches),
            "pad_heads": q.spread.plan.pad_heads,
            "batch": plain(run.batch),
            "users": None if run.users is None else plain(run.users),
            "prompt": plain(run.media.text if run.media else run.prompt),
            **{name: plain(value) for name, value in media_inputs(run).items()},
            "prompt_tokens": plain(run.prompt),
            "generate": plain(run.generate),
            "weights": precision.label,
            "activations": precision.activations.name,
            "kv_cache": precision.cache.name,
            "fusion": q.execution.level,
            "logits": run.logits,
            **engine_inputs(q.engine),
            "latent": run.latent,
            "work": run.work,
            "kv_layout": str(run.layout or "ideal"),
            "chunk": q.execution.chunk or None,
            "utilisation": q.execution.budget.share,
            "max_sequences": q.execution.budget.sequences or None,
            "draft": run.draft.named if run.draft else None,
            "draft_tokens": plain(run.draft.tokens) if run.draft else None,
            "vision": q.execution.towers and bool(apart_option(q.engine)),
            "no_vision": not q.execution.towers,
        }

    def assumptions(self, outcome: Outcome) -> list[str]:
        """Everything that was assumed rather than asked."""
        from roofline.runs.text.notes import text_assumptions

        return text_assumptions(outcome)

    def warnings(self, outcome: Outcome) -> list[Warn]:
        """What the user should know before trusting the numbers."""
        from roofline.runs.text.notes import text_warnings

        return text_warnings(outcome)

    def derivations(self, outcome: Outcome) -> Iterator[Derivation]:
        """Where the bound's numbers come from."""
        from roofline.runs.text.derivations import text_derivations

        return text_derivations(outcome)

    def told(self, question: Question) -> Told:
        """Batch and lengths, formats, level and engine."""
        run, replica = question.run, per_replica(question.spread)
        formats = self.formats_told(question.precision)
        lengths = self.lengths_told(question)
        how = f"fusion {question.execution.level}; engine {engine_told(question.engine)}"
        readings = "One batch, all at once (static)"
        if replica:
            replicas = question.spread.plan.dp
            readings = f"One batch of {run.batch:,.0f} per replica, all at once (static); throughput of "
            readings += f"{replicas:,} replicas ({run.batch * replicas:,.0f} sequences)"
        return Told(
            f"batch {run.batch:,.0f}{replica}, {lengths}; {formats}; {how}",
            f"batch {run.batch:,.0f}{replica}, {self.setting_told(run)}",
            readings,
        )

    def formats_told(self, p: Precision) -> str:
        """The formats of all that there is."""
        return f"weights {p.label}, activations {p.activations.name}, KV-cache {p.cache.name}"

    def lengths_told(self, question: Question) -> str:
        """The lengths of each sequence, in a heading."""
        return f"{prompt_text(question)}, generate {question.run.generate:,.0f}"

    def setting_told(self, run: TextRun) -> str:
        """The same in a sentence."""
        return f"{counted_whole(round(first_value(run.prompt)), 'token')} in, {run.generate:,.0f} out"

    def requests(self, question: Question, number: int) -> str:
        """So many requests of the question's lengths."""
        return (
            f"{counted_whole(number, 'request')} of {short_count(question.run.prompt + question.run.generate)} tokens"
        )

    def speech(self, outcome: Outcome) -> str:
        """After which time the first token comes, how often the others, and when all is done."""
        at = {q.name: format_time(float(q.times.expected)) for q in outcome.quantities if q.times and q.unit == "s"}
        first = f"first token after {at['ttft_s']}"
        return f"{first}, then one every {at['tpot_s']}, {at['total_s']} in all" if "tpot_s" in at else first


KIND: Final[Kind] = Text()
