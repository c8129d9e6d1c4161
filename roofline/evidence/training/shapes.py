"""The model of a training row: a bundled one, or a shape of the kind that its source trained.

What a source says of a shape (layers, widths, heads, vocabulary) is the row's; what it leaves out is that of the kind,
which the sources below tell.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from roofline.evidence.training.rows import TrainingRow
from roofline.runs.load import load_model
from roofline.specs.base import Spec
from roofline.specs.text.transformer import TransformerSpec

#: Heads of candidates of BLOOM where a table does not say: those of the tables before it.
_BLOOM_HEADS: Final = 96
#: Rows that a vocabulary of 250,000 is rounded up to: a multiple of 128 times the tensor parallelism.
_BLOOM_VOCABULARY: Final = 250880
#: Names in the file that stand for bundled parts, or for models by another name.
_BUNDLED: Final = {"sd3.5-medium": "sd35-medium-mmdit", "stable-diffusion-v1-5": "sd15-unet", "": ""}


def model_of(row: TrainingRow) -> str | Spec:
    """The model that a row is of: the name of a bundled one, or a spec.

    Raises LookupError where its shape is unknown.
    """
    for kind, shape in _KINDS.items():
        if row.family == kind:
            return shape(row)
    if not row.model:
        raise LookupError(f"the shape of {row.model_as_published} is not stated")
    return _BUNDLED.get(row.model, row.model)


def _gpt(row: TrainingRow, positions: dict[str, Any], **more: Any) -> Spec:
    """A layer as GPT-3's: layer norms, two matrices with GELU, biases, a tied head."""
    hidden, heads = _of(row, "hidden"), _of(row, "heads")
    return _shape(
        row.model_as_published,
        vocabulary=_of(row, "vocab"),
        width=hidden,
        positions=positions,
        norm={"kind": "layer", "bias": True},
        tied_embeddings=True,
        layers=_of(row, "layers"),
        attention={
            "heads": heads,
            "kv_heads": row.kv_heads or heads,
            "head_dim": hidden // heads,
            "qkv_bias": True,
            "output_bias": True,
            "packed": True,
            "softmax_fp32": False,  # Megatron-LM's fused kernel reads and writes scores in 16 bit
        },
        feed_forward={
            "kind": "dense",
            "width": row.ffn or 4 * hidden,
            "gated": False,
            "activation": "gelu",
            "bias": True,
        },
        **more,
    )


def _llama(row: TrainingRow, *, qkv_bias: bool = False, output_bias: bool = False, packed: bool = False) -> Spec:
    """A layer as Llama's: RMS norms, a gated feed-forward, rotary positions, a head of its own."""
    hidden, heads = _of(row, "hidden"), _of(row, "heads")
    return _shape(
        row.model_as_published,
        vocabulary=_of(row, "vocab"),
        width=hidden,
        positions={"kind": "rotary"},
        norm={"kind": "rms"},
        tied_embeddings=False,
        layers=_of(row, "layers"),
        attention={
            "heads": heads,
            "kv_heads": row.kv_heads or heads,
            "head_dim": hidden // heads,
            "qkv_bias": qkv_bias,
            "output_bias": output_bias,
            "packed": packed,
        },
        feed_forward={"kind": "dense", "width": _of(row, "ffn"), "gated": True, "activation": "silu"},
    )


def _mpt(row: TrainingRow) -> Spec:
    """mosaicml/llm-foundry, scripts/train/benchmarking: learned positions of the sequence's length, biases; its counts
    of parameters agree to the unit.
    """
    return _gpt(row, {"kind": "learned", "size": _of(row, "sequence_length")})


def _megatron(row: TrainingRow) -> str | Spec:
    """Narayanan et al. 2021 (arXiv:2104.04473), section 5.1: GPT models with learned positions."""
    return row.model or _gpt(row, {"kind": "learned", "size": _of(row, "sequence_length")})


