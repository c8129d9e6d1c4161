"""Ways to count a training step: the figures of their sources, and what holds of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.training.conventions.counts import conventions_of
from roofline.analysis.training.conventions.published import CONVENTIONS
from roofline.analysis.training.conventions.terms import TERMS, total
from roofline.architectures.text.training import fills_masks
from roofline.specs.text.transformer import TransformerSpec

_FACTS = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "published" / "training_counts.yaml").read_text(encoding="utf-8")
)
_SPECS = str(Path(__file__).resolve().parents[2] / "published" / "specs")
#: Every family of mixers and of feed-forwards that there is.
_KINDS = (
    *("llama-3-8b", "gpt2", "mixtral-8x7b", "deepseek-v3", "deepseek-v3.2", "gemma-3-4b", "jamba-v0.1", "mamba2-130m"),
    *("nemotron-h-8b", "qwen3-next-80b-a3b", "rwkv-4-7b", "recurrentgemma-2b", "xlstm-7b", "t5-base", "whisper-base"),
    *("bert-base", "deberta-v3-base", "opt-350m", "zamba2-2.7b", "gemma-3n-e4b", "deepseek-v4-flash"),
    *("kimi-linear-48b-a3b", "longcat-flash-560b", "minimax-text-01", "llama-3.2-11b-vision", "lfm2-1.2b"),
    *("chinchilla-73m", "gpt-oss-20b"),
)  # fmt: skip


def _per_token(found: rl.Flops, key: str) -> float:
    each = found.count(key).per_token
    assert each is not None
    return each


@pytest.mark.parametrize("row", _FACTS["tables"]["rows"], ids=lambda row: row["model"])
def test_three_models_by_every_convention(row: dict[str, Any]) -> None:
    """To the digits of the table, whose parameters are those of matrices: without norms, biases and positions."""
    found = rl.flops(row["model"], sequence=row["sequence"])
    full = _per_token(found, "ledger_full")
    for key, (value, ratio) in list(row.items())[2:]:
        terms = found.count(key).terms
        assert terms is not None
        matrices = total(terms) - terms["vectors"] - terms["positions"]
        assert f"{matrices:.4e}" == f"{float(value):.4e}", key
        assert f"{matrices / full:.3f}" == f"{ratio:.3f}", key


@pytest.mark.parametrize("row", _FACTS["megatron"]["rows"], ids=lambda row: f"{row['model']}-{row['sequence']}")
def test_published_pairs_of_rates_are_todays_megatron(row: dict[str, Any]) -> None:
    found = rl.flops(row["model"], sequence=row["sequence"])
    counted = found.question.counted
    assert counted is not None
    more = counted.further if row.get("further") else 0.0
    assert (_per_token(found, row["convention"]) + more) / 1e9 == pytest.approx(row["gflop"], rel=row["rel"])


@pytest.mark.parametrize("row", _FACTS["chinchilla"]["ratios"], ids=lambda row: row["model"])
def test_the_six_ratios_of_chinchilla(row: dict[str, Any]) -> None:
    """Table A4: FLOPs to the unit, and their ratio to 6 N D."""
    found = rl.flops(row["model"], sequence=2048)
    tabled = _per_token(found, "chinchilla_tabled")
    assert tabled * 2048 == row["flops"]
    ratio = tabled / _per_token(found, "six_n")
    assert ratio == pytest.approx(row["exact"], abs=5e-7)
    assert round(ratio, 2) == pytest.approx(row["printed"])


def _shaped(width: int, inner: int, head: int, heads: int, layers: int) -> TransformerSpec:
    base = rl.load_model("chinchilla-73m")
    assert isinstance(base, TransformerSpec)
    group = base.blocks[0]
    assert group.attention is not None and group.feed_forward is not None
    attention = group.attention.model_copy(update={"heads": heads, "kv_heads": heads, "head_dim": head})
    feed_forward = group.feed_forward.model_copy(update={"width": inner})
    update = {"layers": layers, "attention": attention, "feed_forward": feed_forward}
    return base.model_copy(update={"width": width, "blocks": (group.model_copy(update=update),)})


@pytest.mark.parametrize("shape", _FACTS["chinchilla"]["shapes"], ids=lambda shape: f"{shape[0]}M")
def test_the_fifty_shapes_of_chinchilla(shape: list[int]) -> None:
    """Table A9: parameters as printed, and appendix F in whole numbers."""
    millions, width, inner, head, heads, layers = shape
    found = rl.flops(_shaped(width, inner, head, heads, layers), sequence=2048)
    s, q, vocabulary = 2048, head * heads, 32000
    attention = 6 * s * width * q + 4 * s * s * q + 3 * heads * s * s + 2 * s * q * width
    forward = layers * (attention + 4 * s * width * inner)
    assert _per_token(found, "chinchilla_tabled") * s == 3 * forward
    assert _per_token(found, "chinchilla") * s == 3 * (forward + 4 * s * vocabulary * width)
    counted = found.question.counted
    assert counted is not None
    assert total(counted.held) / 1e6 == pytest.approx(millions, rel=0.007)


def test_casson_counts_gpt_3_as_his_function_does() -> None:
    """353,959,354,368 FLOPs forward per token at a context of 2048 (adamcasson.com, openai_flops_per_token)."""
    assert _per_token(rl.flops("gpt-3-175b", sequence=2048), "casson") == 3 * 353959354368


@pytest.mark.parametrize(
    ("model", "layers", "width", "heads"),
    [("gpt2", 12, 768, 12), ("gpt2-xl", 48, 1600, 25), ("opt-1.3b", 24, 2048, 32), ("opt-66b", 64, 9216, 72)],
)
def test_counts_of_gpt_2_and_opt_by_kaplan_and_casson(model: str, layers: int, width: int, heads: int) -> None:
    """2 N + 2 L s d with N = 2 d L (2 d + 4 d), and Casson's rows for embedding and logits."""
    found = rl.flops(model, sequence=1024)
    counted = found.question.counted
    assert counted is not None
    matrices = 12 * layers * width * width
    kaplan = 3 * (2 * matrices + 2 * layers * 1024 * width)
    assert _per_token(found, "kaplan") == _per_token(found, "kaplan_qk") == kaplan
    assert _per_token(found, "casson") == kaplan + 3 * (4 * width + 2 * width * counted.vocabulary)
    assert _per_token(found, "kipply") == 3 * 24 * layers * width**2
    assert _per_token(found, "megatron_2022") == 72 * layers * width**2 * (
        1 + 1024 / (6 * width) + counted.vocabulary / (12 * layers * width)
    )
    assert _per_token(found, "megatron_2021") == pytest.approx(
        96 * layers * width**2 * (1 + 1024 / (6 * width) + counted.vocabulary / (16 * layers * width)), rel=1e-12
    )
    assert found.count("kaplan").terms != found.count("kaplan_qk").terms


