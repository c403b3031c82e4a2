"""The mock as a WSGI application (falcon), with a small control interface of its own below /_mock."""

from __future__ import annotations

from urllib.parse import parse_qsl

import falcon

from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer

CONTROL_PATH = "/_mock"
"""GET tells that this is the suite's own mock and what its clock shows, with ?state=1 also what `Koncili.state` tells; POST
takes the commands of `Koncili.control`."""


def make_app(koncili: Koncili) -> falcon.App[falcon.Request, falcon.Response]:
    """The WSGI application that serves this mock."""
    app = falcon.App()
    app.add_sink(_Sink(koncili), "")
    return app


def respond(koncili: Koncili, request: Request) -> Answer:
    """What the mock answers, its control interface included."""
    if request.path != CONTROL_PATH:
        came = koncili.clock.now()
        answer = koncili.handle(request)
        if koncili.witness is not None:
            koncili.witness(request, answer, came, koncili.clock.now())
        return answer
    if request.method == "POST":
        try:
            koncili.control(request.fields)
        except (TypeError, ValueError, OverflowError) as error:
            return Answer(400, {"errorMessage": f"{CONTROL_PATH}: {error}", "errorCode": "400-0"})
    state = koncili.state() if request.method == "GET" and request.query.get("state") == "1" else {}
    return Answer(200, {"mock": "koncili-conformance", "now": koncili.clock.now().isoformat(), **state})


class _Sink:
    """Takes every path and method, so that the mock and not the framework decides what an unknown one gets."""

    def __init__(self, koncili: Koncili) -> None:
        self._koncili = koncili

    def __call__(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        request = Request(
            method=req.method,
            path=req.path,
            query=dict(parse_qsl(req.query_string, keep_blank_values=True)),
            headers={name.lower(): value for name, value in req.headers.items()},
            query_string=req.query_string,
            body=req.stream.read(),  # to its end: a body in chunks has no Content-Length, and its bounded stream no bytes
        )
        answer = respond(self._koncili, request)
        resp.status = answer.status
        for name, value in answer.headers.items():
            resp.set_header(name, value)
        if isinstance(answer.body, bytes):
            resp.data = answer.body
        elif answer.body is not None:
            resp.content_type = "application/json"
            resp.data = dumps(answer.body).encode()
