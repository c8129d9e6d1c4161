"""Options that would change nothing are refused, and warnings are about values that the answer rests on."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.errors import UsageError
from roofline.machine.machine import Machine
from roofline.runs.telling.unverified import unverified_hardware


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("mistral-7b", {"offload": "experts@host"}, "--offload experts: mistral-7b has no experts"),
        ("mistral-7b", {"latent": "naive"}, "--latent naive: mistral-7b has no latent attention"),
        ("mistral-7b", {"overlap": "full"}, "--overlap full: one GPU"),
        ("sdxl", {"overlap": "full"}, "--overlap full: one GPU"),
        ("mistral-7b", {"spec_dir": "/nonexist"}, "--spec-dir /nonexist: no such folder"),
    ],
)
def test_options_without_effect_are_refused(model: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rl.estimate(model, gpu="a100", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("mixtral-8x7b", {"offload": "experts@host"}),
        ("deepseek-v2-lite", {"latent": "naive"}),
        ("mistral-7b", {"overlap": "full", "tp": 2}),
    ],
)
def test_options_with_an_effect_change_the_answer(model: str, options: dict[str, object]) -> None:
    with_option = rl.estimate(model, gpu="a100", **options)  # type: ignore[arg-type]
    without = rl.estimate(model, gpu="a100", **{key: value for key, value in options.items() if key == "tp"})  # type: ignore[arg-type]
    assert with_option.latency.total.bound != without.latency.total.bound


@pytest.mark.parametrize(
    ("note", "dtypes", "links", "engine", "warned"),
    [
        ("fp64", ["bf16"], False, False, False),
        ("fp64", ["fp64"], False, False, True),
        ("clock (1830 MHz reproduces 989.4 TFLOP/s; nvidia-smi shows up to 1980)", ["bf16"], True, True, False),
        ("l2 (48 MB on the board, 96 on the die)", ["bf16"], True, True, False),
        ("SM count", ["bf16"], False, False, False),
        ("SM count", ["bf16"], False, True, True),
        ("pcie", ["bf16"], False, False, False),
        ("Infinity Fabric bandwidth (half of a two-way figure)", ["bf16"], True, False, True),
        ("fp16 and bf16 with fp32 accumulation (a forum)", ["bf16"], False, False, True),
        ("fp16 and bf16 with fp32 accumulation (a forum)", ["fp8"], False, False, False),
        ("bandwidth (3.9 or 3.94 TB/s)", ["bf16"], False, False, True),
        ("capacity (may be in GiB)", ["bf16"], False, False, True),
        ("every value", ["bf16"], False, False, True),
        ("all values but the bandwidth", ["bf16"], False, False, True),
        ("tensor rates, computed as SMs x boost clock", ["bf16"], False, False, True),
    ],
)
def test_unverified_values_are_warned_of_where_they_are_used(
    note: str, dtypes: list[str], links: bool, engine: bool, warned: bool
) -> None:
    gpu = rl.load_gpu("h100").model_copy(update={"unverified": (note,)})
    assert bool(unverified_hardware(gpu, Machine.of(gpu), dtypes, links, engine)) is warned


def test_the_usual_answer_on_an_h100_has_nothing_to_warn_of() -> None:
    assert rl.load_gpu("h100").unverified
    assert not rl.estimate("mistral-7b", gpu="h100", engine="ideal").warnings
