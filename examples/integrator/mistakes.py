"""Mistakes that integrations make, each as a switch of the one in this folder: what changes, and the rule that tells of it.

`python -m examples.integrator --mistake NAME`, with the mock recording, shows what an audit says of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from threading import Thread
from typing import Any, Final

import httpx

from examples.integrator.day import Day
from examples.integrator.koncili import Blocked, Koncili, Refused, named
from examples.integrator.marketplace import Batch, Sale


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing done wrong."""

    rule: str
    says: str
    commit: Callable[[Day], None]


def commit(name: str, day: Day) -> None:
    """Let the integration do this one thing wrong."""
    MISTAKES[name].commit(day)


def replaced(whose: object, name: str, by: Callable[..., Any]) -> Callable[..., Any]:
    """Put a function in place of a method; the method as it was."""
    before: Callable[..., Any] = getattr(whose, name)
    setattr(whose, name, by)
    return before


# -- orders --------------------------------------------------------------------------------------------------------


def _changed_orders(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Day], None]:
    def commit(day: Day) -> None:
        submit = replaced(day.koncili, "submit", lambda order: submit(change(order)))

    return commit


def _commission_above_zero(order: dict[str, Any]) -> dict[str, Any]:
    extracts = [
        {**extract, "value": abs(extract["value"])} if extract["type"] == "COMISSION" else extract
        for extract in order["extracts"]
    ]
    return {**order, "extracts": extracts}


def _concluded_too_early(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "CONCLUDED"} if order["status"] == "PAID_WAITING_DELIVERY" else order


def _own_status(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "DELIVERED"} if order["status"] == "CONCLUDED" else order


def _dates_without_offset(order: dict[str, Any]) -> dict[str, Any]:
    created = str(order["createdDate"]).removesuffix("Z").removesuffix("-03:00")
    return {**order, "createdDate": created}


def _only_what_changed(day: Day) -> None:
    sent: dict[str, dict[str, Any]] = {}

    def submit_changes(order: dict[str, Any]) -> None:
        before = sent.get(order["marketplaceCode"], {})
        kept = {"marketplaceCode", "channelName", "accountId", "status", "extracts", "createdDate", "sendDate"}
        kept |= {"estimatedDeliveryDate", "deliveryDate"}
        submit({name: value for name, value in order.items() if name in kept or value != before.get(name)})
        sent[order["marketplaceCode"]] = order

    submit = replaced(day.koncili, "submit", submit_changes)


def _updates_at_once(day: Day) -> None:
    def submit_with_its_update(order: dict[str, Any]) -> None:
        if order["status"] != "PAID_WAITING_DELIVERY":
            submit(order)
            return
        httpx_client = day.koncili.http
        httpx_client.post("/_mock", json={"expectAtOnce": 2})
        both = [Thread(target=submit, args=(order,)), Thread(target=submit, args=(order,))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

    submit = replaced(day.koncili, "submit", submit_with_its_update)


# -- releases ------------------------------------------------------------------------------------------------------


def _changed_releases(change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Callable[[Day], None]:
    def commit(day: Day) -> None:
        def release_changed(release: dict[str, Any]) -> None:
            for part in change(release):
                send(part)

        send = replaced(day.koncili, "release", release_changed)

    return commit


def _in_two_requests(release: dict[str, Any]) -> list[dict[str, Any]]:
    entries = release["releases"]
    return [{**release, "releases": entries[:1]}, {**release, "releases": entries[1:]}]


def _recalculated(release: dict[str, Any]) -> list[dict[str, Any]]:
    sale = next(entry["value"] for entry in release["releases"] if entry["type"] == "SALE")
    entries = [
        {**entry, "value": -(sale * Decimal("0.12")).quantize(Decimal("0.1"))}
        if entry["type"] == "COMISSION"
        else entry
        for entry in release["releases"]
    ]
    return [{**release, "releases": entries}]


def _sorted_by_type(release: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**release, "releases": sorted(release["releases"], key=lambda entry: str(entry["type"]))}]


def _in_installments(release: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**release, "releaseType": "INSTALLMENTS"}]


def _unverified(day: Day) -> None:
    replaced(day, "verify", lambda _: True)


def _last_release_forgotten(day: Day) -> None:
    def reconcile_all_but_one(batch: Batch) -> None:
        last = batch.sales[-1].code

        def release_all_but_one(sale: Sale, number: int) -> None:
            if sale.code != last:
                release(sale, number)

        release = replaced(day, "release", release_all_but_one)
        replaced(day, "wait_for", lambda _: "not waited for")
        reconcile(batch)
        replaced(day, "release", release)

    reconcile = replaced(day, "reconcile", reconcile_all_but_one)


# -- reconciliations -----------------------------------------------------------------------------------------------


def _changed_reconciliations(change: Callable[[dict[str, Any], Batch], dict[str, Any]]) -> Callable[[Day], None]:
    def commit(day: Day) -> None:
        replaced(day, "open", lambda batch: day.koncili.open(change(batch.as_reconciliation(), batch)))

    return commit


def _orders_counted(reconciliation: dict[str, Any], batch: Batch) -> dict[str, Any]:
    return {**reconciliation, "releasesQtd": len(batch.sales)}


def _one_too_many(reconciliation: dict[str, Any], _: Batch) -> dict[str, Any]:
    return {**reconciliation, "releasesQtd": reconciliation["releasesQtd"] + 1}


