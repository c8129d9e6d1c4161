"""How a question and its phases are said, as each kind of run has it."""

from __future__ import annotations

from typing import NamedTuple


class Spoken(NamedTuple):
    """How a phase is spoken of in a verdict: the quantity that stands for it, what it does, and what its time is per;
    `beside`, a further time that people ask for.
    """

    quantity: str
    title: str
    per: str
    beside: tuple[str, str] = ("", "")


class Told(NamedTuple):
    """How a question is said: the line of settings in tables, its setting in a sentence, the title of its times."""

    heading: str
    setting: str
    readings: str
