"""`roofline import`: other people's descriptions to a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_ConfigArgument = Annotated[
    str,
    typer.Argument(
        help="A config.json, a folder that holds one, a .gguf or .safetensors file, or hf:org/name.",
        metavar="FILE|FOLDER|hf:ORG/NAME",
    ),
]
_OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; default: print.")
]
_NameOption = Annotated[str | None, typer.Option(help="The model's name; default: after its file.", metavar="NAME")]


def import_(
    config: _ConfigArgument,
    output: _OutputOption = None,
    name: _NameOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output file.")] = False,
) -> None:
    """Write the model file of a Hugging Face config.json or of a file of weights, of which only the header is read."""
    from roofline.cli.writing import check_output, write_whole
    from roofline.importers.huggingface.hub import config_path
    from roofline.importers.huggingface.read import validated
    from roofline.importers.model_file import model_text
    from roofline.runs.files.model_files import import_file

    path, own_name = config_path(config)
    data = import_file(path, name or own_name)
    validated(data, str(path))
    text = model_text(data)
    if output is None:
        typer.echo(text, nl=False)
        return
    check_output(output, force)
    write_whole(output, text)
