"""What Allure tells of a rule and its scenarios, in words. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from conformance.contract import jsontext
from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import READINGS
from conformance.contract.rules import Level, Rule, Side
from conformance.report.rulebook import expected
from conformance.verdict.violation import MOST_BODY

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"S1": "the order workflow page", "S2": "the order-reconciliation-releases page", "P": "the developer portal"}
)
"""What the catalogue calls the documents."""

_DOCUMENT: Final = re.compile(rf"\b({'|'.join(SOURCES)})\b")

_NOUNS: Final[Mapping[Endpoint, tuple[str, str]]] = MappingProxyType(
    {
        Endpoint.SUBMIT_ORDER: ("order", "orders"),
        Endpoint.GET_ORDER: ("query", "queries"),
        Endpoint.DELETE_ORDER: ("deletion", "deletions"),
        Endpoint.CREATE_RECONCILIATION: ("reconciliation", "reconciliations"),
        Endpoint.SUBMIT_RELEASE: ("release", "releases"),
    }
)
_CALL: Final = ("call", "calls")
_TWIN: Final = ("twin", "twins")
_ANSWER: Final = ("answer", "answers")

_KNOWN_HOW: Final = {
    "stated": "stated by the target file",
    "probed": "found out by probing",
    "default": "the default, since neither the target file nor a probe says otherwise",
}

_LEVELS: Final = {
    Level.REQUIRED: "required: a document states it",
    Level.RECOMMENDED: "recommended: inferred, no document states it; it is reported and never decides",
    Level.LATER: "later: added after the version of the contract that was asked for; it is shown and not scored",
}


_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
"""What JSON is made of, as it is printed."""

_OPENING: Final = frozenset("[{")

_MARKUP: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>#|"})

_COMMENT: Final = re.compile(r"^# \d+\. .*\n", re.MULTILINE)
"""What stands before each of several calls."""


def counted(rule: Rule, counts: Mapping[str, int], seen: Collection[str] = ()) -> str:
    """What a scenario saw of each side: `38 orders refused, 38 twins accepted`; empty where it saw nothing.

    `seen` are the labels of the endpoints where it did, which name what it counted where the rule is of several.
    """
    where = [endpoint for endpoint in rule.endpoints if len(rule.endpoints) == 1 or endpoint.label in seen]
    noun = _NOUNS.get(where[0], _CALL) if len(where) == 1 else _CALL
    # What is accepted beside a refusal is the same call without its fault.
    accepted = _TWIN if counts.get(Side.REFUSED) else noun
    sides = ((Side.REFUSED, noun, "refused"), (Side.ACCEPTED, accepted, "accepted"), (Side.CHECKED, _ANSWER, "checked"))
    return ", ".join(
        f"{number:,} {words[number != 1]} {done}" for side, words, done in sides if (number := counts.get(side, 0))
    )


def source_of(rule: Rule) -> str:
    """Where the rule stands, the documents' names written out: `the order workflow page (S1), Order Status Validation`."""
    return _DOCUMENT.sub(lambda found: f"{SOURCES[found[0]]} ({found[0]})", rule.source)


def description(rule: Rule, readings: Mapping[str, str], readings_from: Mapping[str, str]) -> str:
    """The rule for somebody who reads the report, in Markdown: what the documents say, and what was expected."""
    paragraphs = [
        f"**{_plain(rule.statement)}**",
        f"Source: {_plain(source_of(rule))}. Level: {_LEVELS[rule.level]}.",
        f"Expected: {_plain(expected(rule))}.",
    ]
    if rule.reading:
        value = readings.get(rule.reading)
        follows = (
            f" This run follows `{value}` ({_KNOWN_HOW[readings_from[rule.reading]]})." if value is not None else ""
        )
        paragraphs.append(
            f"The documents leave room here (reading `{rule.reading}`): "
            f"{_plain(READINGS[rule.reading].disagreement)}{follows}"
        )
    return "\n\n".join(paragraphs)


def exchange(request: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange as Allure 3 shows one (`application/vnd.allure.http+json`), bodies over several lines, their numbers digit for
    digit."""
    shown: dict[str, Any] = {
        "request": {
            "method": request.get("method", ""),
            "url": request.get("url", ""),
            "headers": _headers(request),
            **_body(request),
        }
    }
    if response:
        status = response.get("status")
        shown["response"] = {"status": status, "statusText": _phrase(status), "headers": _headers(response)}
        shown["response"] |= _body(response)
    return shown


def is_story(curl: str) -> bool:
    """Whether it took several calls, each told in a comment, to see what was seen."""
    return curl.startswith("# 1. ")


def call_that_showed_it(curl: str, request: Mapping[str, Any]) -> str:
    """The curl line of the request that showed it. After it the story may go on, with the faultless twin for example."""
    calls = [call.strip() for call in _COMMENT.split(curl) if call.strip()]
    wanted = {part for part in (request.get("method"), request.get("url"), request.get("body")) if part}
    return next((call for call in reversed(calls) if wanted <= _words(call)), calls[-1] if calls else "")


def _words(call: str) -> set[str]:
    try:
        return set(shlex.split(call))
    except ValueError:
        return set()


def _phrase(status: Any) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _headers(message: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in message.get("headers", {}).items()]


def _body(message: Mapping[str, Any]) -> dict[str, Any]:
    text: str = message.get("body") or ""
    if not text:
        return {}
    try:
        jsontext.loads(text)
        body = {"contentType": "application/json", "value": _indented(text)}
    except ValueError:  # no JSON, or no longer, since it was cut
        body = {"contentType": "text/plain", "value": text}
    return {"body": {**body, "truncated": len(text) >= MOST_BODY}}


def _indented(text: str) -> str:
    """JSON over several lines, each part as it is printed: its numbers digit for digit, its names as often as they stand."""
    shown: list[str] = []
    depth, before = 0, ""
    for part in _PART.findall(text):
        closes = part in {"]", "}"}
        depth -= closes
        # A new line before what closes, unless it is empty, and after what opens and each comma.
        if before == "," or (before in _OPENING) != closes:
            shown.append("\n" + "  " * depth)
        shown.append(": " if part == ":" else part)
        depth += part in _OPENING
        before = part
    return "".join(shown)


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup."""
    return text.translate(_MARKUP)
