"""The rule of notifications: what an integration's callback answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from conformance.audit.call import Call
from conformance.audit.findings import Findings
from conformance.contract.jsontext import NotJSON, loads
from conformance.traffic.exchange import Exchange, Missing, Response

NOTIFIED: Final = "CLI-16"

OK: Final = 200
_OF_PROXIES: Final = frozenset({502, 503})
"""What stands before a callback answers so while nothing is behind it."""
_LONG: Final = timedelta(seconds=5)
MOST_HELD: Final = 1_000

SUCCESS: Final[Mapping[str, str]] = {"status": "success"}


def notification_in(exchange: Exchange) -> dict[str, Any] | None:
    """The notification that an exchange is, as Koncili posts it to the integrator's callback; None where it is none."""
    body = exchange.request.body
    if exchange.request.method != "POST" or isinstance(body, Missing) or b"notificationType" not in body:
        return None
    try:
        content = loads(body)
    except NotJSON:
        return None
    return content if isinstance(content, dict) and isinstance(content.get("notificationType"), str) else None


class Callbacks:
    """Judges what the callback answers.

    That it was not there for a moment, as while it is deployed, is told of only where it does not take the same afterwards.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._held: dict[str, list[Call]] = {}

    def take(self, call: Call, notification: Mapping[str, object]) -> None:
        """Judge the answer to a notification."""
        told = repr((notification.get("notificationType"), notification.get("payload")))
        if _was_not_there(call) and len(self._held) < MOST_HELD:
            self._held.setdefault(told, []).append(call)
            return
        if call.status == OK and (call.answered == SUCCESS or call.is_answer_left_out):
            self._held.pop(told, None)
        judge_callback(call, self._findings)

    def finish(self) -> None:
        """Judge those that were not sent again, or not taken."""
        for calls in self._held.values():
            for call in calls:
                judge_callback(call, self._findings)
        self._held.clear()


def _was_not_there(call: Call) -> bool:
    """Whether a proxy, or nobody, has answered, and at once: who takes too long is there."""
    took = call.exchange.took
    if not isinstance(took, Missing) and took >= _LONG:
        return False
    return call.exchange.response is None or call.status in _OF_PROXIES


def judge_callback(call: Call, findings: Findings) -> None:
    """How the integrator's callback has answered a notification."""
    answer = call.exchange.response
    if not isinstance(answer, Response):
        if answer is None:
            findings.breaks(NOTIFIED, call, "the notification was not answered", cause="answer")
        else:
            findings.cannot_tell(NOTIFIED, "the answer to the notification was not recorded")
    elif answer.status != OK:
        findings.breaks(NOTIFIED, call, f"answered {answer.status}", value=answer.status, cause="answer")
    elif isinstance(answer.body, Missing):
        findings.cannot_tell(NOTIFIED, "the body of the answer to the notification was not recorded")
    elif call.answered != SUCCESS:
        told = answer.body[:100].decode("utf-8", "backslashreplace")
        findings.breaks(NOTIFIED, call, f"answered 200 with {told or 'nothing'}", value=told, cause="answer")
    else:
        findings.keeps(NOTIFIED, call)
