"""Made-up recordings: calls of an integration and their answers, one a second unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.audit.auditor import Auditor
from conformance.contract.jsontext import dumps
from conformance.mock.world import INTEGRATOR
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing, Origin, Recorded, Request, Response
from tests.suite.support.bodies import END, Body, creation, order

HOST: Final = "https://koncili.example"
BEGAN: Final = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TOKEN: Final = "the-access-token-of-this-morning-0001"
HEADERS: Final = {"gumgatoken": TOKEN, "integrator": INTEGRATOR}
TOOK: Final = timedelta(milliseconds=200)
SECOND: Final = timedelta(seconds=1)

CODE: Final = "701-2798273-4005859"
QUERY: Final = f"marketplaceCode={CODE}&channelName=CHANNEL_NAME&accountId=19055"

ERROR_400: Final = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}
DONE: Final = {"accountId": 19055, "reconciliationId": 237, "resolvedEndDate": END, "situation": "CONCILIED"}
"""What a notification says of a reconciliation that has ended well."""


@dataclass
class Recording:
    """Grows call by call."""

    exchanges: list[Exchange] = field(default_factory=list)
    now: datetime = BEGAN

    def call(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        status: int | None = 200,
        answer: Any = None,
        headers: Mapping[str, str] | Missing = HEADERS,
        answered: Mapping[str, str] | None = None,
        after: float = 1.0,
        took: timedelta | Missing = TOOK,
        host: str = HOST,
        file: str = "day.har",
    ) -> Exchange:
        """Add a call so many seconds after the one before; `status` None: it got no answer."""
        self.now += timedelta(seconds=after)
        sent: Recorded = body if isinstance(body, bytes | Missing) else dumps(body).encode()
        told: Recorded = (
            b"" if answer is None else answer if isinstance(answer, bytes | Missing) else dumps(answer).encode()
        )
        response = None if status is None else Response(status, tuple((answered or {}).items()), told)
        request = Request(
            method, host + path, headers if isinstance(headers, Missing) else tuple(headers.items()), sent
        )
        exchange = Exchange(Origin(file, len(self.exchanges)), self.now, took, request, response)
        self.exchanges.append(exchange)
        return exchange

    # -- what integrations call ------------------------------------------------------------------------------------

    def log_in(self, token: str = TOKEN, **how: Any) -> Exchange:
        """POST /public/api/auth/token."""
        given = {"accessToken": token, "refreshToken": f"refresh-of-{token}", "expiresIn": 7200}
        body = {"credentials": "bWVAZXhhbXBsZS5jb206cGFzc3dvcmQtNDcxMQ=="}
        return self.call("POST", "/public/api/auth/token", body, **{"answer": given, "headers": {}, **how})

    def refresh(self, used: str, token: str = TOKEN, **how: Any) -> Exchange:
        """POST /public/api/auth/refresh-token."""
        given = {"accessToken": token, "refreshToken": f"refresh-of-{token}"}
        body = {"refreshToken": used}
        return self.call("POST", "/public/api/auth/refresh-token", body, **{"answer": given, "headers": {}, **how})

    def submit(self, body: Body | Recorded, **how: Any) -> Exchange:
        """POST /order."""
        return self.call("POST", "/order", body, **how)

    def look_up(self, query: str = QUERY, **how: Any) -> Exchange:
        """GET /order."""
        return self.call("GET", f"/order?{query}", **how)

    def delete(self, query: str = QUERY, **how: Any) -> Exchange:
        """DELETE /order."""
        return self.call("DELETE", f"/order?{query}", **how)

    def open(self, body: Body | Recorded, number: int = 237, **how: Any) -> Exchange:
        """POST /reconciliation."""
        return self.call("POST", "/reconciliation", body, **{"status": 201, "answer": {"id": number}, **how})

    def release(self, body: Body | Recorded, **how: Any) -> Exchange:
        """POST /reconciliation/release."""
        return self.call("POST", "/reconciliation/release", body, **how)

    def notify(self, payload: Body, *, status: int | None = 200, answer: Any = None, **how: Any) -> Exchange:
        """A notification that comes to the integrator's callback."""
        body = {"notificationType": "RECONCILIATION_COMPLETED", "timestamp": "2026-11-02T12:00:00Z", "payload": payload}
        told = {"status": "success"} if answer is None else answer
        where = {"host": "https://integrator.example", "headers": {}, **how}
        return self.call("POST", "/koncili", body, status=status, answer=told, **where)

    # -- what an audit says ----------------------------------------------------------------------------------------

    def audited(self, **how: Any) -> Auditor:
        """The auditor that has judged it all."""
        auditor = Auditor(**how)
        auditor.take_all(self.exchanges)
        return auditor

    def broken(self) -> dict[str, list[int]]:
        """The rules that are broken, each with the entries that show it."""
        found: dict[str, list[int]] = {}
        for finding in self.audited().findings.found:
            found.setdefault(finding.rule.id, []).extend(spot.origin.entry for spot in finding.spots)
        return found

    def without(self, **parts: Any) -> Recording:
        """The same, with that of every exchange replaced, such as its time."""
        return Recording([replace(exchange, **parts) for exchange in self.exchanges])


def sent(**changes: Any) -> Recording:
    """An order sent and verified, and a reconciliation opened for it."""
    recording = Recording()
    recording.submit(order(**changes))
    recording.look_up(answer=order(**changes))
    recording.open(creation())
    return recording


UNTIMED: Final = {"started": NOT_RECORDED, "took": NOT_RECORDED}


def verdict(auditor: Auditor, rule: str) -> str:
    """kept, broken, undecided (with or without others that were kept), or unseen."""
    tally = auditor.findings.tallies[rule]
    if tally.broken:
        return "broken"
    if tally.undecided:
        return "undecided"
    return "kept" if tally.kept else "unseen"
