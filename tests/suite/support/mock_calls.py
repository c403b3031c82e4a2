"""Calls to a mock in process, for tests of what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import httpx

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.mock import world
from conformance.mock.app import make_app
from conformance.mock.koncili import Koncili
from conformance.target.wire.decoding import in_utf8
from strategies.calls import LEFT_OUT
from tests.suite.support.properties import HOME

Body = dict[str, Any]

CREDENTIALS: Final = {"credentials": encode_credentials(world.EMAIL, world.PASSWORD)}

CODE: Final = "701-2798273-4005859"


def order(**changes: object) -> Body:
    """A lawful order with these changes; what is LEFT_OUT goes."""
    lawful = {
        "marketplaceCode": CODE,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "status": "INVOICED",
        "createdDate": "2025-05-09T12:00:00Z",
        "approvedDate": None,
        "totalGrossValue": Decimal("203.60"),
        "extracts": [{"marketplaceCode": CODE, "type": "SALE", "value": Decimal("203.60")}],
    }
    return {name: value for name, value in {**lawful, **changes}.items() if value is not LEFT_OUT}


@dataclass
class Caller:
    """A client of a mock in process. It holds a token unless that is taken away."""

    koncili: Koncili = field(default_factory=Koncili)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = httpx.Client(transport=httpx.WSGITransport(make_app(self.koncili)), base_url="http://mock")
        access, _ = self.koncili.world.issue_tokens()
        self.headers |= {"gumgaToken": access, "integrator": world.INTEGRATOR}

    def call(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """Send a request; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
        return self._http.request(method, path, content=content, params=query, headers=self.headers)

    def token(self, body: object = None) -> httpx.Response:
        """Ask for tokens, with the right credentials unless others are given."""
        return self.call("POST", Endpoint.CREATE_TOKEN.path, CREDENTIALS if body is None else body)

    def refresh(self, token: str) -> httpx.Response:
        """Spend a refresh token."""
        return self.call("POST", Endpoint.REFRESH_TOKEN.path, {"refreshToken": token})

    def submit(self, **changes: object) -> httpx.Response:
        """Submit the order with these changes."""
        return self.call("POST", "/order", order(**changes))

    def look_up(self, method: str = "GET", **changes: str) -> httpx.Response:
        """Ask for the order (or delete it), with these changes of the query."""
        query = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}
        return self.call(method, "/order", **(query | changes))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose body is checked to be as documented."""
    body = loads(_in_utf8(answer))
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert isinstance(body["errorMessage"], str)
    assert body["errorCode"].partition("-")[0] == str(answer.status_code)
    return answer.status_code, body["errorCode"]


def shown(answer: httpx.Response) -> Any:
    """The order in an answer to a query, its money exact."""
    assert answer.status_code == 200
    return loads(_in_utf8(answer))


def _in_utf8(answer: httpx.Response) -> bytes:
    """The body, by the charset that it declares."""
    return in_utf8(answer.content, answer.headers["content-type"])
