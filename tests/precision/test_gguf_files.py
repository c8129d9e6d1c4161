"""File formats of llama.cpp: sizes as they are published, and the types of their blocks."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.errors import UsageError
from roofline.specs.formats.dtypes import DTYPES, find_dtype
from roofline.specs.formats.ggml import QUANTISED, TENSOR_TYPES, fallback
from roofline.specs.formats.gguf_files import BASE, FILE_TYPES, ModelFacts, file_shares

GIB = 2.0**30
#: Bits per weight of Llama 3.1 8B: ggml-org/llama.cpp @311c2c9f, tools/quantize/README.md.
PUBLISHED = {
    "iq1_s": 2.0042,
    "iq1_m": 2.1460,
    "iq2_xxs": 2.3824,
    "iq2_xs": 2.5882,
    "iq2_s": 2.7403,
    "iq2_m": 2.9294,
    "iq3_xxs": 3.2548,
    "iq3_xs": 3.4977,
    "iq3_s": 3.6606,
    "iq3_m": 3.7628,
    "q2_k_s": 2.9697,
    "q2_k": 3.1593,
    "q3_k_s": 3.6429,
    "q3_k_l": 4.2979,
    "q4_k_s": 4.6672,
    "q4_k_m": 4.8944,
    "q5_k_s": 5.5704,
    "q5_k_m": 5.7036,
    "q6_k": 6.5633,
    "q8_0": 8.5008,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_has_the_published_bits_per_weight(name: str) -> None:
    est = rl.estimate("llama-3.1-8b", gpu="h100", weights=name)
    assert est.memory.weights_bytes * 8 / est.parameters.total == pytest.approx(PUBLISHED[name], abs=1e-4)


@pytest.mark.parametrize(("name", "bits"), [("iq4_xs", 4.4597), ("iq4_nl", 4.6818)])
def test_four_bit_i_quants_are_those_with_an_importance_matrix(name: str, bits: float) -> None:
    """The README's were made without one: an eighth of ffn_down, 4 of 32 layers, is then in q5_k."""
    est = rl.estimate("llama-3.1-8b", gpu="h100", weights=name)
    wider = 4 * 14336 * 4096 * (DTYPES["q5_k"].bits - DTYPES[name].bits)
    assert (est.memory.weights_bytes * 8 + wider) / est.parameters.total == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize(
    ("model", "name", "size", "within"),
    [
        # bartowski/Meta-Llama-3.1-70B-Instruct-GGUF, as ozeki.chat/p_8590 lists it: GB to two decimals, with tokenizer
        ("llama-3.1-70b", "q8_0", 74.98e9, 0.001),
        ("llama-3.1-70b", "q6_k", 57.89e9, 0.001),
        ("llama-3.1-70b", "q5_k_l", 50.60e9, 0.001),
        ("llama-3.1-70b", "q5_k_m", 49.95e9, 0.001),
        ("llama-3.1-70b", "q5_k_s", 48.66e9, 0.001),
        ("llama-3.1-70b", "q4_k_l", 43.30e9, 0.001),
        ("llama-3.1-70b", "q4_k_m", 42.52e9, 0.001),
        ("llama-3.1-70b", "q4_k_s", 40.35e9, 0.001),
        ("llama-3.1-70b", "q4_0", 40.12e9, 0.004),
        ("llama-3.1-70b", "q3_k_xl", 38.06e9, 0.001),
        ("llama-3.1-70b", "iq4_xs", 37.90e9, 0.001),
        ("llama-3.1-70b", "q3_k_l", 37.14e9, 0.001),
        ("llama-3.1-70b", "q3_k_m", 34.27e9, 0.001),
        ("llama-3.1-70b", "iq3_m", 31.94e9, 0.001),
        ("llama-3.1-70b", "q3_k_s", 30.91e9, 0.001),
        # ggml-org/gpt-oss-120b-GGUF: 59.02 GiB as llama-bench prints it (community.frame.work, t/73280);
        # bartowski/openai_gpt-oss-20b-GGUF: 12.1 GB
        ("gpt-oss-120b", "mxfp4_moe", 59.02 * GIB, 0.0001),
        ("gpt-oss-20b", "mxfp4_moe", 12.1e9, 0.005),
        # bartowski/Meta-Llama-3-8B-Instruct-GGUF
        ("llama-3-8b", "iq4_nl", 4.67e9, 0.002),
        # bartowski/openai_gpt-oss-20b-GGUF and unsloth/gpt-oss-20b-GGUF: experts stay in mxfp4 in files of all types
        ("gpt-oss-20b", "q4_k_m", 11_624_759_488, 0.0015),
        ("gpt-oss-20b", "q6_k", 12.04e9, 0.0015),
        ("gpt-oss-20b", "q8_0", 12.11e9, 0.0015),
        # unsloth/gpt-oss-120b-GGUF, as ailocalcheck.com lists it: GiB to two decimals
        ("gpt-oss-120b", "q2_k", 58.27 * GIB, 0.0005),
        ("gpt-oss-120b", "q4_k_m", 58.46 * GIB, 0.0005),
        ("gpt-oss-120b", "q8_0", 59.03 * GIB, 0.0005),
        # published file of Phi-4, whose queries, keys and values are one matrix: the header and tokenizer beside
        ("phi-4-14b", "q2_k", 5_547_348_160, 0.001),
        # bytes of the tensors of published files
        ("deepseek-v2-lite", "q6_k", 14_062_976_000, 1e-9),
        ("glm-4.5-air", "q6_k", 95_849_490_944, 1e-6),
    ],
)
def test_a_file_has_the_published_size(model: str, name: str, size: float, within: float) -> None:
    est = rl.estimate(model, gpu="h100", weights=name)
    assert est.memory.weights_bytes == pytest.approx(size, rel=within)