def _bloom(row: TrainingRow) -> str | Spec:
    """BLOOM (arXiv:2211.05100), section 3.2: ALiBi, a norm behind the embedding, 250,880 rows in it.

    Layers that a table does not state fill the stages evenly and come nearest to its count of parameters.
    """
    if row.model:
        return row.model
    hidden, stages = _of(row, "hidden"), _of(row, "pp")
    layers = row.layers
    if layers is None:
        each = 12.0 * hidden * hidden
        layers = round(((row.params or 0.0) - _BLOOM_VOCABULARY * hidden) / each / stages) * stages
    full = row._replace(layers=layers, heads=row.heads or _BLOOM_HEADS, kv_heads=None, vocab=_BLOOM_VOCABULARY)
    return _gpt(full, {"kind": "alibi"}, embedding_norm=True)


def _internlm(row: TrainingRow) -> Spec:
    """internlm/internlm-7b and -20b, config.json: `bias` true in attention of the first, false in the second."""
    biased = "7B" in row.model_as_published
    return _llama(row, qkv_bias=biased, output_bias=biased)


def _qwen(row: TrainingRow) -> Spec:
    """Qwen/Qwen-7B, modeling_qwen.py: c_attn has a bias and holds queries, keys and values; nothing else has one."""
    return _llama(row, qkv_bias=True, packed=True)


def _litgpt(row: TrainingRow) -> str | Spec:
    """Lightning-AI/litgpt, litgpt/config.py [stablelm-base-alpha-3b]: a GPT-NeoX of 16 layers, 4096 wide, 32 heads."""
    if row.model:
        return row.model
    return _shape(
        row.model_as_published,
        vocabulary=50688,
        width=4096,
        positions={"kind": "rotary", "rotary_dim": 32},
        norm={"kind": "layer", "bias": True},
        tied_embeddings=False,
        layers=16,
        parallel=True,
        attention={
            "heads": 32,
            "kv_heads": 32,
            "head_dim": 128,
            "qkv_bias": True,
            "output_bias": True,
        },
        feed_forward={"kind": "dense", "width": 16384, "gated": False, "activation": "gelu", "bias": True},
    )


def _cut(row: TrainingRow) -> Spec:
    """MooreThreads/SimuMax, its real runs: a bundled model of whose last group of layers only so many are left."""
    name = "deepseek-v2" if row.model_as_published.startswith("deepseek") else "llama-3-70b"
    whole = load_model(name)
    if not isinstance(whole, TransformerSpec):
        raise LookupError(f"{name} is no language model")
    *before, last = whole.blocks
    left = _of(row, "layers") - sum(group.layers for group in before)
    blocks = (*before, last.model_copy(update={"layers": left}))
    return whole.model_copy(update={"name": f"{name}-cut", "blocks": blocks})


def _unstated(row: TrainingRow) -> Spec:
    raise LookupError("batch and sequence length are not stated")


_KINDS: Final[dict[str, Callable[[TrainingRow], str | Spec]]] = {
    "FND": _mpt,
    "MLM": _megatron,
    "BLM": _bloom,
    "IEV": _internlm,
    "QWN": _qwen,
    "LGR": _litgpt,
    "SMX": _cut,
    "PFR": _unstated,
    "AMU": _unstated,
}


def _of(row: TrainingRow, name: str) -> int:
    found = getattr(row, name)
    if found is None:
        raise LookupError(f"{name} of {row.model_as_published} is not stated")
    return int(found)


def _shape(
    title: str,
    *,
    layers: int,
    attention: dict[str, Any],
    feed_forward: dict[str, Any],
    parallel: bool = False,
    **top: Any,
) -> Spec:
    """A spec of uniform layers; the same one for the same shape."""
    name = "-".join("".join(c if c.isalnum() or c in ".-" else " " for c in title.lower()).split())
    block = {
        "layers": layers,
        "attention": {"kind": "softmax", **attention},
        "feed_forward": feed_forward,
        "parallel": parallel,
    }
    said = {"family": "transformer", "name": name, "title": title, "dtype": "bf16", "blocks": [block], **top}
    return _validated(repr(said | {"sources": ["the row's source"]}))


@lru_cache(maxsize=512)
def _validated(said: str) -> Spec:
    from ast import literal_eval

    return TransformerSpec.model_validate(literal_eval(said))
