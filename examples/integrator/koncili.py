"""A client of Koncili's API that keeps its limits: one token for all calls, paced, patient after a 429, still after a 423."""

from __future__ import annotations

import base64
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import simplejson

RENEW_BEFORE = 60.0
"""Seconds before its end at which an access token is renewed."""

A_MINUTE = {("GET", "/order"): 90, ("POST", "/order"): 300, ("DELETE", "/order"): 300}
"""The documented rates."""

MARGIN = 0.9
"""So much of a rate is used."""

TRIES = 5


class Refused(Exception):
    """Koncili does not take a call: it is set aside and looked at by somebody, never sent again as it is."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"{status}: {message}")


class Blocked(Exception):
    """Koncili has blocked the integrator for an hour: nothing more may be sent."""


class Koncili:
    """Calls of one integrator, one after the other."""

    def __init__(
        self,
        base_url: str,
        *,
        integrator: str,
        email: str,
        password: str,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`now` and `sleep` are the clock, in seconds."""
        self.http = httpx.Client(base_url=base_url, transport=transport, timeout=30)
        self.integrator, self.email, self.password = integrator, email, password
        self.now, self.sleep = now, sleep
        self.token, self.refresh_token, self.renew_at = "", "", 0.0
        self.sent: dict[tuple[str, str], deque[float]] = {call: deque(maxlen=rate) for call, rate in A_MINUTE.items()}

    # -- tokens ----------------------------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Get a token for email and password."""
        pair = base64.b64encode(f"{self.email}:{self.password}".encode()).decode()
        self.keep(self.http.post("/public/api/auth/token", json={"credentials": pair}))

    def renew(self) -> None:
        """Get the next token for the refresh token, which can be used once."""
        self.keep(self.http.post("/public/api/auth/refresh-token", json={"refreshToken": self.refresh_token}))

    def keep(self, answer: httpx.Response) -> None:
        """Keep the tokens of an answer."""
        self.check(answer)
        told = answer.json()
        self.token, self.refresh_token = told["accessToken"], told["refreshToken"]
        self.renew_at = self.now() + float(told.get("expiresIn", 3600)) - RENEW_BEFORE

    def authorise(self) -> None:
        """See to it that there is a token that lives."""
        if not self.token:
            self.log_in()
        elif self.now() >= self.renew_at:
            self.renew()

    # -- calls -----------------------------------------------------------------------------------------------------

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The headers of a call."""
        return {"gumgaToken": self.token, "integrator": self.integrator, "content-type": "application/json"}

    def call(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> httpx.Response:
        """Send one call and wait where Koncili asks for it. Raises Refused, Blocked, or httpx.TransportError where no answer
        came: what became of the call is then not known."""
        content = None if body is None else simplejson.dumps(body, use_decimal=True)
        for attempt in range(TRIES):
            self.authorise()
            self.pace(method, path)
            answer = self.http.request(method, path, content=content, params=query, headers=self.headers(method, path))
            if answer.status_code != 429 and answer.status_code < 500:
                break
            self.sleep(self.patience(answer, attempt))
        self.check(answer)
        return answer

    def pace(self, method: str, path: str) -> None:
        """Wait until the rate of the call allows another."""
        sent = self.sent.get((method, path))
        if sent is None:
            return
        most = int((sent.maxlen or 1) * MARGIN)
        while len(sent) >= most:
            left = 60 - (self.now() - sent[0])
            if left > 0:
                self.sleep(left)
            sent.popleft()
        sent.append(self.now())

    def patience(self, answer: httpx.Response, attempt: int) -> float:
        """How long to wait before the next attempt, in seconds: as long as Koncili asks for, else twice as long each time."""
        asked = answer.headers.get("retry-after", "")
        return float(asked) if asked.isdecimal() else 2.0 ** (attempt + 1)

    def check(self, answer: httpx.Response) -> None:
        """Raise what a refusal means."""
        if answer.status_code == 423:
            raise Blocked("Koncili has blocked the integrator; nothing is sent for an hour")
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.text)

    # -- what there is to call -------------------------------------------------------------------------------------

    def accounts(self) -> list[dict[str, Any]]:
        """GET /my-accounts."""
        found: list[dict[str, Any]] = self.call("GET", "/my-accounts").json()
        return found

    def submit(self, order: dict[str, Any]) -> None:
        """POST /order."""
        self.call("POST", "/order", order)

    def order(self, code: str, place: tuple[int, str]) -> dict[str, Any] | None:
        """GET /order; None where there is none."""
        try:
            found: dict[str, Any] = simplejson.loads(
                self.call("GET", "/order", query=named(code, place)).text, use_decimal=True
            )
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def remove(self, code: str, place: tuple[int, str]) -> None:
        """DELETE /order."""
        self.call("DELETE", "/order", query=named(code, place))

    def open(self, reconciliation: dict[str, Any]) -> int:
        """POST /reconciliation; its id."""
        return int(self.call("POST", "/reconciliation", reconciliation).json()["id"])

    def release(self, release: dict[str, Any]) -> None:
        """POST /reconciliation/release."""
        self.call("POST", "/reconciliation/release", release)


def named(code: str, place: tuple[int, str]) -> dict[str, str]:
    """The query that names an order."""
    return {"marketplaceCode": code, "channelName": place[1], "accountId": str(place[0])}
