"""Text of files and command lines as it may be shown: what a terminal would obey stands as an escape.

Control characters move the cursor, recolour or clear a screen; marks of direction (bidi) show text in another order
than it is read; separators of lines forge lines. All text that comes from outside passes through here on its way out:
messages of errors when they are made, tables, JSON and CSV when they are written.
"""

from __future__ import annotations

import re
from typing import Final

#: C0, DEL and C1 but for tab and newline; marks and overrides of direction; separators; halves of characters.
_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff\ud800-\udfff]"
)
#: Characters of the longest message that is shown whole.
LONGEST: Final = 1500


def visible(text: str, *, json: bool = False) -> str:
    r"""The text with an escape such as `\x1b` or `\u202e` for each character that a terminal would obey.

    `json`: the escapes are those of JSON, so that a document says the same as before.
    """
    return text if text.isascii() and text.isprintable() else _OBEYED.sub(_json_escape if json else _escape, text)


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, its middle left out where it is longer: both ends tell: what is wrong, and what to do."""
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest - end - 3]}...{text[-end:]}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