def _ours(name: str) -> str:
    """A type of the library in our spelling: F16 is fp16, I8 is int8."""
    plain = name.lower().removeprefix("mostly_").removeprefix("all_")
    return {"f": "fp", "i": "int"}.get(plain[0], plain[0]) + plain[1:] if plain[1:].isdecimal() else plain


def test_every_type_has_the_block_of_the_library() -> None:
    constants = pytest.importorskip("gguf.constants")
    for kind, (elements, size) in constants.GGML_QUANT_SIZES.items():
        found = TENSOR_TYPES[int(kind)]
        assert (found.name, found.elements, found.size) == (_ours(kind.name), elements, size)


def test_every_file_type_has_the_number_of_the_library() -> None:
    constants = pytest.importorskip("gguf.constants")
    known = {int(kind): _ours(kind.name) for kind in constants.LlamaFileType if kind.name != "GUESSED"}
    assert {number: name for number, name in FILE_TYPES.items() if number in known} == known


def test_every_format_of_a_matrix_is_a_number_format() -> None:
    for name in (*QUANTISED, *BASE, "mxfp4", "nvfp4"):
        assert DTYPES[name].bits > 1
    for name in ("mxfp4", "nvfp4"):
        kind = next(one for one in TENSOR_TYPES.values() if one.name == name)
        assert DTYPES[name].bits == kind.bits


@pytest.mark.parametrize("op", ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "experts_down"])
@pytest.mark.parametrize("experts", [0, 8, 64])
@pytest.mark.parametrize("name", BASE)
def test_every_layer_of_every_file_has_one_format(name: str, experts: int, op: str) -> None:
    shares = file_shares(name, op, "attention", ModelFacts(layers=37, group=4, experts=experts))
    assert sum(count for _, count in shares) == 37
    assert all(dtype in QUANTISED or dtype == "mxfp4" for dtype, _ in shares)


def test_rows_that_are_no_whole_blocks_fall_back() -> None:
    assert [fallback("q4_k", row) for row in (512, 96, 100)] == ["q4_k", "q5_0", "fp16"]
    assert fallback("iq2_xs", 96) == "iq4_nl"
    assert fallback("bf16", 7) == "bf16"


