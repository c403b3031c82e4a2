"""A day's work: send the orders, verify them, reconcile what was paid out, one batch after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import httpx

from examples.integrator.callbacks import Callbacks
from examples.integrator.koncili import Koncili, Refused
from examples.integrator.marketplace import Batch, Sale, batches_of

PATIENCE = 120.0
"""Seconds until a reconciliation that was sent whole is to be completed."""


class Day:
    """What the integration does, and what it has put aside for a person."""

    def __init__(self, koncili: Koncili, callbacks: Callbacks, say: Callable[[str], object] = print) -> None:
        self.koncili, self.callbacks, self.say = koncili, callbacks, say
        self.aside: list[str] = []

    def work(self, export: list[Sale]) -> None:
        """Do all of it."""
        open_accounts = {
            (row["id"], row["channelName"]) for row in self.koncili.accounts() if row["status"] == "ACTIVE"
        }
        newest: dict[str, Sale] = {}
        for sale in export:
            if sale.place not in open_accounts:
                self.put_aside(sale, "its account is not active")
            elif sale.is_removed:
                self.remove(sale)
                newest.pop(sale.code, None)
            elif self.send(sale):
                newest[sale.code] = sale
        for batch in batches_of(list(newest.values())):
            self.reconcile(batch)

    def put_aside(self, sale: Sale, why: object) -> None:
        """Leave an order for a person to look at."""
        self.aside.append(sale.code)
        self.say(f"{sale.code}: put aside, {why}")

    # -- orders ----------------------------------------------------------------------------------------------------

    def send(self, sale: Sale) -> bool:
        """Send one state of an order; whether it was taken."""
        try:
            self.koncili.submit(sale.as_order())
        except Refused as refused:
            self.put_aside(sale, refused)
            return False
        except (
            httpx.TransportError
        ):  # the same order sent twice is one order: whether it is there is asked before its release
            return True
        return True

    def remove(self, sale: Sale) -> None:
        """Take out an order that should not be there, if it is."""
        if self.koncili.order(sale.code, sale.place) is not None:
            self.koncili.remove(sale.code, sale.place)

    def verify(self, sale: Sale) -> bool:
        """Whether Koncili has the order."""
        return self.koncili.order(sale.code, sale.place) is not None

    # -- reconciliations -------------------------------------------------------------------------------------------

    def reconcile(self, batch: Batch) -> None:
        """Open a reconciliation for what is there, release it all, and wait until it is completed."""
        batch = Batch(batch.place, batch.begin, tuple(sale for sale in batch.sales if self.verify(sale)))
        if not batch.sales:
            return
        try:
            number = self.open(batch)
        except Refused as refused:
            for sale in batch.sales:
                self.put_aside(sale, f"its reconciliation was refused, {refused}")
            return
        for sale in batch.sales:
            self.release(sale, number)
        situation = self.wait_for(number)
        self.say(f"reconciliation {number} of {batch.place[1]}: {situation}")

    def open(self, batch: Batch) -> int:
        """Open a reconciliation; its id."""
        return self.koncili.open(batch.as_reconciliation())

    def release(self, sale: Sale, number: int) -> None:
        """Release an order. Where the answer is lost, or says that it is there already, it is looked up and not sent again."""
        try:
            self.koncili.release(sale.as_release(number))
        except httpx.TransportError:
            with contextlib.suppress(httpx.TransportError):
                self.verify(sale)
            self.put_aside(sale, "the answer to its release was lost")
        except Refused as refused:
            self.put_aside(sale, refused)

    def wait_for(self, number: int) -> str:
        """How a reconciliation ended, as Koncili notifies it."""
        until = self.koncili.now() + PATIENCE
        while (situation := self.callbacks.completed(number)) is None:
            if self.koncili.now() >= until:
                return "not completed so far"
            self.koncili.sleep(0.25)
        return situation
