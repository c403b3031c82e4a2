"""Mocks that do one thing wrong with reconciliations, releases, limits or notifications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import Request
from conformance.contract.limits import PER_MINUTE
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import ReconciliationFacts, entries_of, is_whole, period_of
from conformance.mock.defect_parts import on, overlooked_on, rules, too_strict
from conformance.mock.koncili import order_key, query_key
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld, Reconciliation

CREATE, RELEASE = Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE

_WORKFLOW: Final = ("WFL-01", "WFL-02", "WFL-03")

# -- what is looked at ---------------------------------------------------------------------------------------------


class _Seen:
    """The world, but for what a defect sees in another way."""

    def __init__(self, world: MockWorld, **instead: Callable[..., Any]) -> None:
        self.__dict__.update(instead)
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


def _only_the_last(world: MockWorld) -> _Seen:
    return _Seen(world, reconciliations=lambda account, channel: world.reconciliations(account, channel)[-1:])


def _of_all_accounts(world: MockWorld) -> _Seen:
    return _Seen(world, reconciliations=lambda *_: [book.facts for book in world.books])


def _widened(by: timedelta) -> Callable[[ReconciliationFacts], ReconciliationFacts]:
    return lambda known: replace(known, init=known.init - by, end=known.end + by)


def _periods_widened(by: timedelta) -> Callable[[MockWorld], _Seen]:
    """Earlier periods that reach further (or, by a negative time, less far) than they do."""
    widen = _widened(by)
    return lambda world: _Seen(
        world, reconciliations=lambda *at: [widen(known) for known in world.reconciliations(*at)]
    )


def _release_period_widened(by: timedelta) -> Callable[[MockWorld], _Seen]:
    widen = _widened(by)

    def reconciliation(world: MockWorld, number: int) -> ReconciliationFacts | None:
        known = world.reconciliation(number)
        return known and widen(known)

    return lambda world: _Seen(world, reconciliation=lambda number: reconciliation(world, number))


# -- entries -------------------------------------------------------------------------------------------------------


def _sums_agree(breach: Breach, request: Request, world: MockWorld) -> bool:
    entries, extracts = _both(request, world)
    return breach.rule == "REL-08" and _sum(entries) == _sum(extracts)


def _within_a_cent(breach: Breach, request: Request, world: MockWorld) -> bool:
    entries, extracts = (sorted(part) for part in _both(request, world))
    pairs = zip(entries, extracts, strict=False)
    return breach.rule == "REL-08" and all(abs(one[1] - other[1]) <= Decimal("0.01") for one, other in pairs)


def _values_agree(breach: Breach, request: Request, world: MockWorld) -> bool:
    entries, extracts = (Counter(value for _, value in part) for part in _both(request, world))
    return breach.rule == "REL-07" and entries == extracts


def _sum(entries: Any) -> Decimal:
    return sum((value for _, value in entries), Decimal(0))


def _both(request: Request, world: MockWorld) -> tuple[Any, Any]:
    """The entries of a release, and the extracts of its order."""
    key = order_key(request.fields)
    stored = world.stored(key) if key else None
    return entries_of(request.fields.get("releases")), entries_of(
        stored.body.get("extracts") if stored and stored.body else None
    )


def _book(request: Request, world: MockWorld) -> Reconciliation | None:
    number = request.fields.get("reconciliationId")
    return world.opened(number) if request.endpoint is RELEASE and is_whole(number) else None


def _first_entry_only(breach: Breach, _: Request) -> bool:
    return breach.rule == "REL-10" and not breach.field.startswith("releases[0]")


def _elsewhere(breach: Breach, request: Request, world: MockWorld) -> bool:
    book, key = _book(request, world), order_key(request.fields)
    return breach.rule == "REL-11" and book is not None and key not in book.orders


def _one_too_many(breach: Breach, request: Request, world: MockWorld) -> bool:
    book = _book(request, world)
    entries = len(entries_of(request.fields.get("releases")))
    return breach.rule == "REL-12" and book is not None and book.received + entries == book.quantity + 1


def _in_another_sequence(request: Request, body: Body, world: MockWorld) -> Breach | None:  # noqa: ARG001
    if request.endpoint is not RELEASE or _both(request, world)[0] == _both(request, world)[1]:
        return None
    return Breach("REL-08", "releases", "the entries are not in the sequence of the extracts")


def _at_an_end(request: Request, body: Body, world: MockWorld) -> Breach | None:
    book = _book(request, world)
    if book is None or parse_instant(body["releasedDate"]) not in {book.init, book.end}:
        return None
    return Breach("REL-03", "releasedDate", "releasedDate is not within the period")


def _second_order(request: Request, body: Body, world: MockWorld) -> Breach | None:  # noqa: ARG001
    book = _book(request, world)
    return Breach("REL-12", "releases", "one order is enough") if book and book.orders else None


# -- traces --------------------------------------------------------------------------------------------------------


def _keep_the_period(world: MockWorld, request: Request) -> None:
    init, end = period_of(request.fields)
    account, channel = request.fields.get("accountId"), request.fields.get("channelName")
    if (
        request.endpoint is CREATE
        and init
        and end
        and init < end
        and str(account).isdecimal()
        and isinstance(channel, str)
    ):
        world.books.append(Reconciliation(-1, int(str(account)), channel, init, end, 1, situation="CONCILIED"))


def _count_the_refused(world: MockWorld, request: Request) -> None:
    book = _book(request, world)
    if book is not None:
        book.received += len(entries_of(request.fields.get("releases")))


def _delete_the_reconciled(world: MockWorld, request: Request) -> None:
    key = query_key(request) if request.endpoint is Endpoint.DELETE_ORDER else None
    if key in world.reconciled and key is not None:
        world.put(key, None)


# -- notifications -------------------------------------------------------------------------------------------------

Notice = dict[str, JSONValue]


def _payloads(type_: str, change: Callable[[Any], Any]) -> Callable[[Notice], list[Notice]]:
    """A change of the payloads of one type of notification."""
    return lambda body: [{**body, "payload": change(body["payload"])} if body["notificationType"] == type_ else body]


def _completed(situation: str, /, **fields: JSONValue) -> Callable[[Notice], list[Notice]]:
    """Other fields in the notification that a reconciliation was completed with that situation."""
    return _payloads(
        "RECONCILIATION_COMPLETED",
        lambda payload: {**payload, **fields} if payload["situation"] == situation else payload,
    )


def _notifies(name: str, statement: str, change: Callable[[Notice], list[Notice]], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), notifies=change)


_ALL_NOTIFIED: Final = ("NTF-01", "NTF-02", "NTF-03")

# -- limits --------------------------------------------------------------------------------------------------------


def _rates(by: int) -> Mapping[str, Any]:
    return MappingProxyType({"rates": {endpoint: limit + by for endpoint, limit in PER_MINUTE.items()}})


def _limits(name: str, statement: str, blamed: str, limits: Mapping[str, Any]) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(blamed), limits=limits)


def _answered(endpoint: Endpoint, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    return on(endpoint, change)


BATCH_DEFECTS: Final = (
    *(
        overlooked_on(rule_id, endpoint)
        for rule_id in ("ACC-02", "ACC-04", "ACC-06", "AUTH-03")
        for endpoint in (CREATE, RELEASE)
    ),
    # reconciliations
    Defect(
        name="rec-01-status-200",
        statement="Answers a creation with 200.",
        rules=rules("REC-01", "REC-10", "REC-11", "REC-12", "ERR-05"),
        answers=_answered(CREATE, lambda answer: answer.having(status=200)),
    ),
    Defect(
        name="rec-01-id-as-text",
        statement="Gives the id of a reconciliation as a string.",
        rules=rules("REC-01", "ERR-05"),
        answers=_answered(CREATE, lambda answer: answer.having(body={"id": str(answer.body["id"])})),  # type: ignore[index]
    ),
    too_strict(
        "rec-01-many-releases-refused",
        "Refuses a reconciliation of more than five releases.",
        lambda body: "releasesQtd" if body["releasesQtd"] > 5 else None,  # noqa: PLR2004
        "REC-01",
        "REC-12",
        "REC-10",
        endpoint=CREATE,
    ),
    Defect(
        name="rec-02-same-id",
        statement="Gives every reconciliation the same id.",
        rules=rules("REC-02"),
        reconciliation_id=lambda _: 237,
    ),
    Defect(
        name="rec-04-only-the-last-period",
        statement="Compares a period with the last one only.",
        rules=rules("REC-04", "REC-05"),
        sees=_only_the_last,
    ),
    Defect(
        name="rec-05-a-second-of-grace",
        statement="Takes a period that overlaps an earlier one by a second.",
        rules=rules("REC-04", "REC-05"),
        sees=_periods_widened(timedelta(seconds=-1)),
    ),
    Defect(
        name="rec-09-period-kept",
        statement="Registers the period of a reconciliation that it refuses.",
        rules=rules("REC-09"),
        after_refusal=_keep_the_period,
    ),
    Defect(
        name="rec-10-across-accounts",
        statement="Holds every account's reconciliations against every other account.",
        rules=rules("REC-10"),
        sees=_of_all_accounts,
    ),
    Defect(
        name="rec-11-touching-refused",
        statement="Refuses a period that touches an earlier one.",
        rules=rules("REC-11"),
        sees=_periods_widened(timedelta(milliseconds=1)),
    ),
    too_strict(
        "rec-12-total-must-be-positive",
        "Refuses a reconciliation whose totalNetValue is not positive.",
        lambda body: "totalNetValue" if body.get("totalNetValue") is not None and body["totalNetValue"] <= 0 else None,
        "REC-12",
        endpoint=CREATE,
    ),
    # releases
    too_strict(
        "rel-01-many-entries-refused",
        "Refuses a release of more than four entries.",
        lambda body: "releases" if len(body["releases"]) > 4 else None,  # noqa: PLR2004
        "REL-01",
        "REL-15",
        "REL-19",
        *_WORKFLOW,
        endpoint=RELEASE,
    ),
    Defect(
        name="rel-03-a-second-of-grace",
        statement="Takes a release dated a second outside the period.",
        rules=rules("REL-03"),
        sees=_release_period_widened(timedelta(seconds=1)),
    ),
    Defect(
        name="rel-07-matches-by-value",
        statement="Compares the values of entries and extracts, not their types.",
        rules=rules("REL-07"),
        forgives=_values_agree,
    ),
    Defect(
        name="rel-08-matches-by-sum",
        statement="Compares the sum of the entries with that of the extracts.",
        rules=rules("REL-08"),
        forgives=_sums_agree,
    ),
    Defect(
        name="rel-08-within-a-cent",
        statement="Takes values that differ by a cent.",
        rules=rules("REL-08"),
        forgives=_within_a_cent,
    ),
    Defect(
        name="rel-10-first-entry-only",
        statement="Looks at the marketplaceCode of the first entry only.",
        rules=rules("REL-10"),
        overlooks=_first_entry_only,
    ),
    Defect(
        name="rel-11-in-another-reconciliation",
        statement="Takes a second release of an order in another reconciliation.",
        rules=rules("REL-11"),
        forgives=_elsewhere,
    ),
    Defect(
        name="rel-12-one-too-many",
        statement="Takes one entry more than releasesQtd announced.",
        rules=rules("REL-12"),
        forgives=_one_too_many,
    ),
    too_strict(
        "rel-15-sorted-types-demanded",
        "Demands entries sorted by type.",
        lambda body: (
            "releases"
            if [entry["type"] for entry in body["releases"]] != sorted(entry["type"] for entry in body["releases"])
            else None
        ),
        "REL-01",
        "REL-15",
        "REL-19",
        *_WORKFLOW,
        endpoint=RELEASE,
    ),
    Defect(
        name="rel-18-refused-counted",
        statement="Counts the entries of a release that it refuses.",
        rules=rules("REL-18"),
        after_refusal=_count_the_refused,
    ),
    Defect(
        name="rel-19-sequence-demanded",
        statement="Refuses entries in another sequence than the extracts'.",
        rules=rules("REL-19"),
        objects=_in_another_sequence,
    ),
    Defect(
        name="rel-20-ends-refused",
        statement="Refuses a release dated at an end of the period.",
        rules=rules("REL-20"),
        objects=_at_an_end,
    ),
    # the workflow
    _notifies(
        "wfl-01-ends-in-error",
        "Says of every reconciliation that it ended in ERROR.",
        _completed("CONCILIED", situation="ERROR", resolvedEndDate=None),
        *_WORKFLOW,
        "NTF-01",
        "REC-12",
    ),
    Defect(
        name="wfl-02-one-order-only",
        statement="Takes the release of one order in a reconciliation.",
        rules=rules("WFL-02", "WFL-03"),
        objects=_second_order,
    ),
    Defect(
        name="wfl-03-never-completes",
        statement="Completes no reconciliation.",
        rules=rules(*_WORKFLOW, "NTF-01", "NTF-02"),
        is_complete=lambda _: False,
    ),
    Defect(
        name="wfl-03-at-the-first-release",
        statement="Completes a reconciliation at its first release.",
        rules=rules(*_WORKFLOW, "REL-18"),
        is_complete=lambda book: bool(book.orders),
    ),
    Defect(
        name="wfl-03-one-entry-early",
        statement="Completes a reconciliation when all releases but one entry are in.",
        rules=rules(*_WORKFLOW, "REL-18"),
        is_complete=lambda book: book.received >= book.quantity - 1,
    ),
    Defect(
        name="del-04-refused-but-deleted",
        statement="Refuses to delete a reconciled order, and deletes it.",
        rules=rules("DEL-04"),
        after_refusal=_delete_the_reconciled,
    ),
    # limits
    _limits("lim-01-one-more", "Takes one call a minute more than documented.", "LIM-01", _rates(1)),
    _limits("lim-01-one-fewer", "Takes one call a minute fewer than documented.", "LIM-01", _rates(-1)),
    _limits("lim-02-at-501", "Blocks at the 501st client error.", "LIM-02", MappingProxyType({"errors_an_hour": 501})),
    _limits("lim-02-half-an-hour", "Blocks for half an hour.", "LIM-02", MappingProxyType({"block_seconds": 1800})),
    _limits(
        "lim-03-never-for-good", "Never blocks for good.", "LIM-03", MappingProxyType({"calls_while_blocked": 10**9})
    ),
    _limits(
        "lim-03-at-999", "Blocks for good at the 999th call.", "LIM-03", MappingProxyType({"calls_while_blocked": 999})
    ),
    # notifications
    _notifies("ntf-01-none", "Notifies nothing.", lambda _: [], *_ALL_NOTIFIED),
    _notifies("ntf-01-doubled", "Notifies everything twice.", lambda body: [body, body], *_ALL_NOTIFIED),
    _notifies(
        "ntf-01-id-as-text",
        "Notifies the id of a reconciliation as a string.",
        _payloads(
            "RECONCILIATION_COMPLETED",
            lambda payload: {**payload, "reconciliationId": str(payload["reconciliationId"])},
        ),
        "NTF-01",
        "NTF-02",
    ),
    _notifies(
        "ntf-01-no-timestamp",
        "Notifies without a timestamp.",
        lambda body: [{name: value for name, value in body.items() if name != "timestamp"}],
        *_ALL_NOTIFIED,
    ),
    _notifies(
        "ntf-01-no-end-date",
        "Notifies no resolvedEndDate.",
        _completed("CONCILIED", resolvedEndDate=None),
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
    # errors
    Defect(
        name="err-05-accounts-203",
        statement="Lists the accounts with status 203.",
        rules=rules("ERR-05"),
        answers=_answered(Endpoint.LIST_ACCOUNTS, lambda answer: answer.having(status=203)),
    ),
)
