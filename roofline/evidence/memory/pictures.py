"""How near the memory of pictures comes to measured runs: docs/memory_pictures.md, from the rows that are shipped.

python -m roofline.evidence.memory.pictures -o docs/memory_pictures.md
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.evidence.markdown import paragraphs, table
from roofline.passes.image.offload import PAGEABLE
from roofline.passes.image.workspace import INDEXED
from roofline.runs.ask import ask
from roofline.runs.image.held import CONTEXT, SAFETY_CHECKER
from roofline.runs.image.memory import MOST_PICTURES, MOST_PIXELS
from roofline.runs.kind import Outcome

ROWS: Final = Path(__file__).resolve().parents[1] / "measurements" / "memory_images.csv"
#: What each measure sees of a run.
_SEES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allocated": lambda m: m.weights_bytes + m.activation_peak_bytes + m.workspace_bytes + m.safety_checker_bytes,
    "reserved": lambda m: m.allocator_reserved_bytes,
    "driver": lambda m: m.allocator_reserved_bytes + m.context_bytes,
}
_TITLES: Final = {
    "allocated": "torch.cuda.max_memory_allocated: weights, activations, workspace",
    "reserved": "torch.cuda.max_memory_reserved: those, and what the allocator keeps",
    "driver": "nvidia-smi: those, and the driver's own",
}


class Met(NamedTuple):
    """A measured run and what is said of it, in bytes.

    `tensors` are weights and activations alone; `full`: what the allocator would keep does not fit, so it gave back.
    """

    row: Mapping[str, str]
    measured: float
    said: float
    tensors: float
    full: bool = False

    @property
    def error(self) -> float:
        """Of what is said, as a share of what was measured."""
        return self.said / self.measured - 1.0

    @property
    def error_of_tensors(self) -> float:
        """Of weights and activations alone."""
        return self.tensors / self.measured - 1.0


def measured_rows() -> list[dict[str, str]]:
    """The rows that are shipped."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def meet(row: Mapping[str, str]) -> Met:
    """What is said of a run."""
    options: dict[str, Any] = {"batch": int(row["batch"]), "height": int(row["side"]), "width": int(row["side"])}
    for word in row["options"].split():
        name, equals, value = word.partition("=")
        options[name] = value if equals else True
    memory = evaluate(ask(row["model"], row["gpu"], options), Outcome).memory
    said = float(_SEES[row["measure"]](memory))
    tensors = float(memory.weights_bytes + memory.activation_peak_bytes)
    full = row["measure"] != "allocated" and float(_SEES["driver"](memory)) > float(memory.capacity_bytes)
    return Met(row, float(row["bytes"]), said, tensors, full)


def context_by_gpu(met: Iterable[Met]) -> dict[str, float]:
    """Bytes of the driver and of libraries by GPU: the median of what nvidia-smi shows above what is reserved."""
    found: dict[str, list[float]] = {}
    for one in met:
        row = one.row
        if row["measure"] == "driver" and not row["options"] and row["source"].startswith("onnxruntime"):
            found.setdefault(row["gpu_as_published"], []).append(one.measured - (one.said - CONTEXT))
    return {gpu: median(values) for gpu, values in found.items()}


def _errors(errors: Sequence[float]) -> tuple[str, ...]:
    sizes = [abs(error) for error in errors]
    worst = max(errors, key=abs)
    return f"{len(errors)}", f"{median(sizes):.1%}", f"{worst:+.1%}", f"{mean(errors):+.1%}"


def page() -> str:
    """The page."""
    return "\n".join(_lines([meet(row) for row in measured_rows()])).rstrip() + "\n"


def within(met: Sequence[Met]) -> list[Met]:
    """The runs whose GPU has room for what the allocator would keep: of the others it is a bound alone."""
    return [one for one in met if not one.full]


def _lines(every: Sequence[Met]) -> Iterator[str]:
    met = within(every)
    said = (
        f"Median and worst of |said / measured - 1|; mean with its sign. {len(every) - len(met)} further rows are of "
        "GPUs that have no room for what the allocator would keep: it gave blocks back, and what is said is a bound."
    )
    yield from paragraphs(
        "# Memory of pictures, against measured runs",
        "Made by `python -m roofline.evidence.memory.pictures -o docs/memory_pictures.md`; the rows are "
        "`roofline/evidence/measurements/memory_images.csv`. 1 GB = 1e9 B.",
        "What is on the GPU at once is the sum of parts, each of which stands alone in `memory` of an answer; "
        "[which options change them](parallel.md#memory-of-pictures). Searches end at "
        f"{MOST_PIXELS:,} px and {MOST_PICTURES:,} pictures.",
    )
    yield from _parts()
    yield ""
    yield from paragraphs("## Errors", said)
    head = ("measure", "source", "rows", "median", "worst", "mean", "weights and activations alone, median")
    yield from table(head, _by_source(met))
    yield from _coefficients(met)
    yield from paragraphs("## The rows furthest off")
    furthest = sorted(met, key=lambda one: -abs(one.error))[:12]
    yield from table(_HEAD, _rows(furthest))
    yield from paragraphs("## Every row of allocated memory")
    allocated = [one for one in met if one.row["measure"] == "allocated"]
    yield from table(_HEAD, _rows(allocated))


