"""The OpenAPI document is neither looser nor stricter than what it restates of notifications."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import openapi
from tests.suite.support.openapi_bodies import LEFT_OUT, NO_OBJECTS, WEBHOOKS, Path, changed

CONCILIED = {
    "accountId": 19055,
    "reconciliationId": 237,
    "resolvedEndDate": "2024-02-15T02:00:00Z",
    "situation": "CONCILIED",
}

FAILED = CONCILIED | {"resolvedEndDate": None, "situation": "ERROR"}

BLOCK = {"integratorName": "anyone", "durationMinutes": 60}

PAYLOADS: dict[str, tuple[str, object]] = {
    "TEST_NOTIFICATION": ("TEST_NOTIFICATION", None),
    "ACCOUNT_CREATED": ("ACCOUNT_CREATED", {"accountId": 19055, "status": "ACTIVE"}),
    "ACCOUNT_CREATED of a number in quotes": ("ACCOUNT_CREATED", {"accountId": "19055", "status": "ACTIVE"}),
    "ACCOUNT_CREATED with more fields": (
        "ACCOUNT_CREATED",
        {"accountId": 19055, "status": "ACTIVE", "channelName": "CHANNEL_NAME"},
    ),
    "RECONCILIATION_COMPLETED well": ("RECONCILIATION_COMPLETED", CONCILIED),
    "RECONCILIATION_COMPLETED badly": ("RECONCILIATION_COMPLETED", FAILED),
    "RECONCILIATION_COMPLETED of a number in quotes": ("RECONCILIATION_COMPLETED", FAILED | {"accountId": "19055"}),
    "RECONCILIATION_COMPLETED with more fields": ("RECONCILIATION_COMPLETED", CONCILIED | {"entries": 3}),
    "BLOCKED_TEMPORARY": ("BLOCKED_TEMPORARY", BLOCK),
    "BLOCKED_TEMPORARY with more fields": ("BLOCKED_TEMPORARY", BLOCK | {"reason": "anything"}),
    "BLOCKED_PERMANENT": ("BLOCKED_PERMANENT", {"integratorName": "anyone"}),
    "BLOCKED_PERMANENT of nobody": ("BLOCKED_PERMANENT", {}),
    "BLOCKED_PERMANENT of a number": ("BLOCKED_PERMANENT", {"integratorName": 1}),
    "BLOCKED_PERMANENT of null": ("BLOCKED_PERMANENT", None),
}

EMPTY: dict[str, object] = {"null": None, "nothing": {}}

BAD_PAYLOADS: dict[str, tuple[str, object]] = {
    "TEST_NOTIFICATION of an object": ("TEST_NOTIFICATION", {}),
    "TEST_NOTIFICATION of a word": ("TEST_NOTIFICATION", "null"),
    **{
        f"{notification_type} of {name}": (notification_type, value)
        for notification_type in WEBHOOKS.values()
        if notification_type != "TEST_NOTIFICATION"
        for name, value in (("a word", "payload"), ("a list", []), ("a number", 1), ("false", False))
    },
    **{
        f"{notification_type} of {name}": (notification_type, value)
        for notification_type in ("ACCOUNT_CREATED", "RECONCILIATION_COMPLETED", "BLOCKED_TEMPORARY")
        for name, value in EMPTY.items()
    },
    **{
        f"{name} {field} {fault}": (notification_type, changed(payload, (field,), value))
        for name, notification_type, payload in (
            ("ACCOUNT_CREATED", "ACCOUNT_CREATED", {"accountId": 19055, "status": "ACTIVE"}),
            ("CONCILIED", "RECONCILIATION_COMPLETED", CONCILIED),
            ("ERROR", "RECONCILIATION_COMPLETED", FAILED),
            ("BLOCKED_TEMPORARY", "BLOCKED_TEMPORARY", BLOCK),
        )
        for field in payload
        for fault, value in (("removed", LEFT_OUT), ("true", True), ("a list", []))
    },
    "ACCOUNT_CREATED inactive": ("ACCOUNT_CREATED", {"accountId": 19055, "status": "INACTIVE"}),
    "ACCOUNT_CREATED in letters": ("ACCOUNT_CREATED", {"accountId": "19055a", "status": "ACTIVE"}),
    "CONCILIED without a date": ("RECONCILIATION_COMPLETED", CONCILIED | {"resolvedEndDate": None}),
    **{
        f"CONCILIED with a date {name}": ("RECONCILIATION_COMPLETED", CONCILIED | {"resolvedEndDate": value})
        for name, value in {"a word": "yesterday", "empty": "", "half a number": 1.5, "no month": "2025-13-01"}.items()
    },
    "CONCILIED of a number in quotes": ("RECONCILIATION_COMPLETED", CONCILIED | {"reconciliationId": "237"}),
    "ERROR with a date": ("RECONCILIATION_COMPLETED", CONCILIED | {"situation": "ERROR"}),
    "a situation of another name": ("RECONCILIATION_COMPLETED", FAILED | {"situation": "FAILED"}),
    "a situation in lower case": ("RECONCILIATION_COMPLETED", CONCILIED | {"situation": "concilied"}),
    "BLOCKED_TEMPORARY for two hours": ("BLOCKED_TEMPORARY", BLOCK | {"durationMinutes": 120}),
    "BLOCKED_TEMPORARY for a word": ("BLOCKED_TEMPORARY", BLOCK | {"durationMinutes": "60"}),
    "BLOCKED_TEMPORARY of a nameless integrator": ("BLOCKED_TEMPORARY", BLOCK | {"integratorName": 1}),
}

BAD_ENVELOPES: dict[str, tuple[Path, object]] = {
    "notificationType removed": (("notificationType",), LEFT_OUT),
    "notificationType null": (("notificationType",), None),
    "notificationType of another name": (("notificationType",), "NOTIFICATION"),
    "timestamp removed": (("timestamp",), LEFT_OUT),
    "timestamp null": (("timestamp",), None),
    "timestamp true": (("timestamp",), True),
    "timestamp an object": (("timestamp",), {}),
    "payload removed": (("payload",), LEFT_OUT),
}


def notification(notification_type: str, payload: object) -> dict[str, Any]:
    """Give a notification of this type, with this payload."""
    return {"notificationType": notification_type, "timestamp": "2024-02-15T02:00:00Z", "payload": payload}


def plain_notification(notification_type: str) -> dict[str, Any]:
    """Give a lawful notification of this type: the first that the table has."""
    return next(notification(kind, payload) for kind, payload in PAYLOADS.values() if kind == notification_type)


@pytest.mark.parametrize(("notification_type", "payload"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_notification_in_shape_is_valid(notification_type: str, payload: object) -> None:
    openapi.webhook_validator(notification_type).validate(notification(notification_type, payload))


@pytest.mark.parametrize(("notification_type", "payload"), BAD_PAYLOADS.values(), ids=BAD_PAYLOADS)
def test_a_payload_out_of_shape_is_invalid(notification_type: str, payload: object) -> None:
    assert not openapi.webhook_validator(notification_type).is_valid(notification(notification_type, payload))


@pytest.mark.parametrize("timestamp", ["2024-02-15T02:00:00Z", "15/02/2024 02:00", 1707962400, 1707962400.5])
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_a_notification_s_time_is_of_any_format(notification_type: str, timestamp: object) -> None:
    whole = plain_notification(notification_type) | {"timestamp": timestamp, "id": "x"}
    openapi.webhook_validator(notification_type).validate(whole)


@pytest.mark.parametrize(("path", "value"), BAD_ENVELOPES.values(), ids=BAD_ENVELOPES)
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_one_fault_makes_a_notification_invalid(notification_type: str, path: Path, value: object) -> None:
    whole = plain_notification(notification_type)
    assert openapi.webhook_validator(notification_type).is_valid(whole)
    assert not openapi.webhook_validator(notification_type).is_valid(changed(whole, path, value))


@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_a_notification_is_of_no_other_type(notification_type: str) -> None:
    validator = openapi.webhook_validator(notification_type)
    taken = {kind for kind, payload in PAYLOADS.values() if validator.is_valid(notification(kind, payload))}
    assert taken == {notification_type}


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_what_is_no_object_is_no_notification(notification_type: str, body: object) -> None:
    assert not openapi.webhook_validator(notification_type).is_valid(body)
