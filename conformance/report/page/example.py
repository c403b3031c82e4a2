"""A counterexample for people: what was expected, the request, the answer, and the story that shows it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conformance.report.page.bodies import Line, lines_of
from conformance.verdict.certificate import Counterexample
from conformance.verdict.violation import MOST_BODY, SHOWS_IT

LONG: Final = 36
"""A body of more lines, or of as many hundred characters, gets a frame in which it scrolls."""

_REASON = re.compile(
    r"(?:[\w-]+: )?expected (?P<expected>.+?), but (?P<actual>.+?)"
    r"(?: \(changed in one place: (?P<changed>.+)\))?(?: \[(?P<remark>waiver expired on [\d-]+)\])?",
    re.DOTALL,
)
_STEP = re.compile(rf"# (\d+)\. (.*): (\d+)({re.escape(SHOWS_IT)})?")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule failed. What is not worded as a violation is `whole` alone."""

    whole: str
    expected: str = ""
    actual: str = ""
    changed: str = ""
    remark: str = ""

    @property
    def place(self) -> str:
        """What was changed: `extracts[0].type`."""
        return self.changed.partition(" = ")[0]


@dataclass(frozen=True, slots=True)
class Body:
    """A body, laid out."""

    lines: list[Line]
    is_long: bool
    is_cut: bool
    """Whether the certificate holds only its beginning."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request of the story; `what` and `status` are empty where it is the only one."""

    what: str
    status: str
    curl: str
    is_shown: bool = False
    """Whether it is the one that is shown in full."""


@dataclass(frozen=True, slots=True)
class Example:
    """A counterexample; without a request where none showed it."""

    method: str
    url: tuple[str, str, str]
    """The URL before, at and after what was changed in it."""
    request_headers: Mapping[str, str]
    request_body: Body
    status: str
    response_headers: Mapping[str, str]
    response_body: Body
    steps: list[Step]
    old: str = ""
    """What stood where the request was changed, in its twin without the fault."""
    lanes: str = ""
    """Calls at once as lanes side by side over time, where it is about such."""

    @property
    def has_exchange(self) -> bool:
        """Whether there is a request to show."""
        return bool(self.method)


def reason_of(text: str) -> Reason:
    """The words of a verdict, taken apart where they are those of a violation."""
    found = _REASON.fullmatch(text)
    return Reason(text, **{name: part or "" for name, part in found.groupdict().items()}) if found else Reason(text)


def example_of(example: Counterexample, reason: Reason) -> Example:
    """The counterexample; fields that an exchange does not have are empty."""
    request, response = example.request, example.response
    url = _text(request, "url")
    return Example(
        method=_text(request, "method"),
        url=_around(url, reason.place),
        request_headers=_headers(request),
        request_body=body_of(_text(request, "body")),
        status=_text(response, "status"),
        response_headers=_headers(response),
        response_body=body_of(_text(response, "body")),
        steps=(steps := _with_shown(story_of(example.curl), request, _text(response, "status"))),
        old=old_value(steps, _text(request, "body"), reason.place),
        lanes="\n".join(example.lanes),
    )


def old_value(steps: list[Step], body: str, place: str) -> str:
    """What stood at a place of a body in its twin: the accepted request of the story that is the same everywhere else."""
    for step in reversed(steps) if place and body else ():
        if step.is_shown or not step.status.startswith("2"):
            continue
        lines = lines_of(_body_in(step.curl))
        there = [line.text.strip() for line in lines if line.lies_at(place)]
        if there and _elsewhere(lines, place) == _elsewhere(lines_of(body), place):
            _, _, value = there[0].partition(": ")
            return " ".join([value or there[0], *there[1:]]).rstrip(",")
    return ""


def _elsewhere(lines: list[Line], place: str) -> list[str]:
    return [line.text.rstrip(",") for line in lines if not line.lies_at(place)]


def _body_in(curl: str) -> str:
    """The body that a curl line sends."""
    try:
        words = shlex.split(curl)
    except ValueError:
        return ""
    return words[words.index("--data-raw") + 1] if "--data-raw" in words[:-1] else ""


def body_of(text: str) -> Body:
    """A body as the certificate holds it."""
    lines = lines_of(text) if text else []
    return Body(lines, len(lines) > LONG or len(text) > LONG * 100, len(text) >= MOST_BODY)


def story_of(curl: str) -> list[Step]:
    """The requests in order. Curl lines may hold line breaks, so that only a comment with the next number begins a step."""
    steps: list[tuple[str, str, bool, list[str]]] = []
    for line in curl.split("\n"):
        begins = _STEP.fullmatch(line)
        if begins and int(begins[1]) == len(steps) + 1:
            steps.append((begins[2], begins[3], bool(begins[4]), []))
        elif steps:
            steps[-1][3].append(line)
        else:  # no comment: it is one request alone
            return [Step("", "", curl)] if curl else []
    return [Step(what, status, "\n".join(lines), is_shown) for what, status, is_shown, lines in steps]


def _with_shown(steps: list[Step], request: Mapping[str, Any], status: str) -> list[Step]:
    """The story with the exchange marked that is shown in full: of several that are alike it is the last."""
    if any(step.is_shown for step in steps):
        return steps
    body = _text(request, "body")
    wanted = (
        f"-X {_text(request, 'method')} ",
        shlex.quote(_text(request, "url")),
        shlex.quote(body) if body else "",
    )
    for at in range(len(steps) - 1, -1, -1):
        step = steps[at]
        if step.status == status and all(part in step.curl for part in wanted):
            return [*steps[:at], replace(step, is_shown=True), *steps[at + 1 :]]
    return steps


def _around(url: str, place: str) -> tuple[str, str, str]:
    found = re.search(rf"(?<=[?&]){re.escape(place)}=[^&#]*", url) if place else None
    return (url[: found.start()], found[0], url[found.end() :]) if found else (url, "", "")


def _text(exchange: Mapping[str, Any], name: str) -> str:
    value = exchange.get(name)
    return "" if value is None else str(value)


def _headers(exchange: Mapping[str, Any]) -> dict[str, str]:
    headers = exchange.get("headers")
    return {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