#: Channels of the widest tensor of a decoder at the size of the picture (Stable Diffusion's, FLUX.1's).
_WIDE: Final = 256
_HEAD: Final = ("row", "measure", "model", "GPU", "batch", "side", "options", "measured", "said", "error")


def _parts() -> Iterator[str]:
    """The parts that stand beside tensors, each as `memory` of an answer names it, with the sizes that the code has."""
    yield (
        "* **weights**, and **activations**: the most that tensors take while any kernel runs, exact against "
        "recordings ([image models](image_models.md))."
    )
    yield (
        "* **workspace**: copies of convolutions in the order that cuDNN's kernels take. A batch of more than "
        f"{INDEXED:,.0f} elements runs in pieces; one picture of more ({_WIDE} channels above "
        f"{math.isqrt(int(INDEXED) // _WIDE):,} px square) is unfolded into columns, which is where untiled decoding "
        "ends on most GPUs."
    )
    yield f"* **safety checker**: {SAFETY_CHECKER:,.0f} parameters, where the published pipeline loads one."
    yield "* **driver and libraries**: what a process takes before its first tensor."
    yield (
        "* beside the sum, `allocator_reserved_bytes`: freed blocks that stay with the allocator as long as there is "
        "room. nvidia-smi shows them; they decide nothing about what fits."
    )


def _by_source(met: Sequence[Met]) -> Iterator[Sequence[str]]:
    for measure, title in _TITLES.items():
        of_measure = [one for one in met if one.row["measure"] == measure]
        sources = dict.fromkeys(one.row["source"] for one in of_measure)
        for source in sources:
            yield _summary("", source, [one for one in of_measure if one.row["source"] == source])
        yield _summary(f"**{title}**", "all", of_measure)


def _summary(title: str, source: str, met: Sequence[Met]) -> Sequence[str]:
    alone = median(abs(one.error_of_tensors) for one in met)
    return (title, source, *_errors([one.error for one in met]), f"{alone:.1%}")


def _coefficients(met: Sequence[Met]) -> Iterator[str]:
    contexts = context_by_gpu(met)
    each = ", ".join(f"{value / 1e9:.2f} GB on {gpu}" for gpu, value in contexts.items())
    yield from paragraphs(
        "## What is found from measurements",
        "One figure per mechanism; all else follows from shapes and from sources that the code names.",
    )
    yield (
        f"* driver and libraries: {CONTEXT / 1e9:g} GB, the mean over GPUs of the median of nvidia-smi less what is "
        f"said to be reserved, of runs with the safety checker loaded: {each}; with the figure of the other GPU, the "
        f"runs of each are off by {_of_the_other(met, contexts):.1%} at most."
    )
    yield (
        "* copies of a convolution: two (operand and result) in 16 bit and one (operand) in fp32. Chosen with all rows "
        "of allocated memory in view, so their errors are not those of rows left out."
    )
    yield (
        "* what the allocator keeps has no figure that is fitted: blocks of tensors twice as large as all before are a "
        "size of their own, whose peak is added."
    )
    yield (
        f"* copies of pageable memory: {PAGEABLE / 1e9:g} GB/s, from two ways of offload of FLUX.1-dev on one machine, "
        "which agree within 4 %; another host may be several times faster, so the interval of such runs reaches down "
        "to the rate of the link."
    )
    yield ""


def _of_the_other(met: Sequence[Met], contexts: Mapping[str, float]) -> float:
    """The largest error of runs seen by nvidia-smi where the driver's share comes from another GPU's runs."""
    errors = []
    for one in met:
        gpu = one.row["gpu_as_published"]
        if one.row["measure"] == "driver" and gpu in contexts:
            other = mean(value for name, value in contexts.items() if name != gpu)
            errors.append(abs((one.said - CONTEXT + other) / one.measured - 1.0))
    return max(errors)


def _rows(met: Iterable[Met]) -> Iterator[Sequence[str]]:
    for one in met:
        row = one.row
        sizes = (f"{one.measured / 1e9:.2f} GB", f"{one.said / 1e9:.2f} GB", f"{one.error:+.1%}")
        yield (
            row["id"],
            row["measure"],
            row["model"],
            row["gpu_as_published"],
            row["batch"],
            row["side"],
            row["options"],
            *sizes,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: write the page."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.memory.pictures", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the page to write")
    options = parser.parse_args(arguments)
    options.output.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
