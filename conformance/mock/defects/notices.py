"""Notifications are absent, malformed, doubled, or say something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from conformance.contract.jsontext import JSONValue
from conformance.mock.defects.parts import WORKFLOW, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import ENABLED, Body, MockWorld, Reconciliation, order_key

Notice = dict[str, JSONValue]

_ALL_NOTIFIED: Final = ("NTF-01", "NTF-02", "NTF-03")

_COMPLETED: Final = "RECONCILIATION_COMPLETED"


def _payloads(type_: str, change: Callable[[Any], Any]) -> Callable[[Notice], list[Notice]]:
    """A change of the payloads of one type of notification."""
    return lambda body: [{**body, "payload": change(body["payload"])} if body["notificationType"] == type_ else body]


def _completed(situation: str, /, **fields: JSONValue) -> Callable[[Notice], list[Notice]]:
    """Other fields in the notification that a reconciliation was completed with that situation."""
    return _payloads(
        _COMPLETED, lambda payload: {**payload, **fields} if payload["situation"] == situation else payload
    )


def _without(name: str) -> Callable[[Notice], list[Notice]]:
    return lambda body: [{key: value for key, value in body.items() if key != name}]


def _failed(body: Notice) -> list[Notice]:
    """That the reconciliation failed, where the notification tells that it did not."""
    payload: Any = body["payload"]
    if body["notificationType"] != _COMPLETED or payload["situation"] != "CONCILIED":
        return []
    return [{**body, "payload": {**payload, "situation": "ERROR", "resolvedEndDate": None}}]


def _notifies(name: str, statement: str, change: Callable[[Notice], list[Notice]], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), notifies=change)


def _completes(body: Notice) -> bool:
    """Whether it tells that a reconciliation ended as it should."""
    payload: Any = body["payload"]
    return bool(body["notificationType"] == _COMPLETED and payload["situation"] == "CONCILIED")


def _number(body: Notice) -> int:
    payload: Any = body["payload"]
    number: int = payload["reconciliationId"]
    return number


def _of_the_first(body: Notice) -> list[Notice]:
    """Nothing of a reconciliation of another account than the first one that is seeded."""
    payload: Any = body["payload"]
    return [] if body["notificationType"] == _COMPLETED and payload["accountId"] != ENABLED[0].id else [body]


def _and_the_next(body: Notice) -> list[Notice]:
    """The same of the number after it, which nobody has opened yet."""
    payload: Any = body["payload"]
    if body["notificationType"] != _COMPLETED:
        return [body]
    return [body, {**body, "payload": {**payload, "reconciliationId": payload["reconciliationId"] + 1}}]


def _no_end_elsewhere(payload: Any) -> Any:
    """No date in what tells of another account than the first one that is seeded."""
    return payload if payload["accountId"] == ENABLED[0].id else {**payload, "resolvedEndDate": None}


def _remember_update(body: Body, before: Body | None, world: MockWorld) -> Body:
    if before is not None and (key := order_key(body)) is not None:
        world.memory[key] = body
    return body


def _end_updated_in_error(world: MockWorld, reconciliation: Reconciliation) -> None:
    if any(key in world.memory for key in reconciliation.orders):
        reconciliation.situation = "ERROR"


NOTICES: Final = (
    _notifies("ntf-01-none", "Notifies nothing.", lambda _: [], *_ALL_NOTIFIED),
    _notifies("ntf-01-first-account-only", "Notifies of the first account only.", _of_the_first, "NTF-01", "NTF-02"),
    _notifies(
        "ntf-01-no-end-date-elsewhere",
        "Notifies a resolvedEndDate for the first account only.",
        _payloads(_COMPLETED, _no_end_elsewhere),
        "NTF-01",
    ),
    Defect(
        name="ntf-01-updated-in-error",
        statement="Says of reconciliations with orders that were sent again that they ended in ERROR.",
        rules=rules("NTF-01"),
        stores=_remember_update,
        after_completion=_end_updated_in_error,
    ),
    _notifies(
        "ntf-01-every-third-silent",
        "Does not notify of every third reconciliation.",
        lambda body: [] if _completes(body) and _number(body) % 3 == 0 else [body],
        "NTF-01",
    ),
    _notifies(
        "ntf-01-contradicts-itself",
        "Notifies of every reconciliation that it is completed, then that it ended in ERROR.",
        lambda body: [body, *_failed(body)],
        "NTF-01",
        *WORKFLOW,
    ),
    _notifies(
        "wfl-01-ends-in-error",
        "Says of every reconciliation that it ended in ERROR.",
        _completed("CONCILIED", situation="ERROR", resolvedEndDate=None),
        *WORKFLOW,
        "NTF-01",
        "REC-12",
        "DEL-04",
    ),
    _notifies(
        "ntf-01-id-as-text",
        "Notifies the id of a reconciliation as a string.",
        _payloads(_COMPLETED, lambda payload: {**payload, "reconciliationId": str(payload["reconciliationId"])}),
        "NTF-01",
        "NTF-02",
    ),
    _notifies(
        "ntf-01-another-id",
        "Notifies the id of the reconciliation before.",
        _payloads(_COMPLETED, lambda payload: {**payload, "reconciliationId": payload["reconciliationId"] - 1}),
        "NTF-01",
        "NTF-02",
        *WORKFLOW,
    ),
    _notifies(
        "ntf-01-the-next-too",
        "Notifies of every reconciliation that it and the next one are completed.",
        _and_the_next,
        "NTF-01",
    ),
    _notifies(
        "ntf-01-another-account",
        "Notifies the id of another account.",
        _payloads(_COMPLETED, lambda payload: {**payload, "accountId": payload["accountId"] + 1}),
        "NTF-01",
        "NTF-02",
    ),
    _notifies(
        "ntf-01-no-account",
        "Notifies no accountId.",
        _payloads(_COMPLETED, lambda payload: {k: v for k, v in payload.items() if k != "accountId"}),
        "NTF-01",
        "NTF-02",
    ),
    _notifies(
        "ntf-01-situation-of-its-own",
        "Notifies the situation RECONCILED.",
        _completed("CONCILIED", situation="RECONCILED"),
        "NTF-01",
        *WORKFLOW,
        "REC-12",
        "DEL-04",
    ),
    _notifies("ntf-01-no-timestamp", "Notifies without a timestamp.", _without("timestamp"), *_ALL_NOTIFIED),
    _notifies("ntf-01-no-type", "Notifies without a type.", _without("notificationType"), *_ALL_NOTIFIED, *WORKFLOW),
    _notifies(
        "ntf-01-payload-spread",
        "Puts the fields of the payload beside the type.",
        lambda body: [
            {**{k: v for k, v in body.items() if k != "payload"}, **body["payload"]}
            if isinstance(body["payload"], dict)
            else body
        ],
        *_ALL_NOTIFIED,
        *WORKFLOW,
    ),
    _notifies(
        "ntf-01-no-end-date", "Notifies no resolvedEndDate.", _completed("CONCILIED", resolvedEndDate=None), "NTF-01"
    ),
    _notifies(
        "ntf-01-end-date-no-date",
        "Notifies a resolvedEndDate that is no date.",
        _completed("CONCILIED", resolvedEndDate="soon"),
        "NTF-01",
    ),
    _notifies(
        "ntf-01-end-date-no-day",
        "Notifies a resolvedEndDate of the 30 February.",
        _completed("CONCILIED", resolvedEndDate="2024-02-30T01:00:01Z"),
        "NTF-01",
    ),
    _notifies(
        "ntf-02-reported-as-concilied",
        "Notifies a failed reconciliation as CONCILIED.",
        _completed("ERROR", situation="CONCILIED", resolvedEndDate="2024-02-15T01:00:01Z"),
        "NTF-02",
    ),
    _notifies(
        "ntf-02-end-date",
        "Notifies a resolvedEndDate of a failed reconciliation.",
        _completed("ERROR", resolvedEndDate="2024-02-15T01:00:01Z"),
        "NTF-02",
    ),
    _notifies(
        "ntf-02-silent",
        "Does not notify that a reconciliation failed.",
        lambda body: [] if isinstance(p := body["payload"], dict) and p.get("situation") == "ERROR" else [body],
        "NTF-02",
    ),
    _notifies(
        "ntf-03-test-payload",
        "Puts a payload into TEST_NOTIFICATION.",
        _payloads("TEST_NOTIFICATION", lambda _: {}),
        "NTF-03",
    ),
    _notifies(
        "ntf-03-account-without-status",
        "Leaves the status out of ACCOUNT_CREATED.",
        _payloads("ACCOUNT_CREATED", lambda payload: {"accountId": payload["accountId"]}),
        "NTF-03",
    ),
    _notifies(
        "ntf-03-duration-in-hours",
        "Notifies a block of 1 minute in place of 60.",
        _payloads("BLOCKED_TEMPORARY", lambda payload: {**payload, "durationMinutes": 1}),
        "NTF-03",
    ),
    _notifies(
        "ntf-03-no-integrator",
        "Leaves integratorName out of BLOCKED_TEMPORARY.",
        _payloads("BLOCKED_TEMPORARY", lambda payload: {"durationMinutes": payload["durationMinutes"]}),
        "NTF-03",
    ),
)
