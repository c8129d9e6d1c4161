"""A truncated or hostile GGUF header is one clear error: little memory, little time, nothing run."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import RooflineError, SpecError, UnsupportedError
from roofline.importers.gguf.header import read_header
from tests.importers.stored.gguf_writer import header, text, value, write
from tests.importers.stored.hostile import refused

KEYS: dict[str, Any] = {
    "general.architecture": "llama",
    "general.file_type": 1,
    "llama.block_count": 2,
    "llama.context_length": 64,
    "llama.embedding_length": 64,
    "llama.feed_forward_length": 96,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.ggml.scores": [0.5, 1.5],
}
TENSORS = [
    ("token_embd.weight", (64, 32), "fp16"),
    ("output_norm.weight", (64,), "fp32"),
    *(
        (f"blk.{layer}.{name}.weight", shape, "fp32" if len(shape) == 1 else "fp16")
        for layer in range(2)
        for name, shape in (
            ("attn_norm", (64,)),
            ("ffn_norm", (64,)),
            ("attn_q", (64, 64)),
            ("attn_k", (64, 32)),
            ("attn_v", (64, 32)),
            ("attn_output", (64, 64)),
            ("ffn_gate", (64, 96)),
            ("ffn_up", (64, 96)),
            ("ffn_down", (96, 64)),
        )
    ),
]
RAW, DATA = header(KEYS, TENSORS)


def _file(folder: Path, raw: bytes, size: int | None = None) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(raw)
    if size is not None:
        os.truncate(path, size)
    return path


def _refused(path: Path) -> str:
    return refused(read_header, path)


def test_the_small_file_is_a_model(tmp_path: Path) -> None:
    spec = rl.load_model(write(tmp_path / "tiny.gguf", KEYS, TENSORS))
    assert (spec.name, spec.dtype, spec.dtypes) == ("tiny", "fp16", {"norm": "fp32"})


@pytest.mark.parametrize("size", [0, 3, 4, 8, 23, 24, 30, 100, len(RAW) // 2, len(RAW) - 40, len(RAW), len(RAW) + 100])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    _refused(_file(tmp_path, RAW[:size], size))


def test_a_file_cut_at_every_length_of_its_header_is_refused(tmp_path: Path) -> None:
    for size in range(0, len(RAW), 7):
        path = _file(tmp_path, RAW[:size])
        with pytest.raises(SpecError):
            read_header(path)


@pytest.mark.parametrize("count", [2**20, 2**32, 2**60, 2**64 - 1])
@pytest.mark.parametrize("at", [8, 16])
def test_huge_counts_take_no_memory(tmp_path: Path, count: int, at: int) -> None:
    assert "claims" in _refused(_file(tmp_path, RAW[:at] + struct.pack("<Q", count) + RAW[at + 8 :], len(RAW) + DATA))


def _with_value(raw: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("llama.x") + raw


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (struct.pack("<IQ", 8, 10**10), "takes 10,000,000,000 bytes"),
        (struct.pack("<IQ", 8, 2**64 - 1), "truncated or damaged"),
        (struct.pack("<IIQ", 9, 8, 2**60), "claims 1,152,921,504,606,846,976 texts"),
        (struct.pack("<IIQ", 9, 8, 10**6), "takes 8,000,000 bytes"),
        (struct.pack("<IIQ", 9, 4, 2**60), "truncated or damaged"),
        (struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ", 9, 1) * 50, "a list of kind 9"),
        (struct.pack("<I", 77), "a value of kind 77"),
        (struct.pack("<IIQ", 9, 8, 3) + struct.pack("<Q", 2**63) * 3, "truncated or damaged"),
    ],
)
def test_a_hostile_value_is_refused(tmp_path: Path, raw: bytes, says: str) -> None:
    assert says in _refused(_file(tmp_path, _with_value(raw) + b"\0" * 100))


def test_a_million_empty_texts_are_stepped_over_in_time(tmp_path: Path) -> None:
    path = _file(tmp_path, _with_value(struct.pack("<IIQ", 9, 8, 10**6)), 10**10)
    started = time.perf_counter()
    assert read_header(path).values["llama.x"] == (10**6,)
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (("blk.0.a\0b", (32,), 0, 0), "control characters"),
        (("bad\x1b[31mname", (32,), 0, 0), "control characters"),
        ((b"\xff\xfe", (32,), 0, 0), "not UTF-8"),
        (("a.weight", (0,), 0, 0), "cannot be"),
        (("a.weight", (2**62, 2**62), 0, 0), "cannot be"),
        (("a.weight", (100,), 12, 0), "no whole blocks of 256"),
        (("a.weight", (32,), 4, 0), "has type 4"),
        (("a.weight", (32,), 0, 7), "no multiple of 32"),
        (("a.weight", (2**30,), 0, 0), "tensors take"),
        (("a.weight", (32,), 0, 2**60), "tensors take"),
    ],
)
def test_a_hostile_tensor_is_refused(tmp_path: Path, tensor: tuple[Any, ...], says: str) -> None:
    name, shape, kind, offset = tensor
    info = text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    raw = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + text("general.architecture") + value("llama") + info
    assert says in _refused(_file(tmp_path, raw + b"\0" * 4096))


def test_too_many_axes_are_refused(tmp_path: Path) -> None:
    info = text("a.weight") + struct.pack("<I", 2**31) + b"\1" * 64
    assert "axes" in _refused(_file(tmp_path, b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + info))


def test_overlapping_tensors_are_refused(tmp_path: Path) -> None:
    infos = [text(name) + struct.pack("<IQIQ", 1, 64, 0, 0) for name in ("a.weight", "b.weight")]
    raw = b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + b"".join(infos)
    assert "overlaps" in _refused(_file(tmp_path, raw, 10_000))


@pytest.mark.parametrize("twice", ["key", "tensor"])
def test_what_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    key = text("general.name") + value("x")
    infos = [text("a.weight") + struct.pack("<IQIQ", 1, 64, 0, offset) for offset in (0, 256)]
    raw = b"GGUF" + (
        struct.pack("<IQQ", 3, 0, 2) + key * 2 if twice == "key" else struct.pack("<IQQ", 3, 2, 0) + b"".join(infos)
    )
    assert "stands twice" in _refused(_file(tmp_path, raw, 10_000))


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "Git LFS pointer"),
        (b"tjgg" + b"\0" * 40, "before GGUF"),
        (b"PK\3\4" + b"\0" * 40, "not a GGUF file"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
    ],
)
def test_other_files_are_named(tmp_path: Path, start: bytes, says: str) -> None:
    assert says in _refused(_file(tmp_path, start))


@pytest.mark.parametrize("alignment", [0, 1, 12, 2**31, "x", True])
def test_a_strange_alignment_is_refused(tmp_path: Path, alignment: Any) -> None:
    assert "alignment" in _refused(_file(tmp_path, header({"general.alignment": alignment}, [])[0]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_one_error_or_a_model(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(RAW)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(4, len(raw) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        raw[at : at + len(piece)] = piece
    path = _file(tmp_path, bytes(raw), data.draw(st.sampled_from([len(raw), len(raw) + DATA, 10**12])))
    tracemalloc.start()
    started = time.perf_counter()
    try:
        rl.load_model(path)
    except RooflineError as error:
        assert "\0" not in str(error) and "\x1b" not in str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 20_000_000
    assert time.perf_counter() - started < 3.0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"general.architecture": "clip"}, "vision or audio tower"),
        ({"general.type": "adapter"}, "adapter"),
        ({"general.architecture": "rwkv7"}, "not an architecture that is modelled"),
        ({"general.architecture": 7}, "general.architecture"),
        ({"llama.block_count": 3}, "parameters by its sizes"),
        ({"llama.block_count": 2**31}, "llama.block_count"),
        ({"llama.attention.head_count": 0}, "llama.attention.head_count"),
        ({"llama.attention.head_count_kv": 3}, "llama.attention.head_count_kv"),
        ({"llama.embedding_length": "64"}, "llama.embedding_length"),
        ({"llama.feed_forward_length": [96, 97]}, "differs between layers"),
        ({"llama.feed_forward_length": 95}, "gate_proj"),
        ({"llama.nextn_predict_layers": 2}, "leaves 0 layers"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused_at_its_key(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises((SpecError, UnsupportedError), match=says) as caught:
        rl.load_model(write(tmp_path / "model.gguf", KEYS | changed, TENSORS))
    assert "model.gguf" in str(caught.value)


def test_whole_numbers_hold_no_weights(tmp_path: Path) -> None:
    changed = [(name, shape, "int32" if "attn_q" in name else kind) for name, shape, kind in TENSORS]
    with pytest.raises(SpecError, match=r"blk\.0\.attn_q\.weight: is stored as int32"):
        rl.load_model(write(tmp_path / "model.gguf", KEYS, changed))


def test_a_folder_of_files_names_them(tmp_path: Path) -> None:
    write(tmp_path / "model-q4.gguf", KEYS, TENSORS)
    with pytest.raises(SpecError, match=r"Give one of them: model-q4\.gguf"):
        rl.load_model(tmp_path)


def test_parts_are_read_together_and_missed(tmp_path: Path) -> None:
    split = {"split.count": 2, "split.tensors.count": len(TENSORS)}
    first = write(tmp_path / "m-00001-of-00002.gguf", KEYS | split | {"split.no": 0}, TENSORS[:9])
    with pytest.raises(SpecError, match=r"m-00002-of-00002\.gguf"):
        rl.load_model(first)
    second = write(tmp_path / "m-00002-of-00002.gguf", split | {"split.no": 1}, TENSORS[9:])
    whole = rl.load_model(write(tmp_path / "m.gguf", KEYS, TENSORS))
    for part in (first, second):
        assert rl.load_model(part).blocks == whole.blocks
    write(second, split | {"split.no": 1}, TENSORS[9:-1])
    with pytest.raises(SpecError, match="hold 19 tensors of 20"):
        rl.load_model(first)
    renamed = first.rename(tmp_path / "renamed.gguf")
    with pytest.raises(SpecError, match="one of 2 parts"):
        rl.load_model(renamed)
