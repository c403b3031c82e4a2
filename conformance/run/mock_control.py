"""What a run can do with the suite's own mock and with no live endpoint: move its clock, switch its limits, let it notify."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx

from conformance.contract.jsontext import JSONValue
from conformance.errors import TargetUnavailable
from conformance.mock.app import CONTROL_PATH
from conformance.mock.koncili import Koncili

SECONDS = 30.0
"""How long a mock may take for a command."""

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A mock is spoken to over http on loopback: reading certificate authorities for each command would take longer than it."""


class Control:
    """The control interface of a mock, in this process or on a socket."""

    def __init__(self, command: Callable[[Mapping[str, JSONValue]], None], now: Callable[[], datetime]) -> None:
        """`command` hands a command to the mock; `now` is its time without what is added here, in UTC."""
        self._command = command
        self._now = now
        self._added = timedelta()

    def now(self) -> datetime:
        """The instant that the mock's clock shows, in UTC."""
        return self._now() + self._added

    def advance(self, seconds: float) -> None:
        """Move the mock's clock forward, and let happen what is due by then."""
        self._command({"advanceSeconds": seconds})
        self._added += timedelta(seconds=seconds)

    def call_back(self, url: str) -> None:
        """Have notifications sent to this URL."""
        self._command({"callbackUrl": url})

    def enforce_limits(self, *, on: bool) -> None:
        """Let the documented rates and the blacklist hold, or not; either way every count and block is forgotten."""
        self._command({"enforceLimits": on})

    def notify(self, type_: str) -> None:
        """Have a notification of this type sent."""
        self._command({"notify": type_})

    def fail(self, reconciliation_id: int) -> None:
        """Let this reconciliation end in ERROR."""
        self._command({"failReconciliation": reconciliation_id})

    def expect_at_once(self, requests: int) -> None:
        """Say that so many requests come at once, next: the mock begins when all have come."""
        self._command({"expectAtOnce": requests})

    def abandon(self) -> None:
        """Forget every active reconciliation: one that can't be completed would block its channel for the rest of a run."""
        self._command({"abandonReconciliations": True})


def local_control(koncili: Koncili) -> Control:
    """The control of a mock in this process."""
    begun = koncili.clock.now()
    return Control(koncili.control, lambda: begun)


def remote_control(base_url: str) -> Control | None:
    """The control of the mock at this URL, or None where something else answers there. Its methods raise
    TargetUnavailable where the mock does not take a command."""
    url = base_url + CONTROL_PATH

    def command(fields: Mapping[str, JSONValue]) -> None:
        try:
            httpx.post(url, json=dict(fields), timeout=SECONDS, verify=NOBODY, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            raise TargetUnavailable(f"the mock's control at {url} does not take {dict(fields)}: {error}") from None

    return Control(command, lambda: datetime.now(UTC)) if _is_mock(url) else None


def _is_mock(url: str) -> bool:
    try:
        answer = httpx.get(url, timeout=SECONDS, verify=NOBODY, trust_env=False)
        return answer.is_success and answer.json().get("mock") == "koncili-conformance"
    except (httpx.HTTPError, ValueError, AttributeError):
        return False
