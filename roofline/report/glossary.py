"""The words of the tables: each with a few words for the line under a table, and with a definition for a page.

Tables print those that they use (`roofline.report.tables.legend`), `python -m roofline.cli.glossary` prints all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple


class Term(NamedTuple):
    """A word as tables write it, what it is in a few words, and in a sentence or two.

    `few` is empty where tables need no word of it. `others` are further spellings, `unless` what makes another word of
    it where that follows, `heading` what stands for it alone.
    """

    word: str
    few: str
    meaning: str
    others: tuple[str, ...] = ()
    unless: str = ""
    heading: str = ""

    def is_in(self, text: str) -> bool:
        """Whether a text has the word, or a line of it is its heading."""
        spelled = (self.word, *self.others)
        if self.heading and self.heading in text.split("\n"):
            return True
        return any(
            _stands(text, start, start + len(word), self.unless) for word in spelled for start in _places(text, word)
        )


def _places(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def _stands(text: str, start: int, end: int, unless: str) -> bool:
    """Whether what is between two places is a word of its own."""
    beside = text[start - 1 : start] + text[end : end + 1]
    joined = any(letter.isalnum() or letter in "-_" for letter in beside)
    return not joined and not (unless and text.startswith(unless, end))


#: In the order in which tables explain them.
TERMS: Final[tuple[Term, ...]] = (
    Term(
        "fusion",
        "which operations run as one kernel",
        "Which operations of a model run as one program (a kernel), so that what lies between them is not written to "
        "memory and read back: `eager` none, `flash` attention, `compiled` element-wise operations as well.",
    ),
    Term(
        "engine",
        "the software that runs the model",
        "The software that runs the model: vLLM, llama.cpp, diffusers, TensorRT-LLM and others. What it makes of a "
        "chip is taken from measured runs; `generic` stands for whichever serves a model well, `ideal` for the "
        "roofline itself, which loses nothing.",
    ),
    Term(
        "phase",
        "a stage of the run",
        "A stage of a run whose cost differs from that of the others: reading the prompt (prefill) and writing tokens "
        "(decode); encoding the text, denoising and decoding the picture.",
        ("Phase", "phases", "Phases"),
    ),
    Term(
        "kernels",
        "programs that the chip starts",
        "A kernel is one program that the chip starts, for one operation or several fused ones. Each start takes some "
        "microseconds.",
    ),
    Term(
        "FLOP/B",
        "operations per byte moved",
        "Floating-point operations per byte moved to or from memory (arithmetic intensity). Above the balance of the "
        "chip, its peak over its bandwidth, arithmetic takes longer than moving bytes; below it, the other way "
        "round. A multiply-add is two operations.",
    ),
    Term(
        "floor",
        "the best the chip allows",
        "The speed of light: all operations at the chip's peak, or what must be moved at its full bandwidth (weights, "
        "cache, inputs and outputs once), whichever takes longer. No run is faster.",
    ),
    Term(
        "bound",
        "each op at the chip's limit, summed",
        "The roofline: each operation takes as long as its arithmetic or its bytes take at the chip's peaks, "
        "whichever is longer, one operation after the other.",
        unless=" by",
    ),
    Term(
        "expected",
        "what a clock should show with this engine",
        "What a clock should show with the chosen engine: the bound, with the efficiencies, starts of kernels and "
        "time of the host that measured runs of that engine have shown.",
    ),
    Term(
        "80 % interval",
        "four of five runs lie in it",
        "Four of five measured runs of the kind lie in it, a tenth below and a tenth above.",
        heading="80 %",
    ),
    Term(
        "MFU",
        "share of the peak FLOP/s",
        "Model FLOPs utilisation: the operations that the model needs, over what the chip could do in that time at its "
        "dense peak.",
    ),
    Term(
        "MBU",
        "share of the bandwidth",
        "Model bandwidth utilisation: the bytes that the model must move, over what the memory could move in that "
        "time.",
    ),
    Term(
        "HFU",
        "the share with all that is done again",
        "Hardware FLOPs utilisation: as MFU, but of all operations that are done, those that are repeated to save "
        "memory among them.",
    ),
    Term(
        "ledger",
        "all operations, counted one by one",
        "The list of all operations of a run, each with its arithmetic, its bytes and its time. Every total is a sum "
        "over it.",
    ),
    Term(
        "causal",
        "each token sees those before it",
        "Attention in which each token sees those before it alone: half of all pairs in a long prompt. In full, every "
        "token is counted with every other.",
    ),
    Term(
        "bias",
        "the median with its sign: positive is too slow",
        "Of errors of a prediction: their median with the sign, while the error is without it. Positive is too slow.",
    ),
    Term(
        "of most",
        "what is asked, of the most it can make",
        "Of plans for a rate: what is asked for, as a share of the most that the plan can make within the limits. Near "
        "100 % a peak would wait.",
    ),
    Term(
        "headroom",
        "share of the usable memory that is left",
        "The share of the usable memory of each accelerator that a run leaves free.",
    ),
    Term(
        "prefill",
        "",
        "Reading the prompt: all of its tokens go through the model at once, which yields the first token that is "
        "written.",
    ),
    Term(
        "decode",
        "",
        "Writing: one token of each sequence after the other. For each of them all weights that it visits are read, "
        "which is why a batch costs little more than one sequence.",
    ),
    Term(
        "ttft", "time to first token", "TTFT: from the request to the first token that is written: prefill and waits."
    ),
    Term("tpot", "time per output token", "TPOT: from one token that is written to the next: one step of decode."),
    Term(
        "KV-cache",
        "",
        "What attention keeps of the tokens so far, a key and a value of each in each layer, so that they are not "
        "computed again. It grows with batch and context.",
    ),
    Term("activations", "", "What is passed from one operation to the next: held while it is needed, then dropped."),
    Term("runtime", "", "Of memory: what the driver, libraries and the engine keep on the chip for themselves."),
    Term("batch", "", "How many sequences or pictures run together, sharing each reading of the weights."),
    Term(
        "memory-bound, compute-bound",
        "",
        "What an operation waits for: bytes from memory, or arithmetic. Besides, it may wait for links between GPUs "
        "(communication), or for starts of kernels and the host (overhead).",
    ),
    Term(
        "weights format",
        "",
        "In how many bits weights are stored: bf16 and fp16 in 16, fp8 and int8 in 8, int4-g128, nf4 and q4_k_m in "
        "somewhat more than 4, since scales stand beside them.",
    ),
    Term(
        "tp, pp, ep, dp, cp",
        "",
        "How a model is spread over GPUs: each matrix split (tensor-parallel), layers in stages (pipeline), experts, "
        "copies with batches of their own (data-parallel), the tokens of a prompt (context-parallel).",
    ),
    Term(
        "steady load",
        "",
        "Users who send the next request when the last is answered, in place of one batch that starts and ends "
        "together (static).",
    ),
    Term(
        "guidance",
        "",
        "Of pictures: how strongly the text is followed. Above 1 most models run twice per step, with and without the "
        "text, which doubles the batch.",
    ),
    Term(
        "scheduler",
        "",
        "Of pictures: the rule of the denoising steps, also called sampler; some call the model twice a step.",
    ),
    Term("GB and GiB", "", "1 GB is 1e9 bytes, 1 GiB is 2**30 bytes, 7 % more. Tools of drivers show GiB."),
)

#: Words of `roofline ops`.
OPS: Final[tuple[Term, ...]] = (
    Term("×", "executions in one call of the phase", "How often an operation is executed in one call of a phase."),
    Term(
        "links",
        "bytes between devices",
        "Bytes that cross links: between GPUs, and between a GPU and the memory of its host.",
    ),
    Term(
        "limit",
        "what takes longest in its bound",
        "What the bound of an operation is made of: arithmetic (compute), bytes of memory, or links (communication).",
    ),
    Term("no block", "of the model itself", "Operations beside the blocks that a model repeats."),
    Term("pointwise", "element by element", "Operations on each element by itself: sums, activations, copies."),
    Term("linear", "products with weights", "Products of a matrix of activations with one of weights."),
    Term("gather", "rows looked up in a table", "Rows that are looked up in a table, such as those of embeddings."),
    Term("scan", "a recurrence over the tokens", "A state that is carried from token to token, as Mamba has it."),
    Term("collective", "an exchange between devices", "An exchange between GPUs, such as a sum over all of them."),
    Term(
        "waiting for launches",
        "kernels end before the host starts the next",
        "Time in which the chip has nothing to do, since its host starts kernels more slowly than it runs them.",
    ),
    Term(
        "host per step, sequence, request",
        "the engine's own work, once for each",
        "The engine's own work on the host: scheduling and sampling, once for each step, sequence or request.",
        ("host per step", "host per sequence", "host per request"),
    ),
    Term(
        "hidden behind work",
        "time that passes during other work",
        "Below zero: exchanges or fetching while the chip works, whose time is not time of the run.",
    ),
    Term(
        "other pipeline stages",
        "until the other stages are through",
        "What the stages of a pipeline add to the one whose operations are listed, until the phase is through.",
    ),
    Term(
        "lifted to the bound",
        "what is missing to the bound",
        "What is missing to the bound, below which nothing is expected.",
    ),
)

#: What `--fusion` may be, each as one line under `roofline levels`.
LEVELS: Final[tuple[Term, ...]] = (
    Term("eager", "a kernel per operation, attention with its scores written to memory", ""),
    Term("math", "attention without a fused kernel: in fp32, its scores written to memory", ""),
    Term("classic", "attention with its scores written to memory, as with --fusion eager", ""),
    Term("slice-auto", "as classic, for half of the heads at a time: less memory, more kernels", ""),
    Term("slice-max", "as classic, for one head at a time", ""),
    Term("flash", "a kernel per operation, attention as one whose scores are never in memory", ""),
    Term("cuda", "flash, with norms that read twice and biases that are added apart, as GPUs do", ""),
    Term("compiled", "flash, with operations on single elements joined to few kernels", ""),
    Term("operands", "products, convolutions and attention alone: the most that fusion could leave", ""),
)


BEGIN: Final = "<!-- words: written by `python -m roofline.cli.glossary docs/glossary.md` -->"
END: Final = "<!-- /words -->"


def section() -> str:
    """All words as a table in Markdown."""
    rows = [f"| **{term.word}** | {term.meaning or told_of(term)} |" for term in (*TERMS, *OPS, *LEVELS)]
    return "\n".join(["| word | meaning |", "|---|---|", *rows])


def told_of(term: Term) -> str:
    """The few words of a term as a sentence."""
    return f"{term.few[0].upper()}{term.few[1:]}."


def page(text: str = "") -> str:
    """A page with all words: `text` with the table between its two marks, or a page of nothing else."""
    (before, begin, rest), nothing = text.partition(BEGIN), ("# The words of the tables\n\n", "\n")
    _, end, after = rest.partition(END)
    before, after = (before, after) if begin and end else nothing
    return f"{before}{BEGIN}\n\n{section()}\n\n{END}{after}"
