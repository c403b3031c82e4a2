"""What the mock answers that is no Koncili's: its control interface below /_mock, its page for people, the OpenAPI document.

Nothing of it counts as a call, is logged or recorded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.contract.judge import Request
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer
from conformance.mock.request_log import select

CONTROL_PATH: Final = "/_mock"
"""GET tells that this is the suite's own mock and what its clock shows, with ?state=1 also what `Koncili.state` tells; POST
takes the commands of `Koncili.control`."""

PAGE_PATH: Final = "/_mock/"

MOST_FORM: Final = 10_000
"""Bytes of what a button sends."""

_READING: Final = frozenset({"GET", "HEAD"})


def answer_of_its_own(koncili: Koncili, request: Request) -> Answer | None:
    """What is answered to a call of the control interface and what lies beside it; None where it is one for Koncili."""
    if request.path in DOCUMENTS and request.method in _READING:
        return DOCUMENTS[request.path]()
    if request.path != CONTROL_PATH and not request.path.startswith(PAGE_PATH):
        return None
    if request.method == "POST" and (fault := _forged(request)):
        return _refusal(403, fault)
    try:
        return _ROUTES.get(request.path, _told)(koncili, request)
    except (TypeError, ValueError, OverflowError) as error:
        return _refusal(400, str(error), request.path)


def _refusal(status: int, why: str, path: str = CONTROL_PATH) -> Answer:
    return Answer(status, {"errorMessage": f"{path}: {why}", "errorCode": f"{status}-0"})


def _control(koncili: Koncili, request: Request) -> Answer:
    if request.method == "POST":
        koncili.control(request.fields)
    state = koncili.state() if request.method == "GET" and request.query.get("state") == "1" else {}
    return Answer(200, {"mock": "koncili-conformance", "now": koncili.clock.now().isoformat(), **state})


# -- what was asked --------------------------------------------------------------------------------------------------


def _requests(koncili: Koncili, request: Request) -> JSONValue:
    found = select(koncili.log.entries(), dict(request.query))
    return {"requests": [entry.table() for entry in found], "inAll": koncili.log.requests}


def _violations(koncili: Koncili, request: Request) -> JSONValue:
    found = select(koncili.log.entries(broken=True), dict(request.query))
    return {"violations": [entry.table() for entry in found], "inAll": koncili.log.broken}


def _snapshot(koncili: Koncili, _: Request) -> JSONValue:
    from conformance.mock.snapshot import snapshot_of

    return koncili.look(snapshot_of)


_TOLD: Final[Mapping[str, Callable[[Koncili, Request], JSONValue]]] = MappingProxyType(
    {"/_mock/requests": _requests, "/_mock/violations": _violations, "/_mock/snapshot": _snapshot}
)


def _told(koncili: Koncili, request: Request) -> Answer:
    tells = _TOLD.get(request.path)
    if tells is None:
        return _refusal(404, f"there are {', '.join((CONTROL_PATH, PAGE_PATH, *_TOLD))}")
    return (
        Answer(200, tells(koncili, request)) if request.method in _READING else _refusal(405, "takes GET", request.path)
    )


# -- the page --------------------------------------------------------------------------------------------------------


def _page(koncili: Koncili, request: Request) -> Answer:
    """The page, after a button of it with what that has the mock do: its name is a command, its value JSON."""
    from conformance.mock.page.render import page, policy

    if request.method == "POST":
        pressed = parse_qsl(request.body[:MOST_FORM].decode("utf-8", "replace"), keep_blank_values=True)
        koncili.control({name: _value(text) for name, text in pressed})
        back = f"{PAGE_PATH}?{request.query_string}" if request.query_string else PAGE_PATH
        return Answer(303, None, MappingProxyType({"Location": back}))
    refresh = request.query.get("refresh") == "1"
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy(),
        "Cache-Control": "no-store",
    }
    headers |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    headers |= {"Refresh": "2"} if refresh else {}
    return Answer(200, page(koncili, refresh=refresh).encode(), MappingProxyType(headers))


_ROUTES: Final[Mapping[str, Callable[[Koncili, Request], Answer]]] = MappingProxyType(
    {CONTROL_PATH: _control, PAGE_PATH: _page}
)


def _value(text: str) -> JSONValue:
    try:
        return loads(text)
    except NotJSON:
        return text


def _forged(request: Request) -> str:
    """Why a POST is taken for one that another site had a browser send, empty where it is not. Browsers say whence it comes,
    others don't."""
    origin = request.header("origin")
    if origin is None:
        return ""
    try:
        parts = urlsplit(origin)
        own, host = parts.netloc, parts.hostname or ""
    except ValueError:
        own, host = "", ""
    if not own or own != (request.header("host") or ""):
        return f"takes commands of no other site, and this comes from {origin}"
    if not _is_near(host):
        return f"takes commands of a page only under its address, or a name without dots: {host} may be anybody's"
    return ""


def _is_near(host: str) -> bool:
    """Whether no stranger can have a name of the DNS lead here by this one."""
    if "." not in host or host.endswith((".localhost", ".local", ".internal", ".test")):
        return True
    try:
        return ipaddress.ip_address(host) is not None
    except ValueError:
        return False


# -- the OpenAPI document --------------------------------------------------------------------------------------------


@cache
def _as_yaml() -> Answer:
    text = files("conformance.contract").joinpath("openapi.yaml").read_bytes()
    return Answer(200, text, MappingProxyType({"Content-Type": "application/yaml"}))


@cache
def _as_json() -> Answer:
    from conformance.contract import openapi

    return Answer(200, dumps(openapi.load()).encode())


@cache
def _without_webhooks() -> Answer:
    from conformance.contract import openapi

    return Answer(200, dumps(openapi.without_webhooks()).encode())


DOCUMENTS: Final[Mapping[str, Callable[[], Answer]]] = MappingProxyType(
    {"/openapi.yaml": _as_yaml, "/openapi.json": _as_json, "/openapi-without-webhooks.json": _without_webhooks}
)