def _period_of_one_day(reconciliation: dict[str, Any], batch: Batch) -> dict[str, Any]:
    return {**reconciliation, "periodEndDate": batch.begin.strftime("%Y-%m-%dT23:59:59Z")}


def _months_that_overlap(reconciliation: dict[str, Any], batch: Batch) -> dict[str, Any]:
    return {**reconciliation, "periodInitDate": batch.begin.strftime("%Y-%m-01T00:00:00Z")}


# -- how it calls --------------------------------------------------------------------------------------------------


def _token_per_call(day: Day) -> None:
    replaced(day.koncili, "authorise", day.koncili.log_in)


def _unpaced_polling(day: Day) -> None:
    def verify_again_and_again(sale: Sale) -> bool:
        return all([verify(sale) for _ in range(40)])

    replaced(day.koncili, "pace", lambda *_: None)
    verify = replaced(day, "verify", verify_again_and_again)


def _impatient(day: Day) -> None:
    replaced(day.koncili, "pace", lambda *_: None)
    replaced(day.koncili, "patience", lambda *_: 15.0)


def _deaf_to_blocks(day: Day) -> None:
    def check(answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            raise Refused(404, answer.text)

    replaced(day.koncili, "check", check)


def _stubborn(day: Day) -> None:
    def submit_until_taken(order: dict[str, Any]) -> None:
        for _ in range(2):
            try:
                return submit(order)
            except Refused:
                continue
        return submit(order)

    submit = replaced(day.koncili, "submit", submit_until_taken)


def _no_integrator(day: Day) -> None:
    def without(method: str, path: str) -> dict[str, str]:
        found: dict[str, str] = headers(method, path)
        if path == "/reconciliation":
            del found["integrator"]
        return found

    headers = replaced(day.koncili, "headers", without)


def _token_in_url(day: Day) -> None:
    koncili: Koncili = day.koncili

    def order(code: str, place: tuple[int, str]) -> dict[str, Any] | None:
        query = {**named(code, place), "gumgaToken": koncili.token}
        try:
            found: dict[str, Any] = koncili.call("GET", "/order", query=query).json()
        except Refused:
            return None
        return found

    replaced(koncili, "order", order)


def _wrong_answer_to_notifications(day: Day) -> None:
    day.callbacks.answer = {"ok": True}


MISTAKES: Final[dict[str, Mistake]] = {
    "unverified": Mistake("CLI-01", "Releases orders without asking whether Koncili has them.", _unverified),
    "in-two-requests": Mistake("CLI-02", "Sends an order's components in two requests.", _changed_releases(_in_two_requests)),
    "recalculated": Mistake("CLI-03", "Calculates the commission again, and rounds.", _changed_releases(_recalculated)),
    "sorted": Mistake("CLI-04", "Sorts the components by their type.", _changed_releases(_sorted_by_type)),
    "orders-counted": Mistake("CLI-05", "Counts orders for releasesQtd.", _changed_reconciliations(_orders_counted)),
    "one-too-many": Mistake("CLI-05", "Announces one entry too many.", _changed_reconciliations(_one_too_many)),
    "one-day": Mistake("CLI-06", "Opens the first day of the week only.", _changed_reconciliations(_period_of_one_day)),
    "only-changes": Mistake("CLI-07", "Sends of an update what has changed.", _only_what_changed),
    "token-per-call": Mistake("CLI-08", "Logs in for each call.", _token_per_call),
    "polling": Mistake("CLI-09", "Asks forty times for each order, as fast as it can.", _unpaced_polling),
    "impatient": Mistake("CLI-10", "Waits a quarter of a minute after a 429, whatever it asks for.", _impatient),
    "deaf": Mistake("CLI-11", "Takes every refusal for a 404 and goes on.", _deaf_to_blocks),
    "stubborn": Mistake("CLI-12", "Sends what was refused twice more.", _stubborn),
    "no-integrator": Mistake("CLI-14", "Leaves out the integrator where a reconciliation is opened.", _no_integrator),
    "token-in-url": Mistake("CLI-15", "Sends the token in the query as well.", _token_in_url),
    "ok": Mistake("CLI-16", 'Answers notifications with {"ok": true}.', _wrong_answer_to_notifications),
    "at-once": Mistake("CLI-17", "Sends an order twice at once.", _updates_at_once),
    "forgotten": Mistake("CLI-18", "Forgets the last release of each batch.", _last_release_forgotten),
    "commission-above-zero": Mistake("ORD-10", "Sends commissions above zero.", _changed_orders(_commission_above_zero)),
    "concluded-early": Mistake("ORD-04", "Sends orders as concluded once sent.", _changed_orders(_concluded_too_early)),
    "own-status": Mistake("ORD-02", "Sends the marketplace's own status.", _changed_orders(_own_status)),
    "no-offset": Mistake("ORD-21", "Sends createdDate without its offset.", _changed_orders(_dates_without_offset)),
    "overlapping": Mistake("REC-04", "Begins each period with the month.", _changed_reconciliations(_months_that_overlap)),
    "installments": Mistake("REL-04", "Releases in installments.", _changed_releases(_in_installments)),
}  # fmt: skip
"""By name. What some of them need to be seen, a rate that is exceeded or an order that is refused, the tests arrange."""

__all__ = ["MISTAKES", "Blocked", "Mistake", "commit"]
