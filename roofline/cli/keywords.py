"""The keywords of Python, made from the declaration of options: `python -m roofline.cli.keywords [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from roofline import keywords
from roofline.cli.writing import made
from roofline.runs.option import Option
from roofline.runs.options import KEYWORDS, SPEC_DIR
from roofline.runs.training.options import TRAINING

_BEGIN: Final = "# made from the declaration of options\n"
_END: Final = "# end\n"


def _one(option: Option) -> str:
    """The type of one value; a size may be an array."""
    kind = f"{option.type} | NDArray[Any]" if option.size else option.type
    return kind if option.default is not None else f"{kind} | None"


def _several(option: Option) -> str:
    """The type of one or several values."""
    none = " | None" if option.default is None else ""
    one = f"{option.type}{none}"
    return one if option is SPEC_DIR else f"{option.type} | Iterable[{one}]{none}"


def classes() -> str:
    """The source of the classes."""
    one = [f"    {option.name}: {_one(option)}" for option in KEYWORDS.values()]
    training = [f"    {option.name}: {_one(option._replace(size=False))}" for option in TRAINING.values()]
    several = [f"    {option.name}: {_several(option)}" for option in KEYWORDS.values()]
    return "\n".join(
        [
            "class Options(TypedDict, total=False):",
            '    """One value per option; a size may be a numpy array, and the answers then hold arrays."""',
            "",
            *one,
            "",
            "",
            "class Grid(TypedDict, total=False):",
            '    """One or several values per option."""',
            "",
            *several,
            "",
            "",
            "class Training(TypedDict, total=False):",
            '    """One value per option of a training run."""',
            "",
            *training,
            "",
            "",
            "",
        ]
    )


def source(text: str) -> str:
    """A module's text with its classes as they are declared today."""
    head, _, rest = text.partition(_BEGIN)
    return head + _BEGIN + classes() + _END + rest.partition(_END)[2]


def main(arguments: list[str]) -> int:
    """Write the classes into their module, or check that they stand there."""
    path = Path(keywords.__file__)
    return made(path, source(path.read_text(encoding="utf-8")), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
