"""Runs of encoders: the whole input at once, nothing generated and nothing cached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Memory
from roofline.answer.phase import PhaseEstimate, Warn
from roofline.answer.plain import counted_whole, largest_value
from roofline.answer.quantity import Quantity
from roofline.answer.sold import Sold
from roofline.architectures.text.transformer import encodes_only
from roofline.num import any_holds, first_value
from roofline.runs.changes import Change
from roofline.runs.checks import whole_number
from roofline.runs.execution import Execution
from roofline.runs.kind import Kind, Outcome, Question
from roofline.runs.money.tokens import encoder_sold
from roofline.runs.option import Option
from roofline.runs.options import OPTIONS
from roofline.runs.telling.spoken import Spoken
from roofline.runs.text.inputs.media import prompt_text
from roofline.runs.text.kind import Text
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_time, short_count
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun

_NOTE: Final = "an encoder: the whole prompt is one prefill, and nothing is generated or cached"
#: What quantities are called that have another name where tokens are generated.
_TITLES: Final = {"ttft_s": "time of the batch", "tokens_per_s": "tokens per second"}


class Encoder(Text):
    """A batch of sequences that are read, each as a whole."""

    name: ClassVar[str] = "encoder"
    columns: ClassVar[tuple[str, ...]] = (*Text.columns, "sequences_per_s")
    curves: ClassVar[Mapping[str, str]] = {"latency": "ttft_s", "throughput": "tokens_per_s"}
    focus: ClassVar[Mapping[str, Spoken]] = {"prefill": Spoken("ttft_s", "Encoding", "for the batch")}

    def takes(self, spec: Any) -> bool:
        """Whether it is a language model without a head and without causal layers."""
        return isinstance(spec, TransformerSpec) and encodes_only(spec)

    def refusal(self, option: Option, spec: Any) -> str:
        """Why an option of another kind is not taken."""
        if option.name.startswith("kv_"):
            return f"{option.flag} goes with models that generate; {spec.name} only encodes: it has no cache"
        if "text" in option.kinds:
            return f"{option.flag} goes with models that generate, and {spec.name} only encodes"
        return super().refusal(option, spec)

    def resolve(
        self, spec: Any, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None
    ) -> tuple[TextRun, Execution]:
        """The run and its execution; tokens that were asked for are told to have no effect."""
        run, execution = super().resolve(spec, gpu, given, spec_dir)
        return run, execution._replace(idle=_idle(spec, given))

    def sized(self, spec: TransformerSpec, run: TextRun, given: Mapping[str, Any]) -> TextRun:
        """Nothing is generated."""
        return replace(run, generate=0.0)

    def chunk(self, spec: TransformerSpec, engine: str, gpu: GPUSpec, asked: Any) -> float:
        """No chunks: an encoder sees its whole input at once."""
        return 0.0

    def changes(self, question: Question) -> Iterator[Change]:
        """Those of language models that are no matter of a cache or of chunks."""
        return (change for change in super().changes(question) if all(map(self._takes, change.options)))

    def formats(self, question: Question) -> Iterator[Change]:
        """Narrower formats of the weights."""
        for change in super().formats(question):
            yield change._replace(options={name: v for name, v in change.options.items() if self._takes(name)})

    def _takes(self, option: str) -> bool:
        return self.name in OPTIONS[option].kinds

    def quantities(self, question: Question, phases: tuple[PhaseEstimate, ...], memory: Memory) -> Iterator[Quantity]:
        """The time of the batch; sequences and tokens per second."""
        found = {quantity.name: quantity for quantity in super().quantities(question, phases, memory)}
        total = found["total_s"].times
        assert total is not None
        every = total.rate(question.run.batch * float(question.spread.plan.dp))
        rate = Quantity("sequences_per_s", "throughput", "sequences per second", "sequences", every)
        tokens = found.pop("tokens_per_s")
        for quantity in (*found.values(), rate, tokens):
            yield quantity._replace(title=_TITLES.get(quantity.name, quantity.title))

    def sold(self, question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Sold]:
        """Tokens that are embedded."""
        return encoder_sold(question)

    def pace(self, outcome: Outcome) -> Quantity | None:
        """Tokens that are read per second."""
        found = outcome.quantity("tokens_per_s")
        return found and found._replace(title="tokens/s")

    def inputs(self, outcome: Outcome) -> dict[str, Any]:
        """Sizes and formats; of a cache that there is not, nothing."""
        return super().inputs(outcome) | {"kv_cache": None, "kv_layout": None}

    def assumptions(self, outcome: Outcome) -> list[str]:
        """Everything that was assumed rather than asked, and that it is an encoder."""
        from roofline.runs.text.notes import encoder_assumptions

        return encoder_assumptions(outcome, _NOTE)

    def warnings(self, outcome: Outcome) -> list[Warn]:
        """What the user should know before trusting the numbers, and what has no effect."""
        idle = outcome.question.execution.idle
        return [*(Warn("option-idle", text) for text in idle), *super().warnings(outcome)]

    def derivations(self, outcome: Outcome) -> Iterator[Derivation]:
        """Where the bound's numbers come from."""
        from roofline.runs.text.derivations import encoder_derivations

        return encoder_derivations(outcome)

    def formats_told(self, p: Precision) -> str:
        """The formats: nothing is cached."""
        return f"weights {p.label}, activations {p.activations.name}"

    def lengths_told(self, question: Question) -> str:
        """The length of each sequence, in a heading."""
        return prompt_text(question)

    def setting_told(self, run: TextRun) -> str:
        """The same in a sentence."""
        return f"{counted_whole(round(first_value(run.prompt)), 'token')} each"

    def requests(self, question: Question, number: int) -> str:
        """So many sequences of the question's length."""
        return f"{counted_whole(number, 'sequence')} of {short_count(question.run.prompt)} tokens"

    def speech(self, outcome: Outcome) -> str:
        """After which time all is read."""
        total = outcome.quantity("total_s")
        assert total is not None and total.times is not None
        return f"{format_time(float(total.times.expected))} in all"


KIND: Final[Kind] = Encoder()


def _idle(spec: TransformerSpec, given: Mapping[str, Any]) -> tuple[str, ...]:
    """That `--generate` has no effect, where more is asked than the one answer of an encoder."""
    if given.get("generate") is None:
        return ()
    asked = whole_number("generate", given["generate"], 0)
    if not any_holds(asked > 1.0):
        return ()
    return (f"--generate {largest_value(asked):,.0f} has no effect: {spec.name} only encodes and generates nothing",)
