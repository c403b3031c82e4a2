"""Variants in what a server does with a call that no document settles: lawful habits of HTTP and of real services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from conformance.contract.instants import read_instant
from conformance.contract.judge import Request
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.reconciliation_rules import OrderFacts, ReconciliationFacts
from conformance.mock.charsets import in_charset, in_latin_1
from conformance.mock.defects.parts import Seen, refusals
from conformance.mock.quirks import Answer, Variant
from conformance.mock.spellings import BRASILIA
from conformance.mock.world import MockWorld


def next_half_hour(instant: datetime) -> datetime:
    """When what is done at an instant is consolidated."""
    since = (instant - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(seconds=CONSOLIDATION_SECONDS)
    return instant - since + timedelta(seconds=CONSOLIDATION_SECONDS)


def _plus_is_a_plus(request: Request) -> Request:
    """The query as RFC 3986 has it: a plus in it stands for itself."""
    query: Mapping[str, str] = dict(parse_qsl(request.query_string.replace("+", "%2B"), keep_blank_values=True))
    return replace(request, query=query)


def _notice_dates(printed: Callable[[datetime], object]) -> Callable[[Any], Any]:
    """A notification with its dates printed in another way."""

    def date(text: Any) -> Any:
        instant = read_instant(text) if isinstance(text, str) else None
        return printed(instant) if instant else text

    def rewritten(body: Any) -> Any:
        payload = body["payload"]
        if isinstance(payload, dict) and "resolvedEndDate" in payload:
            payload = {**payload, "resolvedEndDate": date(payload["resolvedEndDate"])}
        return [{**body, "timestamp": date(body["timestamp"]), "payload": payload}]

    return rewritten


_ENDS_LATER: Final = timedelta(seconds=1)


def _ending_late(world: MockWorld) -> Seen:
    """The world as it is seen by what is told of an end later than whoever is notified."""

    def reconciliations(account: int, channel: str) -> list[ReconciliationFacts]:
        known = [one for one in world.all_reconciliations if (one.account, one.channel) == (account, channel)]
        since = world.clock.now() - _ENDS_LATER
        return [replace(one.facts, active=one.finishes_at is None or one.finishes_at > since) for one in known]

    return Seen(world, reconciliations=reconciliations)


def _again_with_the_next() -> Callable[[Any], Any]:
    """That a reconciliation is completed once more with what comes after it: as a queue does whose acknowledgement was lost."""
    last: list[Any] = []

    def rewritten(body: Any) -> Any:
        before, last[:] = last.copy(), [body] if body["notificationType"] == "RECONCILIATION_COMPLETED" else []
        return [*before, body]

    return rewritten


class _AsShown:
    """The world as queries see it: deletions and releases read it there too."""

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def stored_order(self, account_id: int, channel: str, code: str) -> OrderFacts | None:
        """What is shown of it."""
        return self._world.shown_order(account_id, channel, code)


_FAULT: Final = Answer(
    500, {"errorMessage": "Unexpected error, please try again", "errorCode": "500", "errorSource": None}
)
_NTH: Final = 97


HABITS: Final = (
    Variant(
        name="passing-500",
        statement="Answers every 97th call with 500, and does nothing.",
        busy=lambda number: _FAULT if number % _NTH == 0 else None,
    ),
    Variant(
        name="lost-in-500",
        statement="Answers every 97th call with 500, and has done what it was asked.",
        loses=lambda number: _FAULT if number % _NTH == 0 else None,
    ),
    Variant(
        name="notifies-twice",
        statement="Notifies everything twice, the second time with another timestamp.",
        notifies=lambda body: [body, {**body, "timestamp": f"{body['timestamp']}".replace("Z", "+00:00")}],
    ),
    Variant(
        name="notifies-again-later",
        statement="Notifies a second time that a reconciliation is completed, when the next notification is due.",
        notifies=_again_with_the_next(),
    ),
    Variant(
        name="notifies-before-there-is-room",
        statement="Notifies that a reconciliation is completed a second before it takes the next one.",
        sees=_ending_late,
    ),
    Variant(
        name="notifies-local-times",
        statement="Notifies dates by a clock on the wall, without an offset.",
        notifies=_notice_dates(lambda instant: f"{instant.astimezone(BRASILIA):%Y-%m-%dT%H:%M:%S}"),
    ),
    Variant(
        name="notifies-days",
        statement="Notifies dates without a time of day.",
        notifies=_notice_dates(lambda instant: f"{instant.astimezone(BRASILIA):%Y-%m-%d}"),
    ),
    Variant(
        name="notifies-milliseconds",
        statement="Notifies dates as milliseconds since 1970.",
        notifies=_notice_dates(lambda instant: int(instant.timestamp() * 1000)),
    ),
    Variant(
        name="tokens-of-a-second",
        statement="Gives tokens that are equal where they are of the same second.",
        tokens_by_the_second=True,
    ),
    Variant(
        name="errors-in-iso-8859-1",
        statement="Refuses in Portuguese, in ISO-8859-1, as its Content-Type says.",
        answers=refusals(in_latin_1),
    ),
    Variant(
        name="answers-in-utf-16",
        statement="Answers everything in UTF-16, as its Content-Type says.",
        answers=lambda _, answer: in_charset(answer, "utf-16"),
    ),
    Variant(
        name="orders-seen-late",
        statement="Sees a fresh order, a change or a deletion 200 ms late, whoever asks.",
        shows_at=lambda instant: instant + timedelta(milliseconds=200),
        sees=_AsShown,
    ),
    Variant(
        name="orders-seen-after-half-an-hour",
        statement="Sees orders, changes and deletions at every full half hour, whoever asks.",
        shows_at=next_half_hour,
        sees=_AsShown,
    ),
    Variant(
        name="plus-for-itself",
        statement="Reads a plus in a query as a plus: a blank is %20 only.",
        reads=_plus_is_a_plus,
    ),
)
