"""Inputs of every kind that people give, changed at random: each a file or a command line, and the call that reads it.

An input is drawn from its number and a seed alone, so that one that fails can be made again.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import yaml

import roofline as rl
from roofline.report.tables.console import Console
from roofline.report.tables.estimate import print_estimate
from roofline.runs.options import OPTIONS
from roofline.specs.files.library import bundled
from roofline.visible import visible
from tests.fuzz.bases import (
    COMMANDS,
    GPUS,
    PICTURE_RUNS,
    PICTURES,
    QUANTISED,
    RUNS,
    SAID,
    TEXT_MODELS,
    VISION,
)
from tests.fuzz.mutate import NUMBERS, TEXTS, changed, garbled

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TESTS: Final = Path(__file__).parents[1]


class Input(NamedTuple):
    """What is tried: its kind, how it is made again, and the call."""

    kind: str
    label: str
    run: Callable[[], Any]


def drawn(number: int, seed: int, folder: Path) -> Input:
    """The input of a number: its file is written into `folder`, in place of the one before."""
    random = Random(f"{seed}:{number}")
    kind = random.choices(tuple(KINDS), _WEIGHTS)[0]
    return Input(kind, f"seed {seed}, number {number}", KINDS[kind](random, folder))


@cache
def _bundled(shelf: str) -> tuple[tuple[str, Any], ...]:
    files = sorted(bundled(shelf).glob("*.yaml"))  # type: ignore[arg-type]
    return tuple((file.stem, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files)


@cache
def _models(pictures: bool) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, data)
        for name, data in _bundled("models")
        if (data["family"] not in ("transformer", "pipeline")) == pictures and data["family"] != "pipeline"
    )


@cache
def _pipelines() -> tuple[tuple[str, Any], ...]:
    return tuple((name, data) for name, data in _bundled("models") if data["family"] == "pipeline")


#: Folders of further config.json files, by hand.
FURTHER: Final[list[Path]] = []


@cache
def _configs() -> tuple[Any, ...]:
    found = [json.loads(file.read_bytes()) for folder in FURTHER for file in sorted(folder.rglob("*.json"))]
    for name in ("llm_all", "llm_core", "llm_encoders", "llm_exotic_small"):
        models = json.loads((_TESTS / "oracle" / f"{name}.json").read_text(encoding="utf-8"))["models"]
        found += [row["config"] for row in (models.values() if isinstance(models, dict) else models) if "config" in row]
    return tuple(found)


@cache
def _folders() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((_TESTS / "diffusion" / "folders.json.gz").read_bytes()))
    return found


def _written(data: Any, random: Random, file: Path) -> Path:
    """The data after some changes, in a file; now and then its letters are changed, or its bytes are none."""
    made = changed(data, random, random.choice((0, 1, 1, 1, 2, 3)))
    text = json.dumps(made) if file.suffix == ".json" else _yaml(made, random.random() < 0.5)
    if random.random() < 0.25:
        text = garbled(text, random)
    raw = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.02:
        raw = raw[: random.randrange(len(raw) + 1)] + random.randbytes(9)
    file.write_bytes(raw)
    return file


def _yaml(data: Any, unicode: bool) -> str:
    try:
        return str(yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=unicode))
    except UnicodeEncodeError:  # half a character
        return str(yaml.safe_dump(data, sort_keys=False))


def _shown(est: Any, random: Random) -> Any:
    """All that an answer says, now and then as tables too, in which nothing may be obeyed by a terminal."""
    kind = random.randrange(8)
    if kind == 0:
        stream = io.StringIO()
        print_estimate(est, Console(stream, random.choice((40, 80, 200))), est.nearest, est.verdict)
        _check(stream.getvalue())
    elif kind == 1:
        return [est.to_dict(), [row.to_dict() for row in est.ops()]]
    elif kind == 2:
        return [est.to_dict(), [derived.to_dict() for derived in est.explain()]]
    return est.to_dict()


def _check(text: str) -> None:
    if visible(text) != text:
        raise AssertionError(f"a terminal would obey {text[:200]!r}")


def _language(random: Random, folder: Path) -> Callable[[], Any]:
    path = _written(random.choice(_models(False))[1], random, folder / "x.yaml")
    return _estimate(str(path), random.choice(GPUS), random.choice(RUNS), random)


def _picture(random: Random, folder: Path) -> Callable[[], Any]:
    path = _written(random.choice(_models(True))[1], random, folder / "x.yaml")
    return _estimate(str(path), random.choice(GPUS[:3]), random.choice(PICTURE_RUNS), random)


def _pipeline(random: Random, folder: Path) -> Callable[[], Any]:
    path = _written(random.choice(_pipelines())[1], random, folder / "x.yaml")
    return _estimate(str(path), "a100", random.choice(PICTURE_RUNS), random)


def _gpu(random: Random, folder: Path) -> Callable[[], Any]:
    path = _written(random.choice(_bundled("hardware"))[1], random, folder / "x.yaml")
    if random.random() < 0.2:
        return _estimate(random.choice(PICTURES), str(path), random.choice(PICTURE_RUNS), random)
    return _estimate(random.choice(TEXT_MODELS), str(path), random.choice(RUNS), random)


def _node(random: Random, folder: Path) -> Callable[[], Any]:
    data = random.choice(_bundled("nodes"))[1]
    path = _written(data, random, folder / "x.yaml")
    options = {"node": str(path)} | random.choice(
        ({}, {"tp": 8}, {"tp": 2}, {"pp": 16}, {"offload": "weights=0.5"}, {"dp": 3})
    )
    return _estimate("mixtral-8x7b", data["gpu"], options, random)


def _engine(random: Random, folder: Path) -> Callable[[], Any]:
    files = sorted(Path(rl.__file__).parent.glob("engines/*.yaml"))
    data = yaml.safe_load(random.choice(files).read_text(encoding="utf-8"))
    path = _written(data, random, folder / "x.yaml")
    options = random.choice(RUNS) | {"engine": str(path)}
    return _estimate(random.choice(TEXT_MODELS), random.choice(GPUS), options, random)


def _config(random: Random, folder: Path) -> Callable[[], Any]:
    data = copy.deepcopy(random.choice(_configs()))
    if random.random() < 0.3:
        data["quantization_config"] = random.choice(QUANTISED)
    if random.random() < 0.1:
        data = {"model_type": "llava", "text_config": data, "vision_config": VISION}
    path = _written(data, random, folder / "config.json")
    return _estimate(str(path), random.choice(GPUS), random.choice(RUNS), random)


def _diffusers(random: Random, folder: Path) -> Callable[[], Any]:
    names = [name for name in _folders() if name.endswith("config.json")]
    path = _written(_folders()[random.choice(names)], random, folder / "config.json")
    return _estimate(str(path), "a100", random.choice(PICTURE_RUNS), random)


def _csv(random: Random, folder: Path) -> Callable[[], Any]:
    from roofline.evidence.checks.validate import validate_runs
    from roofline.evidence.fits.calibrate import fit_file

    rows = [["model", "gpu", "engine", "batch", "prompt", "generate", "metric", "value"]]
    metrics = ("latency_ms", "ttft_ms", "tpot_ms", "output_tokens_per_s", "step_ms")
    for _ in range(random.randrange(12)):
        sizes = [str(random.choice((1, 8, 64, 512, 2048))) for _ in range(3)]
        value = str(random.choice((0.5, 10, 300, 1e4)))
        rows.append([random.choice(TEXT_MODELS), random.choice(GPUS), "vllm", *sizes, random.choice(metrics), value])
    for _ in range(random.randrange(4)):
        row = random.choice(rows)
        row[random.randrange(len(row))] = random.choice((*TEXTS, *map(str, NUMBERS)))
    text = "\n".join(",".join(row) for row in rows) + "\n"
    if random.random() < 0.3:
        text = garbled(text, random)
    path = folder / "x.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    if random.random() < 0.1:
        return lambda: fit_file(path).text
    return lambda: validate_runs(path).to_dict()


def _command(random: Random, folder: Path) -> Callable[[], Any]:
    arguments = [random.choice(COMMANDS)]
    arguments += ["--model", random.choice((*TEXT_MODELS, *PICTURES))] if random.random() < 0.9 else []
    named = arguments[0] == "recommend" or random.random() < 0.9  # to look at all accelerators takes its time
    arguments += ["--gpu", random.choice(GPUS)] if named else []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        option = random.choice(list(OPTIONS.values()))
        arguments.append(option.flag)
        if option.type != "bool":
            arguments.append(str(random.choice((*TEXTS, *NUMBERS, *SAID))))
    if random.random() < 0.2:
        place = random.randrange(len(arguments))
        arguments[place] = random.choice((*TEXTS, arguments[place][:-1], arguments[place] * 2))
    if random.random() < 0.4:
        arguments.append(random.choice(("--json", "--csv", "--only", "--by", "x")))
    return lambda: commanded([argument.replace("\0", "") for argument in arguments])


def commanded(arguments: list[str]) -> None:
    """A command line through the program's own door. Raises AssertionError for a code or a message that is none."""
    from roofline.cli import _guarded

    out, told = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", ["roofline", *arguments]), redirect_stdout(out), redirect_stderr(told):
        code = _guarded(debug=False)
    _check(out.getvalue() + told.getvalue())
    if (
        code not in (0, 1, 2)
        or (code == 2 and not told.getvalue().strip())
        or "than can be computed" in told.getvalue()
    ):
        raise AssertionError(f"exit code {code} for {arguments}: {told.getvalue()[:200]}")


def _estimate(model: str, gpu: str, options: dict[str, Any], random: Random) -> Callable[[], Any]:
    return lambda: _shown(rl.estimate(model, gpu, **options), random)


KINDS: Final[dict[str, Callable[[Random, Path], Callable[[], Any]]]] = {
    "language model": _language,
    "picture": _picture,
    "pipeline": _pipeline,
    "gpu": _gpu,
    "node": _node,
    "engine": _engine,
    "config.json": _config,
    "diffusers": _diffusers,
    "csv": _csv,
    "command": _command,
}
_WEIGHTS: Final = (6, 3, 1, 4, 2, 3, 6, 2, 1, 2)
