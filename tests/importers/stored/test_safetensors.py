"""Safetensors headers beside a config.json: exact bytes by tensor name, the config checked, hostile files refused."""

from __future__ import annotations

import json
import os
import tracemalloc
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.architectures.text.transformer import mtp_parameters
from roofline.architectures.towers.parameters import tower_parameters
from roofline.errors import RooflineError, SpecError
from roofline.importers.safetensors.header import BITS, read_header
from roofline.workload.run import TextRun
from tests.importers.stored.hostile import refused

CONFIG = {
    "model_type": "llama",
    "dtype": "bfloat16",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "attention_bias": False,
    "mlp_bias": False,
}
LINEAR = {
    "self_attn.q_proj": (64, 64),
    "self_attn.k_proj": (32, 64),
    "self_attn.v_proj": (32, 64),
    "self_attn.o_proj": (64, 64),
    "mlp.gate_proj": (96, 64),
    "mlp.up_proj": (96, 64),
    "mlp.down_proj": (64, 96),
}
Tensors = dict[str, tuple[str, tuple[int, ...]]]


def tensors(dtype: str = "BF16", norms: str = "BF16") -> Tensors:
    found: Tensors = {"model.embed_tokens.weight": ("BF16", (128, 64)), "lm_head.weight": ("BF16", (128, 64))}
    found["model.norm.weight"] = (norms, (64,))
    for layer in range(2):
        at = f"model.layers.{layer}."
        found |= {f"{at}{name}.weight": (norms, (64,)) for name in ("input_layernorm", "post_attention_layernorm")}
        found |= {f"{at}{name}.weight": (dtype, shape) for name, shape in LINEAR.items()}
    return found


