"""The rule of notifications: what an integration's callback answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conformance.audit.call import Call
from conformance.audit.findings import Findings
from conformance.contract.jsontext import NotJSON, loads
from conformance.traffic.exchange import Exchange, Missing, Response

NOTIFIED: Final = "CLI-16"

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


def judge_callback(call: Call, findings: Findings) -> None:
    """How the integrator's callback has answered a notification."""
    answer = call.exchange.response
    if not isinstance(answer, Response):
        if answer is None:
            findings.breaks(NOTIFIED, call, "the notification was not answered", cause="answer")
        else:
            findings.cannot_tell(NOTIFIED, "the answer to the notification was not recorded")
    elif answer.status != 200:  # noqa: PLR2004 - the documented status
        findings.breaks(NOTIFIED, call, f"answered {answer.status}", value=answer.status, cause="answer")
    elif isinstance(answer.body, Missing):
        findings.cannot_tell(NOTIFIED, "the body of the answer to the notification was not recorded")
    elif call.answered != SUCCESS:
        told = answer.body[:100].decode("utf-8", "backslashreplace")
        findings.breaks(NOTIFIED, call, f"answered 200 with {told or 'nothing'}", value=told, cause="answer")
    else:
        findings.keeps(NOTIFIED, call)
