"""A file that the Python library `gguf` wrote is read as it was written; only run where the library is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roofline as rl
from roofline.importers.gguf.header import read_header
from roofline.importers.gguf.names import IN_LAYERS, OUTSIDE
from roofline.importers.gguf.read import ARCHITECTURES
from tests.importers.stored.test_gguf_hostile import KEYS, TENSORS

gguf = pytest.importorskip("gguf")


def test_a_file_of_the_library_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in KEYS.items():
        if key.startswith("llama."):
            writer.add_uint32(key, value)
    writer.add_token_list(["a", "b"])
    writer.add_float32("llama.rope.freq_base", 1e4)
    for name, shape, kind in TENSORS:
        writer.add_tensor(name, np.zeros(shape[::-1], dtype={"fp16": np.float16, "fp32": np.float32}[kind]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(path)
    assert {(tensor.name, tensor.shape, tensor.type.name) for tensor in header.tensors} == set(TENSORS)
    assert header.values["llama.rope.freq_base"] == 1e4
    assert rl.load_model(path).dtypes == {"norm": "fp32"}


def test_architectures_and_tensors_have_the_names_of_the_library() -> None:
    names = set(gguf.MODEL_ARCH_NAMES.values())
    assert set(ARCHITECTURES) <= names
    tensors = {name.replace("blk.{bid}.", "") for name in gguf.TENSOR_NAMES.values()}
    assert {*IN_LAYERS, *OUTSIDE} <= tensors
