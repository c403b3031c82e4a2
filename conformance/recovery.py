"""Clears away what a run has created: reconciliations are completed, since an active one blocks its channel, and orders that
are not reconciled are deleted. Used by a run for itself, and for runs that were killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.client import KonciliClient
from conformance.target.exchange import Exchange
from conformance.target.ledger import Ledger, Opened, OrderId

ENTRIES_AT_MOST: Final = 1000
"""A reconciliation that waits for more release entries than this was opened by mistake of the server, and is left alone."""

IDS_AFTER: Final = (*range(1, 21), *range(-1, -6, -1))
"""How far from the id that was given out last that of a creation may be whose answer was lost."""

IDS_BEFORE: Final = tuple(-step for step in IDS_AFTER)
"""The same, from one that was given out after it."""

PAUSES: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds to wait before each look whether a channel is free: reconciling takes a while when all releases are in."""

PROBE_SECONDS: Final = 60

NOT_FOUND: Final = 404

GONE_AT_MOST: Final = 3
"""So many deletions of one sort of order are refused since it is gone already, and the rest wait until the end of the run: each
spends a client error that rules may need."""

GONE_AT_THE_END: Final = 30
"""How many there may be then; what is left after that is told, and `cleanup` goes on with it."""
CENT: Final = Decimal("0.01")


@dataclass(slots=True)
class Report:
    """What was cleared away, and what stays and why."""

    deleted: int = 0
    completed: int = 0
    kept: list[str] = field(default_factory=list)
    """What nobody can remove."""
    undone: list[str] = field(default_factory=list)
    """What could not be done now."""


