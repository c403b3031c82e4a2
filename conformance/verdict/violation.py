"""A rule seen broken: what was expected, what came, and the exchange that shows it."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from conformance.contract.jsontext import JSONValue
from conformance.escaping import visible
from conformance.i18n.messages import mark
from conformance.target.wire.exchange import AT_ONCE, Exchange, as_curl
from conformance.target.wire.redaction import Redactor


class Violation(AssertionError):
    """Raised by a law. A plain AssertionError, so that Hypothesis shrinks what led to it."""

    def __init__(self, *, rule: str, expected: str, actual: str, exchange: Exchange | None, context: str = "") -> None:
        """`expected` and `actual` in words; `context` says what was changed or done before. What the target said is told as
        one line, and of a long text the beginning."""
        self.rule = rule
        self.expected = expected
        self.actual = actual
        self.exchange = exchange
        self.context = context
        self.kind = ""
        """The kind of fault that showed it, where several were tried at once."""
        self.shown_otherwise: frozenset[str] = frozenset()
        """The fields that alone an order is shown otherwise in, where that is what it says."""
        self.story: tuple[Exchange, ...] = ()
        """What was sent before, in order, up to the exchange that shows it."""
        self.lanes: tuple[str, ...] = ()
        """Calls at once as lanes side by side over time, a line each, where it is about such."""
        told = f"{rule}: expected {expected}, but {_cut(actual)}" + (f" ({_cut(context)})" if context else "")
        super().__init__(visible(told))

    @property
    def size(self) -> int:
        """How much there is to read in it: of two, the smaller is the better example."""
        return len(self.exchange.request_body) + len(self.exchange.url) if self.exchange else 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation as reports hold it: no secret in it, all of it JSON."""

    rule: str
    reason: str
    request: dict[str, JSONValue]
    response: dict[str, JSONValue]
    curl: str
    """Curl commands, a line each, that send again what showed it, in order."""
    lanes: list[str] = field(default_factory=list)
    """Calls at once, a line each, as lanes side by side over time."""
    endpoint: str = ""
    """What was called (`POST /order`)."""
    kind: str = ""
    """The kind of fault that showed it, where its scenario tries several."""
    scenario: str = ""
    """The scenario that showed it; none where it was seen beside another rule's."""
    during_rule: str = ""
    during: str = ""
    during_kinds: list[str] = field(default_factory=list)
    """The scenario that was running when it was seen, whichever rule that is for, its rule, and the kinds that it was trying."""

    @property
    def id(self) -> str:
        """The same in every run that finds it, whatever the seed: by rule, endpoint, and kind of fault or scenario."""
        found = "\0".join((self.rule, self.endpoint, self.kind or self.scenario))
        return f"{self.rule}-{hashlib.sha256(found.encode()).hexdigest()[:8]}"

    @property
    def names(self) -> tuple[str, str, str]:
        """What a waiver may name it by."""
        return self.id, self.kind, self.scenario

    @property
    def what(self) -> str:
        """What shows it, in words: the kind of fault, or else the scenario."""
        return self.kind or self.scenario or "seen beside other rules"

    @classmethod
    def of(cls, violation: Violation, redactor: Redactor) -> Finding:
        """The violation with every known secret blotted out."""
        exchange = violation.exchange
        reason = redactor.text(str(violation))
        if exchange is None:
            return cls(violation.rule, reason, {}, {}, "", kind=violation.kind)
        story = violation.story if exchange in violation.story else (*violation.story, exchange)
        return cls(
            violation.rule,
            reason,
            request_of(exchange, redactor),
            response_of(exchange, redactor),
            _told(story, story.index(exchange), redactor),
            list(violation.lanes),
            exchange.endpoint.label if exchange.endpoint else "",
            violation.kind,
        )

    def text(self) -> str:
        """The finding for a terminal."""
        lines = [self.reason]
        if self.lanes:
            lines += ["", *self.lanes]
        if self.curl:
            lines += ["", self.curl, "", f"answered {self.response.get('status')}: {self.response.get('body')}"]
        return textwrap.indent("\n".join(lines), "  ")


SHOWS_IT: Final = mark(", which shows it")
"""So ends the comment of the exchange that shows a finding, where others come after it in its story."""


def _told(story: tuple[Exchange, ...], decisive: int, redactor: Redactor) -> str:
    """Curl commands, a line each; before each of several a comment says what it is and what it got. A shell runs those at once
    that were sent so."""
    lines = []
    together = _sent_at_once(story)
    for number, step in enumerate(story):
        if len(story) > 1:
            what = step.note or (step.endpoint.label if step.endpoint else step.method)
            shows_it = SHOWS_IT if number == decisive < len(story) - 1 else ""
            # No line break ends the comment.
            lines.append(f"# {number + 1}. {visible(redactor.text(what))}: {step.status}{shows_it}")
        lines.append(as_curl(step, redactor) + together.get(number, ""))
    return "\n".join(lines)


def _sent_at_once(story: tuple[Exchange, ...]) -> dict[int, str]:
    """By number what follows a command that was sent at once with others: `&`, and after the last of them `wait`."""
    groups: list[list[int]] = []
    for number, step in enumerate(story):
        if not step.note.startswith(AT_ONCE):
            groups.append([])
        elif groups and groups[-1] and all(step.started_at <= _ended(story[other]) for other in groups[-1]):
            groups[-1].append(number)
        else:
            groups.append([number])
    several = [group for group in groups if len(group) > 1]
    return {number: " & wait" if number == group[-1] else " &" for group in several for number in group}


def _ended(exchange: Exchange) -> datetime:
    return exchange.started_at + timedelta(seconds=exchange.seconds)


MOST_BODY = 20_000

MOST_TOLD = 2_000
"""How many characters of what a target said a reason tells."""


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}... ({len(text):,} characters)"


def _headers(headers: Mapping[str, str], redactor: Redactor) -> dict[str, JSONValue]:
    return {redactor.word(name): redactor.header(name, value) for name, value in headers.items()}


def request_of(exchange: Exchange, redactor: Redactor) -> dict[str, JSONValue]:
    """The request of an exchange for a report."""
    return {
        "method": exchange.method,
        "url": redactor.text(exchange.url),
        "headers": _headers(exchange.request_headers, redactor),
        "body": redactor.bytes_as_text(exchange.request_body)[:MOST_BODY],
    }


def response_of(exchange: Exchange, redactor: Redactor) -> dict[str, JSONValue]:
    """The answer of an exchange for a report."""
    return {
        "status": exchange.status,
        "headers": _headers(exchange.response_headers, redactor),
        "body": redactor.bytes_as_text(exchange.response_body)[:MOST_BODY],
    }
