"""One question, resolved: which model runs what, how, on which machine. Every command starts here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from roofline.analysis.formats import resolve_precision
from roofline.analysis.keywords import check_names
from roofline.analysis.load import GPULike, ModelLike, Origin, locate_gpu, locate_model
from roofline.analysis.options import one_of, whole_number
from roofline.analysis.result import Warn
from roofline.analysis.unverified import unverified_hardware
from roofline.architectures.build import build_workload
from roofline.architectures.text.transformer import encodes_only
from roofline.errors import UnknownNameError, UsageError
from roofline.machine.engine import IDEAL, find_engine
from roofline.machine.machine import Machine
from roofline.num import Num
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.files.library import is_node
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import Latent, Logits, TextRun, Work
from roofline.workload.workload import FUSIONS, Fusion, Workload

if TYPE_CHECKING:
    from roofline.analysis.images.question import ImageQuestion
    from roofline.analysis.spread.spread import Spread
    from roofline.workload.allocation import CacheLayout

#: What only image models take.
IMAGE_OPTIONS = frozenset({"height", "width", "steps", "guidance", "scheduler", "strength", "tiling", "slicing"})
DEFAULT_PROMPT = 512
DEFAULT_GENERATE = 128
SPREAD_OPTIONS = frozenset(
    {"gpus", "tp", "pp", "ep", "dp", "cp", "node", "overlap", "offload", "runtime_reserve", "pad_heads", "microbatches"}
)


@dataclass(frozen=True)
class Question:
    """What is asked, with names resolved to specs and options to values."""

    spec: TransformerSpec
    model_origin: Origin
    gpu: GPUSpec
    gpu_origin: Origin
    run: TextRun
    precision: Precision
    fusion: Fusion
    engine: str
    spread: Spread | None = None

    def ideal_workload(self, run: TextRun | None = None) -> Workload:
        """The phases at one kernel per operation."""
        return build_workload(self.spec, run or self.run)

    def workload(self, run: TextRun | None = None) -> Workload:
        """The phases at the chosen fusion level."""
        return apply_fusion(self.ideal_workload(run), self.fusion)

    def machine(self) -> Machine:
        """The machine as arrays of peaks."""
        return machine_of(self.gpu)

    def memory_bytes(self, run: TextRun) -> Num:
        """Bytes per GPU that a run needs."""
        if self.spread is not None:
            from roofline.analysis.spread.cost import spread_bytes

            return spread_bytes(self, self.spread, run)
        workload = self.workload(run)
        cache = workload.cache_elements() * self.precision.cache.bytes + workload.state_bytes(self.precision)
        return workload.weight_bytes(self.precision) + cache + workload.activation_peak_bytes(self.precision)


def ask(
    model: ModelLike,
    gpu: GPULike | None,
    *,
    batch: Any = 1,
    prompt: Any = DEFAULT_PROMPT,
    generate: Any = DEFAULT_GENERATE,
    weights: str | None = None,
    activations: str | None = None,
    kv_cache: str | None = None,
    fusion: str = "flash",
    logits: str = "last",
    latent: str = "absorbed",
    work: str = "ideal",
    kv_layout: str = "ideal",
    engine: str = "generic",
    spec_dir: str | None = None,
    **spread: Any,
) -> Question:
    """Resolve and check everything once. Raises UsageError, UnknownNameError or SpecError.

    `spread` takes the options of `SPREAD_OPTIONS`: how the run is spread over GPUs, hosts and disks.
    """
    check_names(spread)
    gpu_spec, gpu_origin = _accelerator(gpu, spread, spec_dir)
    run = TextRun(
        whole_number("batch", batch),
        whole_number("prompt", prompt),
        whole_number("generate", generate, least=0),
        cast("Logits", one_of("logits", logits, ("last", "all"))),
        cast("Latent", one_of("latent", latent, ("absorbed", "naive"))),
        cast("Work", one_of("work", work, ("ideal", "reference"))),
        None if kv_layout == "ideal" else _layout(kv_layout),
    )
    spec, model_origin = locate_model(model, spec_dir)
    pictures = {name: spread.pop(name) for name in IMAGE_OPTIONS & spread.keys()} if spread else spread
    if not isinstance(spec, TransformerSpec):
        from roofline.analysis.images.question import ask_image

        text = {"prompt": prompt, "generate": generate, "kv_cache": kv_cache, "logits": logits, "latent": latent,
                "work": work, "kv_layout": kv_layout}  # fmt: skip
        options = pictures | spread | text
        engine = engine if engine == "generic" else find_engine(engine, spec_dir)
        return ask_image(  # type: ignore[return-value]
            spec, model_origin, (gpu_spec, gpu_origin), batch, (weights, activations), fusion, engine, options
        )
    _refuse_pictures(pictures)
    level = cast("Fusion", one_of("fusion", fusion, FUSIONS))
    language_model = spec
    if encodes_only(spec):
        run = replace(run, generate=0.0)
    precision = resolve_precision(language_model, machine_of(gpu_spec), weights, activations, kv_cache)
    over = _spread(gpu_spec, spread, spec_dir)
    if run.latent == "naive" or (over is not None and over.offload is not None):
        _refuse_idle(language_model, run, over)
    return Question(
        language_model, model_origin, gpu_spec, gpu_origin, run, precision, level, find_engine(engine, spec_dir), over,
    )  # fmt: skip


def _refuse_idle(spec: TransformerSpec, run: TextRun, spread: Spread | None) -> None:
    """Refuse options about parts that the model does not have: they would change nothing."""
    if run.latent == "naive" and not any(getattr(block.attention, "kind", "") == "latent" for block in spec.blocks):
        raise UsageError(f"--latent naive: {spec.name} has no latent attention")
    away = spread.offload if spread is not None else None
    if (
        away is not None
        and away.experts.share
        and not any(getattr(block.feed_forward, "experts", 0) for block in spec.blocks)
    ):
        raise UsageError(f"--offload experts: {spec.name} has no experts; --offload weights keeps all of it elsewhere")


def _layout(text: str) -> CacheLayout | None:
    from roofline.workload.allocation import read_layout

    return read_layout(text)


def _spread(gpu: GPUSpec, options: dict[str, Any], spec_dir: str | None) -> Spread | None:
    """How the run is spread; None for one GPU with nothing elsewhere, at no cost."""
    if all(value is None or value is False for value in options.values()):
        return None
    from roofline.analysis.spread.spread import resolve_spread

    return resolve_spread(gpu, options, spec_dir)


def _accelerator(gpu: GPULike | None, options: dict[str, Any], spec_dir: str | None) -> tuple[GPUSpec, Origin]:
    """The accelerator; that of a node, where `gpu` names a node or is left to `node`, which then counts as named."""
    if gpu is None and options.get("node") is None:
        raise UsageError("no GPU given: --gpu NAME, for example --gpu a100. `roofline list gpus` lists all.")
    try:
        if gpu is not None:
            return locate_gpu(gpu, spec_dir)
    except UnknownNameError:
        if options.get("node") is not None or not isinstance(gpu, str) or not is_node(gpu, spec_dir):
            raise
        options["node"] = gpu
    from roofline.analysis.spread.spread import locate_node

    return locate_gpu(locate_node(options["node"], spec_dir)[0].gpu, spec_dir)


def _refuse_pictures(options: dict[str, Any]) -> None:
    """Options of image models have no meaning for a language model."""
    for name, value in options.items():
        if name in IMAGE_OPTIONS and value is not None and value is not False:
            raise UsageError(f"--{name} goes with image models, and this is a language model")


_MACHINES: dict[tuple[int, bool], tuple[GPUSpec, Machine]] = {}


def machine_of(gpu: GPUSpec, half_sums: bool = False) -> Machine:
    """The machine of one spec, made once per spec object; `half_sums`: of products that are summed in 16 bit."""
    known = _MACHINES.get((id(gpu), half_sums))
    if known is None or known[0] is not gpu:
        known = _MACHINES[id(gpu), half_sums] = (gpu, Machine.of(gpu, half_sums=half_sums))
    return known[1]


def warnings_of(question: Question) -> list[Warn]:
    """What the user should know before trusting the numbers."""
    found: list[Warn] = []
    run, spec, gpu = question.run, question.spec, question.gpu
    if isinstance(run.prompt, float) and isinstance(run.generate, float):
        longest = run.prompt + run.generate
        if spec.max_context is not None and longest > spec.max_context:
            found.append(
                Warn("context-exceeds-maximum",
                     f"{longest:,.0f} tokens are more than the {spec.max_context:,} that {spec.name} was made for")
            )  # fmt: skip
    served = question.machine().served_by
    for dtype in used_dtypes(question):
        unit = served[dtype][0]
        if unit.removeprefix("vector.") != dtype and not (dtype == "fp4" and unit == "nvfp4"):
            found.append(
                Warn("dtype-fallback", f"{gpu.name} has no {dtype} units: stored as {dtype}, computed at the "
                     f"{unit.removeprefix('vector.')} rate")
            )  # fmt: skip
    if gpu.unverified:
        found += unverified_hardware(gpu, question.machine(), used_dtypes(question), question.spread is not None,
                                     question.engine != IDEAL)  # fmt: skip
    if spec.unverified:
        found.append(Warn("unverified-model", f"{spec.name}: not verified: {'; '.join(spec.unverified)}"))
    return found


def published_warnings(spec: TransformerSpec, parameters: float) -> list[Warn]:
    """A warning where the parameters that the file says are published are not those counted from its shapes."""
    rows = [row for row in spec.published if row.quantity == "parameters"]
    return [
        Warn("published-differs", f"{spec.name}: {parameters:,.0f} parameters are counted from the shapes, "
             f"{row.value:,.0f} published ({row.source})")
        for row in rows if abs(parameters - row.value) > max(row.tolerance, 1e-9) * row.value
    ]  # fmt: skip


def used_dtypes(question: Question) -> list[str]:
    """The compute formats that the run uses: that of the matrices, and that of attention where it differs."""
    precision = question.precision
    attention = precision.activations.compute
    single = [precision.matrix_dtype(dtype) for dtype in precision.overrides.values()]
    return list(dict.fromkeys([precision.matrix_dtype(), *single, attention]))


def alias_notes(q: Question | ImageQuestion) -> list[str]:
    """Which model and GPU the names of a question were taken for, where they were asked for by another."""
    notes = []
    if q.model_origin.alias and q.model_origin.alias.lower() != q.spec.name:
        notes.append(f"model {q.model_origin.alias} is {q.spec.name} ({q.spec.title})")
    if q.gpu_origin.alias:
        notes.append(f"GPU {q.gpu_origin.alias} is {q.gpu.name} ({q.gpu.title})")
    return notes