def size(found: Tensors) -> int:
    return sum(prod(shape) * BITS[dtype] // 8 for dtype, shape in found.values())


def write(path: Path, found: Tensors, **more: Any) -> Path:
    """Write a file whose data is a hole."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in found.items():
        begin, end = end, end + prod(shape) * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    raw = json.dumps(header | more).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    os.truncate(path, 8 + len(raw) + end)
    return path


def folder(path: Path, found: Tensors, **config: Any) -> Path:
    (path / "config.json").write_text(json.dumps(CONFIG | config))
    write(path / "model.safetensors", found)
    return path


def weights(model: Path) -> float:
    return float(rl.estimate(str(model), gpu="h100", prompt=8, generate=2).memory.weights_bytes)


def assumed(model: Path) -> str:
    return " ".join(rl.load_model(str(model)).assumed)


@pytest.mark.parametrize("norms", ["BF16", "F32"])
@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
def test_the_weights_take_the_bytes_of_the_files(tmp_path: Path, dtype: str, norms: str) -> None:
    found = tensors(dtype, norms)
    model = folder(tmp_path, found)
    assert weights(model) == weights(model / "model.safetensors") == size(found)
    assert not assumed(model)


def test_a_file_of_any_name_is_the_one_that_is_read(tmp_path: Path) -> None:
    folder(tmp_path, tensors())
    other = write(tmp_path / "other.safetensors", tensors("F32"))
    assert (weights(tmp_path), weights(other)) == (size(tensors()), size(tensors("F32")))
    (tmp_path / "model.safetensors").unlink()
    assert weights(tmp_path) == size(tensors("F32"))


def test_files_that_the_config_describes_change_nothing(tmp_path: Path) -> None:
    spec = rl.load_model(str(folder(tmp_path, tensors())))
    assert spec.dtypes == {}
    assert spec.model_copy(update={"name": "x", "sources": (), "title": "x"}) == rl.load_model(
        str(tmp_path / "config.json")
    ).model_copy(update={"name": "x", "sources": (), "title": "x"})


def test_layers_of_two_formats_have_the_mean(tmp_path: Path) -> None:
    found = tensors()
    found["model.layers.1.mlp.down_proj.weight"] = ("F32", (64, 96))
    model = folder(tmp_path, found)
    assert weights(model) == size(found)
    assert rl.load_model(str(model)).dtypes == {"down_proj": "stored:1*bf16+1*fp32"}


def test_scales_are_part_of_their_matrix(tmp_path: Path) -> None:
    found = tensors("F8_E4M3")
    for name, shape in LINEAR.items():
        for layer in range(2):
            found[f"model.layers.{layer}.{name}.weight_scale"] = ("F32", (shape[0], 1))
    quantised = {"quant_method": "fbgemm_fp8"}
    model = folder(tmp_path, found, quantization_config=quantised)
    assert weights(model) == pytest.approx(size(found), rel=1e-12)
    dtypes = {row.name: row.dtype for row in rl.estimate(str(model), gpu="h100").ops("decode", split=True)}
    assert (dtypes["q_proj"], dtypes["head"]) == ("fp8", "bf16")


def test_packed_weights_take_the_bytes_of_the_files(tmp_path: Path) -> None:
    found = tensors()
    for name, (rows, columns) in LINEAR.items():
        for layer in range(2):
            at = f"model.layers.{layer}.{name}."
            del found[f"{at}weight"]
            groups = 1
            found |= {f"{at}qweight": ("I32", (columns // 8, rows)), f"{at}scales": ("F16", (groups, rows))}
            found |= {f"{at}qzeros": ("I32", (groups, rows // 8)), f"{at}g_idx": ("I32", (columns,))}
    quantised = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    model = folder(tmp_path, found, quantization_config=quantised)
    est = rl.estimate(str(model), gpu="h100")
    rows = {row.name: row for row in est.ops("decode", split=True)}
    assert rows["q_proj"].dtype == "bf16"
    assert est.memory.weights_bytes == pytest.approx(size(found), rel=1e-9)
    assert not assumed(model)


def test_what_differs_from_the_config_is_told(tmp_path: Path) -> None:
    found = tensors()
    found["model.layers.0.self_attn.q_proj.bias"] = ("BF16", (64,))
    found["model.layers.0.self_attn.rotary_emb.inv_freq"] = ("F32", (8,))
    found["vision_tower.patch.weight"] = ("F32", (8, 8))
    told = assumed(folder(tmp_path, found))
    assert "q_proj: 8,256 elements in the files, 8,192 by the config" in told
    assert "buffers that code computes, 1 tensor of 32 bytes" in told
    assert "towers and projectors of other inputs, 1 tensor of 256 bytes" in told


def test_a_stored_copy_of_a_tied_head_is_told(tmp_path: Path) -> None:
    model = folder(tmp_path, tensors(), tie_word_embeddings=True)
    assert weights(model) == size(tensors()) - 128 * 64 * 2
    assert "copy of the embedding" in assumed(model)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"hold .* elements, its config"):
        rl.load_model(str(folder(tmp_path, tensors(), num_hidden_layers=3)))


def test_a_file_needs_a_config(tmp_path: Path) -> None:
    file = write(tmp_path / "model.safetensors", tensors())
    with pytest.raises(SpecError, match=r"no config\.json beside it"):
        rl.load_model(str(file))
    with pytest.raises(SpecError, match="adapter"):
        rl.load_model(str(write(tmp_path / "adapter_model.safetensors", tensors())))


def test_parts_are_read_together_by_index_and_by_name(tmp_path: Path) -> None:
    found = tensors()
    names = [f"model-0000{index}-of-00002.safetensors" for index in (1, 2)]
    halves = [dict(list(found.items())[:6]), dict(list(found.items())[6:])]
    folder(tmp_path, found)
    (tmp_path / "model.safetensors").unlink()
    for name, half in zip(names, halves, strict=True):
        write(tmp_path / name, half)
    assert weights(tmp_path / names[1]) == size(found)
    index = tmp_path / "model.safetensors.index.json"
    mapped = {key: name for name, half in zip(names, halves, strict=True) for key in half}
    index.write_text(json.dumps({"metadata": {"total_size": size(found)}, "weight_map": mapped}))
    assert weights(index) == weights(tmp_path) == size(found)
    (tmp_path / names[1]).unlink()
    for file in (tmp_path / names[0], index):
        with pytest.raises(SpecError, match=r"no model-00002-of-00002\.safetensors"):
            rl.load_model(str(file))
    assert "1 of 2 files of weights are not there" in assumed(tmp_path)
    (tmp_path / names[0]).unlink()
    assert not assumed(tmp_path)
    index.write_text(json.dumps({"metadata": {"total_size": 2 * size(found)}, "weight_map": mapped}))
    assert "the index of the weights says" in assumed(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../x.safetensors"}}', '{"weight_map": {"a": "/etc/x"}}'],
)
def test_a_strange_index_is_refused(tmp_path: Path, text: str) -> None:
    folder(tmp_path, tensors())
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(SpecError, match="weight_map"):
        rl.load_model(str(tmp_path))


def test_a_pointer_is_named_and_a_folder_of_pointers_told(tmp_path: Path) -> None:
    folder(tmp_path, tensors())
    file = tmp_path / "model.safetensors"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 16060556335\n")
    with pytest.raises(SpecError, match="Git LFS pointer"):
        rl.load_model(str(file))
    assert "Git LFS pointers" in assumed(tmp_path)


RAW = write(Path(os.environ.get("TMPDIR", "/tmp")) / f"roofline-{os.getpid()}.safetensors", tensors())
WHOLE = RAW.read_bytes()
RAW.unlink()


def _refused(path: Path) -> str:
    return refused(read_header, path)


@pytest.mark.parametrize("length", [2, 10**10, 2**63, 2**64 - 1])
def test_a_claimed_header_takes_no_memory(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + WHOLE[8:])
    _refused(path)


def test_a_header_of_10_gb_of_a_hole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((10**10).to_bytes(8, "little"))
    os.truncate(path, 10**11)
    assert "at most 20,000,000 are read" in _refused(path)


def test_a_header_of_brackets_is_refused(tmp_path: Path) -> None:
    raw = b'{"a":' + b"[" * 4_000_000
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    tracemalloc.start()
    with pytest.raises(SpecError, match="no list of tensors"):
        read_header(path)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "info", "says"),
    [
        ("a", {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}, "cannot be"),
        ("a", {"dtype": "F33", "shape": [1], "data_offsets": [0, 4]}, "is not known"),
        ("a", {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, "no shape"),
        ("a", {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}, "no shape"),
        ("a", {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}, "its offsets say"),
        ("a", {"dtype": "F32", "shape": [1], "data_offsets": [0]}, "data_offsets"),
        ("a", {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}, "unused"),
        ("a\0", {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "no name"),
        ("\x1b[31m", {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "no name"),
        ("a", 7, "data_offsets"),
        ("model.norm.weight", {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "overlaps"),
    ],
)
def test_a_hostile_tensor_is_refused(tmp_path: Path, name: str, info: Any, says: str) -> None:
    found = tensors() if says == "overlaps" else {}
    found.pop("model.norm.weight", None)
    path = write(tmp_path / "model.safetensors", found, **{name: info})
    assert says in _refused(path) or "overlaps" in says


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_one_error_or_a_model(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(WHOLE[: 8 + int.from_bytes(WHOLE[:8], "little")])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=6))
        raw[at : at + len(piece)] = piece
    folder(tmp_path, tensors())
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(raw))
    os.truncate(path, data.draw(st.sampled_from([len(raw), len(WHOLE), 10**12])))
    try:
        rl.load_model(str(path))
    except RooflineError as error:
        assert "\0" not in str(error) and "\x1b" not in str(error)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for end in [*range(0, 40), *range(40, len(WHOLE), 997)]:
        path.write_bytes(WHOLE[:end])
        with pytest.raises(SpecError):
            read_header(path)


def _multimodal(path: Path, dtype: str, cut: int = 0) -> Path:
    """A folder of a language model with a tower, whose tensors are one of `dtype` and `cut` elements short."""
    vision = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    vision |= {"num_hidden_layers": 2, "patch_size": 14, "image_size": 56}
    config = {"model_type": "llava", "text_config": CONFIG, "vision_config": vision, "dtype": "bfloat16"}
    (path / "config.json").write_text(json.dumps(config))
    elements = int(tower_parameters(rl.load_model(str(path / "config.json")).towers[0]))
    found = {name.replace("model.", "language_model.model.", 1): tensor for name, tensor in tensors().items()}
    found["vision_tower.all.weight"] = (dtype, (elements - 1000 - cut,))
    found["multi_modal_projector.linear_1.weight"] = (dtype, (1000,))
    found["vision_tower.embeddings.position_ids"] = ("I64", (1, 17))
    write(path / "model.safetensors", found)
    return path


@pytest.mark.parametrize(("dtype", "bits"), [("BF16", 16), ("F32", 32), ("F8_E4M3", 8)])
def test_a_tower_takes_the_bytes_of_the_files(tmp_path: Path, dtype: str, bits: int) -> None:
    model = _multimodal(tmp_path, dtype)
    spec: Any = rl.load_model(str(model))
    est = rl.estimate(spec, gpu="h100", prompt=8, generate=2)
    assert est.memory.towers_bytes == tower_parameters(spec.towers[0]) * bits / 8
    assert f"in {bits} bit" in " ".join(est.assumptions)
    assert "towers and projectors" not in assumed(model)
    assert "buffers that code computes, 1 tensor" in assumed(model)
    # asked for in another format, it is as it would be without a file
    assert rl.estimate(spec, gpu="h100", weights="int4").memory.towers_bytes == tower_parameters(spec.towers[0]) * 2


def test_a_tower_of_another_size_is_told(tmp_path: Path) -> None:
    model = _multimodal(tmp_path, "F32", cut=7)
    assert rl.load_model(str(model)).towers[0].bits is None
    assert "vision tower:" in assumed(model) and "which are taken" in assumed(model)
    assert "not counted: towers" not in assumed(model)


def test_heads_of_further_tokens_are_not_called_uncounted(tmp_path: Path) -> None:
    config = {
        **{key: value for key, value in CONFIG.items() if key not in ("mlp_bias",)},
        **{"model_type": "glm4_moe", "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
        **{"n_shared_experts": 1, "first_k_dense_replace": 1, "num_nextn_predict_layers": 1, "head_dim": 16},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    spec: Any = rl.load_model(str(tmp_path / "config.json"))
    ops = build_workload(spec, TextRun(1.0, 1.0, 0.0)).holders()
    found: Tensors = {"model.all.weight": ("BF16", (int(sum(op.count * op.params for op in ops)),))}
    found["model.layers.2.all.weight"] = ("BF16", (int(mtp_parameters(spec)),))
    found["model.layers.2.shared_head.head.weight"] = ("BF16", (128, 64))
    write(tmp_path / "model.safetensors", found)
    assert "further tokens" not in assumed(tmp_path)
    write(tmp_path / "model.safetensors", found | {"model.layers.2.more.weight": ("BF16", (7,))})
    assert "heads that predict further tokens:" in assumed(tmp_path)
