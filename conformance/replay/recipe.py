"""A finding's story as requests that can be sent again by themselves: what is new in each run is left open. Pure.

Taken from the curl lines of a counterexample. Codes, periods and the ids that the server gives are used up once they were sent:
they become variables. Codes get other digits, position by position, so that two that differ in one place still do; periods move
together by whole days; of an id it is known which creation gave it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from conformance.contract.rules import Rule
from conformance.errors import CannotRun
from conformance.target.wire.exchange import AT_ONCE
from conformance.verdict.certificate import Counterexample
from conformance.verdict.violation import SHOWS_IT

_STEP: Final = re.compile(r"# \d+\. (?P<what>.*): (?P<status>\d{3})(?P<shows>" + re.escape(SHOWS_IT) + ")?")
_CODES: Final = ("marketplaceCode",)
_PERIODS: Final = ("periodInitDate", "periodEndDate", "releasedDate")
_ID: Final = "reconciliationId"
_CREATION: Final = "/reconciliation"


@dataclass(frozen=True, slots=True)
class Step:
    """A request, and what it was answered."""

    what: str
    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """Without the token."""
    has_token: bool
    body: str | None
    status: int

    @property
    def creates(self) -> bool:
        """Whether it opened a reconciliation."""
        return self.method == "POST" and urlsplit(self.path).path.endswith(_CREATION) and self.status // 100 == 2  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps up to the one that shows the finding, what is new in each run, and what the last must be answered."""

    rule: str
    finding: str
    reason: str
    base_url: str
    steps: Sequence[Step]
    codes: Sequence[str]
    """Every code in it."""
    instants: Sequence[str]
    """Every instant that lies in a period."""
    ids: Mapping[str, int]
    """Of ids of reconciliations the number of the step that created it, from 0 on."""
    statuses: str
    """What the last step must be answered: a status, or `4xx`; "" where no more can be said than that it was wrong as it was."""
    code: Sequence[str]
    """The error codes of which it must have one; none where any will do."""
    body: str
    """What the last step was answered when the finding was seen."""

    def is_right(self, status: int) -> bool:
        """Whether the last step may be answered so."""
        return self.statuses == str(status) or (self.statuses.endswith("xx") and self.statuses[0] == str(status)[0])


def recipe(rule: Rule, finding: str, reason: str, example: Counterexample) -> Recipe:
    """The recipe of a finding. Raises CannotRun where its calls can't be sent one after the other."""
    steps = list(_steps(example))
    if any(step.what.startswith(AT_ONCE) for step in steps):
        raise CannotRun(
            f"{finding}: is about calls at once, which no list of requests sends so; `replay` without --as does"
        )
    base_url = _base_of([step.path for step in steps])
    steps = [_relative(step, base_url) for step in steps]
    return Recipe(
        rule.id, finding, reason, base_url, steps,
        codes=_values(steps, _CODES), instants=_values(steps, _PERIODS), ids=_ids(steps),
        statuses=_statuses(rule, reason), code=rule.codes if "it to be refused" in reason else (),
        body=str(example.response.get("body", "")),
    )  # fmt: skip


def _statuses(rule: Rule, reason: str) -> str:
    if "expected it to be refused" in reason:
        return rule.refused.text
    return rule.accepted.text if "expected it to be accepted" in reason else ""


def _steps(example: Counterexample) -> Iterator[Step]:
    lines = example.curl.split("\n")
    if len(lines) == 1:
        yield _step("", int(example.response.get("status") or 0), lines[0])
        return
    for comment, command in zip(lines[::2], lines[1::2], strict=True):
        told = _STEP.fullmatch(comment)
        if told is None:
            raise CannotRun(f"the story can't be read at {comment!r}; certify again with this suite")
        yield _step(told["what"], int(told["status"]), command)
        if told["shows"]:
            return


def _step(what: str, status: int, command: str) -> Step:
    printed, pipe, curl = command.partition(" | curl ")
    words = shlex.split(f"curl {curl}" if pipe and printed.startswith("printf ") else command)
    body = _unprinted(shlex.split(printed)[1]) if pipe and printed.startswith("printf ") else None
    headers: dict[str, str] = {}
    method, url, has_token = "GET", "", False
    queue = iter(words[1:])
    for word in queue:
        match word:
            case "-i" | "&" | "wait":
                continue
            case "-X":
                method = next(queue)
            case "--data-raw":
                body = next(queue)
            case "--data-binary":
                next(queue)
            case "-H":
                name, _, value = next(queue).partition(":")
                if value.strip() == "$KONCILI_TOKEN":
                    has_token = True
                else:
                    headers[name.rstrip(";")] = value.strip()
            case _:
                url = word
    headers.pop("transfer-encoding", None)
    return Step(what or f"{method} {urlsplit(url).path}", method, url, headers, has_token, body, status)


def _unprinted(text: str) -> str:
    """What `printf` makes of such a format."""
    raw = re.sub(rb"\\(\d{3}|.)|%%", lambda found: _sign(found[0]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _sign(escaped: bytes) -> bytes:
    if escaped == b"%%":
        return b"%"
    return {b"\\n": b"\n", b"\\\\": b"\\"}.get(escaped) or bytes([int(escaped[1:], 8)])


_PATHS: Final = ("/public/api/auth", "/my-accounts", "/order", "/reconciliation")


def _base_of(urls: Iterable[str]) -> str:
    for url in urls:
        parts = urlsplit(url)
        for path in _PATHS:
            if path in parts.path:
                return f"{parts.scheme}://{parts.netloc}{parts.path[: parts.path.index(path)]}"
    first = urlsplit(next(iter(urls)))
    return f"{first.scheme}://{first.netloc}"


def _relative(step: Step, base_url: str) -> Step:
    path = step.path.removeprefix(base_url)
    return Step(step.what, step.method, path, step.headers, step.has_token, step.body, step.status)


def _values(steps: Iterable[Step], names: Sequence[str]) -> tuple[str, ...]:
    """What stands under these names, in bodies and queries; longer ones first, since one may hold another."""
    found: dict[str, None] = {}
    for step in steps:
        for name, value in _named(step):
            if name in names and isinstance(value, str) and any(sign.isdigit() for sign in value):
                found[value] = None
    return tuple(sorted(found, key=len, reverse=True))


def _ids(steps: Sequence[Step]) -> dict[str, int]:
    """Which creation gave which id: the last one before a release that was accepted with it, or the only one."""
    found: dict[str, int] = {}
    created: int | None = None
    for accepted_only in (True, False):
        for number, step in enumerate(steps):
            if step.creates:
                created = number
            for name, value in _named(step):
                known = str(value) in found or created is None or name != _ID or isinstance(value, bool)
                if not known and (step.status // 100 == 2 if accepted_only else not found):  # noqa: PLR2004
                    found[str(value)] = created or 0
    return found


def _named(step: Step) -> Iterator[tuple[str, Any]]:
    yield from parse_qsl(urlsplit(step.path).query, keep_blank_values=True)
    try:
        left = [("", json.loads(step.body or "null"))]
    except (ValueError, RecursionError):
        return
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            left.extend(value.items())
        elif isinstance(value, list):
            left.extend((name, part) for part in value)
        else:
            yield name, value
