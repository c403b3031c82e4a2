"""Text from outside (of a target, of the target file, of somebody's certificate), made harmless for where it is shown.

A function for each place: what people see of it (`visible`), a line that a terminal or a CI system reads (`line`, `lines`),
Markdown (`markdown`, `cell`, `fenced`). Nothing is dropped: what would act is written as Python writes it, `\\x1b`.
"""

from __future__ import annotations

import re
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*):(?=:)|#(?=#(?:\[|[a-z]+\[))")
"""Where a line is a command to a CI system: `::error` at its beginning, `##[error]` anywhere (GitHub), `##vso[` (Azure),
`##teamcity[`. What stands in the middle of a line is the beginning of one where a log viewer cuts it: it is no command then."""

_PLAIN: Final = re.compile(r"[^\W_](?:[^\W_]|[ ,;'\"()/%?=+-]|[.!](?!\[)|:(?= |$))*")
_ADDRESS: Final = re.compile(r"(?i)www\.|:/|//")
"""What Markdown takes for nothing but text, unless GitHub makes a link of it."""


def visible(text: str, *, keep: str = "") -> str:
    """The text with every character that nobody sees, or that moves what is seen, written as Python writes it: controls, ESC,
    line and paragraph separators, what turns the direction of writing, what has no width, halves of surrogates. `keep` are
    such characters that stay."""
    if text.isprintable():
        return text
    if keep:  # what lies between them can mostly be seen
        return keep[0].join(visible(part, keep=keep[1:]) for part in text.split(keep[0]))
    return "".join(sign if sign.isprintable() else _written(sign) for sign in text)


def _written(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def line(text: str) -> str:
    """The text as one line of a terminal or of a CI system's log, and no command to either."""
    return _COMMAND.sub(_disarmed, visible(text))


def lines(text: str) -> str:
    """The same of a text of several lines, each of which is one of ours."""
    return "\n".join(line(part) for part in text.split("\n"))


def _disarmed(command: re.Match[str]) -> str:
    return rf"{command[1]}\x3a" if command[1] is not None else r"\x23"


def markdown(text: str) -> str:
    """The text in a paragraph, a heading or an item of a list: as it is where it is plain, else as code, in which GitHub finds no
    markup, no link, no HTML and nobody's name."""
    shown = visible(text)
    if not shown or (_PLAIN.fullmatch(shown) and not _ADDRESS.search(shown)):
        return shown
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str) -> str:
    r"""The same in a cell of a table, where renderers differ about `\|` after a backslash: a `|` is written as `\x7c`."""
    return markdown(text.replace("|", r"\x7c"))


def fenced(language: str, text: str) -> list[str]:
    """The text as a block of code, line by line."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}{language}", *visible(text, keep="\n").split("\n"), fence]
