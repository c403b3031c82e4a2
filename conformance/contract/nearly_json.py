"""Text that is nearly JSON: an object that a lenient parser reads although RFC 8259 has no such text. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads

AFTER, COMMENTS, HASHES, QUOTES, COMMAS, NAMES, MARK, LINES, HOLES = (
    "text after the object", "comments", "comments with a hash", "single quotes", "trailing commas", "names without quotes",
    "a byte order mark encoded twice", "line ends in texts", "nothing between two commas",
)  # fmt: skip
LENIENCIES: Final = frozenset({AFTER, COMMENTS, HASHES, QUOTES, COMMAS, NAMES, MARK, LINES, HOLES})
"""What lenient parsers take. What stands for no value of JSON, such as NaN or 010.5, is not among it: that is no JSON at all."""

_MOJIBAKE: Final = "\u00ef\u00bb\u00bf"
"""A byte order mark that was read as Latin-1 and encoded again."""

# Each alternative begins with another character, and what none matches ends the reading: one pass, whatever comes.
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<hash>\#[^\n]*)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<quoted>'(?:[^'\\]|\\.)*')"""
    r"""|(?P<name>[A-Za-z_$][\w$]*(?=\s*:))|(?P<mark>[{}\[\],])|(?P<other>[^\s"'/{}\[\],#]+)""",
    re.DOTALL | re.ASCII,
)

_CONTROL: Final = re.compile(r"[\x00-\x1f]")


def read_leniently(body: bytes, takes: Collection[str] = LENIENCIES) -> dict[str, JSONValue] | None:
    """The object that a parser reads which takes these leniencies, or None where it reads none."""
    try:
        text = _strict(body.decode(), takes)
        value = None if text is None else loads(text)
    except (UnicodeDecodeError, NotJSON):
        return None
    return value if isinstance(value, dict) else None


def _strict(text: str, takes: Collection[str]) -> str | None:
    """The text as strict JSON, to the end of its first object; None where it never ends, or is lenient in another way."""
    if MARK in takes:
        text = text.removeprefix(_MOJIBAKE)
    written: list[str] = []
    place, depth, comma = 0, 0, False
    while found := _TOKEN.match(text, place):
        place, kind, part = found.end(), found.lastgroup, found[0]
        if (kind == "comment" and COMMENTS in takes) or (kind == "hash" and HASHES in takes):
            part = " "
        elif kind == "quoted" and QUOTES in takes:
            part = dumps(part[1:-1].replace("\\'", "'"))
        elif kind == "name" and NAMES in takes:
            part = dumps(part)
        elif kind == "text" and LINES in takes:
            part = _CONTROL.sub(lambda one: f"\\u{ord(one[0]):04x}", part)
        if part == ",":
            if comma and HOLES not in takes:
                return None
            written.append(",null" if comma else "")
            comma = True
            continue
        if comma and not part.isspace():
            if not (part in {"}", "]"} and COMMAS in takes):
                written.append(",")
            comma = False
        written.append(part)
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(part, 0)
        if depth == 0 and kind == "mark":
            rest = text[place:]
            return "".join(written) + ("" if AFTER in takes else _strict_rest(rest, takes))
    return None


def _strict_rest(rest: str, takes: Collection[str]) -> str:
    """What follows the object, without the comments that are taken."""
    place = 0
    while (found := _TOKEN.match(rest, place)) and COMMENTS in takes and found.lastgroup in {"space", "comment"}:
        place = found.end()
    return rest[place:]
