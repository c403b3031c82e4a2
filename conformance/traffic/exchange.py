"""An exchange with Koncili as a recording holds it: a call and its answer, and which parts of them were not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

Headers = tuple[tuple[str, str], ...]
"""Names in lower case and values, in sequence; a name may come several times."""


class Missing(Enum):
    """What stands where a recording holds nothing: neither empty nor absent from the call, but unknown."""

    NOT_RECORDED = "not recorded"


NOT_RECORDED: Final = Missing.NOT_RECORDED

Recorded = bytes | Missing
"""A body without its content coding: b"" is a body that was empty for certain."""


class Origin(NamedTuple):
    """Where an exchange stands."""

    file: str
    entry: int
    """Its place in the file as it was written, from 0."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it was made."""

    method: str
    """In upper case."""
    url: str
    """As it was recorded, whole or only path and query."""
    headers: Headers | Missing
    body: Recorded
    some_headers: bool = False
    """Whether the call may have had more headers than were recorded."""

    def header(self, name: str) -> str | Missing | None:
        """The first value of this header; None where the call had none."""
        return _header(self.headers, name, some=self.some_headers)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came."""

    status: int
    headers: Headers | Missing
    body: Recorded
    some_headers: bool = False
    """Whether the answer may have had more headers than were recorded."""

    def header(self, name: str) -> str | Missing | None:
        """The first value of this header; None where the answer had none."""
        return _header(self.headers, name, some=self.some_headers)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer. `response` is None where the call got no answer, and `NOT_RECORDED` where nobody knows."""

    origin: Origin
    started: datetime | Missing
    """When the call was sent, aware."""
    took: timedelta | Missing
    """From then to the end of the answer, or to when no answer was waited for any more."""
    request: Request
    response: Response | Missing | None
    whole_seconds: bool = False
    """Whether the recorder writes times in whole seconds: then it was sent up to a second later than `started`."""
    may_be_at_answer: bool = False
    """Whether `started` may be when the answer came, since nothing shows which the recorder writes; set where it matters."""

    @property
    def is_unreadable(self) -> bool:
        """Whether it stands for an entry that can't be read: what was called there nobody knows."""
        return not self.request.url


class NoCall(str):
    """Why an entry holds no call at all; to leave it out loses nothing."""

    __slots__ = ()


def unreadable(origin: Origin) -> Exchange:
    """Stands for an entry that can't be read, so that nobody takes what it held for something that was never sent."""
    return Exchange(origin, NOT_RECORDED, NOT_RECORDED, Request("", "", NOT_RECORDED, NOT_RECORDED), NOT_RECORDED)


def _header(headers: Headers | Missing, name: str, *, some: bool) -> str | Missing | None:
    if isinstance(headers, Missing):
        return headers
    wanted = name.lower()
    for known, value in headers:
        if known == wanted:
            return value
    return NOT_RECORDED if some else None