def test_nanogpts_palm_figure() -> None:
    """875,062,886,400 FLOPs of 1024 tokens (karpathy/nanoGPT, transformer_sizing): its N leaves out the positions."""
    terms = rl.flops("nanogpt-124m", sequence=1024).count("palm").terms
    assert terms is not None
    assert (total(terms) - terms["positions"]) * 1024 == 875062886400


@pytest.mark.parametrize(
    ("size", "gpus", "rate", "mfu", "hfu"),
    [
        ("1b", 128, 44123, 40.6, None),
        ("3b", 128, 23422, 42.43, None),
        ("7b", 128, 10475, 45.71, None),
        ("13b", 128, 5080, 42.18, 56.24),
        ("30b", 128, 2199, 41.85, 55.8),
        ("70b", 512, 1007, 41.25, 55.0),
    ],
)
def test_rates_of_llm_foundry_are_its_mfu(size: str, gpus: int, rate: float, mfu: float, hfu: float | None) -> None:
    """mosaicml/llm-foundry, scripts/train/benchmarking: bf16 on H100, sequences of 2048; HFU with checkpoints."""
    found = rl.flops(f"mpt-{size}", sequence=2048, gpu="h100", gpus=gpus, tokens_per_s_per_gpu=rate, spec_dir=_SPECS)
    row = next(row for row in found.to_dict()["conventions"] if row["key"] == "llm_foundry")
    assert 100 * row["mfu"] == pytest.approx(mfu, rel=0.005)
    assert hfu is None or 100 * row["hfu"] == pytest.approx(hfu, rel=0.005)


@pytest.mark.parametrize("model", _KINDS)
def test_every_kind_of_model_is_counted_or_said_not_to_be(model: str) -> None:
    """Each convention gives terms that sum to its figure, or a reason; the ledger is three forward passes."""
    found = rl.flops(model, sequence=256)
    data = found.to_dict()
    causal = _per_token(found, "ledger_causal")
    counted = found.question.counted
    assert counted is not None
    forward = sum(op.count * op.flops for op in counted.ops)
    assert causal * counted.tokens == pytest.approx(3 * forward, rel=1e-12)
    for row in data["conventions"]:
        assert (row["per_token"] is None) == (row["unsaid"] is not None)
        if row["per_token"] is not None:
            assert sum(row["difference"].values()) == pytest.approx(row["per_token"] - causal, abs=1e-6 * causal)
            assert row["reason"]
            assert row["per_step"] == pytest.approx(row["per_token"] * 256)
    assert found.verdict and str(found) == repr(found) == found.verdict
    asked = rl.estimate(model, gpu="h100", prompt=256, generate=1, fusion="eager", logits="all")
    if fills_masks(counted.spec):
        return  # a head that says which words were masked is trained with it, and is no part of the model
    assert total(counted.held) == pytest.approx(asked.parameters.total)
    assert total(counted.active) == pytest.approx(asked.parameters.active)
    if not counted.spec.encoder:
        assert _per_token(found, "ledger_full") * 256 == pytest.approx(3 * asked.phases[-1].flops, rel=1e-12)