@dataclass(slots=True)
class Recovery:
    """Clears away by the client of this run."""

    client: KonciliClient
    own: Ledger
    """The ledger of this run, in which the client writes."""
    new_code: Callable[[], str]
    new_period: Callable[[int], str]
    """The beginning of a period of so many seconds that nobody has used."""
    sleep: Callable[[float], None]
    places: Sequence[tuple[int, str]] = ()
    """The accounts and channels of the target."""
    saw: Callable[[Exchange], None] = lambda _: None
    """What is done with every answer."""
    report: Report = field(default_factory=Report)
    given_up: set[str] = field(default_factory=set)
    """The keys of reconciliations that take no releases: trying them after every scenario would spend the budget."""
    doubtful: set[OrderId] = field(default_factory=set)
    """Orders of which an update was refused: a target may have deleted them for that."""
    gone: Counter[bool] = field(default_factory=Counter)
    """How many orders were gone before their deletion, among the doubtful ones and among the others."""
    gone_at_most: int = GONE_AT_MOST
    may_spend: Callable[[], bool] = lambda: True
    """Whether there is a client error left: for an order that is likely to be gone none is waited for."""

    def _call(self, endpoint: Endpoint, *, query: dict[str, str] | None = None, body: JSONValue = None) -> Exchange:
        exchange = self.client.call(endpoint, query=query, body=body)
        self.saw(exchange)
        return exchange

    # -- orders ------------------------------------------------------------------------------------------------------

    def delete_orders(self, ledger: Ledger, *, but: frozenset[OrderId] = frozenset()) -> None:
        """Delete the orders of a ledger, but for those that are likely to be gone already, as long as the run may need the
        client errors. Raises TargetUnavailable and CannotRun; what is deleted by then is off the ledger."""
        for order in sorted(ledger.left.orders, key=self.doubtful.__contains__):
            doubtful = order in self.doubtful
            if order in but or self.gone[doubtful] >= self.gone_at_most:
                continue
            if self.gone[doubtful] >= GONE_AT_MOST and not self.may_spend():
                continue
            exchange = self._call(Endpoint.DELETE_ORDER, query=_query(order))
            if exchange.is_accepted or exchange.status == NOT_FOUND:
                ledger.deleted(order)
                self.doubtful.discard(order)
                self.gone[doubtful] += exchange.is_refused
                self.report.deleted += exchange.status != NOT_FOUND
            elif exchange.is_refused:
                ledger.deleted(order)
                self.gone[doubtful] += 1
                self.report.kept.append(f"{_name(order)}: its deletion is refused with {_words(exchange)}")
            else:
                self.report.undone.append(f"{_name(order)}: its deletion got {_words(exchange)}")

    def forget_reconciled(self, ledger: Ledger) -> None:
        """Say which orders stay for good."""
        orders = ledger.left.reconciled
        self.report.kept += [f"{_name(order)}: it is reconciled, and such orders cannot be deleted" for order in orders]
        ledger.forget_reconciled()

    # -- reconciliations ---------------------------------------------------------------------------------------------

    def complete_all(self, ledger: Ledger) -> bool:
        """Complete every reconciliation of a ledger; whether none is left that may be active."""
        return self.complete_each(ledger, ledger.left.opened)

    def complete_each(self, ledger: Ledger, some: Sequence[Opened]) -> bool:
        """Complete these, the last one first: as long as it is active nobody can see that those before are not."""
        completed = [self.complete(ledger, opened) for opened in reversed(some)]
        return all(completed)

    def try_all_again(self) -> None:
        """For the last time, what could not be done before."""
        self.given_up.clear()
        self.report.undone.clear()
        self.no_rule_needs_more()

    def no_rule_needs_more(self) -> None:
        """From here on client errors are for clearing away, orders that are gone perhaps too."""
        self.gone.clear()
        self.gone_at_most = GONE_AT_THE_END

    def complete(self, ledger: Ledger, opened: Opened) -> bool:
        """Send the releases that a reconciliation still waits for. Raises WaitTooLong, CannotRun."""
        if opened.key in self.given_up:
            return False
        try:
            done = self._complete(ledger, opened)
        except WaitTooLong:
            raise
        except TargetUnavailable as error:
            self.report.undone.append(f"{_title(opened)}: {error}")
            return False
        if done:
            ledger.closed(opened)
            self.report.completed += 1
        else:
            self.given_up.add(opened.key)
            self.report.undone.append(
                f"{_title(opened)} may still be active, and its releases are refused: ask Koncili to close it"
            )
        return done

    def _complete(self, ledger: Ledger, opened: Opened) -> bool:
        missing, doubts = opened.quantity - opened.received, tuple(opened.doubts)
        rest = missing - opened.in_doubt
        if missing > ENTRIES_AT_MOST or not _is_plain(opened):
            return self._is_free(opened)
        if opened.id is None:
            return self._is_free(opened, tries=1) or self._found(ledger, opened, missing) or self._is_free(opened)
        if missing > 0 and self._released(opened, opened.id, missing):
            return True
        if 0 < rest < missing and self._released(opened, opened.id, rest):
            ledger.released(*(doubt.order for doubt in doubts))
            return True
        return self._is_free(opened)

    def _found(self, ledger: Ledger, opened: Opened, entries: int) -> bool:
        """Find the id of a creation whose answer was lost by sending its releases to the ids nearby."""
        if opened.after is None and opened.before is None:
            if self.own.last_id is None:
                self._learn_an_id(opened)
            ledger.came_before(opened, self.own.last_id)
        near, steps = (opened.before, IDS_BEFORE) if opened.after is None else (opened.after, IDS_AFTER)
        if near is None:
            return False
        return any(self._released(opened, near + step, entries) for step in steps if near + step > 0)

    def _learn_an_id(self, opened: Opened) -> None:
        """Open and complete a reconciliation where none is known to be active, to see what ids are like here."""
        elsewhere = [place for place in self.places if place != (int(str(opened.account)), opened.channel)]
        # An account of the same channel may be blocked with it.
        for account, channel in sorted(elsewhere, key=lambda place: place[1] == opened.channel):
            if self._is_free(replace(opened, account=account, channel=channel), tries=1):
                return

    def _released(self, opened: Opened, number: int, entries: int) -> bool:
        """Whether a reconciliation takes an order made for it, with so many entries."""
        body = _order(opened, self.new_code(), entries)
        if not self._call(Endpoint.SUBMIT_ORDER, body=body).is_accepted:
            return False
        release = _release(opened, number, body, _middle(opened))
        if self._call(Endpoint.SUBMIT_RELEASE, body=release).is_accepted:
            return True
        self._call(Endpoint.DELETE_ORDER, query=_query(_id_of(body)))
        return False

    def _is_free(self, opened: Opened, tries: int = len(PAUSES)) -> bool:
        """Whether the channel takes another reconciliation, which is then completed: so none was active."""
        for pause in PAUSES[:tries]:
            self.sleep(pause)
            begin = self.new_period(PROBE_SECONDS)
            end = (datetime.fromisoformat(begin) + timedelta(seconds=PROBE_SECONDS)).astimezone(UTC)
            body = _creation(opened, begin, end.isoformat().replace("+00:00", "Z"))
            created = self._call(Endpoint.CREATE_RECONCILIATION, body=body)
            if created.is_accepted:
                return self._close(created)
        return False

    def _close(self, created: Exchange) -> bool:
        """Complete what was opened to see whether that can be done."""
        number = created.json.get("id") if isinstance(created.json, dict) else None
        mine = next((one for one in self.own.left.opened if one.id == number), None)
        if mine is None or mine.id is None or not self._released(mine, mine.id, mine.quantity):
            return False
        self.own.closed(mine)
        return True


