"""What a mock was asked and answered, as a developer of a client wants to know it: which rule a call broke, and where."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.mock.quirks import Answer, Leaves
from conformance.mock.world import OrderKey, order_key

MOST_KEPT: Final = 5_000
"""So many calls are remembered, and as many of those that broke a rule."""

MOST_OF_A_BODY: Final = 4_000
"""Bytes of a request's body that are kept of it."""

FINDING_OUT: Final = frozenset({"QRY-02", "DEL-02", "AUTH-05"})
"""No violations: to ask for what is not there, to delete it, to use a token until it dies is how one finds out."""

_OF_HEADERS: Final = frozenset({"AUTH-03", "AUTH-04", "AUTH-05", "AUTH-08"})
_OF_QUERIES: Final = frozenset({Endpoint.GET_ORDER, Endpoint.DELETE_ORDER})
_OF_TOKENS: Final = frozenset({Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN})


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a call broke, and where: a JSON pointer into its body (RFC 6901), `header NAME`, `query NAME`, or empty."""

    rule: str
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A call and what came of it."""

    number: int
    """From 1 on."""
    at: datetime
    """When it came, by the mock's clock."""
    milliseconds: float
    method: str
    path: str
    query: str
    body: bytes
    """Its beginning; nothing where it holds credentials."""
    order: str | None
    """The marketplaceCode that it names."""
    key: OrderKey | None
    """The order that it names, where it names one whole."""
    status: int | None
    """None: no answer left, or half of one."""
    refusals: tuple[Violation, ...]
    """Why it was refused, `FINDING_OUT` included."""
    fault: str | None
    """What happened to it on its way."""

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The rules that the client broke."""
        return tuple(one for one in self.refusals if one.rule not in FINDING_OUT)

    def table(self) -> dict[str, JSONValue]:
        """It as JSON."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "order": self.order,
            "status": self.status,
            "fault": self.fault,
            "milliseconds": round(self.milliseconds, 3),
            "refusedFor": [_table(one) for one in self.refusals],
            "violations": [_table(one) for one in self.violations],
            "body": self.body.decode("utf-8", "replace"),
        }


def _table(violation: Violation) -> dict[str, JSONValue]:
    return {"rule": violation.rule, "pointer": violation.pointer, "message": violation.message}


class RequestLog:
    """Remembers the calls of late, and those of late that broke a rule. Safe to use from several threads."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.tells: list[Callable[[Entry], object]] = []
        """Are told each call."""
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all of it; numbers begin anew."""
        with self._lock:
            self._entries: deque[Entry] = deque(maxlen=MOST_KEPT)
            self._broken: deque[Entry] = deque(maxlen=MOST_KEPT)
            self.requests = self.broken = 0

    def note(self, request: Request, answer: Answer, *, at: datetime, seconds: float, fault: str | None) -> None:
        """Remember a call."""
        endpoint = request.endpoint
        named = request.fields if request.body else request.query
        code = named.get("marketplaceCode")
        refusals = tuple(Violation(one.rule, _place(one, endpoint), one.message) for one in answer.breaches)
        with self._lock:
            self.requests += 1
            entry = Entry(
                self.requests,
                at,
                seconds * 1000,
                request.method,
                request.path,
                request.query_string,
                b"" if endpoint in _OF_TOKENS else request.body[:MOST_OF_A_BODY],
                code if isinstance(code, str) else None,
                order_key(named),
                answer.status if answer.leaves is Leaves.WHOLE else None,
                refusals,
                fault,
            )
            self._entries.append(entry)
            if entry.violations:
                self.broken += 1
                self._broken.append(entry)
        for tell in self.tells:
            tell(entry)

    def entries(self, *, broken: bool = False) -> list[Entry]:
        """The calls, or those that broke a rule, the newest last."""
        with self._lock:
            return list(self._broken if broken else self._entries)


FILTERS: Final = ("method", "path", "status", "rule", "order", "fault", "since", "limit")
"""What `select` chooses by."""


def select(entries: list[Entry], by: dict[str, str]) -> Iterator[Entry]:
    """Those entries that are as asked for: since a number (beyond it), the newest so many with `limit`. Raises ValueError that
    names what can't be asked for."""
    unknown = [name for name in by if name not in FILTERS]
    if unknown:
        raise ValueError(f"there is no {unknown[0]!r} to choose by; there are {', '.join(FILTERS)}")
    numbers = {name: _number(name, by[name]) for name in ("since", "limit") if name in by}
    found = [entry for entry in entries if entry.number > numbers.get("since", 0) and _is_asked_for(entry, by)]
    return islice(found, max(0, len(found) - numbers.get("limit", len(found))), None)


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - digits
        raise ValueError(f"{name} takes a number of up to nine digits")
    return int(text)


def _is_asked_for(entry: Entry, by: dict[str, str]) -> bool:
    shown: dict[str, set[str | None]] = {
        "method": {entry.method},
        "path": {entry.path},
        "status": {"none" if entry.status is None else str(entry.status)},
        "rule": {*(one.rule for one in entry.refusals)},
        "order": {entry.order},
        "fault": {entry.fault},
    }
    return all(by[name] in shown[name] for name in shown if name in by)


def line_of(entry: Entry) -> str:
    """An entry for a terminal, not yet made harmless for it."""
    query = f"?{entry.query}" if entry.query else ""
    status = tr("no answer") if entry.status is None else str(entry.status)
    words = [f"{entry.number}", entry.method, f"{entry.path}{query}", status, f"{entry.milliseconds:.1f} ms"]
    told = [f"{one.rule} {one.pointer}".rstrip() + f": {said(one.message)}" for one in entry.refusals]
    return "  ".join([" ".join(words), *([f"[{entry.fault}]"] if entry.fault else []), *told])


def _place(breach: Breach, endpoint: Endpoint | None) -> str:
    if breach.rule in _OF_HEADERS:
        return f"header {breach.field}"
    if breach.rule == "ERR-04":  # the line that it is about is its method and path
        return ""
    if endpoint in _OF_QUERIES and breach.pointer:
        return f"query {breach.field}"
    return breach.pointer