def test_an_encoder_and_a_decoder_of_other_lengths() -> None:
    """T5 base on 512 tokens, its decoder on 128: 437,507,850,240 FLOPs of a step (torch.utils.flop_counter)."""
    found = rl.flops("t5-base", sequence=512, decoder=128)
    assert _per_token(found, "ledger_full") * 512 == 437507850240
    assert found.count("hf_trainer").terms is not None and "encoder" in found.count("palm").unsaid


def test_experts_that_are_not_visited_are_said() -> None:
    found = rl.flops("mixtral-8x7b", sequence=4096)
    row = {row["key"]: row for row in found.to_dict()["conventions"]}
    assert row["palm"]["per_token"] is None and "experts" in row["palm"]["unsaid"]
    assert "experts not visited" in row["six_n"]["reason"]
    assert row["six_n"]["per_token"] == 6 * 46702792704
    assert row["megatron"]["of_causal"] == pytest.approx(1.0, abs=2e-4)


def test_attentions_share_grows_with_context() -> None:
    shares = [share.causal for share in rl.flops("llama-2-7b", sequence=4096).shares]
    assert shares == sorted(shares) and len(shares) == 6
    assert all(share.causal < share.full for share in rl.flops("llama-2-7b", sequence=4096).shares)


@settings(max_examples=30, deadline=None)
@given(
    model=st.sampled_from(["gpt2", "mixtral-8x7b", "gemma-3-4b", "deepseek-v3", "mamba2-130m", "bert-base"]),
    sequence=st.integers(1, 30000),
    more=st.integers(1, 30000),
)
def test_longer_sequences_never_cost_less_per_token(model: str, sequence: int, more: int) -> None:
    spec = rl.load_model(model)
    assert isinstance(spec, TransformerSpec)
    short, long = conventions_of(spec, sequence), conventions_of(spec, sequence + more)
    assert all(long[key] >= value * (1 - 1e-12) for key, value in short.items() if key not in _ONCE)
    assert short["ledger_causal"] <= short["ledger_full"] * (1 + 1e-12) < short["hardware_full"]


#: Of encoders what is done once for a sequence is a smaller part of longer ones.
_ONCE = ("ledger_causal", "ledger_full", "hardware_full", "hardware_causal", "maxtext", "maxtext_2024", "chinchilla")


@settings(max_examples=30, deadline=None)
@given(mfu=st.floats(0.01, 1.0), gpus=st.integers(1, 10000), precision=st.sampled_from(["bf16", "fp8", "fp32"]))
def test_a_rate_and_its_utilisation_are_inverse(mfu: float, gpus: int, precision: str) -> None:
    options: dict[str, Any] = {"sequence": 2048, "gpu": "h100", "gpus": gpus, "precision": precision}
    found = rl.flops("gpt2", mfu=mfu, **options)
    for key in ("ledger_causal", "palm", "kaplan"):
        rate = found.rate(found.count(key))
        assert rate is not None
        back = rl.flops("gpt2", tokens_per_s=rate, **options)
        assert back.used(back.count(key)) == pytest.approx(mfu)


@pytest.mark.parametrize("several", [[512, 1024], np.array([512, 1024]), range(1, 3)])
def test_several_values_of_an_option_are_refused_in_words(several: Any) -> None:
    for name in ("sequence", "batch", "gpus", "tokens"):
        with pytest.raises(rl.UsageError, match=f"{name} takes one value here"):
            rl.flops("gpt2", gpu="h100", **{name: several})


def test_keys_are_one_each_and_terms_have_names() -> None:
    keys = [convention.key for convention in CONVENTIONS]
    assert len(set(keys)) == len(keys)
    assert all(convention.formula and convention.source and convention.counts for convention in CONVENTIONS)
    assert len(set(TERMS)) == len(TERMS)


def test_the_page_names_every_convention_with_its_formula_and_source() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "flops.md").read_text(encoding="utf-8")
    for one in CONVENTIONS:
        row = (f"`{one.key}`", one.title, one.formula, one.counts, one.leaves_out, one.source)
        assert f"| {' | '.join(row)} |" in page