def test_matrices_of_an_expert_fall_back_each_by_its_own_rows() -> None:
    """DeepSeek-V2-Lite: rows of 2048 in gate and up, of 1408 = 5.5 * 256 in down, which takes q8_0 alone."""
    experts = 26 * 64 * 2048 * 1408
    narrow, wide = (rl.estimate("deepseek-v2-lite", gpu="h200", weights=f"q6_k{own}") for own in ("", ",experts=q8_0"))
    more = 2 * experts * (DTYPES["q8_0"].bits - DTYPES["q6_k"].bits) / 8
    assert wide.memory.weights_bytes - narrow.memory.weights_bytes == pytest.approx(more, rel=1e-9)


def test_dense_matrices_fall_back_each_by_its_own_rows() -> None:
    """Qwen2.5 0.5B has rows of 896 = 3.5 * 256 in all matrices but down, whose 4864 are 19 * 256."""
    narrow, wide = (
        rl.estimate("qwen2.5-0.5b", gpu="h100", weights=name).memory.weights_bytes for name in ("q6_k", "q8_0")
    )
    less = 24 * 896 * 4864 * (DTYPES["q8_0"].bits - DTYPES["q6_k"].bits) / 8
    assert wide - narrow == pytest.approx(less, rel=1e-9)


def test_native_experts_give_way_to_narrower_types_alone() -> None:
    """antirez/deepseek-v4-gguf has files of DeepSeek-V4-Flash with experts in iq2_xxs and q2_k."""
    taken = {
        name: rl.estimate("deepseek-v4-flash", gpu="h200", weights=name).memory.weights_bytes
        for name in ("q2_k", "q2_k,experts=mxfp4", "q8_0", "q8_0,experts=mxfp4")
    }
    assert taken["q2_k"] < taken["q2_k,experts=mxfp4"]
    assert taken["q8_0"] == pytest.approx(taken["q8_0,experts=mxfp4"], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "fused"),
    [
        ("q3_k_m", "q4_k"),
        ("q3_k_l", "q4_k"),
        ("iq3_m", "q4_k"),
        ("q4_k_m", "q5_k"),
        ("q5_k_m", "q6_k"),
        ("q2_k", "q2_k"),
    ],
)
@pytest.mark.parametrize("op", ["q_proj", "k_proj", "v_proj"])
def test_fused_queries_keys_and_values_have_a_rule_of_their_own(name: str, fused: str, op: str) -> None:
    facts = ModelFacts(layers=80, group=8, experts=8, packed=True)
    assert file_shares(name, op, "attention", facts) == ((fused, 80),)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("UD-Q4_K_XL", "q4_k_m"), ("ud-iq1_s", "iq1_s"), ("Q4_K_XL", "q4_k_m"), ("UD-Q3_K_XL", "q3_k_m")],
)
def test_dynamic_files_are_refused_with_the_nearest_mix(name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=rf"Give the \.gguf file.*nearest plain mix is {nearest}$"):
        rl.estimate("llama-3-8b", gpu="h100", weights=name)


def test_a_stored_format_is_the_mean_of_its_parts() -> None:
    found = find_dtype("stored:1*q6_k+3*q4_k")
    assert (found.bits, found.compute) == ((6.5625 + 3 * 4.5) / 4, "bf16")
    assert find_dtype("int4-gptq@4.25").bits == 4.25
    # only what is marked as stored has scales and biases in it, whatever the order of its parts
    assert find_dtype("stored:3*q4_k+1*q6_k")[1:] == found[1:]
    assert (found.whole, find_dtype("3*q4_k+1*q6_k").whole, find_dtype("1*q6_k+3*q4_k").whole) == (True, False, False)
    for wrong in ("q6_k*1+q4_k*3", "stored:0*q6_k", "stored:1*q9", "stored:1*q4_k_m", "fp8@999", "q4_k+" * 40 + "q4_k"):
        with pytest.raises(UsageError):
            find_dtype(wrong)