def _order(opened: Opened, code: str, entries: int) -> dict[str, JSONValue]:
    """The plainest order with so many entries."""
    begin = datetime(2024, 6, 3, 12, tzinfo=UTC)
    names = ("createdDate", "approvedDate", "sendDate", "deliveryDate", "estimatedDeliveryDate")
    dates = {name: (begin + timedelta(days=day)).isoformat().replace("+00:00", "Z") for day, name in enumerate(names)}
    return {
        "marketplaceCode": code,
        "channelName": opened.channel,
        "accountId": opened.account,
        "status": "CONCLUDED",
        **dates,
        "totalGrossValue": entries * CENT,
        "extracts": [{"marketplaceCode": code, "type": "SALE", "value": CENT} for _ in range(entries)],
    }


def _creation(opened: Opened, begin: str, end: str) -> dict[str, JSONValue]:
    return {
        "channelName": opened.channel,
        "accountId": opened.account,
        "periodInitDate": begin,
        "periodEndDate": end,
        "releasesQtd": 1,
        "totalNetValue": CENT,
    }


def _release(opened: Opened, number: int, order: dict[str, Any], released: str) -> dict[str, JSONValue]:
    return {
        "reconciliationId": number,
        "channelName": opened.channel,
        "accountId": opened.account,
        "marketplaceCode": order["marketplaceCode"],
        "status": "CONCLUDED",
        "createdDate": released,
        "releasedDate": released,
        "releaseType": "IN_CASH",
        "installment": 1,
        "installmentQuantity": 1,
        "releases": order["extracts"],
    }


def _middle(opened: Opened) -> str:
    """The middle of a period."""
    begin, end = (datetime.fromisoformat(instant) for instant in (opened.init, opened.end))
    return (begin + (end - begin) / 2).isoformat()


def _is_plain(opened: Opened) -> bool:
    """Whether its account and period can be read: those of a faulty creation that was accepted can't."""
    try:
        _middle(opened)
    except (ValueError, TypeError):  # one end of it without a zone
        return False
    return str(opened.account).isdecimal()


def _id_of(body: dict[str, Any]) -> OrderId:
    return OrderId(int(str(body["accountId"])), body["channelName"], body["marketplaceCode"])


def _query(order: OrderId) -> dict[str, str]:
    return {"marketplaceCode": order.code, "channelName": order.channel, "accountId": str(order.account)}


def _name(order: OrderId) -> str:
    return f"order {order.code} of account {order.account} on {order.channel}"


def _title(opened: Opened) -> str:
    number = f"{opened.id}" if opened.id is not None else "of unknown id"
    return f"reconciliation {number} of account {opened.account} on {opened.channel}"


def _words(exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.error_code or ''}".strip()
