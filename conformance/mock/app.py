"""The mock as a WSGI application: every path and method comes to it: no framework says what an unknown one gets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from conformance.contract.judge import Request
from conformance.mock.control_api import CONTROL_PATH, answer_of_its_own
from conformance.mock.koncili import SERVER_ERROR, Koncili
from conformance.mock.quirks import Answer, Leaves

__all__ = ["CONTROL_PATH", "WSGI", "make_app", "respond"]

StartResponse: TypeAlias = Callable[..., Any]
WSGI: TypeAlias = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_BODILESS: Final = frozenset({204, 304})


def make_app(koncili: Koncili) -> WSGI:
    """The WSGI application that serves this mock."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        def complain() -> None:
            environ["wsgi.errors"].write(traceback.format_exc())

        status, headers, body = answered(koncili, lambda: request_of(environ), environ["REQUEST_METHOD"], complain)
        start_response(_status_line(status), headers)
        return (body,) if body else ()

    return app


def answered(
    koncili: Koncili, read: Callable[[], Request], method: str, complain: Callable[[], object]
) -> tuple[int, list[tuple[str, str]], bytes]:
    """The mock's answer to what is `read`, as it leaves: status, headers, and what of the body does. `complain` tells of the
    exception that is being handled: an error of ours is one answer, not the end of the server. Raises ConnectionResetError where
    no answer leaves."""
    try:
        answer = respond(koncili, read())
        raw = answer.raw
    except Exception:
        complain()
        answer, raw = SERVER_ERROR, SERVER_ERROR.raw
    if answer.leaves is Leaves.NOT_AT_ALL:
        raise ConnectionResetError("the connection was reset before an answer came")
    headers = _headers(answer, raw, method)
    if method == "HEAD" or answer.status in _BODILESS:
        return answer.status, headers, b""
    return answer.status, headers, raw[: len(raw) // 2] if answer.leaves is Leaves.HALF else raw


def respond(koncili: Koncili, request: Request) -> Answer:
    """What the mock answers: its control interface, or as Koncili, with what happens to the call on its way."""
    own = answer_of_its_own(koncili, request)
    if own is not None:
        return own
    came, begun = koncili.clock.now(), perf_counter()
    plan = koncili.faults.of(request)
    answer = koncili.faults.answered(plan, lambda: koncili.handle(request))
    seconds = perf_counter() - begun
    koncili.log.note(request, answer, at=came, seconds=seconds, fault=plan.fault if plan else None)
    koncili.faults.hold(plan)
    if koncili.witness is not None:
        koncili.witness(request, answer, came, koncili.clock.now())
    return answer


def request_of(environ: Mapping[str, Any]) -> Request:
    """The request of a WSGI environment."""
    path = environ.get("PATH_INFO") or "/"
    if not path.isascii():  # PEP 3333: bytes read as Latin-1
        path = path.encode("latin-1").decode("utf-8", "replace")
    query = environ.get("QUERY_STRING", "")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if name in environ:
            headers[name.replace("_", "-").lower()] = environ[name]
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        query_string=query,
        body=environ["wsgi.input"].read(),  # to its end: a body in chunks has no Content-Length
    )


def _headers(answer: Answer, raw: bytes, method: str) -> list[tuple[str, str]]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.body is not None and not isinstance(answer.body, bytes):
        headers["content-type"] = "application/json"
    if answer.status not in _BODILESS:
        headers.setdefault("content-type", "application/json")
        if method != "HEAD":
            headers["content-length"] = str(len(raw))
        headers.setdefault("content-length", str(len(raw)))
    return list(headers.items())


@cache
def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
